"""``persona.toml`` becomes a checked :class:`Persona`. The only file that reads it."""

from __future__ import annotations

import re
import shutil
import tomllib
import unicodedata
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from curation.codes import FLAGS, REASONS, Language, may_be_off
from curation.errors import UsageError, explain
from curation.lorebook.book import Book
from curation.lorebook.reading import MOST_BYTES, read_book
from curation.lorebook.telling import beside
from curation.record import Kind, Rights

Text = Annotated[str, Field(min_length=1)]


# Files of exports and runs, beside which a copy of the lorebook lies.
_TAKEN = frozenset(
    f"{name}.json"
    for name in [
        "adapter_config",
        "config",
        "croissant",
        "dataset_info",
        "dataset_infos",
        "evaluation",
        "generation_config",
        "gguf",
        "manifest",
        "metrics",
        "same_ids",
        "special_tokens_map",
        "start",
        "state",
        "tags",
        "tokenizer",
        "tokenizer_config",
        "trainer_state",
    ]
)
# What the user is called where persona.toml names no label.
_USER = "User"


def _system_prompt(value: Any) -> Any:
    """Check a system prompt here, where a message can say what both of its forms look like."""
    texts = list(value.values()) if isinstance(value, dict) else [value]
    if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        raise ValueError('expected a text, or a table with a text for each language, such as `vi = "…"`')
    return value


