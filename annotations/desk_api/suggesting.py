"""A rewrite that the trained model suggests, on request: started, asked for, never waited for."""

from __future__ import annotations

from typing import Any

from annotations.desk_api.bodies import Suggest
from annotations.suggest import suggester
from annotations.ui.session import Desk


def suggest(desk: Desk, body: Suggest) -> dict[str, Any]:
    """Return the state of a request for another last reply to ``messages``; with ``start``, ask for it.

    Raises UsageError for a dialogue that has nothing to answer. ``message`` is what the annotator reads of a failure.
    """
    messages = tuple(turn.message() for turn in body.messages)
    asking = suggester(desk.persona.root)
    state = asking.ask(messages, body.again) if body.start else asking.state(messages)
    key = "suggest_no_model" if state.cause == "no_model" else "suggest_failed"
    return state.to_json() | {"message": desk.say(key, why=state.error) if state.status == "failed" else ""}
