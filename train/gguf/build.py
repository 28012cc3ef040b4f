"""``inosuke gguf``: writes a run as GGUF files for llama.cpp and measures each against the 16-bit one.

In: a finished run and an export. Out: ``models/<run>/gguf/`` with ``model-<TYPE>.gguf`` and ``gguf.json``, which lists
finished files only and names the one to serve. A file is renamed when it is complete and the list is written last, so a
reader can rely on the list.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock

from curation.contracts.gguf import (
    ADAPTER_FILE,
    AdapterForm,
    GgufFile,
    GgufList,
    MeasuredOn,
    read_gguf_list,
    write_gguf_list,
)
from curation.contracts.run import RunMetrics
from curation.errors import InosukeError
from curation.files import PARTIAL, remove_partial, sha256_file, whole_file
from train.data.dialogues import Encoded, Export, encode, load_export
from train.gguf import adapter_form, convert, llama_tools, merge_adapter, source_file
from train.run import card_section
from train.run.finished import FinishedRun, open_run, own_export

WORSE_AT_MOST = 0.05  # perplexity of a served file over the 16-bit file's, minus one
LADDER = ("Q5_K_M", "Q6_K", "Q8_0")  # tried in turn where the wanted type loses more than that
ROWS = 32  # eval dialogues that a file is measured on; files are compared on the same ones, so a few are enough
WEIGHED_ON = 64  # training dialogues that an importance matrix is computed on
PLAIN = ("F16", "Q8_0")  # types that are precise enough without an importance matrix
LARGE = 2_000_000_000  # bytes of the 16-bit file: a billion parameters
SMALL = 1_000_000_000  # bytes of base weights: a smaller model is converted and measured within a minute or two

Say = Callable[[str], None]
T = TypeVar("T")


def default_type(sixteen_bits: int) -> str:
    """Return the type to serve of a model whose 16-bit file has this many bytes.

    A small model is served at 8 bits, far from :data:`WORSE_AT_MOST`: at 4 bits it is so close to it that the few rows
    of a measurement decide by chance. For a large one the 4 bits of Q4_K_M cost little and save gigabytes.
    """
    return "Q4_K_M" if sixteen_bits >= LARGE else "Q8_0"


def make(
    persona_file: Path, run: str | None, kind: str | None, export_path: Path | None, say: Say, adapter: bool = False
) -> GgufList:
    """Write a run's GGUF files and return the content of ``gguf.json``; ``kind`` None is :func:`default_type`.

    With ``adapter`` also the adapter alone, and its base for all runs on it (:mod:`train.gguf.adapter_form`). Existing
    finished files are kept. Raises InosukeError when the run, its base or its export does not exist, the model cannot
    be converted, or the disk is too full.
    """
    trained = open_run(persona_file.resolve().parent, run, say)
    export = load_export(export_path or own_export(trained))

    from train.model.load import load_tokenizer
    from train.progress import quiet_libraries

    quiet_libraries()
    tokenizer = load_tokenizer(str(trained.folder / "tokenizer"), needs_template=trained.recipe.prompt == "chat")
    encoded = partial(
        encode,
        tokenizer=tokenizer,
        persona=trained.persona,
        max_length=trained.recipe.max_length,
        prompt=trained.recipe.prompt,
    )
    rows, _ = encoded(export.eval)
    if not rows:
        raise InosukeError(f"every eval row of {export.path} is longer than {trained.recipe.max_length} tokens.")
    rows = _some(rows, ROWS)
    folder = trained.folder / "gguf"
    seen = partial(encoded, _some(export.train, WEIGHED_ON))
    try:
        folder.mkdir(exist_ok=True)
        with FileLock(folder / ".lock"):
            files = _Files(trained, export, tokenizer, rows, seen, say)
            content = _with_adapter(files, _make(files, kind, say), adapter, say)
            write_gguf_list(trained.folder, content)
    except OSError as error:
        raise InosukeError(
            f"{folder}: cannot be written ({error}). Free some disk space or change the folder's permissions, then run "
            "the command again. Files that gguf.json lists are unchanged."
        ) from error
    card_section.put(trained.folder / "README.md", "gguf", section(content))
    return content


def _some(rows: Sequence[T], count: int) -> list[T]:
    return random.Random(0).sample(rows, min(count, len(rows)))  # noqa: S311 - the same rows each time


@dataclass
class _Files:
    """The files of a run, written and measured on request.

    ``rows`` are the eval rows that files are measured on, ``seen`` gives the train rows that an importance matrix is
    computed on. ``known`` are the finished files by their type.
    """

    trained: FinishedRun
    export: Export
    tokenizer: Any
    rows: list[Encoded]
    seen: Callable[[], tuple[list[Encoded], Any]]
    say: Say
    known: dict[str, GgufFile] = field(init=False)

    def __post_init__(self) -> None:
        files = _finished_files(self.trained.folder, self.measured_on)
        self.known = {f.type: f for f in files if f.hints == self.hints(f.type)}

    @property
    def folder(self) -> Path:
        """Where the files are."""
        return self.trained.folder / "gguf"

    @property
    def measured_on(self) -> MeasuredOn:
        """What the files are measured on, as ``gguf.json`` records it."""
        return MeasuredOn(dataset=self.export.version, rows=len(self.rows))

    def hints(self, kind: str) -> dict[str, Any] | None:
        """Return what a type is rounded with, as ``gguf.json`` records it; None for a plain rounding."""
        if kind in PLAIN or not llama_tools.found():
            return None
        return {"importance_from": f"{min(WEIGHED_ON, len(self.export.train))} training dialogues"}

    def get(self, kind: str) -> GgufFile:
        """Return the file of a type; write and measure it first if it does not exist."""
        if kind not in self.known:
            hints = self.hints(kind)
            file = self._write(kind, hints)
            self.known[kind] = self._measure(file, kind, hints)
        return self.known[kind]

    def _write(self, kind: str, hints: dict[str, Any] | None) -> Path:
        from train.gguf import llamacpp

        file = self.folder / f"model-{kind}.gguf"
        if kind == "F16":
            _sixteen_bits(self.trained, file, self.say)
            return file
        self.say(f"Writing {file.name}")
        sixteen_bits = self.folder / "model-F16.gguf"
        with whole_file(file) as part:
            if hints:
                texts = [self.tokenizer.decode(row.input_ids) for row in self.seen()[0]]
                llama_tools.quantize(sixteen_bits, part, kind, texts)
            else:
                llamacpp.quantize(sixteen_bits, part, kind)
        return file

    def _measure(self, file: Path, kind: str, hints: dict[str, Any] | None) -> GgufFile:
        from train.gguf import llamacpp
        from train.model.load import end_ids
        from train.model.scoring import total
        from train.progress import bar

        self.say(f"Measuring {file.name} on {len(self.rows)} eval dialogues")
        with bar(len(self.rows), kind, "row") as shown:
            figures = total(llamacpp.score(file, self.rows, end_ids(self.tokenizer), shown.update)).as_json()
        return GgufFile(
            file=file.name,
            type=kind,
            sha256=sha256_file(file),
            bytes=file.stat().st_size,
            reply_nll_per_char=figures["reply_nll_per_char"],
            loss=figures["loss"],
            perplexity=figures["perplexity"],
            hints=hints,
        )


def _make(files: _Files, kind: str | None, say: Say) -> GgufList:
    """Write the wanted type, and larger ones until one is good enough to serve."""
    from train.gguf import llamacpp

    sixteen_bits = files.get("F16")
    kind = kind or default_type((files.folder / sixteen_bits.file).stat().st_size)
    texts = [m.content for row in files.export.eval for m in row.messages]
    plain = partial(files.tokenizer, add_special_tokens=False, split_special_tokens=True)
    differing = llamacpp.other_tokens(
        files.folder / sixteen_bits.file, texts, lambda text: list(plain(text)["input_ids"])
    )
    order = llamacpp.TYPE_ORDER.index
    for wanted in (kind, *(k for k in LADDER if order(k) > order(kind))):
        entry = files.get(wanted)
        entry = entry.model_copy(update={"worse": entry.perplexity / sixteen_bits.perplexity - 1})
        files.known[wanted] = entry
        if entry.worse <= WORSE_AT_MOST:
            break
        say(f"{entry.file}: perplexity {entry.worse:+.1%} against 16 bits, more than {WORSE_AT_MOST:.0%}")
    by_size = sorted(files.known.values(), key=lambda f: f.bytes or 0)
    good = [f for f in by_size if f.worse <= WORSE_AT_MOST]
    served = next((f for f in good if f.type == kind), good[0])
    return GgufList(
        run=files.trained.name,
        base=files.trained.base.name,
        files=by_size,
        served=served.file,
        wanted=kind,
        measured_on=files.measured_on,
        texts_tokenized_differently=len(differing),
        texts=len(texts),
        made_with=[convert.REQUIREMENT, llamacpp.made_with()],
    )


def _with_adapter(files: _Files, content: GgufList, wanted: bool, say: Say) -> GgufList:
    """Add the adapter's form: a new one where it is wanted, else the one that is there."""
    from train.gguf import llamacpp

    known = adapter_form.finished(files.trained.folder, files.measured_on)
    if wanted:
        write_gguf_list(files.trained.folder, content.model_copy(update={"adapter": known} if known else {}))
        order = llamacpp.TYPE_ORDER.index
        larger = (k for k in (*LADDER, "F16") if order(k) > order(content.wanted))
        say(f"Measuring {ADAPTER_FILE} over its base on {len(files.rows)} eval dialogues")
        known = adapter_form.make(
            files.trained,
            files.tokenizer,
            files.rows,
            (content.wanted, *larger),
            files.get("F16"),
            known,
            WORSE_AT_MOST,
            say,
        )
    return content.model_copy(update={"adapter": known}) if known else content


