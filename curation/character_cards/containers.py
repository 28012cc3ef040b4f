"""A card's file → the object in it, and back: JSON, PNG or APNG, and CHARX. Untrusted input: everything is bounded."""

from __future__ import annotations

import base64
import binascii
import copy
import io
import json
import re
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from curation.character_cards import png_chunks
from curation.errors import InosukeError

MAX_FILE = 64 * 2**20
MAX_JSON = 16 * 2**20
MAX_DEPTH = 64
MAX_MEMBERS = 2000
MAX_UNPACKED = 256 * 2**20
MAX_RATIO = 200
ENDINGS = (".json", ".png", ".apng", ".charx")
_NEW_SPEC = re.compile(r"chara_card_v([3-9]|[1-9][0-9]{1,3})")
_FIELDS = frozenset(("name", "first_mes", "mes_example", "description"))
_URL_SAFE = bytes.maketrans(b"-_", b"+/")
WARNING = "This copy is for older readers. The card is in the chunk ccv3; edit that one."


@dataclass(frozen=True, slots=True)
class Card:
    """A card as it came: its file, the container's ending, the JSON text and the object that it holds.

    ``note`` is on a second card in the file.
    """

    raw: bytes
    ending: str
    text: bytes
    value: dict[str, Any]
    note: str = ""

    @property
    def version(self) -> int:
        """1, 2 or 3 (or newer). `spec` counts before the keys: many V2 files repeat V1's keys at the top."""
        spec = self.value.get("spec")
        if not isinstance(self.value.get("data"), dict):
            return 1
        return 3 if isinstance(spec, str) and _NEW_SPEC.fullmatch(spec.strip().lower()) else 2

    @property
    def fields(self) -> dict[str, Any]:
        """The object that holds the character's fields."""
        data = self.value.get("data")
        return data if isinstance(data, dict) else self.value


def read(path: Path) -> Card:
    """Read a card. Raises InosukeError for a file that is not one, or that is too large."""
    try:
        size = path.stat().st_size
        if size > MAX_FILE:
            raise InosukeError(f"{path}: has {size:,} bytes; a card has at most {MAX_FILE:,}. Use a smaller file.")
        raw = path.read_bytes()
    except OSError as error:
        raise InosukeError(f"{path}: cannot be read ({error.strerror or error}). Expected a character card.") from None
    try:
        return parse(raw)
    except InosukeError as error:
        raise InosukeError(f"{path}: {error}") from None


def parse(raw: bytes) -> Card:
    """Return the card in a file's bytes, whatever the file's name. Raises InosukeError."""
    note = ""
    if raw.startswith(png_chunks.SIGNATURE):
        ending, (text, note) = ".png", _from_png(raw)
    elif raw.startswith(b"PK") or (raw.startswith(b"\xff\xd8\xff") and zipfile.is_zipfile(io.BytesIO(raw))):
        ending, text = ".charx", _from_charx(raw)  # RisuAI writes some behind a JPEG picture
    elif raw[:4] == b"RIFF" and raw[8:12] == b"WEBP":
        raise InosukeError("WebP cards are not supported. Save the card as PNG or JSON and import that.")
    else:
        ending, text = ".json", raw
    value = _object(text)
    if value.get("spec") == "lorebook_v3" or ("entries" in value and not _FIELDS & set(value)):
        raise InosukeError(
            "this is a lorebook without a character. Expected a character card. docs/lorebook.md uses it."
        )
    card = Card(raw, ending, text, value, note)
    if not _FIELDS & set(card.fields):
        raise InosukeError("the JSON is not a character card: it has no name, description, first_mes or mes_example.")
    return card


def _from_png(raw: bytes) -> tuple[bytes, str]:
    """Return the JSON of the newest card in a PNG that can be read, and a note on one that cannot or says otherwise."""
    chunks, _ = png_chunks.split(raw)
    texts: dict[str, bytes] = {}
    for chunk in chunks:
        word = chunk.content.partition(b"\0")[0].lower()
        if word in (b"ccv3", b"chara") and (found := png_chunks.text_of(chunk, MAX_JSON * 2)):
            texts.setdefault(*found)
    if not texts:
        raise InosukeError("the PNG holds no card: neither a `ccv3` nor a `chara` text. Some sites remove it.")
    newest, *older = [texts[word] for word in ("ccv3", "chara") if word in texts]
    try:
        text = _unpacked_text(newest)
        value = _object(text)
    except InosukeError as error:
        if not older:
            raise
        return _unpacked_text(older[0]), f"its `ccv3` text cannot be read ({error}), so the `chara` copy is used"
    return text, _disagreement(value, older[0]) if older else ""


def _disagreement(value: dict[str, Any], older: bytes) -> str:
    """Return which fields the older copy in a PNG has otherwise."""
    try:
        other = _object(_unpacked_text(older))
    except InosukeError:
        return "its `chara` copy for older readers cannot be read"
    new, old = (v["data"] if isinstance(v.get("data"), dict) else v for v in (value, other))
    keys = ("name", "description", "personality", "scenario", "first_mes", "mes_example")
    different = [f"`{key}`" for key in keys if key in new and key in old and new[key] != old[key]]
    return f"its `chara` copy has another {', '.join(different)}; `ccv3` is used" if different else ""


