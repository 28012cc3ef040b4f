"""Write the folder of a new character: checked answers in, a folder that `inosuke dataset` builds from out."""

from __future__ import annotations

import re
import shutil
import tempfile
import unicodedata
from pathlib import Path

from curation.bases import all_bases
from curation.character_cards import containers
from curation.character_cards.drafting import draft, import_card
from curation.errors import UsageError
from curation.newcomer import examples, guidelines, persona_file
from curation.newcomer.persona_file import Answers
from curation.persona import load_persona

LONGEST_NAME = 60

_IGNORED = """# Outputs: rebuilt by `inosuke dataset` and `inosuke train` from what is in git.
/models/
/build/
/datasets/export/
/datasets/quarantine/
/datasets/build/
/datasets/feedback/
/datasets/corpus.json
/datasets/review.db*
/datasets/.lock
"""


def folder_name(name: str) -> str:
    """Return a folder's name for a character: `Trần Mai` → `tran-mai`. Letters of other scripts than Latin stay."""
    plain = unicodedata.normalize("NFKD", name.casefold().replace("đ", "d"))
    # Only marks of the Latin script are dropped: in others they change the letter.
    plain = re.sub(r"(?<=[a-z])[\u0300-\u036f]+", "", plain)
    return re.sub(r"[\W_]+", "-", unicodedata.normalize("NFC", plain)).strip("-")


def check_name(name: str, what: str = "name") -> str:
    """Return a name with its spaces put in order. Raises UsageError for what cannot be a speaker's name."""
    name = " ".join(unicodedata.normalize("NFC", name).split())
    wrong = [c for c in name if c in ':：{}<>[]|"\\' or unicodedata.category(c).startswith("C")]
    if wrong:
        raise UsageError(
            f"the {what} {name!r} holds {wrong[0]!r}, which marks a speaker or a blank in files of dialogues. "
            "Expected letters, digits, spaces, and marks such as - ' and the full stop."
        )
    if not any(c.isalnum() for c in name) or len(name) > LONGEST_NAME:
        raise UsageError(
            f"the {what} {name[:80]!r} is not one: expected 1 to {LONGEST_NAME} characters with at least one letter."
        )
    return name


def name_in(card: Path, language: str) -> str:
    """Return the name that a character card gives. Raises InosukeError for a file that is not a card."""
    try:
        return check_name(draft(containers.read(card), language).name, "card's name")
    except UsageError as error:
        raise UsageError(f"{card}: {error} Give another name: `inosuke new NAME --from {card.name}`.") from None


def check_languages(languages: tuple[str, ...]) -> tuple[str, ...]:
    """Return the languages, each once. Raises UsageError for one that no base model knows."""
    known = sorted({language for base in all_bases() for language in base.languages})
    chosen = tuple(dict.fromkeys(language.strip().lower() for language in languages))
    for language in chosen:
        if language not in known:
            raise UsageError(
                f"no base model knows the language `{language}`. Expected ISO 639-1 codes among {', '.join(known)}; "
                "`inosuke bases` lists which model knows which."
            )
    return chosen


def check_folder(folder: Path) -> None:
    """Raise UsageError if something is there already: nothing of it is ever overwritten."""
    if folder.is_symlink() or (folder.exists() and (not folder.is_dir() or any(folder.iterdir()))):
        raise UsageError(f"{folder}: there already, and not empty. Name another folder with --into, or remove it.")


def write(folder: Path, answers: Answers, card: Path | None = None) -> None:
    """Write the folder, whole or not at all; from a character card, beside what `inosuke card import` drafts."""
    check_folder(folder)
    lines = {name: text for code in answers.languages for name, text in examples.rows(answers.name, code).items()}
    files = {
        "guidelines.md": guidelines.text(answers.name),
        ".gitignore": _IGNORED,
        "eval/prompts.jsonl": examples.held_out(answers.name, answers.languages),
        **{f"lines/{name}": text for name, text in lines.items()},
    }
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".new-") as scratch:
            whole = Path(scratch) / "character"
            if card is None:
                files["persona.toml"] = persona_file.text(answers)
            else:
                import_card(card, whole, answers.languages[0], answers.name)
                drafted = (whole / "persona.toml").read_text(encoding="utf-8")
                files["persona.toml"] = drafted + persona_file.after_card(answers)
            (whole / "lines").mkdir(parents=True)
            for name, text in files.items():
                (whole / name).parent.mkdir(exist_ok=True)
                (whole / name).write_text(text, encoding="utf-8", newline="\n")
            load_persona(whole / "persona.toml")
            if folder.exists():  # empty, and perhaps the folder that the user stands in: it stays
                for path in whole.iterdir():
                    shutil.move(path, folder)
            else:
                shutil.move(whole, folder)
    except OSError as error:
        raise UsageError(f"{folder}: cannot be written ({error}). Name another folder with --into.") from None