def after_training(persona_file: Path, metrics: RunMetrics, say: Say) -> None:
    """Write a GGUF file for ``inosuke serve`` at once where the base is small and the machine has no GPU.

    The run is finished by now, so a failure here is reported and does not end the command.
    """
    from train.model.load import device

    run, base = metrics.run, metrics.base_model
    if device().kind == "cuda":
        say(f"For a machine without a GPU, or with too small a one: inosuke gguf {run} (merges and converts; minutes)")
    weights = (persona_file.resolve().parent / base.path).glob("*.safetensors")
    if base.sha256 is None or device().kind != "cpu" or sum(f.stat().st_size for f in weights) >= SMALL:
        return
    try:
        say(table(make(persona_file, run, None, None, say)))
    except KeyboardInterrupt:
        say(f"Warning: stopped while writing GGUF files; run {run} is finished. Later: inosuke gguf {run}")
    except Exception as error:  # minutes or hours of training must not end in a traceback
        reason = str(error) if isinstance(error, InosukeError) else f"{type(error).__name__}: {error}."
        say(f"Warning: no GGUF files, so serving is slower; run {run} is finished. {reason} Later: inosuke gguf {run}")


def table(content: GgufList) -> str:
    """Return the table that `inosuke gguf` prints."""
    lines = [
        f"GGUF files of {content.run}, measured on {content.measured_on.rows} eval dialogues (replies only)",
        "",
        f"  {'type':<8}{'MB':>8}{'nll/char':>11}{'perplexity':>13}{'to F16':>10}",
    ]
    for f in content.files:
        mark = "   <- served" if f.file == content.served else ""
        lines.append(
            f"  {f.type:<8}{(f.bytes or 0) / 1e6:>8.0f}{f.reply_nll_per_char:>11.3f}{f.perplexity:>13.2f}"
            f"{f.worse:>+10.1%}{mark}"
        )
    lines += ["", f"  {_why(content)}"]
    if content.adapter:
        lines.append(f"  {_over_the_base(content.adapter)}")
    if content.texts_tokenized_differently:
        lines.append(
            f"  Note: llama.cpp tokenizes {content.texts_tokenized_differently} of {content.texts} texts of the eval "
            "split differently from the trainer. Prompts that are sent as token ids are not affected."
        )
    return "\n".join(lines)


