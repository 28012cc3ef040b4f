"""The one way from HTML to the page. Streamlit refuses a blank body with an error that ends the whole page."""

from __future__ import annotations

import streamlit as st


def show_html(body: str, instead: str) -> None:
    """Show HTML of :mod:`annotations.ui.markup`, or the words ``instead`` where it is blank."""
    if body.strip():
        st.html(body)
    else:
        st.caption(instead)
