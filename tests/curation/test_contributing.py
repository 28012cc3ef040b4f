"""The worked examples of CONTRIBUTING.md are true: its code is run as it stands."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from curation import checks
from curation.codes import Code
from curation.importers import registry
from curation.importers.source.source_file import from_bytes
from curation.persona import Persona
from tests.conftest import ROOT
from tests.curation.importers.looks import said

TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
CHECK, FLAG_ROW, FORMAT, FORMAT_ROW = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
LRC = b"[00:12.50]TANJIRO: \xc4\x90i n\xc3\xa0o!\n[00:14.00]INOSUKE: Ta \xc4\x91i tr\xc6\xb0\xe1\xbb\x9bc!\n"


def test_the_check_flags_its_example_under_its_name(persona: Persona, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_CHECKS", dict(checks._CHECKS))
    exec(CHECK, vars(checks).copy())
    code: Code = eval(FLAG_ROW.strip().rstrip(","), {"Code": Code})
    example, flagged = re.search(r'`\("(.+?)", \["(.+?)"\]\)`', TEXT).groups()  # type: ignore[union-attr]
    assert [f.code for f in checks.check_reply(example, persona)] == [code.code] == [flagged]
    assert checks.check_reply("Ta cười haha với ngươi!", persona) == ()


def test_the_format_is_known_by_its_row_and_read(persona: Persona, monkeypatch: pytest.MonkeyPatch) -> None:
    module: dict[str, Any] = {}
    exec(FORMAT, module)
    row = eval("{" + FORMAT_ROW + "}", vars(registry) | {"lrc": SimpleNamespace(read=module["read"])})
    monkeypatch.setattr(registry, "FORMATS", registry.FORMATS | row)
    for name in ("song.lrc", "song.txt"):
        found = registry.read_with_format(from_bytes(Path(name), LRC), persona)
        assert (found.format, said(found)) == ("lrc", [("Tanjiro", "Đi nào!"), ("Inosuke", "Ta đi trước!")])
    assert [u.start_ms for u in found.utterances] == [12_500, 14_000]
