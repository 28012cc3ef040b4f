"""The labeling interface: persona in, Label Studio's XML out. Pure; knows no server.

Every name in it is fixed, so annotations survive any change of the persona. Tags that repeat by data (``<Repeater>``)
would make the hidden ``turns`` control unnecessary. But the SDK and the server check predictions, and neither knows
the names that a Repeater makes (``reply_{{idx}}``): label-studio-sdk 2.1 reports "'from_name' 'reply_0' not found in
configuration".
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

from annotations.words import REASONS, say
from curation.persona import Persona

# Marks an interface as made here, whatever else is in it.
MARK = "ai-inosuke-review"

VERDICTS = {"approve": ("Approve", "a"), "reject": ("Reject", "x"), "rewrite": ("Rewrite", "e")}

# Reasons whose code has changed. The server refuses an interface without a choice that its annotations use, so the
# first name stays.
_REASON_ALIASES = {"wrong_voice": "not_his_voice"}

# A longer reply scrolls.
_REPLY_ROWS = "3"

# Hide the time that Paragraphs gives every turn (00:00:00) and its filter by speaker.
_STYLE = f"""
.{MARK} {{ max-width: 60rem; }}
.{MARK} .hint {{ color: var(--color-neutral-content-subtle); font-size: 0.9em; white-space: pre-wrap; }}
.{MARK} .hidden {{ display: none; }}
.{MARK} [class^="time--"], .{MARK} [class^="authorFilter--"] {{ display: none; }}
"""


def reply_name(number: int) -> str:
    """Return the name of the text area of the character's turn ``number``, counted from 1."""
    return f"reply_{number}"


def reason_alias(code: str) -> str:
    """Return the name of a reason on the server, which every version keeps; ``current_reason`` is the way back."""
    return _REASON_ALIASES.get(code, code)


def build(persona: Persona, replies: int) -> str:
    """Return the interface for dialogues in which the character speaks up to ``replies`` times (at least once)."""
    root = ET.Element("View", className=MARK)
    ET.SubElement(root, "Style").text = _STYLE
    ET.SubElement(root, "Header", value=f"Does this sound like {persona.name}?", size="4")
    _hint(root, "about", "$about")
    ET.SubElement(
        root,
        "Paragraphs",
        name="dialogue",
        value="$turns",
        layout="dialogue",
        nameKey="speaker",
        textKey="text",
    )
    _hint(root, "flags", "$flags")
    _hint(root, "near", "$near_duplicates")
    _turn_count(root, replies)
    for number in range(1, replies + 1):
        _reply(root, persona, number, replies)
    ET.SubElement(root, "Header", value="Verdict", size="4")
    _verdict(root)
    return ET.tostring(root, encoding="unicode")


def replies_in(xml: str) -> int:
    """Return how many of the character's turns an interface has text areas for."""
    return max((int(n) for n in re.findall(r'name="reply_(\d+)"', xml)), default=0)


def is_ours(xml: str) -> bool:
    """Return whether an interface was made by :func:`build`, for any persona."""
    return f'className="{MARK}"' in xml


def is_empty(xml: str | None) -> bool:
    """Return whether a project has no interface yet: a new one starts with an empty ``<View>``."""
    return re.sub(r"\s+", "", xml or "") in ("", "<View></View>", "<View/>")


def instruction(persona: Persona) -> str:
    """Return what annotators read before they begin."""
    style = persona.style
    lines = [line for text in dict.fromkeys(persona.system_prompts.values()) for line in (text.strip(), "")]
    if style.pronouns:
        lines.append(f"{persona.name} says: {', '.join(style.pronouns)}.")
    if style.avoid:
        lines.append(f"{persona.name} would not say: {', '.join(style.avoid)}.")
    lines += [
        f"At most {style.max_reply_chars} characters at once.",
        "",
        f"Approve: the words of {persona.name} stay as they are. Rewrite: correct them above the verdict, then choose "
        "it. Reject: choose a reason. Only Submit counts; drafts and skipped tasks stay open.",
    ]
    return "\n".join(lines)


def _hint(parent: ET.Element, name: str, value: str) -> None:
    view = ET.SubElement(parent, "View", className="hint")
    ET.SubElement(view, "Text", name=name, value=value, selectionEnabled="false")


def _turn_count(root: ET.Element, replies: int) -> None:
    """Add the hidden control for the number of replies: the prediction sets it, and it shows that many text areas."""
    hidden = ET.SubElement(root, "View", className="hidden")
    count = ET.SubElement(hidden, "Choices", name="turns", toName="dialogue", choice="single-radio")
    for number in range(1, replies + 1):
        ET.SubElement(count, "Choice", value=str(number))


def _reply(root: ET.Element, persona: Persona, number: int, replies: int) -> None:
    attributes: dict[str, str] = {}
    if number > 1:
        counts = ",".join(str(n) for n in range(number, replies + 1))
        attributes = {"visibleWhen": "choice-selected", "whenTagName": "turns", "whenChoiceValue": counts}
    view = ET.SubElement(root, "View", attributes)
    title = f"{persona.name}, turn {number}" if number > 1 else f"{persona.name}'s words (the pencil corrects them)"
    ET.SubElement(view, "Header", value=title, size="5")
    ET.SubElement(
        view,
        "TextArea",
        name=reply_name(number),
        toName="dialogue",
        rows=_REPLY_ROWS,
        maxSubmissions="1",
        editable="true",
        showSubmitButton="false",
        placeholder="as it was",
    )


def _verdict(root: ET.Element) -> None:
    verdict = ET.SubElement(
        root,
        "Choices",
        name="verdict",
        toName="dialogue",
        choice="single-radio",
        showInline="true",
        required="true",
        requiredMessage="Choose approve, reject or rewrite.",
    )
    for value, (label, key) in VERDICTS.items():
        ET.SubElement(verdict, "Choice", value=label, alias=value, hotkey=key)
    why = ET.SubElement(
        root, "View", visibleWhen="choice-selected", whenTagName="verdict", whenChoiceValue=VERDICTS["reject"][0]
    )
    ET.SubElement(why, "Header", value="Why not?", size="5")
    reasons = ET.SubElement(why, "Choices", name="reason", toName="dialogue", choice="multiple", showInline="true")
    for number, code in enumerate(REASONS, 1):
        alias = reason_alias(code)
        ET.SubElement(reasons, "Choice", value=say(f"reason_{code}", "en"), alias=alias, hotkey=str(number))
    ET.SubElement(root, "Header", value="Notes", size="5")
    ET.SubElement(root, "TextArea", name="notes", toName="dialogue", rows="2", maxSubmissions="1", editable="true")
