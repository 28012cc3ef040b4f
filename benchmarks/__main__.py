"""`make bench`: run every benchmark (or those named), each of which updates its own part of results.md.

Usage: ``python -m benchmarks [--quick] [dedup import review …]``
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def main() -> int:
    names = [a for a in sys.argv[1:] if not a.startswith("-")]
    options = [a for a in sys.argv[1:] if a.startswith("-")]
    known = sorted(p.stem.removeprefix("bench_") for p in HERE.glob("bench_*.py"))
    if unknown := set(names) - set(known):
        print(f"no benchmark called {', '.join(sorted(unknown))}. Known: {', '.join(known)}", file=sys.stderr)
        return 2
    # A process each: one benchmark's memory must not be another's starting point.
    failed = [
        name
        for name in names or known
        if subprocess.run([sys.executable, "-m", f"benchmarks.bench_{name}", *options], check=False).returncode
    ]
    print(f"Results: {HERE / 'results.md'}" + (f"; failed: {', '.join(failed)}" if failed else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
