"""What a publication does, as the commands show it before it is made, print it afterwards, and `--json` returns it."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, TypeVar

from curation.console import listed, size
from curation.hub.commit import Outcome

P = TypeVar("P", bound="Publication")
MOST_REMOVED = 1 / 3  # of the published rows, or of a model's bytes, without `--yes`
_NAMED = 6  # files of a list by name


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """A publication that was made, or that a dry run would make. ``commit`` and ``url`` are None in a dry run."""

    repo: str
    version: str
    private: bool
    tag: str | None
    files: list[str]
    warnings: list[str]
    action: str = "would be published"
    deleted: list[str] = field(default_factory=list)
    commit: str | None = None
    url: str | None = None
    # Who sees the repository on the Hub ("public", "new, private", "not known: …"), and what wants an answer before
    # the commit.
    visibility: str = ""
    questions: list[str] = field(default_factory=list)

    @property
    def removes_much(self) -> bool:
        """Whether so much of what is published goes that it wants `--yes` on a terminal too."""
        return False

    @property
    def way_out(self) -> str:
        """What else the user can do about the questions, as a sentence with a space behind it; may be empty."""
        return ""

    def details(self) -> list[str]:
        """Return the lines that describe the content, for a terminal."""
        return []

    def to_json(self) -> dict[str, Any]:
        """Return plain objects."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelPublication(Publication):
    """The publication of a run; ``licence`` is its base's, and ``notice`` what that makes the repository carry.

    ``there`` says what the repository holds now. ``added``, ``replaced`` and ``removed`` are path → bytes of the files
    that would be sent, and of those that go.
    """

    run: str
    base: str
    licence: str
    notice: list[str] = field(default_factory=list)
    there: str = ""
    added: dict[str, int] = field(default_factory=dict)
    replaced: dict[str, int] = field(default_factory=dict)
    removed: dict[str, int] = field(default_factory=dict)
    removed_share: float = 0.0

    @property
    def removes_much(self) -> bool:
        """Whether more than a third of the published bytes would go and nothing would take their name."""
        return self.removed_share > MOST_REMOVED

    @property
    def way_out(self) -> str:
        """How to keep both."""
        return "To keep what is there, publish to a repository of another name. " if self.removes_much else ""

    def details(self) -> list[str]:
        """Return the lines that describe the content, for a terminal."""
        lines = [f"  visible   {self.visibility}", f"  base      {self.base}", f"  licence   {self.licence}"]
        lines += [f"  {'' if number else 'notice':<9} {line}" for number, line in enumerate(self.notice)]
        lines += [f"  there     {self.there}"]
        for title, files in (("new", self.added), ("replaced", self.replaced), ("removed", self.removed)):
            lines += [f"  {title:<9} {_sizes(files)}"] if files else []
        return lines + [f"  asks      {question}" for question in self.questions]


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChanges:
    """The rows that a publication changes in what is published. ``before`` is how many were published.

    ``since`` is the version published last, None for a first publication. ``removed_share`` is of ``before``.
    """

    added: int
    rewritten: int = 0
    removed: int = 0
    before: int = 0
    since: str | None = None

    @property
    def removed_share(self) -> float:
        """The share of the published rows that go, 0 to 1."""
        return self.removed / self.before if self.before else 0.0

    def line(self) -> str:
        """Return it for a terminal."""
        if not self.before:
            return f"{self.added:,} added (nothing was published before)"
        gone = f" ({100 * self.removed_share:.0f}%)" if self.removed else ""
        return (
            f"{self.added:,} added, {self.rewritten:,} rewritten, {self.removed:,}{gone} removed "
            f"of the {self.before:,} published" + (f" as {self.since}" if self.since else "")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetPublication(Publication):
    """The publication of an export: samples by side, and what a public repository leaves out and includes by name.

    ``visibility`` is the repository's on the Hub ("public" or "private", "new, …" where it does not exist yet, "not
    known" where the Hub was not asked). ``origin`` is by source folder. ``checked`` says for each configuration of the
    merged repository how it was tried. ``questions`` want an answer before the commit.
    """

    exported_as: str
    corpus: str | None
    licence: str
    origin: dict[str, str]
    samples: dict[str, int]
    rows: RowChanges | None
    left_out: dict[str, int]
    left_out_from: dict[str, int]
    left_out_ids: list[str]
    included: dict[str, int]
    checked: dict[str, str]
    notes: list[str]

    @property
    def removes_much(self) -> bool:
        """Whether more of the published rows would go than a version usually changes."""
        return self.rows is not None and self.rows.removed_share > MOST_REMOVED

    @property
    def way_out(self) -> str:
        """How to build the export from other folders."""
        if not self.removes_much:
            return ""
        return (
            "If the export was built from the wrong folders, build it again: `inosuke dataset --corpus FOLDER`, or "
            "`inosuke dataset --starter` for those of persona.toml. "
        )

    def details(self) -> list[str]:
        """Return the lines that describe the content, for a terminal."""
        built = self.corpus if self.corpus else "the source folders of persona.toml"
        lines = [f"  export    {self.exported_as}, built from {built}"]
        lines += [f"  visible   {self.visibility}", f"  licence   {self.licence}"]
        for number, (source, said) in enumerate(self.origin.items()):
            lines.append(f"  {'' if number else 'origin':<9} {source}: {said}")
        lines += [f"  samples   {listed(self.samples)}"]
        lines += [f"  rows      {self.rows.line() if self.rows else 'not compared'}"]
        if self.left_out:
            lines += [f"  left out  {listed(self.left_out)}"]
            lines += [f"            {count:,} from {source}" for source, count in self.left_out_from.items()]
            lines += ["            (--private publishes them for you alone; --include-private NAME names exceptions)"]
        if self.included:
            lines += [f"  included  {listed(self.included)} (by name; the manifest lists them)"]
        for number, (config, how) in enumerate(self.checked.items()):
            lines.append(f"  {'' if number else 'tried':<9} {config}: {how}")
        lines += [f"  note      {note}" for note in self.notes]
        return lines + [f"  asks      {question}" for question in self.questions]


def _sizes(files: dict[str, int]) -> str:
    """Return the largest files with their sizes, and how many there are in all."""
    largest = sorted(files, key=lambda name: (-files[name], name))
    named = ", ".join(f"{name} {size(files[name])}" for name in largest[:_NAMED])
    more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
    return f"{len(files)} ({size(sum(files.values()))}): {named}{more}"


def completed(planned: P, outcome: Outcome, url: str) -> P:
    """Return a planned publication with what the upload did."""
    return replace(
        planned,
        action="published" if outcome.changed else "unchanged, no commit",
        files=outcome.files,
        deleted=outcome.deleted,
        commit=outcome.commit,
        url=url,
        warnings=outcome.warnings + planned.warnings,
    )
