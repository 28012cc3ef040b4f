"""``inosuke gguf --adapter``: writes a run's adapter as a GGUF file and measures it over its base's.

In: a finished run, the rows that its whole files were measured on, and what the 16-bit one measured. Out:
``gguf/adapter.gguf`` and its entry for gguf.json. Several characters are then served from one base, each for the size
of its adapter.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from curation.contracts.gguf import ADAPTER_FILE, BASE_WEIGHTS_KEY, AdapterForm, GgufFile, MeasuredOn, read_gguf_list
from curation.errors import InosukeError
from curation.files import sha256_file, whole_file
from train.data.dialogues import Encoded
from train.gguf import adapter_score, convert, shared_base
from train.run.finished import FinishedRun

Say = Callable[[str], None]


def finished(run: Path, measured_on: MeasuredOn) -> AdapterForm | None:
    """Return what the list says of the adapter, if its file is unchanged and was measured on these rows."""
    try:
        content = read_gguf_list(run)
    except InosukeError:  # damaged: it is made again
        return None
    form, file = content.adapter, run / "gguf" / ADAPTER_FILE
    if form is None or content.measured_on != measured_on or not file.is_file():
        return None
    return form if sha256_file(file) == form.sha256 else None


def make(
    trained: FinishedRun,
    tokenizer: Any,
    rows: Sequence[Encoded],
    types: Sequence[str],
    sixteen_bits: GgufFile,
    known: AdapterForm | None,
    worse_at_most: float,
    say: Say,
) -> AdapterForm:
    """Write the adapter, and the base in the first of ``types`` with which it loses no more than ``worse_at_most``.

    ``known`` is an earlier form, which is kept where its files are whole and it was asked for in the same way. Raises
    InosukeError when the adapter cannot be converted, and when it measures worse than the merged weights with every
    type: the last one should be 16 bits.
    """
    wanted = types[0]
    if known is not None and known.wanted == wanted:
        base = shared_base.ensure(trained, known.type, say)
        if base.sha256 == known.base_sha256:
            return known
    file = trained.folder / "gguf" / ADAPTER_FILE
    for kind in types:
        base = shared_base.ensure(trained, kind, say)
        if kind == wanted:
            _write(trained, base, file, say)
        form = _measure(trained, tokenizer, rows, file, base, kind)
        worse = form.perplexity / sixteen_bits.perplexity - 1
        if worse <= worse_at_most:
            return form.model_copy(update={"worse": worse, "wanted": wanted})
        say(f"{file.name} over {kind}: perplexity {worse:+.1%} against 16 bits, more than {worse_at_most:.0%}")
    file.unlink()
    raise InosukeError(
        f"{trained.name}: the adapter over its base measures {worse:+.1%} perplexity against the merged weights, with "
        "the base in 16 bits too. They should say the same, so this form is not listed. Serve the run's own GGUF files."
    )


def _write(trained: FinishedRun, base: shared_base.BaseFile, file: Path, say: Say) -> None:
    say(f"Writing {file.name}")
    converter = convert.ensure(trained.root / "models", say)
    with whole_file(file) as part:
        convert.convert_adapter(
            converter, Path(trained.base.location), trained.folder / "adapter", part, {BASE_WEIGHTS_KEY: base.weights}
        )


def _measure(
    trained: FinishedRun, tokenizer: Any, rows: Sequence[Encoded], file: Path, base: shared_base.BaseFile, kind: str
) -> AdapterForm:
    from train.model.load import end_ids
    from train.model.scoring import total
    from train.progress import bar

    letter = tokenizer("a", add_special_tokens=False)["input_ids"][-1]
    with bar(len(rows), f"adapter over {kind}", "row") as shown:
        scores = adapter_score.score(base.path, file, rows, end_ids(tokenizer), letter, shown.update)
    figures = total(scores).as_json()
    return AdapterForm(
        file=file.name,
        type=kind,
        sha256=sha256_file(file),
        bytes=file.stat().st_size,
        reply_nll_per_char=figures["reply_nll_per_char"],
        loss=figures["loss"],
        perplexity=figures["perplexity"],
        base=base.path.relative_to(trained.root / "models").as_posix(),
        base_sha256=base.sha256,
        base_bytes=base.path.stat().st_size,
        weights=base.weights,
    )
