"""``persona.toml`` becomes a checked :class:`Persona`. The only file that reads it."""

from __future__ import annotations

import tomllib
import unicodedata
from fnmatch import fnmatch
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from curation.errors import UsageError, explain
from curation.record import Kind, Rights

Text = Annotated[str, Field(min_length=1)]


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
    """How the character talks; read by :mod:`curation.checks`."""

    pronouns: tuple[Text, ...] = ()
    avoid: tuple[Text, ...] = ()
    max_reply_chars: int = Field(default=400, ge=1)


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


class Review(_Strict):
    """How samples are shared out among annotators.

    ``overlap`` is the share of samples (0 to 1) that a whole panel judges, each annotator blind to the others;
    ``annotators`` is the size of that panel. With an overlap of 0 one verdict decides.
    """

    overlap: float = Field(default=0.0, ge=0.0, le=1.0)
    annotators: int = Field(default=2, ge=2)


class Page(_Strict):
    """The chat page's own words and portrait; the page has a neutral default for each.

    ``portrait`` is an SVG, PNG, WebP or JPEG file, relative to persona.toml. ``notice`` and ``starters`` (first
    messages that a visitor can choose) are given by language, such as ``vi``.
    """

    title: str = ""
    portrait: str = ""
    notice: dict[str, Text] = Field(default_factory=dict)
    starters: dict[str, tuple[Text, ...]] = Field(default_factory=dict)


class CardWords(_Strict):
    """What the dataset card says of the lines' origin; read by :mod:`curation.export.card`.

    ``origin`` and ``license`` (a Hub identifier) speak of the author's own lines, so they are only said of an export
    that holds nothing else.
    """

    origin: str = ""
    license: Text = "other"
    owners: str = ""


class Corpus(_Strict):
    """What is known about every file of a source folder."""

    rights: Rights = "unknown"
    trusted: bool = False
    author: Text = "import"
    held_out: tuple[str, ...] = ()

    def holds_out(self, name: str) -> bool:
        """Return whether a file of this name is for evaluation only."""
        return any(fnmatch(name, pattern) for pattern in self.held_out)


class SourceFolder(Corpus):
    """A source folder; ``path`` is relative to persona.toml."""

    path: Text


class Persona(_Strict):
    """A character: names, voice, models and where its lines come from. ``root`` is persona.toml's folder.

    ``system_prompt`` is one text for all languages, or a text for each: see :meth:`system_prompt_in`.
    """

    root: Path
    name: Text
    aliases: tuple[Text, ...] = ()
    user_labels: tuple[Text, ...] = ()
    languages: tuple[Text, ...] = Field(min_length=1)
    system_prompt: SystemPrompt
    style: Style = Style()
    models: Models = Models()
    dedup: Dedup = Dedup()
    scenes: Scenes = Scenes()
    split: SplitShare = SplitShare()
    review: Review = Review()
    greetings: dict[str, tuple[Text, ...]] = Field(default_factory=dict)
    page: Page = Page()
    kinds: dict[str, Kind] = Field(default_factory=dict)
    sources: tuple[SourceFolder, ...] = ()
    corpus: Corpus = Corpus()
    card: CardWords = CardWords()

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
        """Return the system prompt for a conversation in this language.

        A language without a text of its own takes that of the first of ``languages`` that has one.
        """
        if isinstance(self.system_prompt, str):
            return self.system_prompt
        return next(self.system_prompt[code] for code in (language, *self.languages) if code in self.system_prompt)

    @property
    def system_prompts(self) -> dict[str, str]:
        """The system prompt of each language, in the order of ``languages``."""
        return {language: self.system_prompt_in(language) for language in self.languages}

    @property
    def user_label(self) -> str:
        """The label that the user's turns get where a text needs one."""
        return self.user_labels[0] if self.user_labels else _USER

    def is_character(self, label: str) -> bool:
        """Return whether a speaker label names the character (any case, composed or decomposed letters)."""
        return _fold(label) in {_fold(n) for n in (self.name, *self.aliases)}

    def is_user(self, label: str) -> bool:
        """Return whether a label stands for the person who talks with the character."""
        return _fold(label) in {_fold(n) for n in self.user_labels or (_USER,)}

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
        return Persona(root=path.resolve().parent, **data)
    except ValidationError as error:
        raise UsageError(f"{path}: {explain(error, Persona)}") from None
    except TypeError:
        raise UsageError(f"{path}: the key `root` cannot be set here. Remove it.") from None


def no_persona(path: Path) -> UsageError:
    """Return the error for a persona file that does not exist."""
    return UsageError(
        f"{path}: no such file. Expected the character's persona.toml. "
        "Run the command from the project's folder or name the file with --persona."
    )


def _fold(label: str) -> str:
    return unicodedata.normalize("NFC", label).strip().casefold()
