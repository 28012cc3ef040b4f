"""A lorebook file → a :class:`Book`: the V3 form, a bare book, a list of entries, SillyTavern's world files.

Unknown keys are left alone. What is of the wrong type is an error that names the entry and the key; what is right and
has no effect here is noted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from curation.errors import UsageError
from curation.lorebook import decorators
from curation.lorebook.book import SCAN_DEPTH, TOKEN_BUDGET, Book, Entry, Logic
from curation.lorebook.matching import compiled

MOST_BYTES = 20 * 2**20
MOST_ENTRIES = 20_000
_MOST_KEYS, _LONGEST_KEY, _LONGEST_CONTENT = 500, 1_000, 40_000
_EXPECTED = 'Expected {"spec": "lorebook_v3", "data": {"entries": [...]}}.'
# SillyTavern's names in its world files → the spec's.
_WORLD = {
    "key": "keys",
    "keysecondary": "secondary_keys",
    "order": "insertion_order",
    "caseSensitive": "case_sensitive",
}
# Its names inside an entry or in an entry's `extensions` → ours.
_EXTENSIONS = {
    "match_whole_words": "whole_words",
    "matchWholeWords": "whole_words",
    "scan_depth": "scan_depth",
    "scanDepth": "scan_depth",
    "case_sensitive": "case_sensitive",
    "selectiveLogic": "logic",
    "exclude_recursion": "only_messages",
    "excludeRecursion": "only_messages",
    "prevent_recursion": "no_others",
    "preventRecursion": "no_others",
}
_LOGIC: dict[int, Logic] = {0: "any", 1: "not_all", 2: "not_any", 3: "all"}
# Settings of SillyTavern that change when an entry fires and have no effect here, with their values for off.
_IGNORED: dict[str, tuple[Any, ...]] = {
    "group": ("", None),
    "sticky": (0, None),
    "cooldown": (0, None),
    "delay": (0, None),
    "delay_until_recursion": (False, 0, None),
    "delayUntilRecursion": (False, 0, None),
    "vectorized": (False, None),
    "probability": (100, None),
}


def read_book(raw: bytes, where: str, whole_words: bool = False) -> Book:
    """Return the book in the content of a file called ``where``. Raises UsageError for anything that is not one.

    ``whole_words`` is for entries that do not say whether a key must be a whole word.
    """
    if len(raw) > MOST_BYTES:
        raise UsageError(f"{where}: {len(raw):,} bytes; expected a lorebook of at most {MOST_BYTES:,}. Split it.")
    try:
        content = json.loads(raw.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise UsageError(f"{where}: not UTF-8 ({error}). Save the file as UTF-8.") from None
    except ValueError as error:
        raise UsageError(f"{where}: not valid JSON ({error}). Fix it or save it again; {_EXPECTED}") from None
    except RecursionError:
        raise UsageError(f"{where}: nested too deeply to be a lorebook. {_EXPECTED}") from None
    data, notes = _data(content, where)
    entries = data.get("entries")
    if isinstance(entries, Mapping):
        notes.append(
            "`entries` is an object, as in SillyTavern's world files: its values are the entries, in their order"
        )
        entries = list(entries.values())
    if not isinstance(entries, list):
        raise UsageError(f"{where}: `entries` is {_kind(entries)}; expected a list of entries. {_EXPECTED}")
    if len(entries) > MOST_ENTRIES:
        raise UsageError(f"{where}: {len(entries):,} entries; expected at most {MOST_ENTRIES:,}. Split the book.")
    read = [_entry(entry, number, where, whole_words) for number, entry in enumerate(entries, 1)]
    book = _Fields(data, where)
    return Book(
        entries=tuple(entry for entry, _ in read),
        name=book.text("name"),
        scan_depth=book.whole("scan_depth", SCAN_DEPTH),
        token_budget=book.whole("token_budget", TOKEN_BUDGET),
        recursive=bool(book.truth("recursive_scanning")),
        notes=(*notes, *(f"entry {entry.number} ({entry.name}): {note}" for entry, said in read for note in said)),
        sha256=hashlib.sha256(raw).hexdigest(),
    )


def _data(content: Any, where: str) -> tuple[Mapping[str, Any], list[str]]:
    """Return the book in a file's content, and a note where it is not in the V3 form."""
    if isinstance(content, list):
        return {"entries": content}, [
            "a list of entries without a book: `scan_depth` and `token_budget` are the defaults"
        ]
    if not isinstance(content, Mapping):
        raise UsageError(f"{where}: {_kind(content)}; expected a lorebook. {_EXPECTED}")
    spec, data = content.get("spec"), content.get("data")
    if isinstance(spec, str) and spec.startswith("chara_card") and isinstance(data, Mapping):
        if not isinstance(data.get("character_book"), Mapping):
            raise UsageError(f"{where}: a character card without a `character_book`, so there is no entry in it.")
        return data["character_book"], [f"a character card ({spec}): its `character_book` is used"]
    if spec == "lorebook_v3" and isinstance(data, Mapping):
        return data, []
    if "entries" in content:
        return content, ["a bare lorebook, without the frame of the V3 form"]
    raise UsageError(
        f"{where}: an object with the keys {sorted(map(str, content))[:8]}; that is no lorebook. {_EXPECTED}"
    )


