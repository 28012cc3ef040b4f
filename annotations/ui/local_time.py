"""Times and numbers as the annotator writes them: their own time zone, and the separators of their language."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

from curation.codes import Language

if TYPE_CHECKING:
    from annotations.ui.session import Desk


def zone() -> tzinfo:
    """Return the time zone of the annotator's browser; UTC where it does not say."""
    return named_zone(st.context.timezone)


def named_zone(name: str | None) -> tzinfo:
    """Return a time zone by its name (``Asia/Ho_Chi_Minh``), UTC for a name that is not known."""
    try:
        return ZoneInfo(name) if name else UTC
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a name that is a folder, such as `Asia`
        return UTC


def clock(time: str, where: tzinfo | None = None) -> str:
    """Return a time of the log (ISO 8601) as ``2026-11-29 09:05`` in the annotator's zone, or as it is."""
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return time  # a merged log may hold anything
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(where or zone()).strftime("%Y-%m-%d %H:%M")


def today(desk: Desk, where: tzinfo | None = None) -> str:
    """Return the date at the annotator's place, ``2026-11-29``."""
    return datetime.fromtimestamp(desk.store.clock(), where or zone()).date().isoformat()


def number(n: int, language: Language) -> str:
    """Return a whole number with the language's separators: 1,355, and 1.355 in Vietnamese."""
    text = f"{n:,}"
    return text.replace(",", ".") if language == "vi" else text
