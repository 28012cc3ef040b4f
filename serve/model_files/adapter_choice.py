"""Finds the form of a run in which several are served from one base: its adapter as a GGUF file, and the base's file.

In: ``gguf/gguf.json`` of a run, which `inosuke gguf RUN --adapter` writes, and the two files that it names. Loads no
model, knows nothing of engines.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from curation.contracts.gguf import BASE_WEIGHTS_KEY, AdapterForm, read_gguf_list
from curation.errors import InosukeError
from curation.files import sha256_file
from serve.model_files.gguf_header import read_text_key


@dataclass(frozen=True, slots=True)
class AdapterFiles:
    """The adapter of a run and its base, both GGUF files. ``type`` and the expected ``sha256`` are the base's."""

    adapter: Path
    base: Path
    type: str
    sha256: str


def find(run: Path) -> AdapterFiles | str:
    """Return the files of a run's adapter form, the adapter checked; or why there is none, in words.

    The base is large and shared, so it is checked apart, once, by :func:`check_base`. Raises InosukeError for an
    adapter that is damaged or was made for another base.
    """
    form = read_gguf_list(run).adapter
    make = f"`inosuke gguf {run.name} --adapter` makes it"
    if form is None:
        return f"the run {run.name} has no GGUF file of its adapter alone; {make}"
    adapter, base = run / "gguf" / form.file, run.parent / form.base
    for path in (adapter, base):
        if not path.is_file():
            return f"{path} is missing; {make}"
    _check_adapter(adapter, form)
    return AdapterFiles(adapter, base, form.type, form.base_sha256)


def check_base(files: AdapterFiles) -> None:
    """Raise InosukeError where the base's file is not the one that the adapter was measured over."""
    if (seen := sha256_file(files.base)) != files.sha256:
        raise InosukeError(
            f"{files.base} is not the base that {files.adapter} was measured over: its SHA-256 is {seen[:12]}…; "
            f"gguf.json lists {files.sha256[:12]}…. Run `inosuke gguf {files.adapter.parent.parent.name} --adapter` "
            "again, which writes both, or serve the runs from two servers."
        )


def _check_adapter(path: Path, form: AdapterForm) -> None:
    again = f"Run `inosuke gguf {path.parent.parent.name} --adapter` again, or serve the runs from two servers."
    if (seen := sha256_file(path)) != form.sha256:
        raise InosukeError(
            f"{path} is damaged: its SHA-256 is {seen[:12]}…; gguf.json lists {str(form.sha256)[:12]}…. {again}"
        )
    made_for = read_text_key(path, BASE_WEIGHTS_KEY)
    if made_for != form.weights:
        raise InosukeError(
            f"{path} is an adapter for another base: it was made for weights {str(made_for)[:12]}…, and gguf.json "
            f"lists {form.weights[:12]}…. {again}"
        )
