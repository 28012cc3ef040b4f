"""One address cannot hold all connections, and a server that is told to stop ends its answers first."""

import os
import shutil
import signal
import socket
import subprocess
import sys

import httpx
import pytest

from serve import create_app
from serve.wsgi.connections import limit_per_address
from tests.serve.conftest import PROJECT, Parrot, serving

SERVER = """
import sys, threading
from curation.persona import load_persona
from serve import create_app
from serve.engine import Delta, Done
from serve.wsgi.server import run_server

class Slow:
    name, model, context, slots = "slow", "slow", None, 1
    def stream(self, messages, settings, cancelled):
        yield Delta("một ")
        sys.stdin.readline()
        yield Delta("hai")
        yield Done("stop", 1, 2)

config = {"ENGINE": Slow(), "PERSONA": load_persona(sys.argv[1])}
run_server("127.0.0.1", 0, config, lambda line: print(line, flush=True))
"""
# Opens the page as soon as it is told where.
EAGER = SERVER.replace("lambda line: print(line, flush=True)", "told").replace(
    "config = ",
    """
import os, signal, httpx

def told(line):
    if line.startswith("Open "):
        print(httpx.get(line.split()[1]).status_code, flush=True)
        os.kill(os.getpid(), signal.SIGTERM)

config = """,
)
AS_PROCESS_1 = ("unshare", "--user", "--map-root-user", "--pid", "--fork", "--kill-child")


def may_unshare():
    return shutil.which("unshare") and subprocess.run([*AS_PROCESS_1, "true"], capture_output=True).returncode == 0


@pytest.mark.parametrize("before", [(), AS_PROCESS_1], ids=["a process", "process 1"])
@pytest.mark.skipif(os.name != "posix", reason="SIGTERM")
def test_sigterm_lets_an_answer_end(before):
    if before and not may_unshare():
        pytest.skip("this machine does not permit unshare")
    process = subprocess.Popen(
        [*before, sys.executable, "-c", SERVER, str(PROJECT / "persona.toml")],
        env=os.environ | {"PYTHONPATH": str(PROJECT)}, cwd=PROJECT,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip
    url = next(line.split()[1] for line in process.stdout if line.startswith("Open "))
    served = process.pid
    if before:
        served = int(subprocess.run(["pgrep", "-P", str(served)], capture_output=True, text=True).stdout)
    question = {"messages": [{"role": "user", "content": "a"}], "stream": True}
    with httpx.stream("POST", f"{url}/api/chat", json=question, timeout=120) as response:
        pieces = response.iter_text()
        while "một" not in next(pieces):  # comments come first
            pass
        os.kill(served, signal.SIGTERM)
        host, port = url.removeprefix("http://").split(":")
        while not refuses(host, int(port)):
            pass
        process.stdin.write("\n")
        process.stdin.flush()
        assert "hai" in (rest := "".join(pieces)) and "done" in rest
    assert process.wait(60) == 0


@pytest.mark.skipif(os.name != "posix", reason="SIGTERM")
def test_the_address_is_told_once_the_page_is_there():
    done = subprocess.run(
        [sys.executable, "-c", EAGER, str(PROJECT / "persona.toml")],
        env=os.environ | {"PYTHONPATH": str(PROJECT)}, cwd=PROJECT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("200\n", 0), done.stderr


def refuses(host, port):
    try:
        socket.create_connection((host, port), timeout=10).close()
    except OSError:
        return True
    return False


def test_one_address_cannot_keep_the_others_out(persona):
    app = create_app({"ENGINE": Parrot(), "PERSONA": persona})
    with serving(app) as url:
        limit_per_address(app.extensions["waitress"], 20)
        host, port = url.removeprefix("http://").split(":")
        slow = [socket.create_connection((host, int(port)), source_address=("127.0.0.2", 0)) for _ in range(620)]
        other = httpx.Client(transport=httpx.HTTPTransport(local_address="127.0.0.1"))
        assert other.get(f"{url}/healthz").status_code == 200
        held = sum(c.addr[0] == "127.0.0.2" for c in app.extensions["waitress"].active_channels.values())
        assert held == 20
        slow[0].close()
        for connection in slow:
            connection.close()
