"""Speech recognition as JSON → lines with times, and speakers where the program tells voices apart.

openai-whisper, faster-whisper, whisperX (``segments``), whisper.cpp (``transcription``), vibe (``stop``), Hugging Face
pipelines (``chunks``), Deepgram, AssemblyAI, Gladia, AWS Transcribe, Google, Rev.ai. The whole transcript that stands
beside the pieces is never read: it has no speakers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from curation.importers.lines.raw_line import RawLine
from curation.importers.lines.to_utterances import to_imported
from curation.importers.records.times import clock_ms
from curation.importers.source.source_file import SourceFile
from curation.persona import Persona
from curation.record import Imported

# Where programs put the pieces, outermost first; each is tried on what the one before found.
_PIECES = ("utterances", "segments", "transcription", "chunks", "monologues", "phrases", "audio_segments", "paragraphs")
_AROUND = (
    "results",
    "result",
    "channels",
    "transcription",
    "prediction",
    "output",
    "alternatives",
    "paragraphs",
    "data",
)
_WORDS = ("text", "transcript", "sentence", "punctuated", "display")
_WHO = ("speaker", "speaker_label", "speaker_id", "speaker_name", "speakerTag", "speakerId", "voice")
_START = ("start", "start_time", "startTime", "from", "begin", "time_begin", "ts")
_END = ("end", "end_time", "endTime", "stop", "to", "time_end", "end_ts")
_MARKS = frozenset(("stop", "words", "tokens", "seek", "offsets", "timestamps", "timestamp", "avg_logprob", "elements"))
_SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")
_DEEPEST = 6
# A spoken word lasts less than this in seconds; where most pieces last longer, the numbers are milliseconds.
_LONGEST_PIECE = 120
_CJK_START = "\u3040"


def read(file: SourceFile, persona: Persona, value: Any) -> Imported | None:
    """Return the lines of a transcript, or None for a value that is not one."""
    found = _found(value, 0)
    if found is None:
        return None
    name, pieces = found
    factor = _factor(name, pieces)
    lines = [line for number, piece in enumerate(pieces, 1) for line in _lines(piece, number, factor)]
    return to_imported(file, lines, persona, f"speech ({name})", script=True) if lines else None


def _found(value: Any, depth: int) -> tuple[str, list[Mapping[str, Any]]] | None:
    """Return the name of the key that held the pieces, and the pieces."""
    if isinstance(value, list):
        # A bare list may be a table as well: its rows are read there, unless a program's own marks are on them.
        if value and all(_is_piece(piece) and not _MARKS.isdisjoint(piece) for piece in value):
            return "segments", value
        found = [f for part in value if isinstance(part, Mapping) and (f := _found(part, depth + 1))]
        return (found[0][0], _in_order([piece for _, pieces in found for piece in pieces])) if found else None
    if not isinstance(value, Mapping) or depth > _DEEPEST:
        return None
    for key in _PIECES:
        pieces = value.get(key)
        if isinstance(pieces, list) and pieces and any(_is_piece(piece) for piece in pieces):
            return key, [piece for piece in pieces if isinstance(piece, Mapping)]
    for key in _AROUND:
        inner = value.get(key)
        inner = inner[:1] if key == "alternatives" and isinstance(inner, list) else inner  # the first is the best
        if isinstance(inner, Mapping | list) and (deeper := _found(inner, depth + 1)):
            return deeper
    words = value.get("words")
    if isinstance(words, list) and any(_word(word) and _time(word, _START) is not None for word in _mappings(words)):
        return "words", list(_by_speaker(words))
    return None


def _in_order(pieces: list[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the pieces of several channels in the order of their times."""
    starts = [_span(piece)[0] for piece in pieces]
    if not all(isinstance(start, int | float) for start in starts):
        return pieces
    return [piece for _, piece in sorted(zip(starts, pieces, strict=True), key=lambda pair: pair[0])]


def _is_piece(piece: Any) -> bool:
    """Return whether an object is a piece of speech: words with a time, or with several (Deepgram's paragraphs)."""
    if not isinstance(piece, Mapping):
        return False
    if isinstance(piece.get("elements") or piece.get("sentences") or piece.get("nBest"), list):
        return True
    return _span(piece) != (None, None) and any(isinstance(piece.get(key), str) for key in _WORDS)


def _lines(piece: Mapping[str, Any], number: int, factor: float) -> Iterator[RawLine]:
    for who, words, (start, end) in _spoken(piece):
        yield RawLine(
            text=words.strip(),
            locator=f"segment {number}",
            start_ms=_ms(start, factor),
            end_ms=_ms(end, factor),
            speaker=who,
            evidence="column" if who else "",
        )


