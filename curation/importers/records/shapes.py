"""The shapes of rows that hold a dialogue. A row in, samples out; each shape is one entry of SHAPES.

Alpaca ``{"instruction", "input", "output"}`` with or without ``history`` and ``system``, ShareGPT ``{"conversations":
[{"from", "value"}]}``, OpenAI ``{"messages": [{"role", "content"}]}``, PIPPA, lists of turns under other names, Label
Studio tasks ``{"data", "annotations"}``, preference pairs (``chosen``), prompt/reply columns, and one text with the
marks of a prompt template.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from curation import chat
from curation.chat import BadRow
from curation.cleaning.damage import damage_flags
from curation.importers.records import feedback
from curation.importers.records.dialogue import LeftOut, Read, sample_of, to_read
from curation.importers.records.one_text import turns_in
from curation.importers.records.turns import LISTS, Turn, is_turn, listed, message_of, turns_of
from curation.importers.source.columns import TEXT, folded
from curation.persona import Persona
from curation.record import Flag, Kind, Message, Sample, sample_id

Row = Mapping[str, Any]
Reader = Callable[[Row, Kind, Persona], Read]

_PROMPTS = ("instruction", "prompt", "question", "query", "user", "human", "input", "context", "q", "câu hỏi", "hỏi")
_REPLIES = (
    "response", "completion", "answer", "reply", "output", "assistant", "target", "bot", "gpt", "a",
    "câu trả lời", "trả lời", "đáp",
)  # fmt: skip
# Lists under these names are a dialogue's whatever they hold; under the others only if turns are in them.
_CERTAIN = ("conversations", "messages")


def read_row(row: Any, kind: Kind, persona: Persona) -> tuple[Read, str]:
    """Return what a row gave and the name of its shape. Raises BadRow, with a reason code, where it is not one."""
    if isinstance(row, list) and row and all(isinstance(turn, Mapping) for turn in row):
        return _listed(row, "a row", {}, kind, persona), "turns"
    if isinstance(row, Mapping):
        for name, (fits, reader) in SHAPES.items():
            if fits(row):
                return reader(row, kind, persona), name
    return _alpaca(row, kind, persona), "alpaca"


def is_dialogue(row: Row) -> bool:
    """Return whether a row has one of the shapes."""
    return any(fits(row) for fits, _ in SHAPES.values())


def _alpaca(row: Any, kind: Kind, persona: Persona) -> Read:
    """Read an alpaca row; earlier exchanges in ``history`` and a system prompt in ``system`` come before it."""
    sample = chat.from_alpaca(row, kind, persona)
    before = [*_system(row), *_history(row, persona)]
    if before:
        flags = tuple(f for f in sample.flags if f.code != "alpaca_layout")
        sample = replace(sample_of((*before, *sample.messages), kind, persona, sample.topic), flags=flags)
    return Read([replace(sample, flags=(*sample.flags, *damage_flags(m.content for m in sample.messages)))])


def _history(row: Row, persona: Persona) -> list[Message]:
    history = listed(row.get("history"))
    if not history:
        return []
    turns: list[Turn] = []
    for pair in history:
        if isinstance(pair, list) and len(pair) == 2:
            turns += [Turn("user", pair[0]), Turn("assistant", pair[1])]
        else:
            turns += turns_of([pair], "history")
    return [message_of(turn, persona) for turn in turns]


def _system(row: Row) -> list[Message]:
    text = row.get("system") or row.get("system_prompt")
    return [Message("system", text)] if isinstance(text, str) and text.strip() else []


def _list_key(row: Row) -> str | None:
    names = {folded(str(key)): key for key in row}
    for wanted in map(folded, LISTS):
        key = names.get(wanted)
        if key is None:
            continue
        if wanted in _CERTAIN:
            return key
        turns = listed(row[key])
        if turns and all(map(is_turn, turns)):
            return key
    return None


def _turns(row: Row, kind: Kind, persona: Persona) -> Read:
    key = _list_key(row)
    assert key is not None
    return _listed(row[key], key, row, kind, persona)


def _listed(value: Any, key: str, row: Row, kind: Kind, persona: Persona) -> Read:
    turns = turns_of(value, key)
    flags = []
    bot = row.get("bot_name") or row.get("char_name")
    if isinstance(bot, str) and bot.strip():
        turns = [t._replace(name=bot) if t.who == "assistant" and not t.name else t for t in turns]
        flags.append(Flag("written_by_model", "a chat with a bot"))
    messages = [message_of(turn, persona) for turn in turns]
    if messages[0].role != "system":
        messages = [*_system(row), *messages]
    if any(turn.attached for turn in turns):
        flags.append(Flag("missing_attachment", "a turn also holds what is not text"))
    topic = row.get("topic")
    return to_read(messages, kind, persona, topic if isinstance(topic, str) and topic.strip() else None, flags)


def _pair_keys(row: Row) -> tuple[str, str] | None:
    names = {folded(str(key)): key for key in row}
    prompt = next((names[p] for p in _PROMPTS if p in names), None)
    reply = next((names[r] for r in _REPLIES if r in names), None)
    if prompt is None or reply is None or (reply == "output" and {"instruction", "input"} & set(names)):
        return None
    return prompt, reply


def _pair(row: Row, kind: Kind, persona: Persona) -> Read:
    prompt, reply = _pair_keys(row) or ("", "")
    if row.get("label") is False:
        raise BadRow("rejected_by_annotator", "the row's `label` is false: the reply was judged to be bad")
    if listed(row[prompt]) or listed(row[reply]):
        turns = [*_side(row[prompt], "user", prompt), *_side(row[reply], "assistant", reply)]
        return to_read([*_system(row), *(message_of(turn, persona) for turn in turns)], kind, persona)
    told = {"instruction": row[prompt], "input": "", "output": row[reply]}
    extra = {key: row[key] for key in ("history", "system", "system_prompt") if row.get(key)}
    if prompt == "instruction" and isinstance(row.get("input"), str):
        told["input"] = row["input"]
    return _alpaca(told | extra, kind, persona)


def _side(value: Any, who: str, key: str) -> list[Turn]:
    turns = listed(value)
    if turns is None:
        return [Turn(who, value)]
    return turns_of(turns, key)


def _preference(row: Row, kind: Kind, persona: Persona) -> Read:
    """Read a preference pair: the chosen reply becomes the reply; the rejected one is in no sample."""
    chosen, rejected = row["chosen"], row["rejected"]
    other = LeftOut(reason="other_version", text=_last_words(rejected), detail="the row calls this reply rejected")
    plain = _plain_prompt(row)
    if plain is not None and isinstance(chosen, str) and not turns_in(chosen) and not turns_in(plain):
        more = row.get("input") or ""
        told = {"instruction": plain, "input": more if more != plain else "", "output": chosen}
        found = _alpaca(told | {key: row[key] for key in ("history", "system") if row.get(key)}, kind, persona)
        found.left_out.append(other)
        return found
    if isinstance(chosen, str) and (whole := turns_in(chosen)):
        turns = whole
    else:
        said = [chosen] if isinstance(chosen, Mapping) else listed(chosen)
        turns = turns_of(said, "chosen") if said else [Turn("assistant", chosen)]
        if not any(turn.who in ("user", "human") for turn in turns):
            turns = [*_asked(row, kind, persona), *turns]
    messages = [message_of(turn, persona) for turn in turns]
    if messages and messages[0].role != "system":
        messages = [*_system(row), *messages]
    found = to_read(messages, kind, persona)
    found.left_out.append(other)
    return found


def _plain_prompt(row: Row) -> str | None:
    """Return what a preference pair's reply answers, if it is one text."""
    names = {folded(str(name)): name for name in row}
    prompt = next((row[names[p]] for p in _PROMPTS if p in names and row[names[p]]), None)
    return prompt if isinstance(prompt, str) and not listed(prompt) and _list_key(row) is None else None


