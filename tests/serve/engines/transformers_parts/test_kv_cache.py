"""The cache of several conversations: what is kept, what is copied, and how much memory it may take."""

import pytest
import torch

from serve.engines.transformers_parts.decoder import longest
from serve.engines.transformers_parts.kv_cache import FIRST_WIDTH, KVCache


def new_cache(slots=3, pool=4 * FIRST_WIDTH, longest=4 * FIRST_WIDTH):
    return KVCache(layers=1, slots=slots, pool=pool, longest=longest)


def read(cache, row, ids):
    """Read the new part of a prompt, with the id itself as its key. Returns how many ids were known."""
    known = cache.assign(row, ids)
    fresh = ids[known:]
    cache.prepare(row, [known], len(fresh), torch.device("cpu"))
    states = torch.tensor(fresh, dtype=torch.float32).reshape(1, 1, -1, 1)
    cache.update(states, -states, 0)
    cache.append(row, [fresh])
    return known


def held(cache, row):
    cells = cache.layers[0].keys[row, 0, : cache.length(row), 0]
    assert torch.equal(cells, -cache.layers[0].values[row, 0, : cache.length(row), 0])
    return cells.int().tolist()


def test_a_prompt_that_continues_keeps_its_row_and_reads_only_what_is_new():
    cache = new_cache()
    assert read(cache, 0, [1, 2, 3]) == 0
    assert read(cache, 0, [7, 8]) == 0
    assert read(cache, 0, [1, 2, 3, 4]) == 3
    assert held(cache, 0) == [1, 2, 3, 4]


def test_the_same_beginning_is_copied_and_the_other_conversation_stays():
    cache = new_cache()
    read(cache, 0, [1, 2, 3])
    assert read(cache, 1, [1, 2, 9]) == 2
    assert (held(cache, 0), held(cache, 1)) == ([1, 2, 3], [1, 2, 9])


def test_the_last_id_is_always_read_again():
    cache = new_cache()
    read(cache, 0, [1, 2, 3])
    assert read(cache, 0, [1, 2, 3]) == 2
    assert held(cache, 0) == [1, 2, 3]


def test_the_least_recently_used_conversation_makes_room():
    cache = new_cache(slots=2)
    read(cache, 0, [1, 2])
    read(cache, 0, [5, 6])
    assert read(cache, 0, [1, 2, 3]) == 2  # [5, 6] is now the older one
    read(cache, 0, [8, 9])
    assert {tuple(held(cache, row)) for row in range(2)} == {(1, 2, 3), (8, 9)}


def test_swapped_rows_keep_their_contents():
    cache = new_cache()
    read(cache, 0, [1, 2, 3])
    read(cache, 1, [9])
    cache.swap(0, 1)
    assert (held(cache, 0), held(cache, 1)) == ([9], [1, 2, 3])


def test_each_row_is_written_after_its_own_tokens():
    cache = new_cache()
    read(cache, 0, [1, 2, 3])
    read(cache, 1, [9])
    cache.prepare(0, [3, 1], 1, torch.device("cpu"))
    states = torch.tensor([4.0, 8.0]).reshape(2, 1, 1, 1)
    keys, _ = cache.update(states, -states, 0)
    cache.append(0, [[4], [8]])
    assert (held(cache, 0), held(cache, 1)) == ([1, 2, 3, 4], [9, 8])
    assert keys.shape == (2, 1, 4, 1)


@pytest.mark.parametrize(
    ("count", "tokens", "there"),
    [
        (3, FIRST_WIDTH, (3, FIRST_WIDTH)),
        (2, FIRST_WIDTH + 1, (2, 2 * FIRST_WIDTH)),
        (3, FIRST_WIDTH + 1, None),
        (1, 4 * FIRST_WIDTH, (1, 4 * FIRST_WIDTH)),
        (2, 4 * FIRST_WIDTH, None),
        (4, 1, None),
        (1, 4 * FIRST_WIDTH + 1, None),
    ],
)
def test_long_rows_are_fewer_and_together_stay_within_the_pool(count, tokens, there):
    cache = new_cache()
    assert cache.ensure(count, tokens) is (there is not None)
    assert (cache.count, cache.width) == (there or (3, FIRST_WIDTH))
    assert cache.count * cache.width <= 4 * FIRST_WIDTH


def test_another_shape_keeps_what_fits_into_it():
    cache = new_cache()
    read(cache, 0, [1, 2, 3])
    read(cache, 1, [9])
    assert cache.ensure(2, 2 * FIRST_WIDTH)
    assert (held(cache, 0), held(cache, 1)) == ([1, 2, 3], [9])
    assert cache.layers[0].keys.shape[:3] == (2, 1, 2 * FIRST_WIDTH)
    assert cache.ensure(3, FIRST_WIDTH)  # back: more conversations, shorter ones
    assert (cache.count, held(cache, 0), cache.length(2)) == (3, [1, 2, 3], 0)


def test_a_cleared_row_leaves_no_nan_behind():
    cache = new_cache()
    read(cache, 0, [1, 2, 3])
    cache.layers[0].keys[0, 0, 1] = torch.nan
    cache.clear(0)
    assert cache.length(0) == 0
    assert not cache.layers[0].keys[0].any()


def test_a_cleared_cache_takes_no_memory():
    cache = new_cache()
    read(cache, 0, [1, 2, 3])
    cache.clear_all()
    assert cache.layers[0].keys is None
    assert read(cache, 0, [1, 2, 3]) == 0
    assert held(cache, 0) == [1, 2, 3]


def test_a_sliding_window_bounds_the_context():
    from transformers import MistralConfig, Qwen2Config

    assert longest(MistralConfig(sliding_window=512)) == 512
    assert longest(Qwen2Config()) is None


def test_a_model_without_keys_and_values_is_refused():
    from transformers import MambaConfig

    from curation.errors import UsageError

    with pytest.raises(UsageError, match=r"'mamba' keeps its past in .*--engine llamacpp"):
        longest(MambaConfig())
