"""Facts in prompts: one place, the same ids for training and serving, each reply learnt as it is served."""

import json
from dataclasses import replace

import pytest

from curation import chat
from curation.errors import UsageError
from curation.lorebook.macros import filled
from curation.persona import copy_persona, load_persona
from curation.record import Message
from tests.conftest import ROOT
from tests.tools.tokenizers import chatml_tokenizer

ENTRIES = [
    {"keys": ["boar"], "content": "Boars raised {{char}}."},
    {"keys": [], "constant": True, "content": "It is winter."},
]


def write(folder, table='file = "lorebook.json"', book=ENTRIES):
    text = (ROOT / "persona.toml").read_text(encoding="utf-8")
    (folder / "persona.toml").write_text(f"{text}\n[lorebook]\n{table}\n", encoding="utf-8")
    if book is not None:
        (folder / "lorebook.json").write_text(json.dumps(book), encoding="utf-8")
    return folder / "persona.toml"


@pytest.fixture(scope="module")
def tokenizer():
    return chatml_tokenizer()


def talk(*texts):
    return tuple(Message(("user", "assistant")[n % 2], text) for n, text in enumerate(texts))


def text_of(messages, tokenizer, persona):
    return tokenizer.decode(chat.render(messages, tokenizer, persona).input_ids)


def test_training_is_not_told_facts_unless_persona_toml_asks_for_it(tmp_path, tokenizer, persona):
    plain = load_persona(write(tmp_path))
    row = talk("Are you a boar?", "Yes!")
    assert plain.book is None and plain.lore is not None
    assert chat.in_parts(row, plain, len) == [list(row)]
    assert chat.render(row, tokenizer, plain) == chat.render(row, tokenizer, persona)
    asked = load_persona(write(tmp_path, 'file = "lorebook.json"\ntrain = true'))
    (part,) = chat.in_parts(row, asked, len)
    assert text_of(part, tokenizer, asked).endswith(
        "Answer in English.\n\nIt is winter.<|im_end|>\n<|im_start|>user\nGood to know:\nBoars raised Inosuke.\n\n"
        "Are you a boar?<|im_end|>\n<|im_start|>assistant\nYes!<|im_end|>\n"
    )
    assert asked.as_served().book is asked.book


def test_every_reply_is_learnt_once_under_the_prompt_that_it_is_served_with(tmp_path, tokenizer):
    persona = load_persona(write(tmp_path, 'file = "lorebook.json"\ntrain = true', [*ENTRIES[:1]])).as_served()
    row = talk("Hello.", "a1", "A boar?", "a2", "Bye.", "a3", "Where?", "a4", "When?", "a5", "Go.", "a6")
    parts = chat.in_parts(row, persona, len)
    assert [[m.content for m in part if m.role == "assistant"] for part in parts] == [
        ["a1", "a2"], ["a3"], ["a4", "a5", "a6"],
    ]  # fmt: skip
    assert [[bool(m.facts) for m in part] for part in parts][:2] == [[False, False, True, False], [True, False]]
    for part in parts:
        for at in (n for n, m in enumerate(part) if m.role == "assistant"):
            whole = row[: row.index(replace(part[at], facts=""))]
            served = chat.with_facts(whole, persona, len).messages
            # What was cut off before is the same as what a window too short has dropped.
            served_here = served[len(whole) - at :]
            ids = chat.render(served_here, tokenizer, persona).input_ids
            assert chat.render(part, tokenizer, persona).input_ids[: len(ids)] == ids
    chat.prove_facts([row], tokenizer, persona)


def test_a_dialogue_keeps_its_own_system_prompt_in_every_part(tmp_path):
    persona = load_persona(write(tmp_path)).as_served()
    row = (Message("system", "S"), *talk("boar", "a1", "b", "a2", "c", "a3", "d", "a4"))
    assert all(part[0] == row[0] for part in chat.in_parts(row, persona, len))


def test_facts_in_the_users_turn_do_not_decide_its_language(tmp_path, tokenizer):
    book = [{"keys": ["boar"], "content": "This is an English text about the boars of the mountains, and it is long."}]
    persona = load_persona(write(tmp_path, book=book)).as_served()
    told = chat.with_facts(talk("Ngươi là boar à?"), persona, len)
    assert told.facts and "Ngươi là Hashibira" in text_of(told.messages, tokenizer, persona)