def _asked(row: Row, kind: Kind, persona: Persona) -> list[Turn]:
    """Return what a preference pair's reply answers."""
    key = _list_key(row)
    if key is not None:
        return turns_of(row[key], key)
    names = {folded(str(name)): name for name in row}
    prompt = next((row[names[p]] for p in _PROMPTS if p in names and row[names[p]]), None)
    if prompt is None:
        raise BadRow("no_prompt", "the row has no prompt beside `chosen`; expected what is said to the character")
    turns = listed(prompt)
    if turns:
        return turns_of(turns, "prompt")
    if isinstance(prompt, str) and (whole := turns_in(prompt)):
        return whole
    return [Turn("user", prompt)]


def _last_words(rejected: Any) -> str:
    if isinstance(rejected, str):
        return rejected
    said = [rejected] if isinstance(rejected, Mapping) else listed(rejected)
    try:
        words = turns_of(said, "rejected")[-1].words if said else ""
    except BadRow:
        words = ""
    return words if isinstance(words, str) else ""


def template_text(row: Row) -> str | None:
    """Return the text of a row that holds a whole dialogue with a template's marks, or None."""
    names = {folded(str(key)): key for key in row}
    for name in (*TEXT, "prompt", "formatted", "chat"):
        value = row.get(names.get(name, ""))
        if isinstance(value, str) and turns_in(value):
            return value
    return None


