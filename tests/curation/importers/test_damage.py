"""Damaged files: only our exceptions, no hang, and the records never break a later stage."""

import random
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from curation.errors import InosukeError
from curation.importers import cache
from curation.importers.registry import read_with_format
from curation.importers.source.source_file import from_bytes
from curation.persona import Persona, load_persona
from curation.transcripts.scenes import to_samples
from tests.curation.importers.small import FILES

PERSONA = load_persona(Path(__file__).parents[3] / "persona.toml")
DAMAGED = 2_000
# Pieces that mean something to one of the parsers.
TOKENS = [
    *b"\xff\xfe \xef\xbb\xbf \xc3 --> 99:99:99,999 -00:00:01,000 \\N {\\p1} {\\k9} } { <v <ruby> </rt> <br/>".split(),
    *b"&#0; &amp &#xD800; <![CDATA[ ]]> <!--x <?xml </p> {{ }} [[ ]] ''' == {| |- | != <ref> <nowiki> [ ]".split(),
    *b'" , : \\ud800 1e999 nan [Events] Format: Dialogue: NOTE STYLE WEBVTT - Inosuke: INOSUKE'.split(),
    *"： 】 （ ♪ \ufffd \u202e \u200b 山《やま》".encode().split(b" "),
    *(b"\x00", b"\r", b"\n", b"\n\n\n", b"9" * 400, b"[" * 300, b"{" * 300, b"-->\n" * 50),
]


def assert_read_or_refused(name: str, data: bytes, persona: Persona = PERSONA) -> bool:
    """Read a file as `inosuke import` does, to the end. Return whether it could be read."""
    start = time.process_time()
    try:
        found = read_with_format(from_bytes(Path(name), data), persona)
    except InosukeError as error:
        assert str(error), "an error without a word"
        return False
    finally:
        assert time.process_time() - start < 5, "hangs"
    samples, rejected = to_samples([found], persona)
    assert cache.decode(cache.encode(found)) == found
    for sample in (*found.samples, *samples):
        assert sample.messages[-1].role == "assistant"
    # Every utterance is in a sample or has a reason.
    told = sum(len(m.content) for s in samples for m in s.messages) + sum(len(r.text) for r in rejected)
    assert told >= sum(len(u.text) for u in found.utterances)
    return True


def damage(data: bytes, dice: random.Random) -> bytes:
    """Apply one to four small accidents: cut, lose, repeat, flip, insert, swap."""
    for _ in range(dice.randint(1, 4)):
        a, b = sorted(dice.randrange(len(data) + 1) for _ in range(2))
        b = min(b, a + 200)
        match dice.randrange(6):
            case 0:
                data = data[:b]
            case 1:
                data = data[:a] + data[b:]
            case 2:
                data = data[:b] + data[a:b] * dice.randint(1, 4) + data[b:]
            case 3:
                spots = bytearray(data)
                for _ in range(min(len(spots), dice.randint(1, 6))):
                    spots[dice.randrange(len(spots))] = dice.randrange(256)
                data = bytes(spots)
            case 4:
                data = data[:a] + dice.choice(TOKENS) + data[a:]
            case 5:
                lines = data.split(b"\n")
                dice.shuffle(lines)
                data = b"\n".join(lines)
        data = data or b"\n"
    return data


def assert_damage_is_read_or_refused(name: str, data: bytes) -> None:
    """Read a whole file, then damage it many times."""
    dice = random.Random(name)
    assert assert_read_or_refused(name, data), "the whole file can be read"
    read = sum(assert_read_or_refused(name, damage(data, dice)) for _ in range(DAMAGED))
    # A damage test that refuses everything, or damages nothing, would show little.
    assert 0 < read <= DAMAGED


@pytest.mark.parametrize("name", FILES)
def test_mutated_files(name: str) -> None:
    assert_damage_is_read_or_refused(name, FILES[name])


@pytest.mark.parametrize("name", FILES)
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.lists(st.sampled_from(TOKENS) | st.binary(max_size=20) | st.text(max_size=20).map(lambda t: t.encode())))
def test_invented_files(name: str, data: list[bytes]) -> None:
    assert_read_or_refused(name, b" ".join(data))


@pytest.mark.parametrize("name", FILES)
def test_wrong_suffixes(name: str) -> None:
    """Each file under each other's name: recognised by its content, or refused with an error message."""
    for other in FILES:
        assert_read_or_refused(f"x{Path(other).suffix}", FILES[name])
