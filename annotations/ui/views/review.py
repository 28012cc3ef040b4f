"""The review view: the stage, which shows one sample at a time and takes the keys."""

from __future__ import annotations

import streamlit as st

from annotations.ui.session import Desk, set_mode
from annotations.ui.stage_component import stage


def show(desk: Desk) -> None:
    """Show the stage. It opens the sample in the page's address, or the next one."""
    _stage(desk)
    set_mode("look")  # a view asks for the editor once


@st.fragment
def _stage(desk: Desk) -> None:
    """Show the part that runs again when the stage has opened another sample; the rest of the page stays."""
    stage(desk, _to_address)


def _to_address() -> None:
    """Write the open sample to the page's address: the other views show it, and a reload returns to it."""
    sample_id = (st.session_state.get("stage") or {}).get("sample")
    if sample_id:
        st.query_params["sample"] = sample_id
    else:
        st.query_params.pop("sample", None)
