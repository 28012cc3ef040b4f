"""`inosuke new`: a folder for another character. Parse, ask, call, print; nothing else."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from curation.newcomer.persona_file import Answers


@click.command()
@click.argument("name", required=False)
@click.option(
    "--from", "card", type=click.Path(path_type=Path), metavar="CARD", help="A character card: .json, .png or .charx."
)
@click.option(
    "--into", type=click.Path(path_type=Path), help="Write into this folder.  [default: characters/ and the name]"
)
@click.option(
    "--language", "languages", multiple=True, metavar="CODE", help="A language (ISO 639-1). Repeatable.  [default: en]"
)
@click.option("--alias", "aliases", multiple=True, metavar="NAME", help="Another name of the character. Repeatable.")
@click.option("--self", "own", multiple=True, metavar="WORD", help="How the character calls themselves. Repeatable.")
@click.option("--user", "other", multiple=True, metavar="WORD", help="How the character calls others. Repeatable.")
@click.option(
    "--greeting",
    "greetings",
    multiple=True,
    metavar="TEXT",
    help="A first line; `vi=…` names its language. Repeatable.",
)
@click.option("--avoid", multiple=True, metavar="WORDS", help="What the character never says. Repeatable.")
@click.option("--yes", is_flag=True, help="Ask nothing: take defaults for what is not given.")
def new(
    *,
    name: str | None,
    card: Path | None,
    into: Path | None,
    languages: tuple[str, ...],
    aliases: tuple[str, ...],
    own: tuple[str, ...],
    other: tuple[str, ...],
    greetings: tuple[str, ...],
    avoid: tuple[str, ...],
    yes: bool,
) -> None:
    """Begin another character: persona.toml, ten example rows a language to replace, prompts and guidelines.

    On a terminal it asks for what no option gives. Without a terminal, or with --yes, it takes defaults. Nothing that
    exists is overwritten.

    --from asks nothing: name, greetings and a portrait come from the card, and its lines wait for review. NAME, if
    given, replaces the card's name. --language names the card's language.

    \b
    Example:
      inosuke new "Trần Mai" --language vi --self tớ --user cậu
      inosuke new --from mai.png --language vi
    """
    from curation.errors import UsageError
    from curation.newcomer.persona_file import Answers
    from curation.newcomer.write import check_folder, check_languages, check_name, folder_name, name_in, write

    asks = not yes and card is None and sys.stdin.isatty()
    if card is not None:
        _check_options_beside_a_card(languages, aliases, greetings)
        languages = check_languages(languages or ("en",))
    if card is None and name is None:
        raise UsageError(
            "the character has no name. Give one (`inosuke new NAME`) or a card (`inosuke new --from CARD`)."
        )
    name = name_in(card, languages[0]) if card is not None and name is None else check_name(name or "")
    folder = into or Path("characters") / folder_name(name)
    check_folder(folder)
    languages = check_languages(languages or _asked("Languages", asks, "en") or ("en",))
    aliases = tuple(check_name(a, "alias") for a in aliases or _asked("Other names", asks))
    own = _clean(own or _asked("How the character calls themselves", asks))
    other = _clean(other or _asked("How the character calls others", asks))
    said = _by_language(greetings, languages)
    for language in languages if asks and not greetings else ():
        if line := click.prompt(f"Greeting in `{language}`", default="", show_default=False).strip():
            said[language] = [line]
    avoid = _clean(avoid or _asked("What the character never says", asks))
    answers = Answers(
        name=name, aliases=aliases, languages=languages, own=own, other=other, greetings=said, avoid=avoid
    )
    write(folder, answers, card)
    _tell(folder, answers, card)
    if card is not None:
        from curation.character_cards.checking import about
        from curation.character_cards.drafting import kept_card

        for line in about(kept_card(folder), card, languages[0]):
            click.echo(line)


def _check_options_beside_a_card(
    languages: tuple[str, ...], aliases: tuple[str, ...], greetings: tuple[str, ...]
) -> None:
    """Raise UsageError for an option that --from leaves no room for."""
    from curation.errors import UsageError

    for option, is_wrong in (("--alias", aliases), ("--greeting", greetings), ("more --language", len(languages) > 1)):
        if is_wrong:
            raise UsageError(
                f"--from and {option} do not go together: a card is in one language and has names and greetings of its "
                "own. Leave the option out, and change persona.toml afterwards."
            )


def _asked(question: str, asks: bool, default: str = "") -> tuple[str, ...]:
    """Ask for words with commas between them; nothing where no one can answer."""
    if not asks:
        return ()
    answer: str = click.prompt(f"{question} (commas between several)", default=default, show_default=bool(default))
    return _clean(tuple(answer.split(",")))


def _clean(words: tuple[str, ...]) -> tuple[str, ...]:
    """Return the words that are not empty, each on one line."""
    lines = (" ".join(re.sub(r"[\x00-\x1f\x7f]", " ", word).split()) for word in words)
    return tuple(dict.fromkeys(line for line in lines if line))


def _by_language(greetings: tuple[str, ...], languages: tuple[str, ...]) -> dict[str, list[str]]:
    """Return the greetings by language; one that names none is in the first."""
    from curation.errors import UsageError

    said: dict[str, list[str]] = {}
    for greeting in _clean(greetings):
        named = re.fullmatch(r"([a-z]{2})=\s*(.+)", greeting)
        language, line = (named[1], named[2]) if named else (languages[0], greeting)
        if language not in languages:
            raise UsageError(
                f"--greeting {greeting}: `{language}` is not one of the character's languages "
                f"({', '.join(languages)}). Add it with --language {language}."
            )
        said.setdefault(language, []).append(line)
    return said


def _tell(folder: Path, answers: Answers, card: Path | None) -> None:
    from curation.newcomer.examples import WORDS

    where = shlex.quote(folder.as_posix())
    click.echo(f"{answers.name} has a folder: {folder}")
    click.echo("  persona.toml        who the character is; every key is explained there")
    if card is not None:
        click.echo("  card-rows/          the card's lines: they wait for review, of rights unknown")
        click.echo("  character-card.*    the card as it came")
    click.echo("  lines/              ten example rows a language: write the character's lines in their place")
    click.echo("  eval/prompts.jsonl  held-out prompts, with the replies that you expect")
    click.echo("  guidelines.md       what annotators go by: fill it in")
    if card is not None:
        click.echo("Note: training leaves the card's lines out until you approve them in the review desk.")
    if without := [language for language in answers.languages if language not in WORDS]:
        click.echo(f"Note: there are no example rows in {', '.join(without)}. Write lines before the next command.")
    if (Path("Makefile")).is_file() and (Path("curation") / "newcomer").is_dir():
        click.echo(f"Next: make dataset train serve CHARACTER={where}")
    else:
        click.echo(f"Next: cd {where} && inosuke dataset && inosuke train && inosuke serve")
