"""Many open streams against the real server, with an engine that repeats each conversation's own marker."""

from __future__ import annotations

import json
import threading
import time

import httpx

from curation.persona import load_persona
from serve import create_app
from tests.serve.conftest import PROJECT, Parrot, serving


def cross_check(count: int) -> str:
    """Open ``count`` streams at once; returns a line for the report. Raises AssertionError if any crossed."""
    gate = threading.Event()
    app = create_app(
        {"ENGINE": Parrot(slots=8, gate=gate), "PERSONA": load_persona(PROJECT / "persona.toml"), "WAITING": count}
    )
    order: list[int] = []
    joined: dict[int, int] = {}
    wrong: list[int] = []
    with serving(app) as url, httpx.Client(limits=httpx.Limits(max_connections=None), timeout=300) as client:

        def talk(number: int) -> None:
            words = [f"marker{number}-{n}" for n in range(40)]
            body = {"messages": [{"role": "user", "content": " ".join(words)}], "stream": True}
            said = []
            with client.stream("POST", f"{url}/api/chat", json=body) as response:
                for line in response.iter_lines():
                    if line.startswith("data: "):
                        data = json.loads(line[6:])
                        if "place" in data:
                            joined.setdefault(number, data["place"])
                        elif "text" in data:
                            if not said:
                                order.append(number)
                            said.append(data["text"].strip())
            if said != words:
                wrong.append(number)

        threads = [threading.Thread(target=talk, args=(n,)) for n in range(count)]
        for thread in threads:
            thread.start()
        while sum(client.get(f"{url}/readyz").json()[k] for k in ("running", "waiting")) < count:
            pass
        start = time.perf_counter()
        gate.set()
        for thread in threads:
            thread.join()
        took = time.perf_counter() - start
    assert wrong == [], f"crossed or broken: {wrong}"
    served = [joined[n] for n in order if n in joined]
    shift = max(abs(place - sorted(served).index(place) - 1) for place in served)
    assert sorted(served) == list(range(1, len(served) + 1))
    return (
        f"{count} open streams over HTTP, 8 at a time, each repeating 40 markers of its own: {count} whole, 0 crossed, "
        f"all in {took:.1f} s; the line serves in the order of arrival (largest shift seen by the clients: {shift})."
    )
