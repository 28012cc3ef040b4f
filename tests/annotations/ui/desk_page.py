"""The review desk without a browser: Streamlit's AppTest runs ``app_review.py``; these helpers press its buttons.

The Review view is a small app of the browser's own: its buttons send the requests that it sends.
"""

from __future__ import annotations

from weakref import WeakKeyDictionary

from streamlit.testing.v1 import AppTest

from annotations.words import REASONS, say
from tests.annotations.ui.stage_client import StageClient, stage_data
from tests.conftest import ROOT

_STAGES: WeakKeyDictionary[AppTest, StageClient] = WeakKeyDictionary()
_VERDICTS = {"Approve": "approve", "Skip": "skip"}
_REASONS = {say(f"reason_{reason}", "en"): reason for reason in REASONS}

SCRIPT = str(ROOT / "app_review.py")


def open_desk(who: str, *, view: str = "review", sample: str = "", language: str = "en") -> AppTest:
    """Open the desk by a link that names an annotator, who then signs in with the button."""
    app = AppTest.from_file(SCRIPT, default_timeout=60)
    app.query_params["who"] = who
    app.query_params["lang"] = language
    app.query_params["view"] = view
    if sample:
        app.query_params["sample"] = sample
    clean(app.run())
    asks_for_a_name = any(field.key == "new_name" for field in app.text_input)
    return _with_stage(press(app, say("sign_in", language)) if asks_for_a_name else app)


def sign_in(who: str, *, adjudicator: bool = False) -> AppTest:
    """Open the desk as a new annotator, who types their name. Only the first one may settle disputes."""
    app = AppTest.from_file(SCRIPT, default_timeout=60)
    app.query_params["lang"] = "en"
    clean(app.run())
    app.text_input(key="new_name").set_value(who)
    if adjudicator:
        app.checkbox(key="adjudicates").set_value(True)
    return _with_stage(press(app, "Start"))


def clean(app: AppTest) -> AppTest:
    """Return the page. Fails where the script has raised."""
    assert not app.exception, app.exception
    return app


def _with_stage(app: AppTest) -> AppTest:
    """Let a new stage that is on the page open its sample, as it does in the browser."""
    if _has_stage(app) and app not in _STAGES:
        _STAGES[app] = StageClient(stage_data(app))
    return app


def stage(app: AppTest) -> StageClient | None:
    """Return the stage of a page that shows one."""
    return _STAGES.get(app) if _has_stage(app) else None


def _has_stage(app: AppTest) -> bool:
    return any("stage.js" in e.proto.json for e in app.get("bidi_component"))


def press(app: AppTest, label: str) -> AppTest:
    """Press the button with this label."""
    found = [b for b in app.button if b.label == label]
    if found:
        return clean(found[0].click().run())
    shown = stage(app)
    assert shown is not None, (label, [b.label for b in app.button])
    if label == "Undo":
        shown.undo()
    elif label != "Reject":  # which only shows the reasons
        verdict = _VERDICTS.get(label, "reject")
        answer = shown.judge(verdict, "" if label in _VERDICTS else _REASONS[label])
        assert answer.status_code == 200, answer.text
    return app


def opened(app: AppTest) -> str:
    """Return the id of the open sample."""
    shown = stage(_with_stage(app))
    assert shown is not None and shown.item is not None
    return str(shown.item["id"])


def page(app: AppTest) -> str:
    """Return all texts of the page."""
    parts = [app.html, app.text, app.markdown, app.error, app.warning, app.info, app.success, app.caption, app.toast]
    texts = [str(e.value) if hasattr(e, "value") else str(e.body) for part in parts for e in part]
    shown = stage(app)
    return "\n".join([*texts, shown.shown] if shown is not None else texts)
