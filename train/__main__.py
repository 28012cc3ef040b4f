"""``python -m train`` is ``inosuke train``; ``python -m train merge`` and so on are its neighbours."""

from __future__ import annotations

import sys

from inosuke import main

NEIGHBOURS = ("train", "evaluate", "merge", "gguf")

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in NEIGHBOURS:
        sys.argv.insert(1, "train")
    main()
