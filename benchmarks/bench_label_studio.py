"""Push and pull of 9,259 samples against a real Label Studio on loopback: seconds and memory of the `inosuke` side.

Usage: ``python -m benchmarks.bench_label_studio [--quick]`` (1,000 samples). The first run installs the server (1 GB).
Each command runs in its own process, so that its peak memory can be measured.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import httpx

from annotations.labelstudio import tasks
from annotations.labelstudio.connection import Server
from annotations.labelstudio.project import find
from benchmarks.sections import quick, write
from curation.persona import load_persona
from tests.annotations.labelstudio.project import Annotator, Desk, real_samples
from tests.tools.labelstudio_server import TOKEN, VERSION, LabelStudioServer, ensure_venv

ROOT = Path(__file__).resolve().parent.parent
TITLE = "bench"

# Runs one command and prints, on its last line, its time and its peak memory.
_CHILD = """
import json, resource, sys, time
from annotations.commands.label_studio import label_studio
start = time.perf_counter()
try:
    label_studio(sys.argv[1:])
except SystemExit as stop:
    assert not stop.code, stop.code
used = resource.getrusage(resource.RUSAGE_SELF)
cpu = used.ru_utime + used.ru_stime
print(json.dumps({"seconds": time.perf_counter() - start, "cpu": cpu, "peak_mb": used.ru_maxrss / 1024}))
"""


def main() -> None:
    count = 1000 if quick(__doc__) else 9259
    ensure_venv()
    with tempfile.TemporaryDirectory(prefix="bench-label-studio-") as folder:
        server = LabelStudioServer(Path(folder) / "data")
        server.start()
        try:
            rows = measure(server, Path(folder) / "project", count)
        finally:
            server.stop()
    report(rows, count)


def measure(server: LabelStudioServer, root: Path, count: int) -> list[tuple[str, dict[str, Any]]]:
    """Return the measurements: a name, and seconds, peak memory and the command's output."""
    desk = Desk(root, real_samples(count, load_persona(ROOT / "persona.toml")))
    rows = [
        ("push, nothing there yet", run(server, root, "push")),
        ("push again", run(server, root, "push")),
    ]
    assert [r["said"]["new"] for _, r in rows] == [count, 0]
    annotate(server)
    rows += [
        ("pull, every task annotated", run(server, root, "pull")),
        ("pull again", run(server, root, "pull")),
        ("status", run(server, root, "status")),
    ]
    assert [r["said"]["new"] for _, r in rows[2:4]] == [count, 0]
    assert len(desk.store.log.events()) == count
    desk.store.close()
    return rows


def annotate(server: LabelStudioServer) -> None:
    """Approve everything: replace the pushed tasks by tasks with an annotation each.

    The server imports annotations with their tasks, a thousand at a time, much faster than it accepts them one by one.
    """
    found = find(Server(server.url, TOKEN), TITLE)
    assert found is not None
    owner = Annotator(server.url, TOKEN)
    data = [task["data"] for page, _ in found.tasks() for task in page]
    owner.http.timeout = httpx.Timeout(600)
    owner.delete(f"api/projects/{found.id}/tasks/")
    verdict = {"from_name": "verdict", "to_name": "dialogue", "type": "choices", "value": {"choices": ["approve"]}}
    for start in range(0, len(data), 1000):
        batch = []
        for shown in data[start : start + 1000]:
            read = tasks.read_task(shown)
            assert read is not None
            result = [*tasks.prediction(read.messages)["result"], verdict]
            batch.append({"data": shown, "annotations": [{"completed_by": 1, "result": result}]})
        owner.http.post(f"api/projects/{found.id}/import", json=batch).raise_for_status()


def run(server: LabelStudioServer, root: Path, command: str) -> dict[str, Any]:
    environment = {k: v for k, v in os.environ.items() if k != "REVIEW_DB"} | {
        "LABEL_STUDIO_URL": server.url,
        "LABEL_STUDIO_API_KEY": TOKEN,
    }
    assert server.process is not None
    ticks = server_ticks(server.process.pid)
    options = [command, "--json", "--project", TITLE, "--persona", str(root / "persona.toml")]
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *options], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    said, figures = done.stdout.strip().split("\n")
    result = json.loads(figures) | {"said": json.loads(said)}
    result["server_cpu"] = (server_ticks(server.process.pid) - ticks) / os.sysconf("SC_CLK_TCK")
    print(f"{command}: {result['seconds']:.1f} s, {result['peak_mb']:.0f} MB", file=sys.stderr)
    return result


def server_ticks(pid: int) -> int:
    """Return the processor time of the server so far, in clock ticks."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def report(rows: list[tuple[str, dict[str, Any]]], count: int) -> None:
    """Write the section of results.md between its markers."""
    lines = [
        "## Label Studio",
        "",
        f"{count:,} samples, label-studio {VERSION} (SQLite) and the command on one machine over loopback, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}, label-studio-sdk {version('label-studio-sdk')}, "
        f"{datetime.now(UTC):%Y-%m-%d}; load average at the end {os.getloadavg()[0]:.1f}. "
        "Target: push and pull under 60 s each, under 500 MB.",
        "",
        "| command | wall s | CPU s of the server | CPU s of the command | its peak memory |",
        "| --- | ---: | ---: | ---: | ---: |",
        *(
            f"| {name} | {r['seconds']:.1f} | {r['server_cpu']:.1f} | {r['cpu']:.1f} | {r['peak_mb']:.0f} MB |"
            for name, r in rows
        ),
    ]
    section = "\n".join(lines)
    write("label_studio", section)
    print(section)


if __name__ == "__main__":
    started = time.perf_counter()
    main()
    print(f"{time.perf_counter() - started:.0f} s in all", file=sys.stderr)
