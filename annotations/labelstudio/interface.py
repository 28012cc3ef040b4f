"""The labeling interface: persona in, Label Studio's XML out. Pure; knows no server.

Every name in it is fixed, so annotations survive any change of the persona. Tags that repeat by data (``<Repeater>``)
would make the hidden ``turns`` and ``lines`` controls unnecessary. But the SDK and the server check predictions, and
neither knows the names that a Repeater makes (``reply_{{idx}}``): label-studio-sdk 2.1 reports "'from_name' 'reply_0'
not found in configuration".
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from defusedxml.ElementTree import fromstring

from annotations.labelstudio.page_texts import LANGUAGES, reasons_of
from annotations.words import say
from curation.codes import Language
from curation.persona import Persona
from curation.record import Message

# Marks an interface as made here, whatever else is in it.
MARK = "ai-inosuke-review"

# The verdicts, each with the key of its words and its shortcut.
VERDICTS = {"approve": ("approve", "a"), "reject": ("reject", "x"), "rewrite": ("ls_rewrite", "e")}

# A longer reply scrolls.
_REPLY_ROWS = "3"
_REASON_KEYS = "1234567890"

# Hide the time that Paragraphs gives every turn (00:00:00) and its filter by speaker.
_STYLE = f"""
.{MARK} {{ max-width: 60rem; }}
.{MARK} .hint {{ color: var(--color-neutral-content-subtle); font-size: 0.9em; white-space: pre-wrap; }}
.{MARK} .hidden {{ display: none; }}
.{MARK} [class^="time--"], .{MARK} [class^="authorFilter--"] {{ display: none; }}
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """What an interface has room for: ``replies`` of the character (at least one) and ``lines`` of other speakers.

    ``reasons`` are the names and words of its reasons; ``language`` is None for one that does not say.
    """

    replies: int = 1
    lines: int = 0
    language: Language | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)


def reply_name(number: int) -> str:
    """Return the name of the text area of the character's turn ``number``, counted from 1."""
    return f"reply_{number}"


def line_name(number: int) -> str:
    """Return the name of the text area of another speaker's turn ``number``, counted from 1."""
    return f"line_{number}"


def speaker_name(number: int) -> str:
    """Return the name of the text area that holds the speaker of another speaker's turn ``number``."""
    return f"speaker_{number}"


def room_for(dialogues: Iterable[Iterable[Message]]) -> Layout:
    """Return the layout that has room for each of these dialogues."""
    replies, lines = 1, 0
    for messages in dialogues:
        roles = [m.role == "assistant" for m in messages]
        replies, lines = max(replies, sum(roles)), max(lines, len(roles) - sum(roles))
    return Layout(replies, lines)


def layout_of(xml: str) -> Layout:
    """Return the layout of an interface that :func:`build` made, of this version or an earlier one."""
    language = next((known for known in LANGUAGES if f"language-{known}" in xml), None)
    reasons: dict[str, str] = {}
    if is_ours(xml):
        for control in fromstring(xml).iter("Choices"):
            if control.get("name") == "reason":
                for choice in control.iter("Choice"):
                    reasons[choice.get("alias", "")] = choice.get("value", "")
    return Layout(_highest("reply", xml), _highest("line", xml), language, reasons)


def build(persona: Persona, layout: Layout) -> str:
    """Return the interface with the layout's room, in its language (by default the persona's first one).

    Of ``layout.reasons`` those stay that the persona does not have (any more): annotations may use them.
    """
    language = layout.language or "en"
    root = ET.Element("View", className=MARK)
    ET.SubElement(root, "Style").text = _STYLE
    ET.SubElement(root, "Header", value=say("ls_title", language, name=persona.name), size="4")
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
    hidden = ET.SubElement(root, "View", className=f"hidden language-{language}")
    _count(hidden, "turns", range(1, layout.replies + 1))
    _count(hidden, "lines", range(layout.lines + 1))
    for number in range(1, layout.replies + 1):
        title = say("ls_reply" if number > 1 else "ls_reply_first", language, name=persona.name, n=number)
        view = _shown_from(root, "turns", number, layout.replies) if number > 1 else ET.SubElement(root, "View")
        _area(view, reply_name(number), title, say("ls_as_it_was", language), _REPLY_ROWS)
    if layout.lines:
        _other_speakers(root, layout.lines, language)
    ET.SubElement(root, "Header", value=say("ls_verdict", language), size="4")
    reasons = reasons_of(persona, language)
    kept = {alias: words for alias, words in layout.reasons.items() if alias not in reasons}
    _verdict(root, reasons, kept, language)
    return ET.tostring(root, encoding="unicode")


