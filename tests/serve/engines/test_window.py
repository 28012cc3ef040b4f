"""How many tokens prompt and reply may have: the model's own number, up to what memory allows."""

import pytest

from curation.errors import UsageError
from serve.engines.window import free_memory, window


def test_the_window_is_the_models_own_up_to_what_is_sensible_and_what_memory_allows():
    def default(own, free, most=8192):
        return window("Boar", own, None, lambda tokens: tokens * 1000.0, free, most)

    assert default(4096, 1e9) == 4096
    assert default(32_768, 1e9) == 8192
    assert default(32_768, 1e9, most=32_768) == 32_768
    assert default(32_768, 2e7) == 4096  # a quarter of 20 MB
    assert default(32_768, 1e3) == 2048  # never less without being told
    assert default(None, None) == 2048


def test_a_context_that_was_asked_for_is_kept_or_refused_with_the_figures():
    assert window("Boar", 32_768, 30_000, lambda tokens: tokens * 1.0, 1e9, 8192) == 30_000
    assert window("Boar", None, 30_000, lambda tokens: tokens * 1.0, None, 8192) == 30_000
    with pytest.raises(UsageError, match=r"40,000 tokens was asked for, and Boar reads at most 32,768"):
        window("Boar", 32_768, 40_000, lambda tokens: 0.0, None, 8192)
    with pytest.raises(UsageError, match=r"30,000 tokens takes 3\.0 GB .* 1\.0 GB are free"):
        window("Boar", 32_768, 30_000, lambda tokens: tokens * 1e5, 1e9, 8192)


def test_this_machine_says_what_is_free():
    assert (free := free_memory()) is None or free > 0


def test_a_model_leaves_room_for_those_that_are_loaded_after_it():
    if (free := free_memory()) is None:
        pytest.skip("this system does not tell what is free")
    assert 0.15 * free < free_memory(3) < 0.35 * free  # a quarter; other programs run too
