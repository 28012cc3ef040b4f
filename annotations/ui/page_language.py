"""The language that the page names to browsers and screen readers. Streamlit's own page is always in English."""

from __future__ import annotations

import streamlit as st

from curation.codes import Language

_JS = "export default function ({ data }) { document.documentElement.lang = data.language; }"


def set_page_language(language: Language) -> None:
    """Set the page's ``lang``, in every view."""
    component = st.components.v2.component("page_language", html="<span hidden></span>", js=_JS)
    component(key="page_language", data={"language": language}, height=0)
