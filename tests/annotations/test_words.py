"""The desk's words: each key that a view uses is there, in both languages, and each that is there is used."""

from __future__ import annotations

import ast
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from string import Formatter
from typing import get_args

import pytest

from annotations.labelstudio import interface
from annotations.labelstudio.interface import Layout
from annotations.labelstudio.page_texts import instruction
from annotations.store.queries import STATUS_FILTERS
from annotations.ui.views.app import VIEWS
from annotations.words import HELP, REASONS, TO_REWRITE, WORDS, explain_reason, say
from curation.persona import Persona
from curation.review.decisions import VERDICTS
from curation.review.teaching import Why
from tests.conftest import ROOT

# What follows the prefix of a key that is put together, as in `status_{status}`.
ENDINGS = {
    "comes_": get_args(Why),
    "view_": tuple(VIEWS),
    "role_": ("annotator", "adjudicator"),
    "status_": (*STATUS_FILTERS, "pending"),
    "verdict_": VERDICTS,
    "did_": ("approve", "reject", "rewrite", "skip", "note"),
    "context_": ("missing", "changed", "unreadable", "not_found"),
    "reason_": (*REASONS, TO_REWRITE),
    "queue_": ("usual", "mine", "all"),
    "all_": ("approve", "reject", "skip"),
    "all_sure_": ("approve", "reject", "skip"),
    "choice_": ("1", "2"),
    "audit_": ("right", "wrong"),
    "audit_settle_": ("right", "wrong"),
}


def used() -> set[str]:
    """Return every key that is given to `say`. Where it is a variable, each text of its function or module counts."""
    found: set[str] = set()
    for path in (ROOT / "annotations").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        constants = [node for node in tree.body if isinstance(node, ast.Assign)]
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            for key in keys(function):
                if isinstance(key, ast.Constant):
                    found.add(key.value)
                elif isinstance(key, ast.JoinedStr | ast.BinOp):
                    prefix = next(n.value for n in ast.walk(key) if isinstance(n, ast.Constant))
                    found |= {prefix + ending for ending in ENDINGS[prefix]}
                elif path.name not in ("session.py", "words.py"):  # these two pass a key on
                    found |= {text for part in (function, *constants) for text in texts(part)} & set(WORDS)
    return found


def keys(function: ast.FunctionDef) -> Iterator[ast.expr]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) == "say":
            yield node.args[0]


def texts(part: ast.AST) -> Iterator[str]:
    return (n.value for n in ast.walk(part) if isinstance(n, ast.Constant) and isinstance(n.value, str))


def test_the_keys_that_are_used_are_the_keys_that_are_there() -> None:
    assert sorted(used()) == sorted(WORDS)


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_say_it_with_the_same_values(key: str) -> None:
    vietnamese, english = ({name for _, name, _, _ in Formatter().parse(words) if name} for words in WORDS[key])
    assert all(WORDS[key])
    assert vietnamese == english


def test_the_words_take_no_character_to_be_a_man_or_a_woman(persona: Persona) -> None:
    page = interface.build(persona, Layout(3, 3))
    shown = [value for e in ET.fromstring(page).iter() for name, value in e.attrib.items() if name != "alias"]
    english = [*(words[1] for words in WORDS.values()), *(row[2] for row in HELP), instruction(persona, "en"), *shown]
    vietnamese = [*(words[0] for words in WORDS.values()), *(row[1] for row in HELP)]
    assert [t for t in english if re.search(r"\b(he|him|his|she|her|hers)\b", t, re.IGNORECASE)] == []
    assert [t for t in vietnamese if re.search(r"\b(nó|hắn|anh ấy|cậu ấy|anh ta|cô ấy|chị ấy)\b", t.lower())] == []


def test_reasons_of_an_earlier_version_are_still_shown_in_words() -> None:
    assert explain_reason("not_his_voice", "en") == say("reason_wrong_voice", "en")
    assert explain_reason("not_his_voice; no_sense; quá hiền", "vi") == (
        "Không giống giọng nhân vật; Vô nghĩa, thiếu ngữ cảnh; quá hiền"
    )
    assert explain_reason("hỏi lại Bình; mai nhé", "en") == "hỏi lại Bình; mai nhé"
