"""results.md, of which each benchmark writes its own section and leaves the others as they are."""

from __future__ import annotations

import argparse
from pathlib import Path

from curation.files import write_atomically

RESULTS = Path(__file__).with_name("results.md")


def quick(about: str | None) -> bool:
    """Return whether `--quick` was given; answers `--help` with what a benchmark says of itself (its docstring)."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, or less data")
    return bool(parser.parse_args().quick)


def write(name: str, text: str) -> None:
    """Put ``text`` (Markdown, its heading first) where the section of the benchmark ``name`` is, or at the end."""
    begin, end = f"<!-- bench_{name} -->", f"<!-- /bench_{name} -->"
    section = f"{begin}\n{text.strip()}\n{end}"
    old = RESULTS.read_text(encoding="utf-8") if RESULTS.exists() else "# Measured\n"
    before, found, rest = old.partition(begin)
    write_atomically(RESULTS, before + section + rest.partition(end)[2] if found else f"{old.rstrip()}\n\n{section}\n")
