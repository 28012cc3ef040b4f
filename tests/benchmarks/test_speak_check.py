"""The check of how the served character speaks: what it asks, what it counts, what it writes for readers."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from typing import Any

import httpx
import pytest

from benchmarks import speak_check
from benchmarks.speak_check import FIRST_PROMPTS, answer, busy, reading_sheet, report
from curation.persona import load_persona
from curation.record import Message
from tests.conftest import ROOT
from train.model.generate import Reply

PERSONA = load_persona(ROOT / "persona.toml")
ABOUT = {"run": "r1", "model": "base + r1 (Q8_0)", "settings": {"temperature": 0.5}}
LOOP = "ta ăn cơm với cá " * 6


def server(bodies: list[dict[str, Any]], reply: str = "Hahaha! Ta đây!") -> httpx.Client:
    """A server that notes the requests and answers all of them alike."""

    def said(request: httpx.Request) -> httpx.Response:
        bodies.append(json.loads(request.content))
        return httpx.Response(200, json={"reply": reply, "finish_reason": "length"})

    return httpx.Client(base_url="http://x", transport=httpx.MockTransport(said))


def test_visitors_set_nothing_and_a_third_speaker_keeps_their_name() -> None:
    bodies: list[dict[str, Any]] = []
    label = PERSONA.user_labels[0]
    prompt = [
        Message("user", "Đi thôi!", "Tanjiro"),
        Message("assistant", "Đi!", "Inosuke"),
        Message("user", "Ừ.", label),
    ]
    [reply] = answer(server(bodies), [prompt], PERSONA)
    assert reply == Reply("Hahaha! Ta đây!", ended=False)
    contents = [("user", "Tanjiro: Đi thôi!"), ("assistant", "Đi!"), ("user", "Ừ.")]
    assert bodies == [{"messages": [{"role": role, "content": content} for role, content in contents]}]


def test_each_prompt_has_a_seed_of_its_own_where_one_is_asked_for() -> None:
    bodies: list[dict[str, Any]] = []
    answer(server(bodies), [[Message("user", "A")], [Message("user", "B")]], PERSONA, seed=7)
    assert {b["messages"][0]["content"]: b["settings"] for b in bodies} == {"A": {"seed": 7}, "B": {"seed": 8}}


@pytest.mark.parametrize(("looping", "status"), [(0, 0), (1, 0), (2, 1)])
def test_less_than_two_of_a_hundred_replies_may_loop(
    looping: int, status: int, capsys: pytest.CaptureFixture[str]
) -> None:
    prompts = [[Message("user", "Hôm nay ngươi ăn gì vậy?")]] * 100
    replies = [Reply(LOOP, ended=False)] * looping + [Reply("Ta ăn thịt nướng, ngon lắm!", ended=True)] * (
        100 - looping
    )
    assert report(ABOUT, prompts, replies, PERSONA, others=2) == status
    out = capsys.readouterr().out
    assert f"loop {looping} ({looping}.0%; less than 2% wanted)" in out
    assert out.count("loops: 'Hôm nay ngươi ăn gì vậy?'") == looping
    assert f"end their turn {100 - looping}" in out
    assert "2 other processes busy" in out


def test_the_first_prompts_are_ten_of_each_language_and_the_sheet_names_no_model() -> None:
    asked = json.loads(FIRST_PROMPTS.read_text(encoding="utf-8"))
    assert Counter(one["language"] for one in asked) == {"vi": 10, "en": 10}
    assert len({one["prompt"] for one in asked}) == 20
    sheet = reading_sheet(asked, [Reply("Ta!\nĐi nào!", ended=True)] * 19 + [Reply("Rồi", ended=False)])
    assert sheet.count("- [ ] in character") == 20
    assert f"## 1. {asked[0]['prompt']}\n\n> Ta!\n> Đi nào!\n" in sheet
    assert "> Rồi *(cut off at the limit)*" in sheet


def test_the_busy_processes_end_with_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[bytes]] = []
    start = subprocess.Popen
    monkeypatch.setattr(speak_check.subprocess, "Popen", lambda *a, **k: started.append(start(*a, **k)) or started[-1])
    with pytest.raises(ZeroDivisionError), busy(2):
        assert [process.poll() for process in started] == [None, None]
        raise ZeroDivisionError
    assert [process.poll() is not None for process in started] == [True, True]
