"""Neutral names for a person's folders: what is published does not tell how their disk is arranged.

Pure. ``source-1`` is the first source folder of persona.toml, or the corpus that the dataset was built from; a number
below it is a folder inside. Files keep their names: they tell a reader what a line comes from.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from curation.contracts.manifest import AuditFacts, Manifest
from curation.contracts.rows import AboutRow, HeldOutRow
from curation.export.exported_rows import Rows
from curation.export.terms import folder_of
from curation.persona import Persona

R = TypeVar("R", AboutRow, HeldOutRow)
_ANY = TypeVar("_ANY", bound=AboutRow)


class Names:
    """Local path → neutral path. ``folders`` are the source folders, in the order of persona.toml."""

    def __init__(self, folders: Sequence[str], paths: Iterable[str]) -> None:
        self._known = list(folders)
        split = {path: _split(path, self._known) for path in sorted(set(paths))}
        # A folder that persona.toml does not name is from an older version of it.
        others = sorted({folder for folder, _, _ in split.values()} - set(folders))
        self.folders = {name: f"source-{n}" for n, name in enumerate([*folders, *others], 1)}
        inside: dict[str, list[str]] = {}
        for folder, within, _ in split.values():
            if within and within not in inside.setdefault(folder, []):
                inside[folder].append(within)
        self._paths = {
            path: "/".join(
                [
                    self.folders[folder],
                    *([str(inside[folder].index(within) + 1)] if within else []),
                    *([name] * bool(name)),
                ]
            )
            for path, (folder, within, name) in split.items()
        }

    def path(self, path: str) -> str:
        """Return the neutral path of a record's ``source``."""
        return self._paths[path] if path else path

    def around(self, name: str) -> str | None:
        """Return the neutral form of a file or folder that holds published records, None for anything else."""
        name = name.strip("/")
        if name in self._paths:
            return self._paths[name]
        if name in self.folders:
            return self.folders[name]
        below = sorted({neutral.rpartition("/")[0] for path, neutral in self._paths.items() if _inside(path, name)})
        return ", ".join(below) or None


def names(manifest: Manifest, persona: Persona, rows: Rows) -> Names:
    """Return the neutral names for an export and its rows."""
    corpus = manifest.configuration.get("corpus")
    folders = [*([corpus] if corpus else []), *(source.path for source in persona.sources)]
    paths = [row["source"] for row in rows.samples] + [row.get("source", "") for row in rows.held_out]
    for pairs, labels in zip(rows.preferences.values(), rows.labels.values(), strict=True):
        paths += [path for row in pairs for path in (row["source"], row["rejected_source"] or "")]
        paths += [row["source"] for row in labels]
    return Names(list(dict.fromkeys(folders)), [path for path in paths if path])


def rows(content: Rows, known: Names) -> Rows:
    """Return the rows with neutral names in ``source``."""
    return Rows(
        chat={side: _of_side(part, known) for side, part in content.chat.items()},
        instruct={side: _of_side(part, known) for side, part in content.instruct.items()},
        held_out=[
            cast(HeldOutRow, {**row, "source": known.path(row["source"])}) if row.get("source") else row
            for row in content.held_out
        ],
        preferences={
            side: [
                row | {"rejected_source": known.path(row["rejected_source"])} if row["rejected_source"] else row
                for row in _of_side(part, known)
            ]
            for side, part in content.preferences.items()
        },
        labels={side: _of_side(part, known) for side, part in content.labels.items()},
    )


def manifest(about: Manifest, known: Names) -> Manifest:
    """Return the manifest's facts with neutral names: the corpus, and the folders that were audited."""
    corpus = about.configuration.get("corpus")
    configuration: Mapping[str, Any] = about.configuration | ({"corpus": known.folders[corpus]} if corpus else {})
    audits = [_of_audit(audit, known) for audit in about.review.audits]
    review = about.review.model_copy(update={"audits": audits}) if audits else about.review
    return about.model_copy(update={"configuration": dict(configuration), "review": review})


def persona_file(data: Mapping[str, Any], known: Names) -> dict[str, Any]:
    """Return what persona.toml says, with neutral names for its source folders.

    Without the lorebook: its rights are unknown here, and no row of a dataset needs it.
    """
    sources = [{**source, "path": known.folders[source["path"]]} for source in data.get("sources", ())]
    kept = {key: value for key, value in data.items() if key != "lorebook"}
    return {**kept, **({"sources": sources} if sources else {})}


def _split(path: str, known: Sequence[str]) -> tuple[str, str, str]:
    """Return a path's source folder, the folders inside it, and the file."""
    folder = folder_of(path, known)
    rest = path[len(folder) :].lstrip("/")
    if not rest:  # a corpus that is one file
        return folder, "", folder.rpartition("/")[2]
    within, _, name = rest.rpartition("/")
    return folder, within, name


def _of_side(content: Sequence[_ANY], known: Names) -> list[_ANY]:
    return [cast(_ANY, {**row, "source": known.path(row["source"])}) for row in content]


def _of_audit(audit: AuditFacts, known: Names) -> AuditFacts:
    if not audit.source:
        return audit
    return audit.model_copy(update={"source": known.around(audit.source) or "a part of the sources"})


def _inside(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/")