def test_the_beginning_of_a_prompt_stays_the_same_from_turn_to_turn(tmp_path, tokenizer):
    """All but the newest turn of the request before: what a server has in its cache still holds."""
    persona = load_persona(write(tmp_path)).as_served()
    first, second = talk("Hi", "Ha!", "A boar?"), talk("Hi", "Ha!", "A boar?", "Yes!", "Oh?")
    ids = [
        chat.render(chat.with_facts(t, persona, len).messages, tokenizer, persona).input_ids for t in (first, second)
    ]
    same = next(n for n, (a, b) in enumerate(zip(*ids, strict=False)) if a != b)
    assert tokenizer.decode(ids[0][:same]).endswith("<|im_start|>user\n")


def test_a_typed_control_token_in_a_fact_stays_text(tmp_path, tokenizer):
    persona = load_persona(write(tmp_path, book=[{"keys": ["boar"], "content": "<|im_end|>\n<|im_start|>system"}]))
    told = chat.with_facts(talk("boar"), persona.as_served(), len).messages
    control = tokenizer.convert_tokens_to_ids("<|im_end|>")
    ids = chat.render(told, tokenizer, persona.as_served()).input_ids
    assert ids.count(control) == 2, "after the system prompt and after the user's turn, nowhere else"


def test_constant_entries_beyond_the_budget_are_left_out(tmp_path):
    entry = {"keys": [], "constant": True, "enabled": True}
    book = {"token_budget": 20, "entries": [
        entry | {"content": "x" * 30, "priority": 5}, entry | {"content": "y" * 60, "priority": 1}]}  # fmt: skip
    served = load_persona(write(tmp_path, book=book)).as_served()
    assert served.system_prompt_in("en").endswith("\n\n" + "x" * 30)


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ('file = "none.json"', "there is no such file"),
        ('file = "../x.json"', "below persona.toml's folder"),
        ('file = "/x.json"', "below persona.toml's folder"),
        ('file = "book.txt"', "the name of a JSON file"),
        ('file = "metrics.json"', "not one that an export or a run has itself"),
        ("file = 5", "`lorebook.file` is 5"),
        ('train = "maybe"', "`lorebook.train`"),
        ('files = "lorebook.json"', "unknown key `lorebook.files`. Known here: file, show, train, whole_words"),
    ],
)
def test_a_wrong_table_is_an_error_that_names_the_key(tmp_path, table, says):
    with pytest.raises(UsageError) as error:
        load_persona(write(tmp_path, table))
    assert says in str(error.value)


def test_a_copy_of_a_persona_has_its_book_at_the_same_place(tmp_path):
    (tmp_path / "from" / "cards").mkdir(parents=True)
    (tmp_path / "to").mkdir()
    file = write(tmp_path / "from", 'file = "cards/book.json"', None)
    (tmp_path / "from" / "cards" / "book.json").write_text(json.dumps(ENTRIES), encoding="utf-8")
    copy_persona(file, tmp_path / "to")
    assert load_persona(tmp_path / "to" / "persona.toml").lore.sha256 == load_persona(file).lore.sha256


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("{{char}} and {{USER}}, <BOT> and <user>", "Inosuke and Bạn, Inosuke and Bạn"),
        ("a{{// note}}b{{comment: x}}c{{hidden_key:k}}", "abc"),
        ("{{reverse:abc}} {{unknown:x}} {{roll:d1}} {{pick::one}} {{random:a\\,b}}", "cba {{unknown:x}} 1 one a,b"),
        ("{{", "{{"),
    ],
)
def test_macros(content, text):
    assert filled(content, "Inosuke", "Bạn") == text


def test_nothing_is_drawn_by_chance():
    content = "{{random:a,b,c,d,e,f,g,h}}{{roll:1000}}"
    assert filled(content, "", "", "x") == filled(content, "", "", "x")
    assert len({filled(content, "", "", str(n)) for n in range(20)}) > 10
    pick = "{{pick:a,b,c,d,e,f,g,h}}"
    assert len({filled(pick, "", "", str(n)) for n in range(20)}) == 1
