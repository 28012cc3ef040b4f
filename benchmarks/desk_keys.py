"""Random keys at the review desk, at 5 to 30 a second, and what became of each: nothing here trusts the stage.

A script that runs in the page before any other notes what was painted and when, each key with what was on the screen at
that moment, and each verdict that the browser put down to be sent. The driver knows what it meant by each key: a
command, or a letter of a text. Afterwards the three lists and the store's events are compared.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from annotations.store.review_store import ReviewStore

RECORDER = """
(() => {
  const log = { keys: [], screen: [], outs: [], now: null };
  window.desk_log = log;
  const put = Storage.prototype.setItem;
  Storage.prototype.setItem = function (name, value) {
    if (name.includes(":out:") && !localStorage.getItem(name)) {
      const { event_id, sample, verdict, reason } = JSON.parse(value);
      log.outs.push({ event_id, sample, verdict, reason, key: log.keys.length - 1 });
    }
    return put.call(this, name, value);
  };
  window.addEventListener("keydown", (event) => {
    if (["Control", "Shift"].includes(event.key)) return;
    // What the stage said to a key is read before the next one, or soon.
    const tell = (entry) => { entry.told ??= document.querySelector(".stage-told")?.textContent ?? ""; };
    if (log.keys.length > 0) tell(log.keys.at(-1));
    const entry = { at: performance.now(), key: event.key, on: log.now, told: null };
    log.keys.push(entry);
    setTimeout(() => tell(entry));
  }, true);
  let last;
  const look = () => {
    const shown = document.querySelector(".stage-item")?.dataset.sample ?? null;
    if (shown !== last) {
      last = shown;
      // A message that is sent in a frame's callback is read after the frame has been painted.
      const channel = new MessageChannel();
      channel.port1.onmessage = () => {
        log.now = shown;
        log.screen.push({ at: performance.now(), sample: shown });
      };
      channel.port2.postMessage(null);
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})();
"""

_LETTERS = "ashxeunpmk 123anh sai"
_COMPOSED = ("a", "â", "ấ")
# What the stage says when a key did not count.
_UNCOUNTED = ("did not count", "cannot judge", "Why reject it?")
_KEY_CODES = {"Escape": 27, "Enter": 13, " ": 32}


@dataclass
class Tally:
    """What became of the keys. Every list should be empty but ``verdicts``."""

    keys: int = 0
    composed: int = 0
    verdicts: int = 0
    uncounted: int = 0
    not_on_screen: list[str] = field(default_factory=list)
    meant_for_text: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    not_recorded: list[str] = field(default_factory=list)
    to_next: list[float] = field(default_factory=list)  # milliseconds from a verdict's key to the next sample

    def wrong(self) -> list[str]:
        """Return every violation, in words."""
        named = {"not on screen": self.not_on_screen, "meant for a text": self.meant_for_text}
        named |= {"lost": self.lost, "not recorded": self.not_recorded}
        return [f"{name}: {one}" for name, found in named.items() for one in found]


@dataclass(frozen=True)
class Stroke:
    """One key that makes a ``keydown``: its name, with Control or not, and what it was meant as."""

    key: str
    meant: str  # "verdict", "command" or "text"
    control: bool = False


@dataclass(frozen=True)
class Composition:
    """A letter made by an input method: it makes no ``keydown`` that counts."""

    steps: tuple[str, ...]


def strokes(chosen: random.Random) -> Iterator[Stroke | Composition]:
    """Yield what an annotator may do next: a verdict, a move, or a mode with its text and its end."""
    action = chosen.choices(
        ("a", "s", "reject", "no", "n", "p", "u", "h", "t", "c", "g", "edit", "note", "other", "stray"),
        (10, 3, 6, 1, 2, 1, 2, 1, 1, 1, 1, 5, 4, 2, 1),
    )[0]
    if action in ("a", "s"):
        yield Stroke(action, "verdict")
    elif action in ("n", "p", "u", "h", "t", "c", "g"):
        yield Stroke(action, "command")
    elif action == "stray":
        yield Composition(_COMPOSED)  # an input method that is on while nothing takes text
    elif action in ("reject", "no"):
        yield Stroke("x", "command")
        yield Stroke(str(chosen.randint(1, 6)), "verdict") if action == "reject" else Stroke("Escape", "command")
    else:
        yield from _typing(chosen, action)


def _typing(chosen: random.Random, action: str) -> Iterator[Stroke | Composition]:
    yield Stroke({"edit": "e", "note": "m", "other": "x"}[action], "command")
    if action == "other":
        yield Stroke("7", "command")
    for _ in range(chosen.randint(2, 12)):
        yield Composition(_COMPOSED) if chosen.random() < 0.15 else Stroke(chosen.choice(_LETTERS), "text")
    if chosen.random() < 0.4:
        yield Stroke("Escape", "command")
    else:
        yield Stroke("Enter", "verdict", control=action == "edit")
    # Whatever happened, the annotator is back at the sample before they judge again.
    yield Stroke("Escape", "command")


def press(page: Any, keys: int, seed: int, rates: tuple[float, ...] = (5, 10, 20, 30)) -> Tally:
    """Press at least this many keys, in runs of each rate, on a page that was opened with :data:`RECORDER`."""
    chosen = random.Random(seed)
    devtools = page.context.new_cdp_session(page)
    tally = Tally()
    meant: list[Stroke] = []
    begins: list[int] = []  # for each key, the first one of what the annotator was doing
    due = time.perf_counter()
    while len(meant) < keys:
        rate = rates[len(meant) * len(rates) // keys % len(rates)]
        begin = len(meant)
        for stroke in strokes(chosen):
            due = max(due + chosen.uniform(0.5, 1.5) / rate, time.perf_counter() - 1 / rate)
            time.sleep(max(0.0, due - time.perf_counter()))  # the annotator's pace, not a wait for the page
            if isinstance(stroke, Composition):
                _compose(devtools, stroke)
                tally.composed += 1
            else:
                _send(devtools, stroke)
                meant.append(stroke)
                begins.append(begin)
    page.wait_for_timeout(1500)
    page.wait_for_function("!Object.keys(localStorage).some((key) => key.includes(':out:'))")
    _compare(page.evaluate("desk_log"), meant, begins, tally)
    return tally


def _send(devtools: Any, stroke: Stroke) -> None:
    name = stroke.key
    code = _KEY_CODES.get(name, ord(name[0].upper()))
    place = (
        name
        if len(name) > 1
        else f"Digit{name}"
        if name.isdigit()
        else "Space"
        if name == " "
        else f"Key{name.upper()}"
    )
    event = {"key": name, "code": place, "windowsVirtualKeyCode": code, "modifiers": 2 if stroke.control else 0}
    text = (
        {"text": "\r" if name == "Enter" else name}
        if (len(name) == 1 or name == "Enter") and not stroke.control
        else {}
    )
    devtools.send("Input.dispatchKeyEvent", {"type": "keyDown" if text else "rawKeyDown", **event, **text})
    devtools.send("Input.dispatchKeyEvent", {"type": "keyUp", **event})


def _compose(devtools: Any, composition: Composition) -> None:
    for text in composition.steps:
        place = {"selectionStart": len(text), "selectionEnd": len(text)}
        devtools.send("Input.imeSetComposition", {"text": text, **place})
    devtools.send("Input.insertText", {"text": composition.steps[-1]})


def _compare(log: dict[str, Any], meant: list[Stroke], begins: list[int], tally: Tally) -> None:
    keys = [k for k in log["keys"] if k["key"] not in ("Process", "Unidentified", "")]
    seen = [k["key"] for k in keys]
    assert seen == [s.key for s in meant], "the page saw other keys than were pressed"
    tally.keys = len(meant)
    numbers = {id(k): n for n, k in enumerate(keys)}
    made: dict[int, dict[str, Any]] = {}
    for out in log["outs"]:
        key = log["keys"][out["key"]]
        number = numbers[id(key)]
        made[number] = out
        if key["on"] != out["sample"]:
            tally.not_on_screen.append(f"{out['verdict']} of {out['sample']} with {key['on']} on the screen")
        if meant[number].meant != "verdict":
            tally.meant_for_text.append(f"{out['verdict']} by {key['key']!r}, key {number}")
    tally.verdicts = len(made)
    for number, stroke in enumerate(meant):
        if number in made or stroke.meant != "verdict":
            continue
        # A key that opens something to type into may not have counted, and reported that.
        # What followed it counts for nothing.
        told = [keys[n]["told"] for n in range(begins[number], number + 1)]
        blank = not any(s.key.strip() for s in meant[begins[number] : number] if s.meant == "text")
        if any(words in one for one in told for words in _UNCOUNTED):
            tally.uncounted += 1
        elif not (stroke.key == "Enter" and blank):
            tally.lost.append(f"{stroke.key!r}, key {number}: {told}")
    at = 0
    for number, out in made.items():
        if out["verdict"] == "note":
            continue
        pressed = keys[number]["at"]
        while at < len(log["screen"]) and log["screen"][at]["at"] <= pressed:
            at += 1
        if at < len(log["screen"]) and log["screen"][at]["sample"] is not None:
            tally.to_next.append(log["screen"][at]["at"] - pressed)


def recorded(store: ReviewStore, page: Any, who: str, tally: Tally) -> None:
    """Compare what the browser put down with the store's events: each is there once, on its sample."""
    events = {e.id: e for e in store.log.events() if e.annotator == who and e.verdict != "undo"}
    outs = page.evaluate("desk_log.outs")
    for out in outs:
        event = events.pop(out["event_id"], None)
        if event is None or (event.sample_id, event.verdict) != (out["sample"], out["verdict"]):
            tally.not_recorded.append(f"{out['verdict']} of {out['sample']}")
    tally.not_recorded += [f"not asked for: {e.verdict} of {e.sample_id}" for e in events.values()]