def _entry(raw: Any, number: int, where: str, whole_words: bool) -> tuple[Entry, list[str]]:
    if not isinstance(raw, Mapping):
        raise UsageError(f"{where}: entry {number} is {_kind(raw)}; expected an object with `keys` and `content`.")
    more = raw.get("extensions")
    more = dict(more) if isinstance(more, Mapping) else {}
    named: dict[str, Any] = {_WORLD.get(str(key), str(key)): value for key, value in raw.items()}
    if "disable" in raw and "enabled" not in raw:
        named["enabled"] = not _Fields(raw, where, number).truth("disable")
    extra = {ours: source[theirs] for source in (more, raw) for theirs, ours in _EXTENSIONS.items() if theirs in source}
    fields, own = _Fields(named, where, number), _Fields(extra, where, number)
    content, decorated, notes = decorators.split(fields.text("content"))
    use_regex, constant = bool(fields.truth("use_regex")), bool(fields.truth("constant"))
    keys, case = fields.texts("keys"), fields.truth("case_sensitive")
    selective = fields.truth("selective")
    secondary = fields.texts("secondary_keys")
    # SillyTavern's world files set `selective` on every entry; the spec asks for it.
    secondary = secondary if selective and not use_regex else ()
    logic = own.whole("logic", 0)
    if logic not in _LOGIC:
        notes.append(f"`selectiveLogic` is {logic}; it counts as 0 (any of the secondary keys)")
    words = own.truth("whole_words")
    depth = own.whole("scan_depth", -1)
    values: dict[str, Any] = {
        "number": number,
        "name": (fields.text("name") or fields.text("comment") or (keys[0] if keys else f"#{number}"))[:200],
        "content": content,
        "keys": keys,
        "secondary": secondary,
        "logic": _LOGIC.get(logic, "any"),
        "enabled": fields.truth("enabled") is not False,
        "constant": constant,
        "use_regex": use_regex,
        "case_sensitive": case if case is not None else own.truth("case_sensitive"),
        "whole_words": whole_words if words is None else words,
        "order": fields.number("insertion_order") or 0,
        "priority": fields.number("priority"),
        "before": named.get("position") in ("before_char", 0),
        "scan_depth": depth if depth >= 0 else None,
        "only_messages": bool(own.truth("only_messages")),
        "fires_others": not own.truth("no_others"),
    }
    entry = Entry(**values | decorated)
    notes += [
        f"`{key}` has no effect here" for key, off in _IGNORED.items() for s in (more, raw) if s.get(key) not in off
    ]
    if use_regex:
        notes += [f"the pattern {key[:60]!r} is invalid and never matches" for key in keys if not compiled(key, case)]
    if not content:
        notes.append("it has no content, so it says nothing")
    elif not (keys or entry.constant or entry.always):
        notes.append("it has no keys and is not constant, so it never fires")
    return entry, notes


class _Fields:
    """Reads the keys of an object; an absent key and null are the same."""

    def __init__(self, data: Mapping[str, Any], where: str, number: int = 0) -> None:
        self._data, self._where = data, f"{where}: entry {number}" if number else where

    def text(self, key: str) -> str:
        value = self._data.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self._wrong(key, "a text")
        if len(value) > _LONGEST_CONTENT:
            raise UsageError(
                f"{self._where}: `{key}` has {len(value):,} characters; expected at most {_LONGEST_CONTENT:,}."
            )
        return value.encode("utf-8", "replace").decode()

    def texts(self, key: str) -> tuple[str, ...]:
        value = self._data.get(key)
        if isinstance(value, str):  # the spec's prose: "separated by a comma"
            value = value.split(",")
        if value is None:
            return ()
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self._wrong(key, "a list of texts")
        if len(value) > _MOST_KEYS or any(len(one) > _LONGEST_KEY for one in value):
            raise UsageError(
                f"{self._where}: `{key}` is too long; expected at most {_MOST_KEYS} keys of at most {_LONGEST_KEY:,} "
                "characters each."
            )
        return tuple(clean for one in value if (clean := one.encode("utf-8", "replace").decode().strip()))

    def truth(self, key: str) -> bool | None:
        value = self._data.get(key)
        if value is None or isinstance(value, bool):
            return value
        raise self._wrong(key, "true or false")

    def number(self, key: str) -> float | None:
        value = self._data.get(key)
        if value is None:
            return None
        # NaN and infinity are not JSON, but Python reads them; they cannot be sorted.
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._wrong(key, "a number")
        if not abs(value) < 10**15:
            raise self._wrong(key, "a number of at most fifteen digits")
        return float(value)

    def whole(self, key: str, otherwise: int) -> int:
        value = self.number(key)
        if value is None:
            return otherwise
        if value < 0:
            raise self._wrong(key, "a number from 0 on")
        return int(value)

    def _wrong(self, key: str, expected: str) -> UsageError:
        return UsageError(f"{self._where}: `{key}` is {_kind(self._data.get(key))}; expected {expected}. Correct it.")


def _kind(value: Any) -> str:
    if isinstance(value, Mapping):
        return "an object"
    text = json.dumps(value, ensure_ascii=True, default=str)
    return f"{'a list' if isinstance(value, list) else 'missing' if value is None else text[:60]}"
