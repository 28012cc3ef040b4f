"""Text typed at the review desk, and a misfortune at a random moment: how much of it is there afterwards.

The server is killed (SIGKILL), the tab is closed, or the network goes, in the middle of typing. Then the annotator
opens the sample again and looks at the editor. What was typed more than 200 ms before must be there.
"""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import Any, Protocol

MISFORTUNES = ("server killed", "tab closed", "network lost")
_PROMISED_SECONDS = 0.2
_LINE = "Ta là chúa tể của núi rừng, đứa nào dám cản đường thì bước ra đây cho ta xem mặt nào! "


class Annotator(Protocol):
    """What of the tests' annotator this drives."""

    page: Any
    context: Any
    server: Any

    def open(self, **address: str) -> Any:
        """Open the desk in a new tab."""


@dataclass
class Recovered:
    """How often the text was there, and the characters that were missing: ``missing`` counts those that were due."""

    times: int = 0
    typed: int = 0
    missing: list[str] = field(default_factory=list)
    last_moment: int = 0  # characters of the last 200 ms that were missing; none were promised


def recover(an: Annotator, times: int, seed: int, misfortunes: tuple[str, ...] = MISFORTUNES) -> Recovered:
    """Type, interrupt, look, ``times`` times. ``an`` is an annotator whose desk has a sample to edit."""
    chosen = random.Random(seed)
    found = Recovered()
    for number in range(times):
        misfortune = misfortunes[number % len(misfortunes)]
        page = an.page
        print(number, misfortune, round(time.perf_counter(), 1), flush=True)
        sample = page.evaluate("document.querySelector('.stage-item').dataset.sample")
        page.keyboard.press("e")
        page.keyboard.press("Control+A")
        text, moments = f"{number} ", []
        page.keyboard.type(text)
        struck = chosen.randint(1, 40)
        for at in range(struck + 15):
            if at == struck:
                _strike(an, misfortune)
                if misfortune == "tab closed":
                    break
            letter = _LINE[at % len(_LINE)]
            page.keyboard.type(letter)
            text += letter
            moments.append(time.perf_counter())
            time.sleep(chosen.uniform(0.005, 0.09))  # the annotator's pace
        ended = time.perf_counter()
        _repair(an, misfortune)
        if misfortune != "tab closed":
            page.close()
        an.page = an.open(sample=sample)
        an.page.keyboard.press("e")
        an.page.wait_for_function("document.activeElement?.matches('textarea')")  # the editor has the focus
        kept = an.page.evaluate("document.activeElement.value")
        due = sum(moment < ended - _PROMISED_SECONDS for moment in moments)
        promised = text[: len(text) - (len(moments) - due)]
        found.times += 1
        found.typed += len(text)
        if not kept.startswith(promised):
            found.missing.append(f"{misfortune}: typed {text!r}, kept {kept!r}")
        found.last_moment += len(text) - len(kept)
        an.page.keyboard.press("Escape")
        an.page.keyboard.press("n")
        an.page.wait_for_function("(id) => document.querySelector('.stage-item').dataset.sample !== id", arg=sample)
    return found


def _strike(an: Annotator, misfortune: str) -> None:
    if misfortune == "server killed":
        an.server.kill()
    elif misfortune == "network lost":
        an.context.set_offline(True)
    else:
        an.page.close()


def _repair(an: Annotator, misfortune: str) -> None:
    if misfortune == "server killed":
        an.server.start()
    elif misfortune == "network lost":
        an.context.set_offline(False)
