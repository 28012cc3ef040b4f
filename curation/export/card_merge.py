"""Update a card on the Hub and keep what people wrote there: text around the marks, keys of the YAML block.

Pure: texts in, text out. The YAML block is merged three ways. The base is the block that was generated last time: a
value that people changed since then stays, and a value that they did not change follows the new version.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from curation.errors import InosukeError

BEGIN = "<!-- inosuke:begin. Generated text: the next publication replaces it. Write above it, or below its end. -->"
END = "<!-- inosuke:end. Text below this line is kept. -->"

_SECTION = re.compile(r"<!-- inosuke:begin\b.*?-->.*?<!-- inosuke:end\b.*?-->", re.DOTALL)
# Never merged: a wrong value would misstate what is in the repository.
_GENERATED = frozenset({"size_categories"})
_LICENCE = ("license", "license_name", "license_link")


@dataclass(frozen=True, slots=True)
class Card:
    """A parsed card: its YAML block as text and as data, and everything after the block."""

    block: str
    data: dict[str, Any]
    body: str

    @property
    def section(self) -> str | None:
        """The generated part with its marks, or None if a mark was removed."""
        match = _SECTION.search(self.body)
        return match.group() if match else None


def parse(text: str, where: str) -> Card:
    """Parse a card. Raises InosukeError that names the card (``where``) if its YAML block is broken."""
    import yaml
    from huggingface_hub.repocard import REGEX_YAML_BLOCK

    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    match = REGEX_YAML_BLOCK.search(text)
    if match is None:
        if text.lstrip().startswith("---\n"):
            raise InosukeError(f"{where}: its YAML block is not closed. Expected a line `---` after it. {_FIX}")
        return Card("", {}, text)
    try:
        data = yaml.safe_load(match.group(2))
    except yaml.YAMLError as error:
        raise InosukeError(f"{where}: its YAML block is broken ({_first_line(error)}). {_FIX}") from None
    if data is not None and not isinstance(data, dict):
        raise InosukeError(f"{where}: its YAML block is a {type(data).__name__}. Expected `key: value` lines. {_FIX}")
    return Card(match.group(2), data or {}, text[match.end() :])


def marked(text: str) -> str:
    """Return a generated card, with marks added around its text if it has none."""
    card = parse(text, "the generated card")
    if card.section:
        return text
    return f"---\n{card.block}\n---\n\n{BEGIN}\n{card.body.strip()}\n{END}\n"


def merge(
    ours: str,
    theirs: str,
    base: Mapping[str, Any],
    where: str = "the card on the Hub",
    front_matter: Callable[[Mapping[str, Any]], dict[str, Any]] = dict,
    follow: Callable[[Mapping[str, Any]], str] | None = None,
) -> str:
    """Return the card to publish. ``ours`` was generated now, ``theirs`` is on the Hub, ``base`` is the last YAML data.

    ``front_matter`` checks the merged YAML data, and may correct it. ``follow`` returns the generated card whose text
    agrees with that data. Text around the marks stays. A card without marks keeps all its text and gets the generated
    part below it. Merging a second time changes nothing.
    """
    import yaml

    new, old = parse(ours, "the generated card"), parse(theirs, where)
    data = front_matter(merge_data(new.data, old.data, base))
    if follow:
        new = parse(follow(data), "the generated card")
    # An unchanged block stays as it was typed: dumping it would lose comments and quotes.
    dumped = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=1_000)
    block = old.block if data == old.data and old.block else dumped.rstrip("\n")
    if old.section:
        body = old.body.replace(old.section, new.section or "", 1)
    else:
        body = f"{old.body.rstrip()}\n{new.body}" if old.body.strip() else new.body
    return f"---\n{block}\n---\n{body}"


def merge_data(ours: Mapping[str, Any], theirs: Mapping[str, Any], base: Mapping[str, Any]) -> dict[str, Any]:
    """Merge YAML data three ways, in the order of keys of ``theirs``. Keys that only ``ours`` has come last."""
    merged = dict(theirs)
    _merge_licence(merged, ours, base)
    for key, value in ours.items():
        if key in _LICENCE:
            continue
        if key == "configs":
            merged[key] = [*value, *_foreign(configs_of(theirs), value, configs_of(base))]
        elif key == "dataset_info":
            merged[key] = [*value, *_foreign(infos_of(theirs), value, infos_of(base))]
        elif key in _GENERATED or key not in theirs:
            merged[key] = value
        elif isinstance(value, list):
            merged[key] = _merge_list(value, theirs[key], base.get(key, []))
        elif theirs[key] == base.get(key):
            merged[key] = value
    return merged


def configs_of(data: Mapping[str, Any]) -> list[Any]:
    """Return the configurations that YAML data names."""
    return _listed(data["configs"]) if data.get("configs") else []


def infos_of(data: Mapping[str, Any]) -> list[Any]:
    """Return the entries of `dataset_info`, which may be one mapping for a single configuration."""
    return _listed(data["dataset_info"]) if data.get("dataset_info") else []


def config_name(entry: Any) -> str:
    """Return the configuration that an entry of `configs` or `dataset_info` is about."""
    return str(entry.get("config_name", "default")) if isinstance(entry, Mapping) else ""


def _foreign(theirs: list[Any], ours: list[Any], base: list[Any]) -> list[Any]:
    """Return the entries that people added under other names than ours, of now or of the last publication."""
    names = {config_name(entry) for entry in (*ours, *base)}
    return [entry for entry in theirs if config_name(entry) not in names]


def _merge_licence(merged: dict[str, Any], ours: Mapping[str, Any], base: Mapping[str, Any]) -> None:
    """Merge the keys of the licence as one value: the name of one licence beside the text of another states neither."""
    theirs = {key: merged[key] for key in _LICENCE if key in merged}
    last = {key: base[key] for key in _LICENCE if key in base}
    if "license" in ours and (not theirs or theirs == last):
        for key in _LICENCE:
            if key in ours:
                merged[key] = ours[key]
            else:
                merged.pop(key, None)
    if merged.get("license") not in ("other", None):  # someone chose a listed licence and left the name of another
        for key in _LICENCE[1:]:
            merged.pop(key, None)


def _merge_list(ours: list[Any], theirs: Any, base: Any) -> list[Any]:
    """Return their list without the items that the new version dropped and with the items that it added."""
    theirs, base = _listed(theirs), _listed(base)
    kept = [item for item in theirs if item in ours or item not in base]
    return [*kept, *(item for item in ours if item not in base and item not in kept)]


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _first_line(error: Exception) -> str:
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 2}: {getattr(error, 'problem', '')}" if mark else str(error).split("\n")[0]


_FIX = "Fix it on the Hub (Files, README.md, edit) and publish again. Nothing was uploaded."