def _spoken(piece: Mapping[str, Any]) -> Iterator[tuple[str, str, tuple[Any, Any]]]:
    """Yield (speaker, words, span): one for a piece, more where its words have several speakers."""
    speaker = _speaker(piece)
    words = list(_mappings(piece.get("words") or ()))
    voices = {_speaker(word) for word in words} - {""}
    if len(voices) > 1 and all(_word(word) for word in words):
        for part in _by_speaker(words):
            yield _speaker(part) or speaker, part["text"], _span(part)
        return
    text = next((piece[key] for key in _WORDS if isinstance(piece.get(key), str)), "")
    for key in ("sentences", "elements"):
        if not text and isinstance(piece.get(key), list):
            parts = [p.get("text") or p.get("value") or "" for p in _mappings(piece[key])]
            text = ("" if key == "elements" else " ").join(part for part in parts if isinstance(part, str))
    if not text and isinstance(piece.get("nBest"), list):
        text = next((str(best.get("display") or "") for best in _mappings(piece["nBest"])), "")
    yield speaker, text, _span(piece)


def _by_speaker(words: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Join words to sentences of one speaker each; a word without a speaker belongs to the one before."""
    run: list[Mapping[str, Any]] = []
    who = ""
    for word in _mappings(words):
        if not _word(word):
            continue
        voice = _speaker(word) or who
        if run and (voice != who or _word(run[-1]).strip().endswith(_SENTENCE_ENDS)):
            yield _sentence(run, who)
            run = []
        run.append(word)
        who = voice
    if run:
        yield _sentence(run, who)


def _sentence(words: list[Mapping[str, Any]], who: str) -> dict[str, Any]:
    text = _joined([_word(word) for word in words])
    return {"text": text, "start": _time(words[0], _START), "end": _time(words[-1], _END), "speaker": who}


def _joined(words: list[str]) -> str:
    """Join words with spaces, unless they bring their own or are of a script that has none."""
    spaced = any(word[:1] == " " or word[-1:] == " " for word in words)
    unspaced = spaced or all(word[:1] >= _CJK_START for word in words if word[:1].isalpha())
    return ("" if unspaced else " ").join(words).strip()


def _word(word: Mapping[str, Any]) -> str:
    found = next(
        (word[key] for key in ("punctuated_word", "word", "text", "value") if isinstance(word.get(key), str)), ""
    )
    return found if isinstance(found, str) else ""


def _speaker(piece: Mapping[str, Any]) -> str:
    """Return the speaker of a piece: a name, or the number that a program gives to a voice."""
    for key in _WHO:
        who = piece.get(key)
        if isinstance(who, Mapping):
            who = who.get("name") or who.get("id")
        if isinstance(who, int | str) and not isinstance(who, bool) and str(who).strip():
            return str(who).strip()
    return ""


def _span(piece: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the start and end of a piece as its program wrote them; whisper.cpp's offsets are milliseconds."""
    offsets, pair = piece.get("offsets"), piece.get("timestamp")
    if isinstance(offsets, Mapping):
        return tuple(f"{offsets[k]}ms" if isinstance(offsets.get(k), int) else None for k in ("from", "to"))  # type: ignore[return-value]
    if isinstance(piece.get("timestamps"), Mapping):
        return piece["timestamps"].get("from"), piece["timestamps"].get("to")
    if isinstance(pair, list) and len(pair) == 2:
        return pair[0], pair[1]
    if isinstance(piece.get("offsetMilliseconds"), int):
        start, lasts = piece["offsetMilliseconds"], piece.get("durationMilliseconds")
        return f"{start}ms", f"{start + lasts}ms" if isinstance(lasts, int) else None
    elements = list(_mappings(piece.get("elements") or ()))
    if elements:
        timed = [e for e in elements if _time(e, _START) is not None]
        return (_time(timed[0], _START), _time(timed[-1], _END)) if timed else (None, None)
    return _time(piece, _START), _time(piece, _END)


def _time(piece: Mapping[str, Any], keys: tuple[str, ...]) -> Any:
    return next((piece[k] for k in keys if isinstance(piece.get(k), int | float | str) and piece[k] != ""), None)


def _factor(name: str, pieces: list[Mapping[str, Any]]) -> float:
    """Return how many milliseconds a bare number stands for: AssemblyAI counts milliseconds, vibe hundredths, all
    others seconds.
    """
    if all("stop" in piece for piece in pieces):
        return 10.0
    spans = [_span(piece) for piece in pieces]
    lasting = [b - a for a, b in spans if isinstance(a, int) and isinstance(b, int)]
    if len(lasting) == len(spans) and lasting and sorted(lasting)[len(lasting) // 2] > _LONGEST_PIECE:
        return 1.0
    return 1000.0


def _ms(value: Any, factor: float) -> int | None:
    if isinstance(value, bool) or value is None:
        return None
    if isinstance(value, str):
        text = value.strip().replace("PT", "").removesuffix("S")
        clock = clock_ms(text if text[-1:] not in "0123456789" or ":" in text else f"{text}s")
        return clock if clock is not None else clock_ms(value.strip())
    return round(value * factor) if 0 <= value < 1e9 else None


def _mappings(values: Any) -> Iterator[Mapping[str, Any]]:
    return (v for v in values if isinstance(v, Mapping)) if isinstance(values, Iterable) else iter(())
