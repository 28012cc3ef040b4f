"""A text area that sends its text to the server while the user types.

Streamlit's own sends its text when it loses focus; here the diff, the checks and the draft follow a quarter of a second
after the last key. It is a v2 component outside a shadow root: inside one, the page's one-letter shortcuts would fire
while the user types.
"""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

_HTML = '<label class="live-label"></label><textarea class="live-text" spellcheck="false"></textarea>'

_CSS = """
.live-label { display: block; font-size: .85rem; opacity: .8; margin-bottom: .2rem; }
.live-text { width: 100%; box-sizing: border-box; min-height: 4.2rem; resize: vertical; padding: .55rem .75rem;
  font: inherit; font-size: 1.08rem; line-height: 1.55;
  color: inherit; background: var(--st-secondary-background-color);
  border: 1px solid var(--st-border-color, #8886); border-radius: .5rem; field-sizing: content; max-height: 60vh; }
.live-text:focus { outline: 2px solid var(--st-primary-color); outline-offset: 1px; }
"""

# The text goes from server to page once, when the area is created: a late echo would overwrite what was typed since.
# The page's shortcuts are off while the user types in a field, so this script sends Ctrl+Enter and Esc.
_JS = """
export default function ({ parentElement, data, key, setStateValue, setTriggerValue }) {
  const area = parentElement.querySelector("textarea");
  const label = parentElement.querySelector("label");
  label.textContent = data.label;
  area.setAttribute("aria-label", data.label);
  if (!area.dataset.filled) {
    area.dataset.filled = "yes";
    area.value = data.text;
    area.dataset.sent = data.text;
    if (data.focus) area.focus({ preventScroll: false });
  }
  let timer = null;
  const send = () => {
    clearTimeout(timer);
    if (area.value === area.dataset.sent) return;
    area.dataset.sent = area.value;
    setStateValue("text", area.value);
  };
  area.oninput = () => { clearTimeout(timer); timer = setTimeout(send, 250); };
  area.onblur = send;
  area.onkeydown = (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      send();
      setTriggerValue("done", true);
    } else if (event.key === "Escape" && !event.isComposing) {
      send();
      setTriggerValue("leave", true);
    }
  };
  return () => clearTimeout(timer);
}
"""


def live_text(
    label: str,
    text: str,
    *,
    key: str,
    focus: bool,
    on_text: Callable[[], None],
    on_done: Callable[[], None],
    on_leave: Callable[[], None],
) -> None:
    """Show the area; its text is in ``st.session_state[key]["text"]``.

    ``on_text`` is called after each pause in typing, ``on_done`` after Ctrl+Enter, ``on_leave`` after Esc.
    """
    # Registered at every run: the registry belongs to the running server, and tests start several.
    component = st.components.v2.component("live_text", html=_HTML, css=_CSS, js=_JS, isolate_styles=False)
    component(
        key=key,
        data={"label": label, "text": text, "focus": focus},
        on_text_change=on_text,
        on_done_change=on_done,
        on_leave_change=on_leave,
    )