def _one_text(row: Row, kind: Kind, persona: Persona) -> Read:
    turns = turns_in(template_text(row) or "") or []
    return to_read([message_of(turn, persona) for turn in turns], kind, persona)


def _label_studio(row: Row, kind: Kind, persona: Persona) -> Read:
    """Read a task with its newest submitted annotation; a rewritten reply replaces the one that was shown."""
    annotations = row.get("annotations") or row.get("completions")
    given = [a for a in annotations if isinstance(a, Mapping)] if isinstance(annotations, list) else []
    if not given:
        raise BadRow("unlabelled", "the task has no annotation; exports hold every task, submitted or not")
    live = [a for a in given if not a.get("was_cancelled")]
    if not live:
        raise BadRow("cancelled", "every annotation of the task was skipped")
    results = live[-1].get("result")
    results = [r for r in results if isinstance(r, Mapping)] if isinstance(results, list) else []
    choices = {str(c).lower() for r in results for c in _values(r, "choices")}
    if choices & {"reject", "rejected", "bad", "loại"}:
        raise BadRow("rejected_by_annotator", f"the annotation says {', '.join(sorted(choices))}")
    if not isinstance(row.get("data"), Mapping):
        raise BadRow("no_output", "the task has no `data`; expected the row that was annotated")
    found, _ = read_row({k: v for k, v in row["data"].items() if k not in ("data", "annotations")}, kind, persona)
    rewritten = next((str(t) for r in results for t in _values(r, "text") if str(t).strip()), None)
    shown = found.samples[-1]
    if rewritten is None or rewritten == shown.messages[-1].content:
        return found
    messages = (*shown.messages[:-1], Message("assistant", rewritten, shown.messages[-1].name))
    found.samples[-1] = Sample(
        id=sample_id(kind, messages),
        kind=kind,
        messages=messages,
        language=None,
        topic=shown.topic,
        source=shown.source,
        flags=damage_flags(m.content for m in messages),
    )
    return found


def _feedback(row: Row, kind: Kind, persona: Persona) -> Read:
    return Read([feedback.read(row, kind, persona)])


# name → (whether a row has this shape, reader). The first that fits is used; any other row is alpaca.
SHAPES: dict[str, tuple[Callable[[Row], bool], Reader]] = {
    "feedback": (feedback.is_feedback, _feedback),
    "label-studio": (lambda row: "data" in row and ("annotations" in row or "completions" in row), _label_studio),
    "preference": (lambda row: "chosen" in row and "rejected" in row, _preference),
    "sharegpt": (lambda row: "conversations" in row, _turns),
    "openai": (lambda row: "messages" in row, _turns),
    "turns": (lambda row: _list_key(row) is not None, _turns),
    "alpaca": (lambda row: "output" in row and ("instruction" in row or "input" in row), _alpaca),
    "pairs": (lambda row: _pair_keys(row) is not None, _pair),
    "template": (lambda row: template_text(row) is not None, _one_text),
}


def _values(result: Mapping[str, Any], key: str) -> list[Any]:
    value = result.get("value")
    found = value.get(key) if isinstance(value, Mapping) else None
    return found if isinstance(found, list) else [found] if isinstance(found, str) else []
