"""Samples as HTML, always escaped. The only module of the desk that builds HTML; pure.

``markupsafe`` escapes whatever ``format`` puts into a template; nothing here joins strings by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from rapidfuzz.distance import Indel

from curation.cleaning.differences import Side, words
from curation.record import Message

# Longer turns are cut on the screen: a browser takes seconds to lay out a megabyte of text.
SHOWN_CHARS = 20_000
# The comparison needs memory for words × words / 8.
_DIFF_CHARS = 20_000

STYLE = """<style>
.stMainBlockContainer { padding-top: 3.2rem; }
.stMainBlockContainer h3 { font-size: 1.02rem; padding: .5rem 0 .2rem; }
.stBottomBlockContainer { padding-top: .6rem; padding-bottom: .9rem; }
@media (max-width: 640px) {
  .stMainBlockContainer { padding: 4rem .8rem 1rem; }
  .stBottomBlockContainer { padding: .3rem .4rem .5rem; }
  .stBottomBlockContainer kbd, .stBottomBlockContainer [class*="hortcut"] { display: none; }
}
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
.flag { border-left: .25rem solid #b7791f; padding: .15rem .6rem; margin: 0 0 .45rem; font-size: .9rem; }
.flag .why { opacity: .8; overflow-wrap: anywhere; }
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


def turns(messages: Sequence[Message], names: Names, more: Callable[[int], str]) -> str:
    """Return a dialogue. ``more`` returns the note that N characters are not shown."""
    blocks = []
    for message in messages:
        hidden = len(message.content) - SHOWN_CHARS
        note = Markup('<div class="more">{}</div>').format(more(hidden)) if hidden > 0 else ""
        blocks.append(
            Markup('<div class="turn {}"><div class="who">{}</div><div class="what">{}</div>{}</div>').format(
                message.role, names.of(message), message.content[:SHOWN_CHARS], note
            )
        )
    return Markup('<div class="turns">{}</div>').format(Markup("").join(blocks))


def facts(pairs: Iterable[tuple[str, str]]) -> str:
    """Return lines of ``name: value``."""
    return Markup("").join(Markup('<p class="fact"><b>{}</b> {}</p>').format(k, v) for k, v in pairs)


def flag(title: str, detail: str) -> str:
    """Return one flag: what it means, and its detail."""
    return Markup('<div class="flag">{}<div class="why">{}</div></div>').format(title, detail)


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
    for before, after in _paired(old, new):
        who = names.of(after or before)  # type: ignore[arg-type]
        if before and after and names.of(before) != names.of(after):
            who = f"{names.of(before)} → {who}"
        pieces = words(before.content if before else "", after.content if after else "")
        marked = (_MARKED[side].format(text) for side, text in pieces)
        blocks.append(
            Markup('<div class="diff"><span class="who">{}</span><br>{}</div>').format(who, Markup("").join(marked))
        )
    return Markup("").join(blocks)


def _paired(old: Sequence[Message], new: Sequence[Message]) -> list[tuple[Message | None, Message | None]]:
    """Pair the turns of two versions: equal ones with each other, then those between them in order."""
    pairs: list[tuple[Message | None, Message | None]] = []
    for op in Indel.opcodes([(m.role, m.content) for m in old], [(m.role, m.content) for m in new]):
        before, after = old[op.src_start : op.src_end], new[op.dest_start : op.dest_end]
        pairs += [(b, None) for b in before] if op.tag == "delete" else []
        pairs += [(None, a) for a in after] if op.tag == "insert" else []
        pairs += list(zip(before, after, strict=True)) if op.tag == "equal" else []
    # A changed turn comes out as a deletion and an insertion next to each other: join them.
    joined: list[tuple[Message | None, Message | None]] = []
    for before_turn, after_turn in pairs:
        if joined and before_turn is None and joined[-1][1] is None:
            joined[-1] = (joined[-1][0], after_turn)
        elif joined and after_turn is None and joined[-1][0] is None:
            joined[-1] = (before_turn, joined[-1][1])
        else:
            joined.append((before_turn, after_turn))
    return joined
