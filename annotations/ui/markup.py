"""Samples as HTML, always escaped. The only module of the desk that builds HTML; pure.

``markupsafe`` escapes whatever ``format`` puts into a template; nothing here joins strings by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from annotations.ui.highlight import Mark, marked, marked_name, of_turn
from curation.cleaning.differences import Side, turn_pairs, words
from curation.cleaning.typed_text import Removed
from curation.record import Message

# Longer turns are cut on the screen: a browser takes seconds to lay out a megabyte of text.
SHOWN_CHARS = 20_000
# The comparison needs memory for words × words / 8.
_DIFF_CHARS = 20_000

STYLE = """<style>
.stMainBlockContainer { padding: 3.2rem 2.5rem 1rem; }
/* Streamlit's own captions have too little contrast to be read by everyone. */
[data-testid="stCaptionContainer"] { color: inherit; opacity: .8; }
.stMainBlockContainer h3 { font-size: 1.02rem; padding: .5rem 0 .2rem; }
@media (max-width: 640px) { .stMainBlockContainer { padding: 4rem .8rem .6rem; } }
.turns { display: flex; flex-direction: column; gap: .6rem; }
.turn { border-radius: .8rem; padding: .55rem .9rem .7rem; max-width: 92%; border: 1px solid rgba(128,128,128,.25); }
.turn .who { font-size: .78rem; opacity: .75; margin-bottom: .15rem; }
.turn .what { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 1.08rem; line-height: 1.55; }
.turn.assistant { align-self: flex-end; background: rgba(32,110,92,.13); border-color: rgba(32,110,92,.45); }
.turn.system { font-style: italic; opacity: .85; }
.turn .more { font-size: .8rem; opacity: .75; }
.diff { white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.55; margin: .1rem 0 .4rem; }
.diff .who { font-size: .78rem; opacity: .75; }
.diff ins { background: rgba(40,150,80,.25); text-decoration: underline; border-radius: .2rem; }
.diff del { background: rgba(200,60,50,.2); border-radius: .2rem; }
.fact { font-size: .86rem; overflow-wrap: anywhere; margin: 0 0 .15rem; }
.fact b { font-weight: 600; }
div.flag { border-left: .25rem solid #b7791f; padding: .15rem .6rem; margin: 0 0 .45rem; font-size: .9rem; }
div.flag .why { opacity: .8; overflow-wrap: anywhere; }
.event { border-left: .25rem solid rgba(128,128,128,.5); padding: .1rem .7rem; overflow-wrap: anywhere; }
.event.approve, .event.rewrite { border-color: #206e5c; } .event.reject { border-color: #b3362b; }
.event.gone { opacity: .55; text-decoration: line-through; }
</style>"""


_MARKED: dict[Side, Markup] = {"same": Markup("{}"), "old": Markup("<del>{}</del>"), "new": Markup("<ins>{}</ins>")}


@dataclass(frozen=True, slots=True)
class Names:
    """The names of the roles on the screen."""

    user: str
    assistant: str
    system: str

    def of(self, message: Message) -> str:
        """Return the speaker of a turn: the source's own label, or the role's name."""
        return message.name or {"user": self.user, "assistant": self.assistant, "system": self.system}[message.role]


def turns(
    messages: Sequence[Message],
    names: Names,
    more: Callable[[int], str],
    marks: Sequence[Mark] = (),
    search: str = "",
) -> str:
    """Return a dialogue with its ``marks``, and what a ``search`` finds in the speakers' names.

    ``more`` returns the note that N characters are not shown.
    """
    blocks = []
    for number, message in enumerate(messages):
        hidden = len(message.content) - SHOWN_CHARS
        note = Markup('<div class="more">{}</div>').format(more(hidden)) if hidden > 0 else ""
        blocks.append(
            Markup('<div class="turn {}"><div class="who">{}</div><div class="what">{}</div>{}</div>').format(
                message.role,
                marked_name(message.name, search) if message.name else names.of(message),
                marked(message.content[:SHOWN_CHARS], of_turn(marks, number)),
                note,
            )
        )
    return Markup('<div class="turns">{}</div>').format(Markup("").join(blocks))


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return lines of ``name: value``."""
    return Markup("").join(Markup('<p class="fact"><b>{}</b> {}</p>').format(k, v) for k, v in pairs)


def flag(title: str, detail: str, *more: str) -> str:
    """Return one flag: what it means, its detail, and ``more`` HTML made here."""
    why = Markup('<div class="why">{}</div>').format(detail) if detail else ""
    return Markup('<div class="flag">{}{}{}</div>').format(title, why, Markup("").join(more))


def caused(head: str, words: Iterable[str]) -> str:
    """Return the words that caused a flag, marked as they are in the turns."""
    return Markup('<div class="why">{} {}</div>').format(
        head, Markup(" ").join(Markup('<mark class="flag">{}</mark>').format(word) for word in words)
    )


def notices(said: Iterable[tuple[str, str]]) -> str:
    """Return notices: ``warn`` or ``info``, and the words."""
    return Markup("").join(Markup('<p class="notice {}">{}</p>').format(kind, words) for kind, words in said)


def badges(shown: Iterable[tuple[str, str]]) -> str:
    """Return small labels: a colour's name, and the words."""
    return Markup('<div class="badges">{}</div>').format(
        Markup("").join(Markup('<span class="badge {}">{}</span>').format(colour, words) for colour, words in shown)
    )


def part(title: str, body: str) -> str:
    """Return a titled part. ``body`` is HTML made here."""
    return Markup("<h3>{}</h3>{}").format(title, body)


def folded(title: str, body: str) -> str:
    """Return a part that opens when its title is pressed. ``body`` is HTML made here."""
    return Markup("<details><summary>{}</summary>{}</details>").format(title, body)


def quiet(words: str) -> str:
    """Return words of little weight."""
    return Markup('<p class="quiet">{}</p>').format(words)


def card(*bodies: str) -> str:
    """Return a box around HTML made here."""
    return Markup('<div class="card">{}</div>').format(Markup("").join(bodies))


def buttons(keys: Iterable[tuple[str, str, str]]) -> str:
    """Return a row of buttons: what the stage does when one is pressed, its words, and its key, if it has one."""
    made = []
    for action, label, key in keys:
        shortcut = Markup(' aria-keyshortcuts="{}"').format(key) if key else ""
        letter = Markup(" <kbd>{}</kbd>").format(key) if key else ""
        made.append(
            Markup('<button type="button" data-action="{}"{}>{}{}</button>').format(action, shortcut, label, letter)
        )
    return Markup('<div class="row">{}</div>').format(Markup("").join(made))


def link_button(action: str, words: str, sample_id: str) -> str:
    """Return a button that looks like a link and names a sample."""
    return Markup('<button type="button" class="link" data-action="{}" data-sample="{}">{}</button>').format(
        action, sample_id, words
    )


def choices(answers: Iterable[tuple[str, str, bool]], sample_id: str) -> str:
    """Return a row of buttons that answer a question on a sample: action, words, and whether that is the answer now."""
    made = Markup("").join(
        Markup(
            '<button type="button" class="small" data-action="{}" data-sample="{}" aria-pressed="{}">{}</button>'
        ).format(action, sample_id, "true" if chosen else "false", words)
        for action, words, chosen in answers
    )
    return Markup('<div class="row">{}</div>').format(made)


def decided(status: str, head: str, time: str, why: str) -> str:
    """Return how a sample was decided, when, and why."""
    return Markup('<p class="decided {}">{} · {}{}</p>').format(
        status, head, moment(time), Markup(" · {}").format(why) if why else ""
    )


def moment(time: str) -> str:
    """Return a time of the log (ISO 8601, UTC) that the stage shows in the browser's own zone."""
    return Markup('<time datetime="{}">{} UTC</time>').format(time, time[:16].replace("T", " "))


def columns(left: str, right: str) -> str:
    """Return two parts side by side, made here; below each other on a phone."""
    return Markup('<div class="columns even"><section>{}</section><section>{}</section></div>').format(left, right)


def removed(head: str, what: Iterable[Removed]) -> str:
    """Return the note on what saving takes out of a text."""
    names = (f"{one.name} ({one.code}) ×{one.count}" for one in what)
    return Markup('<p class="notice info">{} {}</p>').format(head, ", ".join(names))


def keys(rows: Iterable[tuple[str, str]]) -> str:
    """Return a table of keys and what they do."""
    body = (Markup("<tr><td><kbd>{}</kbd></td><td>{}</td></tr>").format(key, words) for key, words in rows)
    return Markup('<table class="keys">{}</table>').format(Markup("").join(body))


def event(verdict: str, head: str, body: str, gone: bool) -> str:
    """Return one event of a history."""
    return Markup('<div class="event {}{}"><b>{}</b><div>{}</div></div>').format(
        verdict, " gone" if gone else "", head, body
    )


def diff(old: Sequence[Message], new: Sequence[Message], names: Names, too_long: str) -> str:
    """Return the turns of ``new`` with the words deleted and inserted since ``old``; empty when nothing changed."""
    if tuple(old) == tuple(new):
        return ""
    if sum(len(m.content) for m in (*old, *new)) > _DIFF_CHARS:
        return Markup('<div class="diff">{}</div>').format(too_long)
    blocks = []
    for before, after in turn_pairs(old, new):
        who = names.of(after or before)  # type: ignore[arg-type]
        if before and after and names.of(before) != names.of(after):
            who = f"{names.of(before)} → {who}"
        pieces = words(before.content if before else "", after.content if after else "")
        marked = (_MARKED[side].format(text) for side, text in pieces)
        blocks.append(
            Markup('<div class="diff"><span class="who">{}</span><br>{}</div>').format(who, Markup("").join(marked))
        )
    return Markup("").join(blocks)