def _unpacked_text(packed: bytes) -> bytes:
    """Return the JSON in a text of a PNG: base64, also in the alphabet for URLs and without padding, or plain."""
    if packed.lstrip().startswith(b"{"):
        return packed
    packed = b"".join(packed.split())
    if len(packed) > MAX_JSON * 4 // 3 + 4:
        raise InosukeError(f"the card has {len(packed):,} bytes of base64; at most {MAX_JSON:,} bytes of JSON may be.")
    packed = packed.translate(_URL_SAFE).rstrip(b"=")
    try:
        return base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise InosukeError(f"the card in the PNG is not base64 ({error}). Download the file again.") from None


def members(raw: bytes) -> list[zipfile.ZipInfo]:
    """Return the members of a CHARX after their sizes, number and paths are checked. Raises InosukeError."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            found = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError) as error:
        raise InosukeError(f"the CHARX is not a readable zip file ({error}). Download it again.") from None
    if len(found) > MAX_MEMBERS:
        raise InosukeError(f"the CHARX has {len(found):,} files; at most {MAX_MEMBERS:,} are read.")
    if sum(m.file_size for m in found) > MAX_UNPACKED:
        raise InosukeError(f"the CHARX unpacks to more than {MAX_UNPACKED:,} bytes. Do not use it.")
    for member in found:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in (path.parts or ("",))[0]:
            raise InosukeError(f"the CHARX has a file named {member.filename!r}, which leads out of a folder.")
        if member.flag_bits & 1:
            raise InosukeError("the CHARX is encrypted. Expected one without a password.")
        if member.file_size > 2**20 and member.file_size > MAX_RATIO * max(member.compress_size, 1):
            raise InosukeError(f"{member.filename!r} in the CHARX unpacks to over {MAX_RATIO} times its size.")
    return found


def _from_charx(raw: bytes) -> bytes:
    found = members(raw)
    at_root = [m for m in found if m.filename == "card.json"]
    if not at_root:
        like = [m.filename for m in found if PurePosixPath(m.filename).name.lower() == "card.json"]
        more = f" It has {like[0]!r}: move what is beside that to the root of the zip." if like else ""
        raise InosukeError(f"the CHARX has no card.json at its root. Expected a V3 card.{more}")
    return unpacked(raw, at_root[-1], MAX_JSON)  # of two with one name a zip's reader takes the last


def unpacked(raw: bytes, member: zipfile.ZipInfo, most: int) -> bytes:
    """Return a member's bytes. Raises InosukeError where they are more than ``most``, or damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive, archive.open(member) as file:
            data = file.read(most + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise InosukeError(f"{member.filename!r} in the CHARX is damaged ({error}). Download it again.") from None
    if len(data) > most:
        raise InosukeError(f"{member.filename!r} in the CHARX has more than {most:,} bytes.")
    return data


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _object(text: bytes) -> dict[str, Any]:
    if len(text) > MAX_JSON:
        raise InosukeError(f"the card has {len(text):,} bytes of JSON; at most {MAX_JSON:,} are read.")
    deep = f"the card's JSON is nested more than {MAX_DEPTH} levels deep. No character needs that."
    try:
        encoding = json.detect_encoding(text)  # UTF-8, UTF-16 or UTF-32, with a byte order mark or without
        value = json.loads(text.decode(encoding), parse_constant=_no_constant)
    except RecursionError:
        raise InosukeError(deep) from None
    except ValueError as error:
        raise InosukeError(f"the card is not UTF-8 JSON ({str(error)[:120]}). Expected a JSON object.") from None
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            inner
            for outer in level
            if isinstance(outer, dict | list)
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    if level:
        raise InosukeError(deep)
    if not isinstance(value, dict):
        raise InosukeError("the JSON is not an object. Expected a character card.")
    return value


def to_json(value: dict[str, Any]) -> bytes:
    """Return a card's JSON. A lone surrogate, which UTF-8 does not have, stays escaped."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=2).encode()
    except UnicodeEncodeError:
        return json.dumps(value, indent=2).encode()


def write(value: dict[str, Any], ending: str, kept: Card | None, picture: bytes | None) -> bytes:
    """Return the bytes of a card's file. ``kept`` gives the picture and the assets of the file that it came from."""
    text = to_json(value)
    if ending == ".json":
        return text
    if ending == ".charx":
        return _charx(text, kept)
    if picture is None:
        raise InosukeError("a PNG card needs a picture and the persona has none. Set `portrait` of [page] to a PNG.")
    if value.get("spec") != "chara_card_v3":
        return png_chunks.with_texts(picture, {"chara": base64.b64encode(text)})
    older = {**copy.deepcopy(value), "spec": "chara_card_v2", "spec_version": "2.0"}
    notes = older["data"].get("creator_notes")
    older["data"]["creator_notes"] = f"{WARNING}\n{notes}" if isinstance(notes, str) and notes else WARNING
    texts = {"chara": base64.b64encode(to_json(older)), "ccv3": base64.b64encode(text)}
    return png_chunks.with_texts(picture, texts)


def _charx(text: bytes, kept: Card | None) -> bytes:
    before = b""
    if kept is not None and kept.ending == ".charx":  # a picture may stand before the zip
        before = kept.raw[: min((m.header_offset for m in members(kept.raw)), default=0)]
    out = io.BytesIO(before)
    with zipfile.ZipFile(out, "a" if before else "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("card.json"), text, zipfile.ZIP_DEFLATED)
        if kept is not None and kept.ending == ".charx":
            for member in members(kept.raw):
                if member.filename != "card.json":
                    archive.writestr(member, unpacked(kept.raw, member, MAX_UNPACKED))
    return out.getvalue()
