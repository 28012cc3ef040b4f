"""The rows that ``inosuke bases`` prints: the table of bases, measured on the corpus at hand and on this machine.

Fetches nothing. What only a tokenizer can tell is measured for bases whose tokenizer is already here.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from curation import bases, chat
from curation.bases import Base
from curation.contracts.rows import ExportedRow, read_chat_rows
from curation.errors import InosukeError
from curation.persona import Persona, load_persona
from train.data.dialogues import find_export
from train.loop import forecast, memory_estimate
from train.model import embedded
from train.model.base_model import FOLDER
from train.model.load import device
from train.model.loss import CHUNK_BYTES
from train.progress import quiet_libraries
from train.recipe import Device, Recipe, load_recipe, pick, resolve

# Enough replies for three digits; a tokenizer reads them in a fraction of a second.
_REPLIES = 2000
_PROVED = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A base on this machine. What could not be measured is None, and ``not_measured`` has the reason.

    ``named_for`` is where persona.toml names it (``cpu``, ``gpu``). ``template`` is "right" or what is wrong with it.
    """

    name: str
    hub_id: str
    named_for: tuple[str, ...]
    parameters: int
    languages: tuple[str, ...]
    licence: str
    commercial: bool
    source: str
    is_here: bool
    tokens_per_char: float | None
    template: str | None
    not_measured: str | None
    fits: bool
    why: str

    def to_json(self) -> dict[str, Any]:
        """Return plain objects."""
        return asdict(self)


def rows(persona_file: Path) -> tuple[list[Row], str]:
    """Return a row for each base of the table, and what they were measured on.

    Raises UsageError for a persona.toml that is missing or wrong.
    """
    quiet_libraries()
    persona = load_persona(persona_file)
    dialogues, corpus = _corpus(persona)
    here = device()
    recipe = resolve(load_recipe(pick(here)[0]), persona, here)[0]
    return [_row(base, persona, dialogues, recipe, here) for base in bases.all_bases()], corpus


def text(table: Sequence[Row], corpus: str) -> str:
    """Return the table for a terminal."""
    heads = ("", "base", "parameters", "tokens/char", "template", "licence", "from", "fits this machine")
    lines = [heads, *(_cells(row) for row in table)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(heads))]
    shown = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines]
    notes = [f"tokens/char: measured on {corpus}"]
    reasons: dict[str, list[str]] = {}
    for row in table:
        if row.not_measured:
            reasons.setdefault(row.not_measured, []).append(row.name)
        if row.template not in (None, "right"):
            notes.append(f"{row.name}: {row.template}")
    notes += [f"–: {reason}: {', '.join(names)}" for reason, names in reasons.items()]
    notes += ["languages:", *(f"  {row.name}: {' '.join(row.languages)}" for row in table)]
    marked = [f"{row.name} on a {' and a '.join(row.named_for).upper()}" for row in table if row.named_for]
    notes += [f"*: named in persona.toml: {', '.join(marked) or 'none of these'}"]
    return "\n".join([*shown, "", *notes])


def _cells(row: Row) -> tuple[str, ...]:
    template = {None: "–", "right": "right"}.get(row.template, "wrong, see below")
    return (
        "*" if row.named_for else "",
        row.name,
        f"{row.parameters / 1e6:,.0f} M",
        "–" if row.tokens_per_char is None else f"{row.tokens_per_char:.3f}",
        template,
        row.licence + ("" if row.commercial else " (no commercial use)"),
        row.source + (", here" if row.is_here else ""),
        row.why,
    )


def _row(base: Base, persona: Persona, dialogues: Sequence[ExportedRow], recipe: Recipe, here: Device) -> Row:
    tokenizer, reason = _tokenizer(base, persona) if dialogues else (None, "there is no corpus to measure on")
    named = {"cpu": persona.models.cpu, "gpu": persona.models.gpu}
    longest = recipe.max_length
    if tokenizer is not None:
        longest = min(longest, max(len(ids) for ids in tokenizer([_whole(row) for row in dialogues])["input_ids"]))
    fits, why = _fits(base, persona, recipe, longest, here)
    return Row(
        name=base.name,
        hub_id=base.hub_id,
        named_for=tuple(kind for kind, name in named.items() if bases.find(name) is base),
        parameters=base.parameters,
        languages=base.languages,
        licence=base.licence.name,
        commercial=base.licence.commercial,
        source="package index" if base.is_embedded else "Hub",
        is_here=_folder(base, persona) is not None,
        tokens_per_char=None if tokenizer is None else _tokens_per_char(tokenizer, dialogues),
        template=None if tokenizer is None else _template(tokenizer, dialogues, persona, recipe),
        not_measured=reason,
        fits=fits,
        why=why,
    )


