"""A lorebook through the door: persona.toml names it, a request makes an entry fire, the answer tells which."""

import json
import shutil

import pytest

from curation import chat
from curation.persona import load_persona
from serve import create_app
from serve.engine import ConversationTooLong, Counted, MemoryTooLong
from tests.serve.conftest import PROJECT, Parrot
from tests.serve.http.test_api import ask, events

BOOK = {
    "spec": "lorebook_v3",
    "data": {
        "scan_depth": 2,
        "entries": [
            {"keys": ["boar"], "name": "The boars", "content": "{{char}} was raised by boars."},
            {"keys": ["Douma"], "name": "Douma", "content": "Douma is a demon.", "priority": 9},
            {"keys": [], "constant": True, "content": "The mountain is high.", "position": "after_char"},
            {"keys": [], "constant": True, "content": "It is winter.", "position": "before_char"},
            {"keys": ["secret"], "content": "never", "enabled": False},
        ],
    },
}


def write(folder, book=BOOK, table='file = "lorebook.json"'):
    """A persona with a lorebook, as its author writes both."""
    folder.mkdir(exist_ok=True)
    text = (PROJECT / "persona.toml").read_text(encoding="utf-8")
    file = folder / "persona.toml"
    file.write_text(f"{text}\n[lorebook]\n{table}\n", encoding="utf-8")
    (folder / "lorebook.json").write_text(json.dumps(book), encoding="utf-8")
    return file


@pytest.fixture
def told(parrot, tmp_path):
    app = create_app({"ENGINE": parrot, "PERSONA": write(tmp_path / "her")})
    return app.test_client()


def test_an_entry_that_fires_stands_before_the_newest_message_and_the_answer_tells_it(told, parrot, persona):
    response = ask(told, "Who are you?", "Me!", "Do you like BOARS, Inosuke?")
    assert response.json["facts"] == [{"name": "The boars", "text": "Inosuke was raised by boars."}]
    assert parrot.told == [["", "", "Good to know:\nInosuke was raised by boars."]]
    assert parrot.seen[0][-1] == ("user", "Do you like BOARS, Inosuke?"), "the words themselves are untouched"
    ask(told, "Do you like boars?", "Yes!", "And Douma?", "No!", "And me?")
    assert parrot.told[1] == ["", "", "", "", ""], "the boars are out of scan_depth, and so is Douma"
    ask(told, "Ngươi biết Douma không?")
    assert parrot.told[2] == ["Điều cần biết:\nDouma is a demon."]


def test_a_stream_tells_the_facts_in_its_last_event(told):
    *_, (kind, data) = events(ask(told, "a boar, Douma", stream=True))
    assert kind == "done" and [fact["name"] for fact in data["facts"]] == ["The boars", "Douma"]


def test_a_client_of_v1_gets_facts_without_a_word_of_its_own(told, parrot):
    body = {"model": "x", "messages": [{"role": "user", "content": "a boar"}]}
    assert told.post("/v1/chat/completions", json=body).status_code == 200
    assert parrot.told[0][-1].endswith("Inosuke was raised by boars.")


def test_constant_entries_stand_beside_the_system_prompt(told, persona):
    served = told.application.extensions["inosuke"].persona
    for language, text in persona.system_prompts.items():
        assert served.system_prompt_in(language) == f"It is winter.\n\n{text}\n\nThe mountain is high."


def test_memory_and_facts_go_together(told, parrot):
    assert ask(told, "a boar", memory="Lan cooks.").json["facts"][0]["name"] == "The boars"
    (role, system), _ = parrot.seen[0]
    assert role == "system" and system.index("The mountain is high.") < system.index("Lan cooks.")


def test_a_summary_is_made_without_facts(told, parrot):
    talk = [{"role": "user", "content": "a boar and Douma"}, {"role": "assistant", "content": "boar!"}]
    assert told.post("/api/memory", json={"messages": talk}).status_code == 200
    assert parrot.told == [["", ""]] and "mountain" not in parrot.seen[0][0][1]


def test_what_is_told_can_be_kept_from_visitors(parrot, tmp_path):
    file = write(tmp_path / "her", table='file = "lorebook.json"\nshow = false')
    client = create_app({"ENGINE": parrot, "PERSONA": file}).test_client()
    assert ask(client, "a boar").json["facts"] == [] and parrot.told[0] != [""]


class Narrow(Parrot):
    """Reads ``window`` bytes of the last message and its facts."""

    window = 60

    def check(self, messages, settings):
        if sum(len(m.facts) + len(m.content) for m in messages[-1:]) > self.window:
            raise ConversationTooLong("the last message does not fit")

    def check_memory(self, turns, told, settings):
        raise MemoryTooLong("no")

    def count(self, messages, settings):
        return Counted(sum(len(m.facts) + len(m.content) for m in messages), 2 * self.window, 0, 0)


def test_a_message_that_fits_alone_is_answered_with_the_facts_that_have_room(tmp_path):
    engine = Narrow()
    client = create_app({"ENGINE": engine, "PERSONA": write(tmp_path / "her")}).test_client()
    assert [fact["name"] for fact in ask(client, "boar, Douma").json["facts"]] == ["Douma"]
    assert ask(client, f"boar, Douma {'x' * 40}").json["facts"] == []
    assert ask(client, "x" * 70).json["error"]["code"] == "conversation_too_long"
    counted = client.post("/api/count", json={"messages": [], "draft": "boar, Douma"}).json
    assert counted["tokens"] == len("Good to know:\nDouma is a demon.boar, Douma"), "the count is of what would be read"


def test_the_budget_is_counted_with_the_engines_own_tokens(parrot, tmp_path):
    book = {"spec": "lorebook_v3", "data": {**BOOK["data"], "entries": BOOK["data"]["entries"][:2], "token_budget": 30}}
    client = create_app({"ENGINE": parrot, "PERSONA": write(tmp_path / "her", book)}).test_client()
    assert [fact["name"] for fact in ask(client, "boar, Douma").json["facts"]] == ["Douma"]


def test_the_start_says_what_the_book_has(parrot, tmp_path):
    book = [{"keys": ["a"], "content": "@@depth 3\nx"}]
    app = create_app({"ENGINE": parrot, "PERSONA": write(tmp_path / "her", book)})
    (line,) = [line for line in app.extensions["inosuke"].chosen if line.startswith("lorebook")]
    assert line == "lorebook lorebook.json: 1 entries, 0 of them constant; 2 notes, listed by `inosuke lorebook`"


@pytest.mark.parametrize("engine", ["transformers"])
def test_a_run_carries_its_book_and_is_proved_with_it(finished, tmp_path, engine):
    run = finished / "models" / "run-1"
    written = write(tmp_path / "her")
    shutil.copy(written, run / "persona.toml")
    shutil.copy(written.with_name("lorebook.json"), run / "lorebook.json")
    app = create_app({"ROOT": finished, "ENGINE": engine})
    client, serving = app.test_client(), app.extensions["inosuke"]
    settings = {"max_new_tokens": 4, "temperature": 0}
    with_boar, without = (ask(client, text, settings=settings).json for text in ("a boar", "a bear"))
    assert [fact["name"] for fact in with_boar["facts"]] == ["The boars"] and without["facts"] == []
    told = len("Good to know:\nInosuke was raised by boars.\n\n")
    assert with_boar["usage"]["prompt_tokens"] == without["usage"]["prompt_tokens"] + told, "a token a byte"
    assert chat.fact_examples(serving.persona)
    (run / "lorebook.json").unlink()
    with pytest.raises(Exception, match=r"there is no such file at .*Put the lorebook there"):
        load_persona(run / "persona.toml")