SystemPrompt = Annotated[str | dict[str, str], BeforeValidator(_system_prompt)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Style(_Strict):
    """How the character talks; read by :mod:`curation.checks` and :mod:`curation.faults`.

    ``names`` are the right spellings of people's names; without them the corpus decides. ``profanity`` takes the place
    of the usual list (``curation/faults/words.toml``); an empty one allows every word.
    """

    pronouns: tuple[Text, ...] = ()
    avoid: tuple[Text, ...] = ()
    max_reply_chars: int = Field(default=400, ge=1)
    names: tuple[Text, ...] = ()
    profanity: tuple[Text, ...] | None = None


class Checks(_Strict):
    """Which checks run: all, without the codes in ``off``."""

    off: tuple[Text, ...] = ()

    @field_validator("off")
    @classmethod
    def _known_codes(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for code in value:
            if code not in FLAGS:
                raise ValueError(
                    f"`{code}` is not the code of a flag. Expected one of {', '.join(sorted(may_be_off()))}."
                )
            if code not in may_be_off():
                raise ValueError(f"`{code}` cannot be switched off: the export or publishing depends on it. Remove it.")
        return value


class Models(_Strict):
    """Base models: a Hub id for a GPU, the embedded model's name for a CPU."""

    gpu: Text = "Qwen/Qwen2.5-3B-Instruct"
    cpu: Text = "gemma-3-270m"


class Dedup(_Strict):
    """``threshold`` is a ``rapidfuzz.fuzz.ratio``."""

    threshold: float = Field(default=90.0, ge=50.0, le=100.0)
    template_prompts: tuple[str, ...] = ()


class Scenes(_Strict):
    """How transcripts are cut into dialogues."""

    gap_seconds: float = Field(default=3.0, gt=0)
    max_turns: int = Field(default=8, ge=1)
    max_chars: int = Field(default=1200, ge=1)
    quote_prompts: dict[str, tuple[Text, Text]] = Field(default_factory=dict)


class SplitShare(_Strict):
    """The share of samples that evaluation keeps."""

    eval_share: float = Field(default=0.1, gt=0, lt=1)


class ReasonWords(_Strict):
    """A reason to reject a sample, in both languages of the review desk."""

    vi: Text
    en: Text

    def words(self, language: Language) -> str:
        """Return what the reason says, in a language."""
        return self.vi if language == "vi" else self.en


ReasonCode = Annotated[str, Field(pattern="^[a-z][a-z0-9_]*$", max_length=40)]


class Review(_Strict):
    """How samples are shared out among annotators, and what they go by.

    ``overlap`` is the share of samples (0 to 1) that a whole panel judges, each annotator blind to the others;
    ``annotators`` is the size of that panel. With an overlap of 0 one verdict decides. ``guidelines`` is a Markdown
    file, relative to persona.toml; without it the project's own guidelines count. ``reasons`` are further reasons to
    reject, after the fixed ones (:data:`curation.codes.REASONS`), by code. ``gold_share`` is the share of
    an annotator's samples that are gold items: their verdict is known, and the annotator cannot tell. ``order`` is what
    comes first: ``flagged`` samples, or those whose verdict would be ``teaching`` most
    (:mod:`curation.review.teaching`).
    """

    order: Literal["flagged", "teaching"] = "flagged"
    overlap: float = Field(default=0.0, ge=0.0, le=1.0)
    annotators: int = Field(default=2, ge=2)
    gold_share: float = Field(default=0.0, ge=0.0, le=1.0)
    guidelines: str = ""
    reasons: dict[ReasonCode, ReasonWords] = Field(default_factory=dict)

    @field_validator("reasons")
    @classmethod
    def _new_codes(cls, value: dict[str, ReasonWords]) -> dict[str, ReasonWords]:
        taken = sorted(set(value) & set(REASONS))
        if taken:
            raise ValueError(f"`{taken[0]}` is a fixed reason ({', '.join(REASONS)}). Choose another code.")
        return value


class Page(_Strict):
    """The chat page's own words and portrait; the page has a neutral default for each.

    ``portrait`` is an SVG, PNG, WebP or JPEG file, relative to persona.toml. ``notice`` and ``starters`` (first
    messages that a visitor can choose) are given by language, such as ``vi``.
    """

    title: str = ""
    portrait: str = ""
    notice: dict[str, Text] = Field(default_factory=dict)
    starters: dict[str, tuple[Text, ...]] = Field(default_factory=dict)


class Lorebook(_Strict):
    """Facts that the character is told when a word falls (docs/lorebook.md).

    ``file`` is relative to persona.toml. With ``train``, training tells the facts too. ``whole_words`` is for entries
    that do not say whether their keys must be whole words. With ``show`` a visitor sees which facts were told.
    """

    file: str = ""
    train: bool = False
    whole_words: bool = False
    show: bool = True

    @field_validator("file")
    @classmethod
    def _below(cls, value: str) -> str:
        path = Path(value)
        if value and (path.suffix != ".json" or path.name in _TAKEN):
            raise ValueError(
                "expected the name of a JSON file such as lorebook.json, and not one that an export or a run has itself"
            )
        if value and (path.is_absolute() or ".." in path.parts or "\\" in value or ":" in value):
            raise ValueError(
                "expected a JSON file below persona.toml's folder, with / between folders. A run carries a copy of it"
            )
        return value


class Rooms(_Strict):
    """Whether the character may be in a room, where several characters talk with the visitor and with each other.

    By default it may not. ``with`` names those who may be there too, by name or alias; without it anyone may who allows
    it as well.
    """

    allowed: bool = Field(default=False, strict=True)
    others: tuple[Text, ...] = Field(default=(), alias="with")

    @model_validator(mode="after")
    def _only_where_allowed(self) -> Self:
        if self.others and not self.allowed:
            raise ValueError("`with` has no effect without allowed = true. Add that line, or remove `with`")
        return self


class CardWords(_Strict):
    """What the dataset card says of the character: to whom it belongs.

    ``origin`` and ``license`` are from older versions. They count for the folders of [[sources]] whose rights are
    ``own`` and which have none themselves, never for [corpus]: see :attr:`Persona.moved_words`.
    """

    origin: str = ""
    license: str = ""
    owners: str = ""


def _licence(value: Any) -> Any:
    """Check a licence's identifier here, where a message can say where they are listed."""
    if not isinstance(value, str) or not re.fullmatch(r"([a-z0-9][a-z0-9.+-]*)?", value.strip().lower()):
        raise ValueError(
            "expected an identifier of https://huggingface.co/docs/hub/repositories-licenses, such as cc-by-4.0"
        )
    return value.strip().lower()


Licence = Annotated[str, BeforeValidator(_licence)]


class Corpus(_Strict):
    """What is known about every file of a source folder.

    ``license`` is an identifier of the Hub, such as ``cc-by-4.0``. For ``other``, ``license_name`` and
    ``license_link`` name the licence. ``origin`` is a sentence for the dataset card: who wrote the lines, or where they
    come from.

    ``trusted`` approves its rows: what an author wrote as dialogue. ``trust_transcripts`` also approves what was cut
    from its transcripts by machine, which no one has read as a dialogue. ``speakers`` says who the folder's voices are:
    the label that its transcripts use → the name.
    """

    rights: Rights = "unknown"
    license: Licence = ""
    license_name: str = ""
    license_link: str = ""
    origin: str = ""
    trusted: bool = False
    trust_transcripts: bool = False
    author: Text = "import"
    held_out: tuple[str, ...] = ()
    speakers: dict[Text, Text] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _named_licence(self) -> Self:
        named = bool(self.license_name), bool(self.license_link)
        if (self.license == "other") != all(named) or (self.license != "other" and any(named)):
            raise ValueError(
                'a licence that the Hub does not list needs all three: license = "other", license_name = "…" and '
                'license_link = "https://…". A listed one, such as license = "cc-by-4.0", needs neither name nor link.'
            )
        return self

    def holds_out(self, name: str) -> bool:
        """Return whether a file of this name is for evaluation only."""
        return any(fnmatch(name, pattern) for pattern in self.held_out)


class Columns(_Strict):
    """Which columns of a table hold what, for tables whose headings say nothing that an importer knows.

    ``files`` is a pattern for the files' names. A dot looks into an object: ``author.name``.
    """

    text: Text
    speaker: str = ""
    start: str = ""
    end: str = ""
    scene: str = ""
    files: Text = "*"


class SourceFolder(Corpus):
    """A source folder; ``path`` is relative to persona.toml."""

    path: Text


class Persona(_Strict):
    """A character: names, voice, models and where its lines come from. ``root`` is persona.toml's folder.

    ``system_prompt`` is one text for all languages, or a text for each: see :meth:`system_prompt_in`. ``address`` is
    whom the character calls what: a person's name → the words, and ``user`` → the words for the one they talk to.
    """

    root: Path
    name: Text
    aliases: tuple[Text, ...] = ()
    user_labels: tuple[Text, ...] = ()
    languages: tuple[Text, ...] = Field(min_length=1)
    system_prompt: SystemPrompt
    style: Style = Style()
    checks: Checks = Checks()
    address: dict[Text, tuple[Text, ...]] = Field(default_factory=dict)
    models: Models = Models()
    dedup: Dedup = Dedup()
    scenes: Scenes = Scenes()
    split: SplitShare = SplitShare()
    review: Review = Review()
    greetings: dict[str, tuple[Text, ...]] = Field(default_factory=dict)
    page: Page = Page()
    lorebook: Lorebook = Lorebook()
    rooms: Rooms = Rooms()
    kinds: dict[str, Kind] = Field(default_factory=dict)
    sources: tuple[SourceFolder, ...] = ()
    columns: tuple[Columns, ...] = ()
    corpus: Corpus = Corpus()
    card: CardWords = CardWords()
    _book: Book | None = PrivateAttr(default=None)
    # Constant facts before and after the system prompt, where the character is told facts at all.
    _beside: tuple[str, str] | None = PrivateAttr(default=None)

    @field_validator("system_prompt")
    @classmethod
    def _for_known_languages(cls, value: str | dict[str, str], info: ValidationInfo) -> str | dict[str, str]:
        languages = info.data.get("languages", ())
        if isinstance(value, dict) and languages and (unknown := set(value) - set(languages)):
            raise ValueError(
                f"`{min(unknown)}` is not one of `languages` ({', '.join(languages)}). Add it there, or remove it."
            )
        return value

    def system_prompt_in(self, language: str) -> str:
        """Return the system prompt for a conversation in this language, with the lorebook's constant facts.

        A language without a text of its own takes that of the first of ``languages`` that has one. The facts are there
        in what :meth:`as_served` returns, and in training where ``[lorebook] train`` is set.
        """
        if isinstance(self.system_prompt, str):
            text = self.system_prompt
        else:
            text = next(self.system_prompt[code] for code in (language, *self.languages) if code in self.system_prompt)
        if self._beside is None or not any(self._beside):
            return text
        before, after = self._beside
        return "\n\n".join(part for part in (before, text.strip(), after) if part)

    @property
    def book(self) -> Book | None:
        """The lorebook, where the character is told its facts; see :meth:`system_prompt_in`."""
        return None if self._beside is None else self._book

    @property
    def lore(self) -> Book | None:
        """The lorebook, whether or not the character is told its facts here."""
        return self._book

    def as_served(self) -> Self:
        """Return the persona as a server renders it: with the facts of the lorebook."""
        return self._telling(True)

    def as_trained(self) -> Self:
        """Return the persona as training renders it: with the facts only where ``[lorebook] train`` is set."""
        return self._telling(self.lorebook.train)

    def _telling(self, tells: bool) -> Self:
        copy = self.model_copy()
        tells = tells and self._book is not None
        copy._beside = beside(self._book, self.name, self.user_label) if tells and self._book else None
        return copy

    @property
    def system_prompts(self) -> dict[str, str]:
        """The system prompt of each language, in the order of ``languages``."""
        return {language: self.system_prompt_in(language) for language in self.languages}

    @property
    def terms(self) -> tuple[SourceFolder, ...]:
        """The source folders with their licence and origin, those of an older [card] included."""
        old = {key: value for key in ("license", "origin") if (value := getattr(self.card, key))}
        # A licence without a name and link says no more than none.
        old = {key: value for key, value in old.items() if (key, value) != ("license", "other")}
        return tuple(
            folder.model_copy(update={key: value for key, value in old.items() if not getattr(folder, key)})
            if folder.rights == "own"
            else folder
            for folder in self.sources
        )

    @property
    def moved_words(self) -> str:
        """What to change where [card] still has a licence or origin, which are a source folder's; empty if it has not.

        One text for all folders would claim of a user's own corpus what is true of another folder alone.
        """
        keys = [f"`{key}`" for key in ("license", "origin") if getattr(self.card, key)]
        if not keys:
            return ""
        return (
            f"persona.toml: {' and '.join(keys)} of [card] belong to a source folder. Until you move them, they count "
            "for each [[sources]] folder with `rights` of `own` that has none itself, and not for [corpus]. Move them: "
            'license = "…" and origin = "…" below the folder\'s `rights`.'
        )

    @property
    def user_label(self) -> str:
        """The label that the user's turns get where a text needs one."""
        return self.user_labels[0] if self.user_labels else _USER

    @property
    def names(self) -> tuple[str, ...]:
        """All names of the character."""
        return (self.name, *self.aliases)

    def is_character(self, label: str) -> bool:
        """Return whether a speaker label names the character (any case, composed or decomposed letters)."""
        return _fold(label) in {_fold(n) for n in self.names}

    def is_user(self, label: str) -> bool:
        """Return whether a label stands for the person who talks with the character."""
        return _fold(label) in {_fold(n) for n in self.user_labels or (_USER,)}

    def may_meet(self, other: Persona) -> bool:
        """Return whether this persona lets the character be in a room with another, whose persona must do so too."""
        named = self.rooms.others
        return self.rooms.allowed and (not named or any(other.is_character(name) for name in named))

    def kind_of(self, file_name: str) -> Kind:
        """Return the kind of sample that a file of this name holds: the first pattern that fits."""
        for pattern, kind in self.kinds.items():
            if fnmatch(file_name.lower(), pattern.lower()):
                return kind
        return "conversation"


def load_persona(path: str | Path = "persona.toml") -> Persona:
    """Read and check a persona file.

    Raises UsageError, naming the key, when the file is missing, is not TOML, or has a key that is wrong or unknown.
    """
    path = Path(path)
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise no_persona(path) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read ({error}). Expected a UTF-8 text file.") from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not valid TOML: {error}. Fix that line and try again.") from None
    try:
        persona = Persona(root=path.resolve().parent, **data)
    except ValidationError as error:
        raise UsageError(f"{path}: {explain(error, Persona)}") from None
    except TypeError:
        raise UsageError(f"{path}: the key `root` cannot be set here. Remove it.") from None
    if persona.lorebook.file:
        persona._book = _read_lorebook(path, persona.lorebook)
    return persona.as_trained()


def persona_files(persona_file: Path) -> tuple[str, ...]:
    """Return the files that a persona consists of, relative to its folder: persona.toml, and its lorebook.

    Raises UsageError as :func:`load_persona` does.
    """
    book = load_persona(persona_file).lorebook.file
    return (persona_file.name, *([book] if book else []))


def copy_persona(persona_file: Path, folder: Path) -> None:
    """Copy a persona into a folder as ``persona.toml``, with its lorebook, so that neither is without the other."""
    _, *books = persona_files(persona_file)
    shutil.copyfile(persona_file, folder / "persona.toml")
    for name in books:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(persona_file.parent / name, folder / name)


def _read_lorebook(path: Path, lorebook: Lorebook) -> Book:
    file = path.parent / lorebook.file
    where = f"{path}: `lorebook.file` is {lorebook.file!r}"
    if file.name == path.name and file.parent == path.parent:
        raise UsageError(f"{where}, which is the persona itself. Expected a lorebook's JSON file.")
    try:
        with file.open("rb") as opened:
            raw = opened.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise UsageError(
            f"{where}, and there is no such file at {file}. Put the lorebook there, or remove the [lorebook] table."
        ) from None
    except OSError as error:
        raise UsageError(f"{where}, and {file} cannot be read ({error.strerror or error}).") from None
    return read_book(raw, str(file), lorebook.whole_words)


def no_persona(path: Path) -> UsageError:
    """Return the error for a persona file that does not exist."""
    return UsageError(
        f"{path}: no such file. Expected the character's persona.toml. "
        "Run the command from the project's folder or name the file with --persona."
    )


def _fold(label: str) -> str:
    return unicodedata.normalize("NFC", label).strip().casefold()
