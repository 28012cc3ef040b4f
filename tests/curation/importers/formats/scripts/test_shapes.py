"""Each way to write a name before or above a line, in the forms that different programs and people give it."""

from __future__ import annotations

import pytest

from tests.curation.importers.looks import said

TALK = [("Tanjiro", "Where are you?"), ("Inosuke", "Up on the roof!"), ("Tanjiro", "Come down."), ("Inosuke", "Never!")]
VIET = [
    ("Tanjiro", "Cậu ở đâu?"),
    ("Inosuke", "Trên mái nhà!"),
    ("Tanjiro", "Xuống đi."),
    ("Inosuke", "Không đời nào!"),
]
JAPAN = [("炭治郎", "どこにいる？"), ("Inosuke", "屋根の上だ！"), ("炭治郎", "降りてこい。"), ("Inosuke", "いやだ！")]


def written(form: str, talk: list[tuple[str, str]], sep: str = "\n") -> str:
    """Return a talk in a form with {name}, {NAME}, {words}, {n} (a digit that grows) and {m} (the next one)."""
    return sep.join(form.format(name=a, NAME=a.upper(), words=b, n=i, m=i + 1) for i, (a, b) in enumerate(talk)) + "\n"


STAMPED = [
    "[00:00:0{n}] {name}: {words}",
    "[08:3{n}, 12/3/2024] {name}: {words}",
    "[00:0{n}] {name}: {words}",
    "00:0{n} {name}: {words}",
    "00:00:0{n} {name}: {words}",
    "00:00:0{n}.250 {name}: {words}",
    "(00:0{n}) {name}: {words}",
    "[0:0{n}] {NAME}: {words}",
    "[00:00:0{n} --> 00:00:0{m}] {name}: {words}",
    "[00:0{n}.000 --> 00:0{m}.500]   {name}: {words}",
    "[00:00:0{n}.000 --> 00:00:0{m}.000]  [{name}]: {words}",
    "00:00:0{n} - 00:00:0{m} {name}: {words}",
    "{name} [00:0{n}]: {words}",
    "{name} (00:00:0{n}): {words}",
    "{name} (00:0{n}):\n{words}\n",
    "{name}: [00:0{n}] {words}",
    "{name}  0:0{n}\n{words}\n",
    "{name} 00:00:0{n}\n{words}\n",
    "[{name}] 10:15:0{n}\n{words}\n",
    "0:0{n}\n{name}: {words}",
    "[10:1{n}] <{name}> {words}",
    "10:1{n} <{name}> {words}",
    "10:1{n}:00 <@{name}> {words}",
    "[2024-01-02 10:1{n}:00] <{name}> {words}",
    "2024-01-02 10:1{n}:00\t{name}\t{words}",
    "1/2/24, 10:1{n} AM - {name}: {words}",
    "[02/01/2024, 10:1{n}:03] {name}: {words}",
    "10:1{n} AM {name}: {words}",
    "[10:1{n} PM] {name}: {words}",
    "{name} — Today at 10:1{n} AM\n{words}\n",
    "{name} — 02/01/2024 10:1{n}\n{words}\n",
    "[02-Jan-24 10:1{n} AM] {name}\n{words}\n",
    "{name}, [02.01.2024 10:1{n}]\n{words}\n",
    "10:1{n}:03 From {name} to Everyone: {words}",
    "10:1{n}:03\t From  {name} : {words}",
    "start=0.{m}s stop=1.{m}s {name}: {words}",
    "[0.{m}s --> 1.{m}s] {name}: {words}",
]
PLAIN = [
    "{name}: {words}",
    "{name} : {words}",
    "{name}：{words}",
    "{NAME}: {words}",
    "**{name}:** {words}",
    "**{name}**: {words}",
    "__{name}:__ {words}",
    "**{name}:** {words}\n",
    "- **{name}:** {words}",
    "<{name}> {words}",
    "< {name}> {words}",
    "[{name}] {words}",
    "[{name}]: {words}",
    "({name}) {words}",
    "【{name}】{words}",
    "【{name}】\n{words}\n",
    "【{name}】「{words}」",
    "{name}\t{words}",
    "{name}:\t{words}",
    "{name} - {words}",
    "{name} – {words}",
    "{name} — {words}",
    "{name} -- {words}",
    "{name} | {words}",
    "{name} > {words}",
    "{NAME}. {words}",
    "#### {NAME}\n\n{words}\n",
    "## {name}\n{words}\n",
    "### {name}:\n\n{words}\n",
    "**{name}**\n{words}\n",
    "**{name}**\n\n{words}\n",
    "{NAME}\n{words}\n",
    "{NAME} (V.O.)\n{words}\n",
    "{NAME}\n\n{words}\n",
    "{name}\n{words}\n",
    "{name}:\n{words}\n",
    '{name}: "{words}"',
    "{name}: “{words}”",
    "{name}:「{words}」",
    "{name}「{words}」",
    "{name}『{words}』",
    "{name}「{words}」\n",
    "{name} (loudly): {words}",
    "{name} [shouting] - {words}",
    "{name}: (laughing) {words}",
]


@pytest.mark.parametrize("talk", [TALK, VIET, JAPAN], ids=["en", "vi", "ja"])
@pytest.mark.parametrize("form", [*PLAIN, *STAMPED])
def test_a_way_to_write_names_gives_each_line_to_its_speaker(imported, form, talk):
    if talk is JAPAN and ("NAME}" in form):
        pytest.skip("Japanese has no capitals")
    suffix = "md" if "**" in form or "__" in form or form.startswith("#") else "txt"
    wanted = [(a, b) for a, b in talk]
    text = written(form, [(("伊之助" if talk is JAPAN else a) if a == "Inosuke" else a, b) for a, b in talk])
    found = imported(f"a.{suffix}", text)
    names = [("炭治郎" if a == "炭治郎" else a, b) for a, b in wanted]
    assert [(a, b.replace("?", "？").replace("!", "！")) for a, b in said(found)] == [
        (a, b.replace("?", "？").replace("!", "！")) for a, b in names
    ]
    if form in STAMPED:
        starts = [u.start_ms for u in found.utterances]
        assert None not in starts
        assert starts == sorted(starts)
        assert len(set(starts)) == 4
        assert len({u.source.locator.partition(" · ")[0] for u in found.utterances}) == 1
