"""The tables of :mod:`curation.codes` and the codes that the packages emit are the same.

The walk below reads the source: a code counts as emitted where it is a literal in one of the places that put codes on
records. A code that is put together at run time is not found there, so it fails, too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from curation.codes import (
    EVIDENCE,
    FLAGS,
    REJECTIONS,
    blocks_approval,
    explain_flag,
    findings,
    may_be_off,
    never_trained,
)
from curation.record import Flag

ROOT = Path(__file__).parents[2]
PACKAGES = ("curation", "annotations", "serve", "train")
TABLES = {"flags": FLAGS, "rejections": REJECTIONS, "evidence": EVIDENCE}


def modules() -> list[ast.Module]:
    paths = (path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))
    return [ast.parse(path.read_text(encoding="utf-8")) for path in paths]


def emitted(trees: Iterable[ast.Module]) -> dict[str, set[str]]:
    """Return the codes that these modules emit: flags, rejections and evidence.

    A flag is ``Flag("code", …)`` or the name of a function under ``@check`` or ``@fault``. A rejection is what `reason`
    is given in a module that builds rejections, or the first argument of BadRow. Evidence is what `evidence` is given.
    """
    found: dict[str, set[str]] = {"flags": set(), "rejections": set(), "evidence": set()}
    for tree in trees:
        rejects = any(isinstance(n, ast.Name) and n.id in ("Rejected", "RawLine", "BadRow") for n in ast.walk(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and any(_called(d) in ("check", "fault") for d in node.decorator_list):
                found["flags"].add(node.name)
            if isinstance(node, ast.Call) and _called(node.func) == "Flag" and node.args:
                found["flags"] |= set(_texts(node.args[0]))
            if isinstance(node, ast.Call) and _called(node.func) == "BadRow":
                found["rejections"] |= set(_texts(node.args[0]))
            for name, value in _given(node):
                if name == "evidence":
                    found["evidence"] |= set(_texts(value))
                elif name == "reason" and rejects:
                    found["rejections"] |= set(_texts(value))
    return found


def _called(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _given(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    """Yield (name, value) of keyword arguments and assignments, ``a.b, c = x, y`` included."""
    if isinstance(node, ast.keyword) and node.arg:
        yield node.arg, node.value
    for target in node.targets if isinstance(node, ast.Assign) else ():
        pairs = [(target, node.value)] if isinstance(node, ast.Assign) else []
        if isinstance(target, ast.Tuple) and isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            pairs = list(zip(target.elts, node.value.elts, strict=True))
        yield from ((_called(left), right) for left, right in pairs)


def _texts(value: ast.expr) -> Iterator[str]:
    """Yield the texts that an expression can be: a literal, either side of `a if … else b`, the code of `f"code:…"`."""
    if isinstance(value, ast.IfExp):
        yield from (*_texts(value.body), *_texts(value.orelse))
    elif isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
        yield value.value
    elif isinstance(value, ast.JoinedStr) and isinstance(first := value.values[0], ast.Constant):
        code, colon, _ = str(first.value).partition(":")
        yield from [code] * bool(colon)


def differences(trees: Iterable[ast.Module], tables: dict[str, Iterable[str]]) -> list[str]:
    found = emitted(trees)
    return [
        *(f"{code}: emitted, not in {what}" for what in tables for code in sorted(found[what] - set(tables[what]))),
        *(f"{code}: in {what}, never emitted" for what in tables for code in sorted(set(tables[what]) - found[what])),
    ]


def test_every_code_is_in_its_table_and_every_table_row_is_emitted() -> None:
    assert differences(modules(), dict(TABLES)) == []


EMITS = """
from curation.record import Flag, Rejected

@check
def shouting(text, persona):
    return "capitals" if text.isupper() else ""

@fault
def whispering(text, persona):
    return [text] if text.islower() else []

def read(row):
    raise BadRow("no_words", "the row has no words")

