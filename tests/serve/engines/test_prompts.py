"""A server starts only with a run that it serves the token ids of its training."""

import json

import pytest

from curation import chat
from curation.contracts.run import RecordedDialogue, SameIds, write_same_ids
from curation.errors import InosukeError
from curation.record import messages_to_json
from serve.engines.prompts import greetings, prove
from serve.engines.tokenizer import ChatTokenizer
from serve.model_files.served_run import checked_run
from tests.curation.chat.test_layout import KINDS, TALK
from tests.tools.tokenizers import tokenizer_for


@pytest.fixture
def run(finished, tokenizer):
    """A run with the record that training leaves."""
    run = checked_run(finished)
    dialogues = [
        RecordedDialogue(messages=messages_to_json(talk), input_ids=chat.render(talk, tokenizer, run.persona).input_ids)
        for talk in chat.EXAMPLES
    ]
    write_same_ids(run.folder, SameIds(dialogues=dialogues))
    return run


def served(run):
    prove(run, ChatTokenizer(run.folder / "tokenizer"))


def test_a_run_is_served_the_ids_of_its_training(run):
    served(run)


def test_a_run_of_an_older_version_has_no_record(run):
    (run.folder / "same_ids.json").unlink()
    served(run)


def test_a_run_is_served_its_facts_as_its_training_recorded_them(finished, tokenizer):
    folder = finished / "models" / "run-1"
    persona_file, book = folder / "persona.toml", folder / "lorebook.json"
    persona_file.write_text(persona_file.read_text(encoding="utf-8") + '[lorebook]\nfile = "lorebook.json"\n', "utf-8")
    book.write_text(json.dumps([{"keys": ["boar"], "content": "Boars are kin."}]), encoding="utf-8")
    persona = checked_run(finished).persona
    (talk,) = chat.fact_examples(persona)
    told = chat.with_facts(talk, persona, len)
    assert [fact.text for fact in told.facts] == ["Boars are kin."]
    ids = chat.render(told.messages, tokenizer, persona).input_ids
    recorded = RecordedDialogue(messages=messages_to_json(talk), input_ids=ids)
    kept = SameIds(with_facts=[recorded], lorebook=persona.book.sha256)
    write_same_ids(folder, kept)
    served(checked_run(finished))
    wrong = recorded.model_copy(update={"input_ids": [*ids[:-3], 0, *ids[-2:]]})
    write_same_ids(folder, kept.model_copy(update={"with_facts": [wrong]}))
    with pytest.raises(InosukeError, match="other token ids here than in the run's training"):
        served(checked_run(finished))
    # Another book can be tried without a training: its own dialogues are proved in themselves.
    book.write_text(json.dumps([{"keys": ["boar"], "content": "Boars are strong."}]), encoding="utf-8")
    served(checked_run(finished))


@pytest.mark.parametrize("changed", ["persona.toml", "chat_template.jinja", "tokenizer.json"])
def test_a_part_that_changed_after_the_training_stops_the_server(run, finished, changed):
    file = run.folder / changed if changed == "persona.toml" else run.folder / "tokenizer" / changed
    text = file.read_text(encoding="utf-8")
    if changed == "tokenizer.json":
        content = json.loads(text)
        vocab = content["model"]["vocab"]
        vocab["a"], vocab["b"] = vocab["b"], vocab["a"]
        text = json.dumps(content)
    else:
        text = text.replace("Ngươi là Hashibira", "Ta là Hashibira").replace("assistant", "Assistant")
    file.write_text(text, encoding="utf-8")
    with pytest.raises(
        InosukeError, match=r"other token ids here than in the run's training, from token \d+ on .*train again"
    ):
        served(checked_run(finished))


@pytest.mark.parametrize("kind", KINDS)
def test_the_light_tokenizer_gives_the_same_ids_with_every_kind_of_template(kind, persona, tmp_path):
    tokenizer = tokenizer_for(KINDS[kind][0])
    tokenizer.save_pretrained(tmp_path)
    light = ChatTokenizer(tmp_path)
    chat.prove([TALK, *chat.EXAMPLES], light, persona)
    for talk in (TALK, *chat.EXAMPLES):
        assert chat.render(talk, light, persona) == chat.render(talk, tokenizer, persona)
    assert chat.end_of_turn(light) == chat.end_of_turn(tokenizer)


def test_every_system_prompt_is_read_once_before_the_first_visitor(persona):
    assert [hello[0].content for hello in greetings(persona, "chat")] == list(persona.system_prompts.values())
    assert len(greetings(persona.model_copy(update={"system_prompt": "Inosuke."}), "chat")) == 1
    assert [m.role for m in greetings(persona, "alpaca")[0]] == ["user"]


def test_a_model_without_a_template_is_reported_by_its_folder(tmp_path, tokenizer, persona):
    tokenizer.save_pretrained(tmp_path)
    (tmp_path / "chat_template.jinja").write_text("{% {", encoding="utf-8")
    with pytest.raises(InosukeError, match=r"chat template of .* cannot be read"):
        chat.render(TALK, ChatTokenizer(tmp_path), persona)
