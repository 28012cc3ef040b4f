"""Chat templates of every kind that breaks a trainer: what is trained is what is served, and no base is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from curation import chat
from curation.chat.layout import layout_of
from curation.errors import InosukeError
from curation.persona import Persona
from curation.record import Message
from tests.tools.tokenizers import chatml_tokenizer, tokenizer_for

TALK = [Message("user", "U1"), Message("assistant", "A1"), Message("user", "U2"), Message("assistant", "A2")]
TURN = "<|im_start|>{{ m.role }}\n"
CUE = "{% if add_generation_prompt %}<|im_start|>assistant\n"
FOR = "{% for m in messages %}"
END = "{% endfor %}"

# Each template, and what the dialogue above becomes with the system prompt S.
KINDS = {
    "a block for thoughts in the last reply alone": (
        FOR + TURN + "{% if loop.last and m.role == 'assistant' %}<think>\n\n</think>\n\n{% endif %}"
        "{{ m.content }}<|im_end|>\n" + END + CUE + "{% if enable_thinking is defined and not enable_thinking %}"
        "<think>\n\n</think>\n\n{% endif %}{% endif %}",
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU1<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n\n</think>\n\nA1<|im_end|>\n<|im_start|>user\nU2<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n\n</think>\n\nA2<|im_end|>\n",
    ),
    "a block for thoughts in every reply": (
        FOR
        + TURN
        + "{% if m.role == 'assistant' %}<think>\n\n</think>\n\n{% endif %}{{ m.content }}<|im_end|>\n"
        + END
        + CUE
        + "<think>\n{% endif %}",
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU1<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n\n</think>\n\nA1<|im_end|>\n<|im_start|>user\nU2<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n\n</think>\n\nA2<|im_end|>\n",
    ),
    "a cue that opens a block for thoughts": (
        FOR + TURN + "{{ m.content }}<|im_end|>\n" + END + CUE + "<think>\n{% endif %}",
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU1<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n\n</think>\n\nA1<|im_end|>\n<|im_start|>user\nU2<|im_end|>\n"
        "<|im_start|>assistant\n<think>\n\n</think>\n\nA2<|im_end|>\n",
    ),
    "channels": (
        FOR + "<|start|>{{ m.role }}{% if m.role == 'assistant' %}<|channel|>final{% endif %}<|message|>{{ m.content }}"
        "{% if loop.last and m.role == 'assistant' %}<|return|>{% else %}<|end|>{% endif %}"
        + END
        + "{% if add_generation_prompt %}<|start|>assistant{% endif %}",
        "<|start|>system<|message|>S<|end|><|start|>user<|message|>U1<|end|>"
        "<|start|>assistant<|channel|>final<|message|>A1<|end|><|start|>user<|message|>U2<|end|>"
        "<|start|>assistant<|channel|>final<|message|>A2<|end|><|return|>",
    ),
    "no role for the system": (
        "<BOS>" + FOR + "{% if m.role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
        "{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('must alternate') }}{% endif %}"
        "<start_of_turn>{{ m.role }}\n{{ m.content | trim }}<end_of_turn>\n"
        + END
        + "{% if add_generation_prompt %}<start_of_turn>assistant\n{% endif %}",
        "<BOS><start_of_turn>user\nS\n\nU1<end_of_turn>\n<start_of_turn>assistant\nA1<end_of_turn>\n"
        "<start_of_turn>user\nU2<end_of_turn>\n<start_of_turn>assistant\nA2<end_of_turn>\n",
    ),
    "a system turn left out": (
        FOR
        + "{% if m.role != 'system' %}"
        + TURN
        + "{{ m.content }}<|im_end|>\n{% endif %}"
        + END
        + CUE
        + "{% endif %}",
        "<|im_start|>user\nS\n\nU1<|im_end|>\n<|im_start|>assistant\nA1<|im_end|>\n"
        "<|im_start|>user\nU2<|im_end|>\n<|im_start|>assistant\nA2<|im_end|>\n",
    ),
    "the system prompt in the newest user turn": (
        "{% set users = messages | selectattr('role', 'equalto', 'user') | list %}<BOS>"
        + FOR
        + "{% if m.role == 'user' %}[INST] {% if m == users[-1] and messages[0].role == 'system' %}"
        "{{ messages[0].content }}\n\n{% endif %}{{ m.content }}[/INST]"
        "{% elif m.role == 'assistant' %} {{ m.content }}</s>{% endif %}" + END,
        "<BOS>[INST] S\n\nU1[/INST] A1</s>[INST] U2[/INST] A2</s>",
    ),
    "content in parts": (
        FOR + TURN + "{% for part in m.content %}{{ part.text }}{% endfor %}<|im_end|>\n" + END + CUE + "{% endif %}",
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU1<|im_end|>\n<|im_start|>assistant\nA1<|im_end|>\n"
        "<|im_start|>user\nU2<|im_end|>\n<|im_start|>assistant\nA2<|im_end|>\n",
    ),
    "no token at the end of a turn": (
        FOR + "{{ m.role }}: {{ m.content }}\n" + END + "{% if add_generation_prompt %}assistant: {% endif %}",
        "system: S\nuser: U1\nassistant: A1<|im_end|>\nuser: U2\nassistant: A2<|im_end|>\n",
    ),
    "the next role's token ends a turn": (
        FOR + "<|{{ m.role }}|>\n{{ m.content }}" + END + "{% if add_generation_prompt %}<|assistant|>\n{% endif %}"
        "{# <|system|><|user|> #}",
        "<|system|>\nS<|user|>\nU1<|assistant|>\nA1<|user|>\nU2<|assistant|>\nA2<|user|>",
    ),
    "the date of today": (
        "{{ strftime_now('%Y-%m-%d') }}" + FOR + TURN + "{{ m.content }}<|im_end|>\n" + END + CUE + "{% endif %}",
        "2024-07-26<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU1<|im_end|>\n"
        "<|im_start|>assistant\nA1<|im_end|>\n<|im_start|>user\nU2<|im_end|>\n<|im_start|>assistant\nA2<|im_end|>\n",
    ),
    "marks for a trainer": (
        FOR + "{% if m.role == 'assistant' %}<|im_start|>assistant\n{% generation %}{{ m.content }}<|im_end|>\n"
        "{% endgeneration %}{% else %}" + TURN + "{{ m.content }}<|im_end|>\n{% endif %}" + END + CUE + "{% endif %}",
        "<|im_start|>system\nS<|im_end|>\n<|im_start|>user\nU1<|im_end|>\n<|im_start|>assistant\nA1<|im_end|>\n"
        "<|im_start|>user\nU2<|im_end|>\n<|im_start|>assistant\nA2<|im_end|>\n",
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_template_of_every_kind_is_rendered_the_same_for_training_and_serving(kind: str, persona: Persona) -> None:
    template, expected = KINDS[kind]
    tokenizer = tokenizer_for(template)
    chat.prove([TALK, *chat.EXAMPLES], tokenizer, persona)
    out = chat.render([Message("system", "S"), *TALK], tokenizer, persona)
    assert tokenizer.decode(out.input_ids) == expected
    counted = tokenizer.decode([i for i, m in zip(out.input_ids, out.loss_mask, strict=True) if m])
    end = layout_of(tokenizer, "chat").end
    assert counted == f"A1{end}A2{end}"
    assert chat.end_of_turn(tokenizer) == tokenizer.convert_tokens_to_ids(end)


def trl_templates() -> list[Path]:
    """Return the original templates that trl carries; none where it is not installed (it is in the extra `bench`)."""
    try:
        import trl
    except ImportError:
        return []
    folder = Path(trl.__file__).parent / "chat_templates"
    return [file for file in sorted(folder.glob("*.jinja")) if not file.stem.endswith("_training")]


@pytest.mark.parametrize("file", trl_templates(), ids=lambda file: file.stem)
def test_every_template_that_trl_carries_is_proved(file: Path, persona: Persona) -> None:
    tokenizer = tokenizer_for(file.read_text(encoding="utf-8"))
    chat.prove([TALK, *chat.EXAMPLES], tokenizer, persona)
    out = chat.render(TALK, tokenizer, persona)
    end = layout_of(tokenizer, "chat").end
    counted = tokenizer.decode([i for i, m in zip(out.input_ids, out.loss_mask, strict=True) if m])
    assert counted == f"A1{end}A2{end}"


def test_two_speakers_in_a_row_are_one_turn_where_a_template_wants_turns_to_alternate(persona: Persona) -> None:
    tokenizer = tokenizer_for(KINDS["no role for the system"][0])
    talk = [
        Message("system", "S"),
        Message("user", "Chạy mau!", "Tanjiro"),
        Message("user", "Tớ sợ!", "Zenitsu"),
        Message("assistant", "Theo ta!"),
        Message("assistant", "Nhanh!"),
    ]
    out = chat.render(talk, tokenizer, persona)
    assert tokenizer.decode(out.input_ids) == (
        "<BOS><start_of_turn>user\nS\n\nTanjiro: Chạy mau!\nZenitsu: Tớ sợ!<end_of_turn>\n"
        "<start_of_turn>assistant\nTheo ta!\nNhanh!<end_of_turn>\n"
    )
    counted = tokenizer.decode([i for i, m in zip(out.input_ids, out.loss_mask, strict=True) if m])
    assert counted == "Theo ta!\nNhanh!<end_of_turn>"


def test_the_character_may_speak_first_where_a_template_wants_the_user_to(persona: Persona) -> None:
    tokenizer = tokenizer_for(KINDS["no role for the system"][0])
    talk = [
        Message("system", "S"),
        Message("assistant", "Hừ!"),
        Message("user", "Chào!"),
        Message("assistant", "Ta đây!"),
    ]
    out = chat.render(talk, tokenizer, persona)
    assert tokenizer.decode(out.input_ids) == (
        "<BOS><start_of_turn>user\nS<end_of_turn>\n<start_of_turn>assistant\nHừ!<end_of_turn>\n"
        "<start_of_turn>user\nChào!<end_of_turn>\n<start_of_turn>assistant\nTa đây!<end_of_turn>\n"
    )


@pytest.mark.parametrize(
    ("template", "says"),
    [
        ("{{ raise_exception('only tools') }}", "refuses a dialogue of .*: only tools"),
        ("{% for m in messages %}{{ m.content.text.upper() }}{% endfor %}", "refuses a dialogue"),
        ("{% for m in messages %}{{ m.content | tojson(ensure_ascii=true) }}{% endfor %}", "changes or drops turn 1"),
        ("{% {", "cannot be read"),
        (None, 'has no chat template.*prompt = "alpaca"'),
    ],
)
def test_a_template_that_cannot_be_used_is_named_with_what_to_do(template: str, says: str, persona: Persona) -> None:
    tokenizer = chatml_tokenizer()
    tokenizer.chat_template = template
    with pytest.raises(InosukeError, match=says) as error:
        chat.render(TALK, tokenizer, persona)
    assert "Choose a" in str(error.value)


def test_a_base_without_a_template_is_proved_with_alpaca_prompts(persona: Persona) -> None:
    tokenizer = chatml_tokenizer()
    tokenizer.chat_template = None
    chat.prove([TALK, *chat.EXAMPLES], tokenizer, persona, "alpaca")