def _over_the_base(form: AdapterForm) -> str:
    return (
        f"{form.file} ({(form.bytes or 0) / 1e6:.1f} MB) over models/{form.base} ({form.base_bytes / 1e6:.0f} MB): "
        f"{form.reply_nll_per_char:.3f} nll/char, perplexity {form.perplexity:.2f}, {form.worse:+.1%} to F16. "
        "`inosuke serve` uses it where two runs of this base are served together."
    )


def section(content: GgufList) -> str:
    """Return the section of the model card about the GGUF files."""
    rows = "\n".join(
        f"| `gguf/{f.file}` | {(f.bytes or 0) / 1e6:.0f} MB | {f.reply_nll_per_char:.3f} | {f.perplexity:.2f} | "
        f"{f.worse:+.1%} |"
        for f in content.files
    )
    return f"""## GGUF

For llama.cpp. Perplexity over the replies of {content.measured_on.rows} eval dialogues, computed by llama.cpp with the
file's own weights:

| File | Size | nll per reply character | Perplexity | To 16 bits |
|---|---|---|---|---|
{rows}

{_why(content)}{_how(content)}
"""


def _how(content: GgufList) -> str:
    """Return what the card says about the importance matrix, with a leading space."""
    hints = next((f.hints for f in content.files if f.hints), None)
    if hints is None:
        return ""
    return f" Files smaller than Q8_0 are quantised with an importance matrix from {hints['importance_from']}."


