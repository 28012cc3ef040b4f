"""Import against pysubs2's bare parse: `python -m benchmarks.bench_import [--quick]`.

One run, the same generated episodes: half .ass, half .srt, 400 cues each, with what real files have (actor fields, SDH
labels, tags, signs, karaoke, an opening that every episode shares). Prints and writes its own section of results.md.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pysubs2

from benchmarks.sections import write
from curation.importers import read
from curation.persona import load_persona
from curation.transcripts import collector
from curation.transcripts.scenes import to_samples

ROOT = Path(__file__).resolve().parent.parent
CUES = 400
WORDS = [
    "núi",
    "gió",
    "heo",
    "rừng",
    "kiếm",
    "suối",
    "đá",
    "ta",
    "ngươi",
    "chạy",
    "ăn",
    "cơm",
    "trời",
    "sáng",
    "tối",
    "mưa",
    "nắng",
    "đường",
    "về",
    "nhà",
    "đi",
    "lên",
    "xuống",
    "nhanh",
]
PEOPLE = ["Tanjiro", "Zenitsu", "Nezuko", "Aoi", "Inosuke", ""]


def main() -> None:
    """Generate, measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="50 episodes instead of 500; writes nothing")
    parser.add_argument("--child", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(options.child)
        return
    with tempfile.TemporaryDirectory() as folder:
        text = _measure(Path(folder), 50 if options.quick else 500)
    print(text)
    if not options.quick:
        write("import", f"## Import\n\n{text}")


def _measure(folder: Path, episodes: int) -> str:
    season = folder / "season"
    season.mkdir()
    cues = sum(episode(season, number) for number in range(episodes))
    files = sorted(season.iterdir())
    persona = load_persona(ROOT / "persona.toml")
    bare: dict[str, float] = {".ass": 0.0, ".srt": 0.0}
    ours: dict[str, float] = {".ass": 0.0, ".srt": 0.0}
    found = []
    # Both take turns, file by file, in processor time: whatever else runs on the machine slows both alike. We pause
    # the collector of cycles while we read, so it is paused for pysubs2 as well.
    for path in files:
        start = time.process_time()
        with collector.paused():
            pysubs2.load(str(path))
        middle = time.process_time()
        found.append(read(path, persona, name=path.name))
        bare[path.suffix] += middle - start
        ours[path.suffix] += time.process_time() - middle
    start = time.process_time()
    samples, rejected = to_samples(found, persona)
    scenes = time.process_time() - start
    lines = sum(len(f.utterances) for f in found)
    total, base = sum(ours.values()) + scenes, sum(bare.values())
    rows = [
        ("pysubs2.load", base, base),
        (" .ass alone", bare[".ass"], bare[".ass"]),
        (" .srt alone", bare[".srt"], bare[".srt"]),
        ("our import, records", sum(ours.values()), base),
        (" .ass alone", ours[".ass"], bare[".ass"]),
        (" .srt alone", ours[".srt"], bare[".srt"]),
        ("our import, scenes and samples", scenes, base),
        ("our whole import", total, base),
    ]
    table = [f"| {name} | {seconds:.2f} | {seconds / of:.2f} |" for name, seconds, of in rows]
    del found
    first, again = (_run(season, folder / "project") for _ in range(2))
    return "\n".join(
        [
            f"{episodes} episodes, {cues:,} cues ({lines:,} utterances, {len(samples):,} samples, "
            f"{len(rejected):,} lines in none). Python {platform.python_version()}, "
            f"pysubs2 {pysubs2.__version__}, {os.cpu_count()} cores.",
            "",
            "| | CPU s | times pysubs2 |",
            "|---|--:|--:|",
            *table,
            "",
            "| `inosuke import`, as one command | wall s | peak MB, largest process | all processes |",
            "|---|--:|--:|--:|",
            f"| first time | {first['seconds']:.2f} | {first['largest']:.0f} | {first['all']:.0f} |",
            f"| again, nothing changed | {again['seconds']:.2f} | {again['largest']:.0f} | {again['all']:.0f} |",
            "",
            "Limits to keep: whole import at most 2.5 times pysubs2 a core, memory under 500 MB, again under 2 s.",
        ]
    )


def _run(season: Path, project: Path) -> dict[str, float]:
    """Import a folder in a process of its own, whose memory can be read afterwards."""
    project.mkdir(exist_ok=True)
    (project / "persona.toml").write_bytes((ROOT / "persona.toml").read_bytes())
    out = subprocess.run(
        [sys.executable, "-m", "benchmarks.bench_import", "--child", str(season)],
        check=True, capture_output=True, text=True, cwd=ROOT, env={**os.environ, "BENCH_PROJECT": str(project)},
    )  # fmt: skip
    result: dict[str, float] = json.loads(out.stdout)
    return result


def _child(season: Path) -> None:
    import resource

    from curation.importers.inspection import overview

    start = time.perf_counter()
    persona = load_persona(Path(os.environ["BENCH_PROJECT"]) / "persona.toml")
    overview([season], persona, quiet=True)
    seconds = time.perf_counter() - start
    # Linux counts ru_maxrss in kilobytes; that of the children is the largest child's.
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    workers = os.cpu_count() or 1
    print(json.dumps({"seconds": seconds, "largest": max(own, child), "all": own + child * workers}))


def episode(folder: Path, number: int) -> int:
    dice = random.Random(number)
    opening = random.Random(-1)
    lines = [(line(opening), "", "OP") for _ in range(20)]
    while len(lines) < CUES:
        kind = "Sign" if dice.random() < 0.05 else "Default"
        lines.append((line(dice), "" if kind == "Sign" else dice.choice(PEOPLE), kind))
    write = _ass if number % 2 else _srt
    write(folder / f"episode {number:03d}.{'ass' if number % 2 else 'srt'}", lines, dice)
    return CUES


def line(dice: random.Random) -> str:
    return " ".join(dice.choice(WORDS) for _ in range(dice.randint(2, 12))).capitalize() + dice.choice("!.?!")


def _times(dice: random.Random, count: int) -> list[tuple[int, int]]:
    now, found = 0, []
    for _ in range(count):
        length = dice.randint(80, 400)
        found.append((now, now + length))
        now += length + (dice.randint(400, 2000) if dice.random() < 0.05 else dice.randint(0, 150))
    return found


def _ass(path: Path, lines: list[tuple[str, str, str]], dice: random.Random) -> None:
    def clock(t: int) -> str:
        return f"{t // 360000}:{t // 6000 % 60:02d}:{t // 100 % 60:02d}.{t % 100:02d}"

    style = "Style: {},Arial,20,&H00FFFFFF,&H000000FF,&H00000000,&H00000000,0,0,0,0,100,100,0,0,1,2,0,2,10,10,10,1"
    out = ["[Script Info]", "ScriptType: v4.00+", "", "[V4+ Styles]", *map(style.format, ("Default", "Sign", "OP"))]
    out += ["", "[Events]", "Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text"]
    for (text, who, kind), (start, end) in zip(lines, _times(dice, len(lines)), strict=True):
        words = text.replace(" ", r"\N", 1) if dice.random() < 0.2 else text
        words = r"{\i1}" + words + r"{\i0}" if dice.random() < 0.1 else words
        words = r"{\pos(320,50)\fad(200,200)}" + words if kind == "Sign" else words
        out.append(f"Dialogue: 0,{clock(start)},{clock(end)},{kind},{who},0,0,0,,{words}")
    path.write_text("\n".join(out) + "\n", encoding="utf-8")


def _srt(path: Path, lines: list[tuple[str, str, str]], dice: random.Random) -> None:
    def clock(t: int) -> str:
        return f"{t // 360000:02d}:{t // 6000 % 60:02d}:{t // 100 % 60:02d},{t % 100:02d}0"

    out = []
    for number, ((text, who, kind), (start, end)) in enumerate(zip(lines, _times(dice, len(lines)), strict=True), 1):
        words = f"{who.upper()}: {text}" if who else f"♪ {text} ♪" if kind == "OP" else text
        words = f"<i>{words}</i>" if dice.random() < 0.1 else words
        out.append(f"{number}\n{clock(start)} --> {clock(end)}\n{words}\n")
    path.write_text("\n".join(out), encoding="utf-8")


if __name__ == "__main__":
    main()