def is_ours(xml: str) -> bool:
    """Return whether an interface was made by :func:`build`, for any persona."""
    return f'className="{MARK}"' in xml


def is_empty(xml: str | None) -> bool:
    """Return whether a project has no interface yet: a new one starts with an empty ``<View>``."""
    return re.sub(r"\s+", "", xml or "") in ("", "<View></View>", "<View/>")


def _highest(name: str, xml: str) -> int:
    return max((int(n) for n in re.findall(rf'name="{name}_(\d+)"', xml)), default=0)


def _hint(parent: ET.Element, name: str, value: str) -> None:
    view = ET.SubElement(parent, "View", className="hint")
    ET.SubElement(view, "Text", name=name, value=value, selectionEnabled="false")


def _count(parent: ET.Element, name: str, numbers: range) -> None:
    """Add a hidden control for a number of turns: the prediction sets it, and it shows that many text areas."""
    count = ET.SubElement(parent, "Choices", name=name, toName="dialogue", choice="single-radio")
    for number in numbers:
        ET.SubElement(count, "Choice", value=str(number))


def _shown_from(parent: ET.Element, counter: str, number: int, most: int) -> ET.Element:
    """Return a view that is shown where ``counter`` is at least ``number``."""
    counts = ",".join(str(n) for n in range(number, most + 1))
    return ET.SubElement(parent, "View", visibleWhen="choice-selected", whenTagName=counter, whenChoiceValue=counts)


def _area(parent: ET.Element, name: str, title: str, placeholder: str, rows: str) -> None:
    ET.SubElement(parent, "Header", value=title, size="5")
    ET.SubElement(
        parent,
        "TextArea",
        name=name,
        toName="dialogue",
        rows=rows,
        maxSubmissions="1",
        editable="true",
        showSubmitButton="false",
        placeholder=placeholder,
    )


def _other_speakers(root: ET.Element, lines: int, language: Language) -> None:
    """Add a name and a text area for each turn of the others, folded: most verdicts do not need them."""
    collapse = ET.SubElement(_shown_from(root, "lines", 1, lines), "Collapse", open="false")
    panel = ET.SubElement(collapse, "Panel", value=say("ls_others", language))
    for number in range(1, lines + 1):
        view = _shown_from(panel, "lines", number, lines)
        who, words = (say(key, language, n=number) for key in ("ls_speaker", "ls_line"))
        _area(view, speaker_name(number), who, say("ls_no_name", language), "1")
        _area(view, line_name(number), words, say("ls_as_it_was", language), "2")


def _verdict(root: ET.Element, reasons: Mapping[str, str], kept: Mapping[str, str], language: Language) -> None:
    verdict = ET.SubElement(
        root,
        "Choices",
        name="verdict",
        toName="dialogue",
        choice="single-radio",
        showInline="true",
        required="true",
        requiredMessage=say("ls_verdict_missing", language),
    )
    labels = {value: (say(words, language), key) for value, (words, key) in VERDICTS.items()}
    for value, (label, key) in labels.items():
        ET.SubElement(verdict, "Choice", value=label, alias=value, hotkey=key)
    why = ET.SubElement(
        root, "View", visibleWhen="choice-selected", whenTagName="verdict", whenChoiceValue=labels["reject"][0]
    )
    ET.SubElement(why, "Header", value=say("why_reject", language), size="5")
    control = ET.SubElement(why, "Choices", name="reason", toName="dialogue", choice="multiple", showInline="true")
    for place, (alias, words) in enumerate(reasons.items()):
        choice = ET.SubElement(control, "Choice", value=words, alias=alias)
        if place < len(_REASON_KEYS):
            choice.set("hotkey", _REASON_KEYS[place])
    for alias, words in kept.items():
        ET.SubElement(control, "Choice", value=words, alias=alias)
    ET.SubElement(root, "Header", value=say("notes", language), size="5")
    ET.SubElement(root, "TextArea", name="notes", toName="dialogue", rows="2", maxSubmissions="1", editable="true")
