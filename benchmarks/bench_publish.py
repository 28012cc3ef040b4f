"""From a corpus to a repository on the Hub and back: seconds, memory and bytes of `inosuke dataset` and `publish`.

Usage: ``python -m benchmarks.bench_publish [--quick]`` (the starter corpus). Without it, the first user's corpus
if it exists. The Hub is the tests' stand-in on loopback, so what is measured is our side and the client libraries'.
Each command runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks.sections import quick, write
from tests.conftest import CORPUS, ROOT
from tests.tools.hub import WRITER, environment, running

REPO = "writer/lines"

# Runs one command; its last line on standard error says how long it took and how much memory it had at most.
_CHILD = """
import json, resource, sys, time
start = time.perf_counter()
from inosuke import main
sys.argv[0] = "inosuke"
try:
    main()
except SystemExit as stop:
    assert not stop.code, stop.code
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"seconds": time.perf_counter() - start, "peak_mb": peak}), file=sys.stderr)
"""


def main() -> None:
    small = quick(__doc__)
    with tempfile.TemporaryDirectory(prefix="bench-publish-") as folder:
        root = Path(folder) / "project"
        corpus = _project(root, CORPUS if CORPUS.is_dir() and not small else None)
        with running() as hub:
            variables = environment(hub.url, str(Path(folder) / "hf")) | {"HF_TOKEN": WRITER}

            def run(name: str, *command: str) -> dict[str, Any]:
                before = hub.received
                found = _run(root, variables, *command)
                print(f"{name}: {found['seconds']:.1f} s", file=sys.stderr)
                return {"name": name, **found, "sent": hub.received - before}

            dataset, publish = ("dataset", "--json", "--corpus", corpus), ("publish", "--json", "--private", REPO)
            rows = [
                run("`dataset`, first time", *dataset),
                run("`dataset` again, nothing changed", *dataset),
                run("`publish`, loaded back and compared", *publish),
                run("`publish` again, nothing changed", *publish),
            ]
            assert rows[3]["said"]["action"] == "unchanged, no commit", rows[3]
            _change_one_line(root / corpus)
            rows += [run("`dataset`, one line changed", *dataset), run("`publish` of that", *publish)]
            commits = hub[REPO].commits
            assert [c.description.split("\n")[0] for c in commits[2:]] == ["1 added, 1 removed"], commits
    _report(rows)


def _project(root: Path, corpus: Path | None) -> str:
    """Make a project folder with a copy of the corpus (or of the starter corpus), which may be changed."""
    root.mkdir()
    shutil.copy(ROOT / "persona.toml", root / "persona.toml")
    shutil.copytree(corpus or ROOT / "datasets" / "sources" / "handwritten", root / "corpus")
    return "corpus"


def _change_one_line(corpus: Path) -> None:
    """Change a word of one reply, as an author does."""
    file = sorted(p for p in corpus.rglob("quotes*.json*"))[0]
    text = file.read_text(encoding="utf-8")
    at = text.index('"output"')
    mark = text.index("!", at)
    file.write_text(f"{text[:mark]}, hahaha{text[mark:]}", encoding="utf-8")


def _run(root: Path, variables: dict[str, str], *command: str) -> dict[str, Any]:
    kept = {k: v for k, v in os.environ.items() if k not in ("HF_HUB_OFFLINE", "REVIEW_DB")}
    done = subprocess.run(
        [sys.executable, "-c", _CHILD, *command],
        env=kept | variables | {"PYTHONPATH": str(ROOT)},
        cwd=root,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stderr[-2000:]}")
    figures: dict[str, Any] = json.loads(done.stderr.strip().split("\n")[-1])
    return figures | {"said": json.loads(done.stdout)}


def _report(rows: list[dict[str, Any]]) -> None:
    """Write the section of results.md between its markers."""
    exported = rows[0]["said"]["exported"]
    lines = [
        "## Export and publishing",
        "",
        f"{sum(exported.values()):,} samples exported. Python {platform.python_version()}, "
        f"datasets {version('datasets')}, huggingface_hub {version('huggingface_hub')}, {os.cpu_count()} cores, "
        f"load average {os.getloadavg()[0]:.1f}; the Hub is a stand-in on loopback.",
        "",
        "| command | wall s | peak MB | kB sent |",
        "|---|--:|--:|--:|",
        *(f"| {r['name']} | {r['seconds']:.1f} | {r['peak_mb']:.0f} | {r['sent'] / 1000:,.0f} |" for r in rows),
    ]
    section = "\n".join(lines)
    write("publish", section)
    print(section)


if __name__ == "__main__":
    main()
