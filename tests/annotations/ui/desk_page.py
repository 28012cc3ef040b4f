"""The review desk without a browser: Streamlit's AppTest runs ``app_review.py``; these helpers press its buttons."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from tests.conftest import ROOT

SCRIPT = str(ROOT / "app_review.py")


def open_desk(who: str, *, view: str = "review", sample: str = "", language: str = "en") -> AppTest:
    """Open the desk as an annotator whose name it knows."""
    app = AppTest.from_file(SCRIPT, default_timeout=60)
    app.query_params["who"] = who
    app.query_params["lang"] = language
    app.query_params["view"] = view
    if sample:
        app.query_params["sample"] = sample
    return clean(app.run())


def sign_in(who: str, *, adjudicator: bool = False) -> AppTest:
    """Open the desk as a new annotator, who types their name."""
    app = AppTest.from_file(SCRIPT, default_timeout=60)
    app.query_params["lang"] = "en"
    clean(app.run())
    app.text_input(key="new_name").set_value(who)
    app.checkbox(key="adjudicates").set_value(adjudicator)
    return press(app, "Start")


def clean(app: AppTest) -> AppTest:
    """Return the page. Fails where the script has raised."""
    assert not app.exception, app.exception
    return app


def press(app: AppTest, label: str) -> AppTest:
    """Press the button with this label."""
    found = [b for b in app.button if b.label == label]
    assert found, (label, [b.label for b in app.button])
    return clean(found[0].click().run())


def opened(app: AppTest) -> str:
    """Return the id of the open sample."""
    value = app.query_params["sample"]
    return value[0] if isinstance(value, list) else value


def page(app: AppTest) -> str:
    """Return all texts of the page."""
    parts = [app.html, app.text, app.markdown, app.error, app.warning, app.info, app.success, app.caption, app.toast]
    return "\n".join(str(e.value) if hasattr(e, "value") else str(e.body) for part in parts for e in part)