def _corpus(persona: Persona) -> tuple[list[ExportedRow], str]:
    """Return dialogues of the newest export, or of the sources where there is none, and where they come from."""
    try:
        export = find_export(persona.root)
    except InosukeError:
        found = _sources(persona)
        return found, f"{len(found):,} rows of the source folders (no export yet)" if found else "nothing: no corpus"
    found = [*read_chat_rows(export, "train"), *read_chat_rows(export, "eval")][:_REPLIES]
    return found, f"{len(found):,} dialogues of the export {export.name}"


def _sources(persona: Persona) -> list[ExportedRow]:
    """Return the rows of the sources' JSON lines files in the alpaca shape; other files need an import first."""
    import json

    found: list[ExportedRow] = []
    files = (f for source in persona.sources for f in sorted((persona.root / source.path).rglob("*.jsonl")))
    for file in files:
        kind = persona.kind_of(file.name)
        for number, line in enumerate(file.read_text(encoding="utf-8-sig", errors="replace").splitlines()):
            try:
                sample = chat.from_alpaca(json.loads(line), kind, persona)
            except (ValueError, InosukeError):
                continue  # `inosuke import` reports rows that cannot be read
            found.append(ExportedRow(id=f"{file.name}:{number}", kind=kind, messages=sample.messages))
            if len(found) == _REPLIES:
                return found
    return found


def _folder(base: Base, persona: Persona) -> str | None:
    """Return what ``from_pretrained`` takes for a base that is on this machine, in its folder or the Hub's cache."""
    from huggingface_hub import try_to_load_from_cache

    if base.is_embedded:
        made = persona.root / FOLDER / embedded.place(base, persona.languages)
        return str(made) if (made / "tokenizer.json").is_file() else None
    cached = try_to_load_from_cache(base.hub_id, "tokenizer_config.json")
    return str(Path(cached).parent) if isinstance(cached, str) else None


def _tokenizer(base: Base, persona: Persona) -> tuple[Any | None, str | None]:
    """Return the tokenizer, or None and the reason."""
    from transformers import AutoTokenizer

    place = _folder(base, persona)
    if place is None:
        return None, "not on this machine yet, so nothing was measured"
    try:
        tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True)
    except (OSError, ValueError) as error:
        return None, f"{place} cannot be read ({str(error).splitlines()[0]})"
    if tokenizer.chat_template is None:
        tokenizer.chat_template = base.chat_template
    return tokenizer, None


def _replies(dialogues: Sequence[ExportedRow]) -> list[str]:
    return [m.content for row in dialogues for m in row.messages if m.role == "assistant"]


def _whole(row: ExportedRow) -> str:
    return "\n".join(m.content for m in row.messages)


def _tokens_per_char(tokenizer: Any, dialogues: Sequence[ExportedRow]) -> float:
    said = _replies(dialogues)
    tokens = sum(len(ids) for ids in tokenizer(said, add_special_tokens=False)["input_ids"])
    return float(tokens / max(1, sum(map(len, said))))


def _template(tokenizer: Any, dialogues: Sequence[ExportedRow], persona: Persona, recipe: Recipe) -> str:
    try:
        chat.prove([row.messages for row in dialogues[:_PROVED]], tokenizer, persona, recipe.prompt)
    except InosukeError as error:
        return str(error)
    return "right"


def _fits(base: Base, persona: Persona, recipe: Recipe, longest: int, here: Device) -> tuple[bool, str]:
    """Return whether disk and memory are enough to train this base with the machine's recipe, and the figures."""
    shape = memory_estimate.Shape(**base.shape.model_dump(), tied=True)
    free = forecast.free_bytes(here.kind)
    tokens = recipe.batch_size * longest
    needed = memory_estimate.estimate(shape, recipe, tokens, tokens, here.kind, CHUNK_BYTES).total
    on_disk = 0.0 if _folder(base, persona) else base.parameters * 2.0 * (1.5 if base.is_embedded else 1.0)
    space = shutil.disk_usage(persona.root).free
    if on_disk > space:
        return False, f"no: {on_disk / 1e9:.1f} GB on disk, {space / 1e9:.1f} free"
    memory = "memory" if here.kind == "cpu" else "GPU memory"
    if needed <= free:
        return True, f"yes: {needed / 1e9:.1f} of {free / 1e9:.1f} GB {memory}"
    advice = memory_estimate.what_would_fit(shape, recipe, tokens, tokens, here.kind, CHUNK_BYTES, free)
    said = f"{needed / 1e9:.1f} GB {memory}, {free / 1e9:.1f} free"
    return ("would fit" in advice), (f"{said}; {advice}" if "would fit" in advice else f"no: {said}")
