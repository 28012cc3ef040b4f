"""The sampling settings of a request that names none: the operator's, else what suits the run's base, else our own."""

from __future__ import annotations

from curation import bases
from serve.config import ServerConfig
from serve.engine import Settings
from serve.model_files.served_run import Run

NAMES = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty", "dry_multiplier")


def default_settings(config: ServerConfig, run: Run | None) -> tuple[Settings, str]:
    """Return the settings, and where they come from in words."""
    given = {name: value for name in NAMES if (value := getattr(config, name)) is not None}
    base = (bases.of_run(run.trained_on) or bases.called_like(run.base_name)) if run else None
    suited = _suited(base) if base else {}
    sources = ["set by the operator"] if given else []
    if len(given) < len(NAMES):
        sources += [f"as suits {base.name}"] if base else ["the defaults for any model"]
    return Settings(**suited | given), " and ".join(sources)


def in_words(settings: Settings) -> str:
    """Return the settings that are on, such as ``temperature 0.6, top_p 0.95``."""
    off = {"top_p": 1.0, "top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0, "dry_multiplier": 0.0}
    values = {name: getattr(settings, name) for name in NAMES}
    return ", ".join(f"{name} {value:g}" for name, value in values.items() if value != off.get(name))


def _suited(base: bases.Base) -> dict[str, float]:
    sampling = base.sampling
    return {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "min_p": sampling.min_p,
        "repetition_penalty": sampling.repeat_penalty,
        "dry_multiplier": sampling.dry_multiplier,
    }