def look(line, wide):
    line.reason, line.detail = "sign" if wide == "yes" else "drawing", "seen"
    Rejected(source=None, reason="heading", text="x")
    Spoken(text="x", speaker=None, evidence="voice")
    evidence = "column" if line.speaker else ""
    return Flag("odd", "what is odd")
"""
SYNTHETIC = {
    "flags": ["shouting", "whispering", "odd"],
    "rejections": ["no_words", "sign", "drawing", "heading"],
    "evidence": ["voice", "column"],
}


def test_the_walk_finds_each_way_to_emit_a_code() -> None:
    assert differences([ast.parse(EMITS)], dict(SYNTHETIC)) == []


@pytest.mark.parametrize("what", SYNTHETIC)
def test_a_code_that_is_missing_on_either_side_is_named(what: str) -> None:
    for code in SYNTHETIC[what]:
        without = {**SYNTHETIC, what: [c for c in SYNTHETIC[what] if c != code]}
        assert differences([ast.parse(EMITS)], dict(without)) == [f"{code}: emitted, not in {what}"]
    more = {**SYNTHETIC, what: [*SYNTHETIC[what], "stale"]}
    assert differences([ast.parse(EMITS)], dict(more)) == [f"stale: in {what}, never emitted"]


def test_a_flag_code_is_a_literal() -> None:
    """Only stored flags (``Flag(*flag)``) and checks, whose names are their codes, are built from a variable."""
    wrong = [
        ast.unparse(node)
        for tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _called(node.func) == "Flag" and node.args
        if not isinstance(node.args[0], ast.Constant | ast.Starred)
    ]
    assert wrong == [
        "Flag(code, detail)",
        "Flag(code, words[:_SHOWN])",
    ]  # curation/checks.py, curation/faults/registry.py


@pytest.mark.parametrize("name", TABLES)
def test_a_row_is_filed_under_its_code_and_has_words_in_both_languages(name: str) -> None:
    for code, row in TABLES[name].items():
        assert row.code == code
        assert row.vi.strip() and row.en.strip() and row.vi != row.en


def test_flags_block_approval_and_keep_a_row_out_of_training_as_the_table_says() -> None:
    weak, label, empty = Flag("weak_speaker", "x"), Flag("label_in_reply", "x"), Flag("empty_reply")
    assert not blocks_approval([weak, empty]) and blocks_approval([weak, label])
    assert never_trained([weak, label, empty]) == {"label_in_reply", "empty_reply"}
    assert sorted(code for code, row in FLAGS.items() if row.blocks) == [
        "assistant_words", "chat_spelling", "cut_off", "damaged_letters", "label_in_reply", "language", "link",
        "loop", "lost_letters", "lost_referent", "markup", "missing_attachment", "name_spelling",
        "no_diacritics", "out_of_character", "personal_data", "placeholder", "possible_speaker", "profanity",
        "prompt_echoed", "repaired_letters", "review_outdated", "role_label", "similar_name", "stage_direction",
        "template_words", "typing_error", "unknown_speaker", "written_by_model", "wrong_address",
    ]  # fmt: skip


def test_what_the_export_or_publishing_rests_on_cannot_be_switched_off() -> None:
    assert set(FLAGS) - may_be_off() == {
        "alpaca_layout", "empty_reply", "example_row", "label_in_reply", "no_reply_at_the_end", "personal_data",
        "replaced_reply", "respelled",
    }  # fmt: skip


def test_a_stored_row_is_not_a_finding() -> None:
    language = Flag("language", "looks like `fr`")
    assert findings([Flag("alpaca_layout", "{}"), language]) == (language,)


def test_a_flag_is_explained_in_both_languages_and_an_unknown_one_is_shown_as_it_is() -> None:
    assert explain_flag("empty_turn", "vi") == "Có lượt trống."
    assert explain_flag("empty_turn", "en") == "A turn is empty."
    assert explain_flag("from_an_older_queue", "en") == "from_an_older_queue"
