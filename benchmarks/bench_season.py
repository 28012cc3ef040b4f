"""A season as a subtitle group publishes it, by `inosuke import`: `python -m benchmarks.bench_season [--quick]`.

40 files, 43 MB: 23 .ass of which nearly all is typesetting (karaoke by syllables, drawings, signs moved by frames),
and small .srt, .vtt, .ttml, scripts, web pages, rows and a zip beside them. The command runs in a terminal of its own,
so that its bar can be watched. pysubs2's bare parse of the .ass files runs in the same minutes.
"""

from __future__ import annotations

import argparse
import os
import platform
import pty
import random
import re
import subprocess
import sys
import tempfile
import termios
import time
import zipfile
from pathlib import Path

import pysubs2

from benchmarks.bench_import import CUES, PEOPLE, ROOT, episode, line
from benchmarks.sections import write

EVENTS = 19_000
LIMIT_SECONDS = 25
# A bar that stands still for longer looks like a program that hangs.
LIMIT_STILL = 3.0


def main() -> None:
    """Generate, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of the typesetting; writes nothing")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        text = _measure(Path(folder), EVENTS // 10 if options.quick else EVENTS)
    print(text)
    if not options.quick:
        write("season", f"## A season\n\n{text}")


def _measure(root: Path, events: int) -> str:
    season = root / "season"
    season.mkdir()
    for number in range(1, 46, 2):
        _typeset(season, number, events)
    _small(season)
    files = sorted(season.iterdir())
    size = sum(path.stat().st_size for path in files)
    start = time.perf_counter()
    for path in season.glob("*.ass"):
        pysubs2.load(str(path))
    bare = time.perf_counter() - start
    (root / "persona.toml").write_bytes((ROOT / "persona.toml").read_bytes())
    seconds, moments = _import(root, season)
    still = max(b - a for a, b in zip([0.0, *moments], [*moments, seconds], strict=True))
    rows = [
        ("`inosuke import`, wall s", f"{seconds:.1f}", f"{LIMIT_SECONDS}"),
        ("pysubs2's bare parse of the .ass files, one core, wall s", f"{bare:.1f}", ""),
        ("ratio", f"{seconds / bare:.2f}", ""),
        ("times that the bar moved", f"{len(moments)}", ""),
        ("longest time that it stood still, s", f"{still:.1f}", f"{LIMIT_STILL:.0f}"),
    ]
    return "\n".join(
        [
            f"{len(files)} files, {size / 1e6:.0f} MB. "
            f"Python {platform.python_version()}, {os.cpu_count()} cores, load average {os.getloadavg()[0]:.1f}.",
            "",
            "| | | at most |",
            "|---|--:|--:|",
            *(f"| {name} | {value} | {limit} |" for name, value, limit in rows),
        ]
    )


def _import(root: Path, season: Path) -> tuple[float, list[float]]:
    """Run the command in a terminal; return its seconds and when the bar moved."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))  # a bar is drawn for a width, and a new terminal has none
    start = time.perf_counter()
    command = [str(Path(sys.executable).with_name("inosuke")), "import", str(season)]
    ran = subprocess.Popen(command, stdout=theirs, stderr=theirs, cwd=root)
    os.close(theirs)
    said, shown, moments = "", "", []
    while True:
        try:
            said += os.read(ours, 65_536).decode("utf-8", "replace")
        except OSError:  # Linux: the other end is closed
            break
        share = re.findall(r"(\d+)%", said)
        if share and share[-1] != shown:
            shown = share[-1]
            moments.append(time.perf_counter() - start)
    if ran.wait() != 0:
        raise SystemExit(f"inosuke import ended with status {ran.returncode}: {said[-2_000:]}")
    return time.perf_counter() - start, moments


def _typeset(folder: Path, number: int, events: int) -> None:
    """Write an episode whose dialogue is a small part of its events."""
    episode(folder, number)
    path = folder / f"episode {number:03d}.ass"
    dice = random.Random(number)
    out = []
    for n in range(events):
        start = 1_000 + n * 9
        times = f"{_clock(start)},{_clock(start + 4)}"
        kind = n % 3
        if kind == 0:
            effect = rf"{{\k{dice.randint(5, 60)}\fad(120,80)\pos({n % 1280},40)}}"
            out.append(f"Dialogue: 1,{times},OP,,0,0,0,karaoke,{effect}{dice.choice(['na', 'ka', 'mi', 'to'])}")
        elif kind == 1:
            points = " ".join(str(dice.randint(0, 900)) for _ in range(12))
            out.append(rf"Dialogue: 2,{times},Sign,,0,0,0,,{{\p1\an7\pos({n % 900},{n % 600})}}m {points}")
        else:
            out.append(rf"Dialogue: 0,{times},Sign,,0,0,0,,{{\pos({n / 10:.2f},100)\frz{n % 360}\blur0.6}}Núi Natagumo")
    with path.open("a", encoding="utf-8") as file:
        file.write("\n".join(out) + "\n")


def _small(folder: Path) -> None:
    """Write what lies beside the episodes: 17 files in other formats."""
    dice = random.Random(7)
    for number in (2, 4, 6, 8):
        episode(folder, number)
    said = [(dice.choice(PEOPLE[:5]), line(dice)) for _ in range(CUES)]
    cues = [f"{_long(1_000 * n)} --> {_long(1_000 * n + 900)}\n<v {who}>{text}" for n, (who, text) in enumerate(said)]
    script = "\n\n".join(f"{who}: {text}" for who, text in said)
    page = "".join(f"<p><b>{who}:</b> {text}</p>" for who, text in said)
    timed = "".join(
        f'<p begin="{_long(1_000 * n)}" end="{_long(1_000 * n + 900)}">{who}: {text}</p>'
        for n, (who, text) in enumerate(said)
    )
    for number in (1, 2, 3):
        files = {
            f"extra {number}.vtt": "WEBVTT\n\n" + "\n\n".join(cues) + "\n",
            f"extra {number}.ttml": f'<tt xmlns="http://www.w3.org/ns/ttml"><body><div>{timed}</div></body></tt>',
            f"script {number}.txt": script,
            f"wiki {number}.html": f"<html><body><h2>Lời thoại</h2>{page}</body></html>",
        }
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8")
    with zipfile.ZipFile(folder / "more.zip", "w", zipfile.ZIP_DEFLATED) as inside:
        inside.writestr("script 4.txt", script)


def _clock(hundredths: int) -> str:
    return f"{hundredths // 360_000}:{hundredths // 6_000 % 60:02d}:{hundredths // 100 % 60:02d}.{hundredths % 100:02d}"


def _long(ms: int) -> str:
    return f"{ms // 3_600_000:02d}:{ms // 60_000 % 60:02d}:{ms // 1_000 % 60:02d}.{ms % 1_000:03d}"


if __name__ == "__main__":
    main()
