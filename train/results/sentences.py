"""What the summary on screen and the model card both say about a run, made from its ``metrics.json`` alone."""

from __future__ import annotations

import math
from typing import Any

from curation.contracts.run import RunMetrics, RunPreference, Speaking


def seen(training: dict[str, Any]) -> str:
    """Return how much a training saw of what was planned, in words."""
    planned = training["planned_rows"]
    epochs = planned / training["rows"]
    return (
        f"saw {training['rows_seen']:,} of {planned:,} planned dialogues ({training['share_of_planned']:.0%}; "
        f"{epochs:.3g} epochs of {training['rows']:,})"
    )


def speaking_line(speaking: Speaking) -> str:
    """Return the figures of the replies in a line."""
    return (
        f"of {speaking.prompts} replies to held-out prompts {speaking.looping} loop and {speaking.ended} end; "
        f"{speaking.right_language} of {speaking.judged} are in the prompt's language"
    )


def preference_lines(found: RunPreference, start: str) -> list[str]:
    """Return what a run learnt from preferences, in lines."""
    lines = [
        f"continues `{start}` with {found.train} pairs and {found.labels} single replies; the checkpoint was chosen on "
        f"{found.validation} pairs ({found.chosen_on})"
    ]
    if found.pairs:
        lines += [
            f"margin accuracy on {found.pairs} eval pairs: {_with_interval(found.margin_accuracy, '.2f')} (0.50 "
            "before, by definition)",
            f"the chosen reply is the likelier one per token: {found.more_likely_before['value']:.2f} before, "
            f"{found.more_likely_after['value']:.2f} after",
            f"log-probability per token: chosen {_with_interval(found.chosen_change, '+.3f')}, rejected "
            f"{_with_interval(found.rejected_change, '+.3f')}",
        ]
    else:
        lines.append("not measured on eval pairs: the export has none")
    lines.append(
        f"nll per character of eval dialogues: {found.dialogues_before.reply_nll_per_char:.3f} before, changed by "
        f"{_with_interval(found.dialogues_change, '+.4f')} ({found.rise:+.1%})"
    )
    if found.speaking_before is not None:
        lines.append(f"before, {speaking_line(found.speaking_before)}")
    return lines


def _with_interval(figure: dict[str, Any], form: str) -> str:
    interval = "" if figure["low"] is None else f" ({figure['low']:{form}} to {figure['high']:{form}})"
    return f"{figure['value']:{form}}{interval}"


def ceiling_note(metrics: RunMetrics) -> str:
    """Return what it means that the ceiling of minutes ended a training, and how to continue it."""
    training = metrics.training
    return (
        f"The ceiling of {training['max_minutes']:g} minutes cut it short: the last part was spent on taking the "
        f"learning rate down. Continue from step {training['resume_from']} of {training['planned_steps']}: "
        f"{resume_command(metrics)}"
    )


def resume_command(metrics: RunMetrics) -> str:
    """Return the command that trains what is missing, with the minutes that it would take at the speed so far."""
    training = metrics.training
    a_step = training["seconds"] / training["steps"]
    missing = (training["planned_steps"] - training["resume_from"]) * a_step
    # Loading and measuring come on top; and a ceiling that fits exactly would cut it short again.
    return f"`inosuke train --resume {metrics.run} --minutes {math.ceil(1.2 * missing / 60 + 2)}`"


def chosen_on(metrics: RunMetrics) -> str:
    """Return a sentence about the rows that the kept checkpoint was chosen on; empty for a run of an older version."""
    training = metrics.training
    if "chosen_on" not in training:
        return ""
    if training["chosen_on"] == "validation":
        return (
            f"It was chosen on {training['validation_rows']} dialogues of the train split that were not trained on, so "
            "the eval split was looked at once, at the end."
        )
    return (
        "It was chosen on the eval split itself, since the train split is too small to give some of it away: the "
        "figures above are somewhat too good."
    )
