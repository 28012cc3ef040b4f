"""The model reads any text, always the same way, and says what to do where it is missing."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest

from curation.meaning.encoder import DIMENSIONS, E5, MOST_CHARS
from tests.conftest import ROOT
from tests.curation.meaning.conftest import OTHER, SAME


def test_what_means_the_same_is_nearer_than_what_does_not(encoder: E5) -> None:
    a, b, other = encoder.passages([*SAME, OTHER])
    assert a @ b > 0.95 > 0.93 > max(a @ other, b @ other)


def test_a_text_gets_the_same_vector_alone_and_among_others(encoder: E5) -> None:
    texts = [*SAME, OTHER, "", "Grrr!", "Ta là Inosuke! " * 40]
    together = encoder.passages(texts)
    assert together.shape == (6, DIMENSIONS)
    assert np.array_equal(together, np.concatenate([encoder.passages([text]) for text in texts]))
    assert np.array_equal(together[::-1], encoder.passages(texts[::-1]))


@pytest.mark.parametrize(
    "text", ["", " ", "\0", "a\0b", "\ud83d", "🐗" * 50, "猪突猛進！", "x" * 3 * MOST_CHARS], ids=repr
)
def test_any_text_has_a_vector_of_length_1(encoder: E5, text: str) -> None:
    for vector in (encoder.passages([text])[0], encoder.query(text)):
        assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_what_stands_behind_a_nul_counts(encoder: E5) -> None:
    a, b = encoder.passages(["Ta\0 là chúa tể", "Ta"])
    assert not np.array_equal(a, b)


def test_a_search_finds_the_line_by_its_meaning(encoder: E5) -> None:
    vectors = encoder.passages([*SAME, OTHER, "Ngươi sợ ma à? Ta thì không!"])
    assert int(np.argmax(vectors @ encoder.query("thời tiết xấu"))) == 2


def test_the_environment_is_as_before_and_a_setting_of_the_user_stays() -> None:
    code = "import os; from curation.meaning.encoder import E5; E5(); print(os.environ.get('OMP_WAIT_POLICY'))"
    for given, seen in ((None, "None"), ("ACTIVE", "ACTIVE")):
        environment = {k: v for k, v in os.environ.items() if k != "OMP_WAIT_POLICY"}
        environment |= {} if given is None else {"OMP_WAIT_POLICY": given}
        run = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True)
        assert run.stdout.strip() == seen, run.stderr
