"""Files that belong together: a folder's files in the order of their episodes, read as one import."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from curation.errors import InosukeError
from curation.files import natural
from curation.importers.many_files import Job, read_all
from curation.persona import Persona
from curation.record import Imported
from curation.transcripts.casting import recast
from curation.transcripts.twin_track import name_by_twins


def read_together(
    paths: Iterable[Path], persona: Persona, cache_folder: Path | None = None, quiet: bool = False
) -> list[tuple[Path, Imported | InosukeError]]:
    """Return what each file of some files and folders gave, or why it gave nothing, in the order of the episodes."""
    files = [file for path in paths for file in files_of(path)]
    jobs = [Job(path, path.as_posix()) for path in files if not path.is_dir()]
    read = read_all(jobs, persona, cache_folder, quiet)
    results = name_together(recast_all(read, [speakers_of(job.path, persona) for job in jobs]))
    return list(zip((job.path for job in jobs), results, strict=True))


def speakers_of(path: Path, persona: Persona) -> Mapping[str, str]:
    """Return who the voices of a file are, as the entry of its source folder in persona.toml says."""
    place = path.resolve()
    return next(
        (s.speakers for s in persona.sources if place.is_relative_to((persona.root / s.path).resolve())),
        {},
    )


def recast_all(
    results: Iterable[Imported | InosukeError], speakers: Iterable[Mapping[str, str]]
) -> Iterator[Imported | InosukeError]:
    """Yield the files with the names that persona.toml gives to their voices; an error stays as it is."""
    for result, names in zip(results, speakers, strict=True):
        yield recast(result, names) if isinstance(result, Imported) and names else result


def name_together(results: Iterable[Imported | InosukeError]) -> list[Imported | InosukeError]:
    """Return the files with the names that a track with speakers gives to one without (:mod:`twin_track`)."""
    found = list(results)
    read = [n for n, result in enumerate(found) if isinstance(result, Imported)]
    named, _ = name_by_twins([result for result in found if isinstance(result, Imported)])
    for n, result in zip(read, named, strict=True):
        found[n] = result
    return found


def files_of(path: Path) -> list[Path]:
    """Return the files of a folder that an import reads; an empty folder, or a file, is itself."""
    if not path.is_dir():
        return [path]
    return walk(path) or [path]


def walk(base: Path) -> list[Path]:
    """Return the files below a folder in natural order, without hidden ones and without pages of a volume beside them.

    mokuro writes `vol.mokuro`, and the same pages again below `_ocr/vol/` and in `vol.html`.
    """
    inside = {p for p in base.rglob("*") if p.is_file() and not p.name.startswith(".")}
    found = (p for p in inside if not any(volume in inside for volume in _volumes(p, base)))
    return sorted(found, key=lambda p: natural(p.relative_to(base).as_posix()))


def _volumes(path: Path, base: Path) -> Iterator[Path]:
    """Yield the mokuro volumes that would hold the same pages as this file."""
    if path.suffix.lower() == ".html":
        yield path.with_name(path.name[: -len(".html")].removesuffix(".mobile") + ".mokuro")
    parts = path.relative_to(base).parts
    for n in (n for n, part in enumerate(parts[:-1]) if part == "_ocr"):
        # `Vol 1.5` has no suffix: the name is only added to.
        yield base.joinpath(*parts[:n], f"{parts[n + 1]}.mokuro")
