"""Under which terms the samples of an export are offered: by source folder, and all together.

Pure. persona.toml states licence and origin for each source folder. A licence covers rows whose rights are ``own`` or
``licensed``; rows with other rights are offered to no one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from curation.contracts.manifest import Manifest, SourceFacts
from curation.contracts.rows import AboutRow
from curation.persona import Corpus, Persona

OFFERED = frozenset({"own", "licensed"})
KEYS = ("license", "license_name", "license_link")
BY_SOURCE = "stated-for-each-source"  # the name of `other` where sources differ or state nothing

_CC = "https://creativecommons.org/licenses"
_CREDIT = "use them and change them, and credit the source"
# Hub identifier → its name, its text, and what it asks for in one clause.
_KNOWN = {
    "cc-by-4.0": ("CC BY 4.0", f"{_CC}/by/4.0/", _CREDIT),
    "cc-by-sa-4.0": ("CC BY-SA 4.0", f"{_CC}/by-sa/4.0/", f"{_CREDIT}; share what you make under the same licence"),
    "cc-by-nc-4.0": ("CC BY-NC 4.0", f"{_CC}/by-nc/4.0/", f"{_CREDIT}; not for commercial purposes"),
    "cc-by-nc-sa-4.0": (
        "CC BY-NC-SA 4.0",
        f"{_CC}/by-nc-sa/4.0/",
        f"{_CREDIT}; not for commercial purposes; share what you make under the same licence",
    ),
    "cc-by-nd-4.0": ("CC BY-ND 4.0", f"{_CC}/by-nd/4.0/", "share them unchanged, and credit the source"),
    "cc-by-nc-nd-4.0": (
        "CC BY-NC-ND 4.0",
        f"{_CC}/by-nc-nd/4.0/",
        "share them unchanged and not for commercial purposes, and credit the source",
    ),
    "cc0-1.0": ("CC0 1.0", "https://creativecommons.org/publicdomain/zero/1.0/", "use them without conditions"),
    "apache-2.0": ("Apache 2.0", "https://www.apache.org/licenses/LICENSE-2.0", ""),
    "mit": ("MIT", "https://opensource.org/license/mit", ""),
}


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence as a card's YAML block states it; ``name`` and ``link`` say what ``other`` means.

    ``id`` is an identifier of the Hub, several (a card may list them), or empty where nothing is stated.
    """

    id: str = ""
    name: str = ""
    link: str = ""

    @property
    def is_stated(self) -> bool:
        """Whether it says what a reader may do: ``other`` without a name does not."""
        return (bool(self.id) and self.id not in ("other", "unknown")) or bool(self.name and self.name != BY_SOURCE)

    @property
    def title(self) -> str:
        """Its name for a reader, in Markdown, with a link where one is known; empty where nothing is stated."""
        if not self.is_stated:
            return ""
        if self.id in ("other", "unknown"):
            return f"[{self.name}]({self.link})" if self.link else f"`{self.name}`"
        known = [_KNOWN.get(one) for one in self.id.split(", ")]
        titles = [f"[{k[0]}]({k[1]})" if k else f"`{one}`" for one, k in zip(self.id.split(", "), known, strict=True)]
        return ", ".join(titles)

    @property
    def conditions(self) -> str:
        """What it asks of a reader, in one clause; empty for a licence of which no clause is known."""
        return _KNOWN[self.id][2] if self.id in _KNOWN else ""

    def plain(self) -> str:
        """Return it for a terminal."""
        if not self.id:
            return "none stated"
        return f"{self.id} ({self.name})" if self.name else self.id

    def front_matter(self) -> dict[str, str]:
        """Return the keys of a card's YAML block that state it."""
        return {key: value for key, value in zip(KEYS, (self.id, self.name, self.link), strict=True) if value}


def of_front_matter(data: Mapping[str, Any]) -> Licence:
    """Return the licence that a card's YAML block states."""
    said = data.get("license") or ""
    identifier = ", ".join(map(str, said)) if isinstance(said, list) else str(said)
    return Licence(identifier.strip().lower(), *(str(data.get(key) or "") for key in KEYS[1:]))


def of_source(source: SourceFacts) -> Licence:
    """Return the licence of a source folder's rows; none where their rights do not let anyone use them."""
    if source.rights not in OFFERED:
        return Licence()
    return Licence(source.license, source.license_name, source.license_link)


def together(manifest: Manifest, repo: str) -> Licence:
    """Return the licence of a whole export: that of all its sources, or ``other`` with a link to what each states.

    No single licence is chosen where sources differ. Even the strictest one would not be theirs to give, and some
    (share-alike, non-commercial) exclude each other.
    """
    if manifest.sources:
        found = {of_source(source) for source in manifest.sources}
    else:  # an older version's export: persona.toml spoke for all lines, if they were all the author's own
        own = {name for side in manifest.counts.values() for name in side.rights} <= {"own"}
        found = {Licence(manifest.persona.license) if own else Licence()}
    if len(found) == 1 and (only := found.pop()).is_stated:
        return only
    return Licence("other", BY_SOURCE, f"https://huggingface.co/datasets/{repo}#rights")


def origin(manifest: Manifest) -> str:
    """Return the origin that all samples share, or an empty text."""
    if manifest.sources:
        found = {source.origin for source in manifest.sources}
        return found.pop() if len(found) == 1 else ""
    return manifest.persona.origin if together(manifest, "").is_stated else ""


def by_source(rows: Iterable[AboutRow], persona: Persona, corpus: str | None) -> list[SourceFacts]:
    """Return the source folders of the rows with their terms, in the order of persona.toml.

    ``corpus`` is the name of the folder that the dataset was built from, None for the folders of persona.toml.
    """
    known = folders(persona, corpus)
    counts = Counter((folder_of(row["source"], list(known)), row["rights"]) for row in rows)
    order = {name: number for number, name in enumerate(known)}
    return [
        SourceFacts(
            folder=folder,
            samples=count,
            rights=rights,
            **({key: getattr(about, key) for key in (*KEYS, "origin")} if (about := known.get(folder)) else {}),
        )
        for (folder, rights), count in sorted(
            counts.items(), key=lambda pair: (order.get(pair[0][0], len(order)), pair[0])
        )
    ]


def folders(persona: Persona, corpus: str | None) -> dict[str, Corpus]:
    """Return the source folders of a build by the name that their records carry."""
    return {corpus: persona.corpus} if corpus else {folder.path: folder for folder in persona.terms}


def folder_of(path: str, known: Sequence[str]) -> str:
    """Return the source folder of a record's path: the longest known one around it, or the path's first folder."""
    around = [name for name in known if path == name or path.startswith(f"{name}/")]
    return max(around, key=len) if around else path.partition("/")[0]
