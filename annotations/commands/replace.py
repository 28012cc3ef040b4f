"""`inosuke review replace`. Parse, call, print; nothing else."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from annotations.commands.filter_options import as_filters, check_filters, filter_options
from annotations.commands.open_store import opened
from curation.command import json_option, persona_option

if TYPE_CHECKING:
    from annotations.team.many import Change, Preview

_SHOWN = 20


@click.command()
@click.argument("find")
@click.argument("put", metavar="WITH")
@click.option("--regex", is_flag=True, help="FIND is a regular expression of Python; WITH may name its groups (\\1).")
@click.option("--whole-word", is_flag=True, help="Never match inside a longer word.")
@click.option("--ignore-case", is_flag=True, help="Match capital and small letters alike.")
@click.option("--only", type=click.Choice(["assistant"]), help="Change the character's turns only.")
@click.option("--drafts", is_flag=True, help="Keep the new text of open samples as your drafts.")
@click.option("--by", "annotator", help="Your name as an annotator.  [default: your login name]")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@filter_options("approved", ("approved", "open", "all"))
@persona_option
@json_option
def replace(
    find: str,
    put: str,
    regex: bool,
    whole_word: bool,
    ignore_case: bool,
    only: str | None,
    drafts: bool,
    annotator: str | None,
    dry_run: bool,
    persona_file: Path,
    as_json: bool,
    **options: Any,
) -> None:
    """Replace a spelling, a name or a pronoun in all approved samples at once, as one batch that is undone as one.

    Approved samples are rewritten and stay approved. Samples that wait for review are never approved by this: with
    --drafts and --status all, their new text becomes a draft of yours. Changes that a check forbids are refused and
    listed. At the desk, signed in under the same name, `u` undoes the whole batch.

    \b
    Example:
      inosuke review replace "Kumotory" "Kumotori" --whole-word --dry-run
    """
    from annotations.team import many
    from annotations.team.search import Replacement
    from curation.persona import load_persona

    wanted = Replacement(find, put, regex, whole_word, ignore_case, only_assistant=only == "assistant")
    who = annotator or _login()
    with opened(persona_file) as (store, _):
        filters = as_filters(options)
        check_filters(filters, store.queue.choices())
        seen = many.preview(store, load_persona(persona_file), who, wanted, filters)
        batch, kept = None, 0
        if not dry_run:
            store.people.add(who)
            batch = many.rewrite(store, who, seen, client="cli") if seen.changes else None
            kept = many.keep_drafts(store, who, seen) if drafts else 0
    refused = {} if batch is None else {sample: str(error) for sample, error in batch.refused.items()}
    refused |= {change.item.id: ", ".join(change.forbidden) for change in seen.refused}
    made = 0 if batch is None else len(batch.decisions)
    if as_json:
        result = {
            "changes": [_plain(change) for change in seen.changes],
            "matches": sum(change.matches for change in seen.changes),
            "replaced": made,
            "drafts": kept,
            "batch": None if batch is None else batch.id,
            "refused": refused,
            "waiting": len(seen.waiting),
            "rejected": seen.rejected,
        }
        click.echo(json.dumps(result, ensure_ascii=False))
        return
    for line in _lines(seen):
        click.echo(line)
    for sample, reason in refused.items():
        click.echo(f"refused {sample}: {reason}")
    if dry_run:
        click.echo(f"{len(seen.changes):,} samples would be rewritten. Nothing was changed.")
    else:
        click.echo(f"{made:,} samples rewritten by {who}, {kept:,} drafts kept. Undo all of it at the desk: u")


def _login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        raise click.UsageError("your login name is not known here. Name yourself: --by NAME") from None


def _plain(change: Change) -> dict[str, Any]:
    return {
        "id": change.item.id,
        "matches": change.matches,
        "before": [turn.content for turn in change.item.messages],
        "after": [turn.content for turn in change.messages],
    }


def _lines(seen: Preview) -> list[str]:
    lines = []
    for change in seen.changes[:_SHOWN]:
        lines.append(f"{change.item.id}  {change.matches} found")
        for old, new in zip(change.item.messages, change.messages, strict=True):
            lines += [f"  - {old.content}", f"  + {new.content}"] if old != new else []
    if len(seen.changes) > _SHOWN:
        lines.append(f"… and {len(seen.changes) - _SHOWN:,} more samples")
    if seen.waiting:
        lines.append(f"{len(seen.waiting):,} matching samples wait for review: they are not rewritten")
    if seen.rejected:
        lines.append(f"{seen.rejected:,} matching samples are rejected: they stay as they are")
    return lines