def _why(content: GgufList) -> str:
    """Explain why the served file was chosen."""
    served = next(f for f in content.files if f.file == content.served)
    if served.type == "F16":
        tried = "" if content.wanted == "F16" else f"No smaller file is within {WORSE_AT_MOST:.0%} of it, so "
        return f"{tried}`{served.file}` is served: the merged weights in 16 bits."
    if served.type == content.wanted:
        return f"`{served.file}` is served: its perplexity is at most {WORSE_AT_MOST:.0%} above the 16-bit file's."
    return (
        f"{content.wanted} raises perplexity by more than {WORSE_AT_MOST:.0%} on this model, so `{served.file}`, the "
        "smallest file within that limit, is served."
    )


def _sixteen_bits(trained: FinishedRun, file: Path, say: Say) -> None:
    source = source_file.find(trained.base)  # before anything is downloaded, merged or written
    converter = convert.ensure(trained.root / "models", say)
    with tempfile.TemporaryDirectory(prefix=PARTIAL, dir=file.parent) as name:
        merged = trained.folder / "merged"
        if not merge_adapter.is_whole(merged):
            if merged.is_dir():
                say(f"Note: {merged} is incomplete and not used; `inosuke merge {trained.name}` writes it again.")
            say(f"Merging {trained.name} into {trained.base.name}")
            merged = Path(name) / trained.name
            merge_adapter.write(trained, merged)
        say(f"Converting to {file.name}")
        _check_disk_space(merged, file.parent)
        with whole_file(file) as part:
            convert.convert(converter, merged, part, source)


def _check_disk_space(merged: Path, folder: Path) -> None:
    needed = 2 * sum(f.stat().st_size for f in merged.glob("*.safetensors"))
    if (free := shutil.disk_usage(folder).free) < needed:
        raise InosukeError(
            f"{folder}: {free / 1e6:,.0f} MB free, the GGUF files need up to {needed / 1e6:,.0f} MB. "
            "Free some disk space and run the command again."
        )


def _finished_files(run_folder: Path, measured_on: MeasuredOn) -> list[GgufFile]:
    """Return the listed files that are unchanged and were measured on the same rows."""
    folder = run_folder / "gguf"
    remove_partial(folder)
    try:
        content = read_gguf_list(run_folder)
    except InosukeError:  # damaged: the files are made again
        return []
    files = content.files if content.measured_on == measured_on else []
    return [f for f in files if (folder / f.file).is_file() and sha256_file(folder / f.file) == f.sha256]
