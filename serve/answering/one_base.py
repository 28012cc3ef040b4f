"""Finds which of several runs can be served from one loaded base. Looks at files; loads no model.

Runs share a base where they were trained on the same weights, by the hash that training recorded, and where what would
be served is what was measured for each. Any other run is served as it is alone, with the reason in a line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from curation.contracts.run import read_metrics
from serve.answering.service import Choice
from serve.engines import RUN_ENGINES
from serve.engines.options import OneBase
from serve.model_files import adapter_choice
from serve.model_files.served_run import Run


def share(choices: Sequence[Choice], gguf: str | None = None) -> tuple[list[Choice], list[str]]:
    """Return the choices with the bases that they share, and lines that tell which do and why others do not.

    ``gguf`` is the type of file that was asked for. Raises InosukeError for a file of an adapter that is damaged.
    """
    out, lines = list(choices), []
    for engine in RUN_ENGINES:
        places = [at for at, choice in enumerate(choices) if choice.engine == engine]
        keys = {at: _base(_run(choices[at]), engine, gguf) for at in places} if len(places) > 1 else {}
        for key, named in dict.fromkeys(keys.values()):
            together = [at for at in places if keys[at] == (key, named)]
            runs = [_run(choices[at]) for at in together]
            if key is not None and len(runs) > 1:
                one = OneBase(tuple(runs))
                for at in together:
                    out[at] = replace(out[at], one_base=one)
                lines.append(f"one base for {_names(runs)}: {named}, loaded once; each adds its adapter")
            else:
                why = named if key is None else f"no other run here was trained on the same base, {named}"
                lines += [f"a model of its own for {run.persona.name}: {why}" for run in runs]
    return out, lines


def _run(choice: Choice) -> Run:
    assert choice.run is not None
    return choice.run


def _base(run: Run, engine: str, gguf: str | None) -> tuple[str | None, str]:
    """Return what identifies a run's base, and its name; or None, and why it cannot be shared."""
    trained_on = run.trained_on
    if trained_on.sha256 is None:
        return None, f"no hash of the weights of {run.base_name} is recorded, as it is fetched from the Hub"
    if engine == "transformers":
        # The weights were rounded to 4 bits in one of two ways, and a run was measured on its own.
        twice = read_metrics(run.folder).recipe.get("double_quant", True)
        return f"{trained_on.sha256} {run.base} {twice}", run.base_name
    files = adapter_choice.find(run.folder)
    if isinstance(files, str):
        return None, files
    if gguf is not None and gguf.upper() != files.type.upper():
        return None, f"--gguf asks for {gguf}, and the adapter of {run.name} was measured over a base in {files.type}"
    return f"{trained_on.sha256} {files.base} {files.sha256}", f"{run.base_name} ({files.type})"


def _names(runs: Iterable[Run]) -> str:
    *others, last = [run.persona.name for run in runs]
    return f"{', '.join(others)} and {last}"
