"""The bodies of ``POST /v1/chat/completions`` and ``POST /v1/completions``.

They follow https://platform.openai.com/docs/api-reference/chat and its page on completions.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from serve.engine import Engine, Settings
from serve.http.openai_parts.messages import MAX_SYSTEM_CHARS, OpenAIMessage
from serve.http.openai_parts.parameters import MOST_ANSWERS, Parameters
from serve.schema import MAX_MESSAGES, InvalidRequest


class Completion(Parameters):
    """A request for the next reply, or for the rest of one: a last message from `assistant` is continued."""

    messages: list[OpenAIMessage] = Field(min_length=1, max_length=MAX_MESSAGES)
    logprobs: bool | None = None
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    continue_final_message: bool | None = None
    add_generation_prompt: bool | None = None

    def chat_settings(self, engine: Engine) -> Settings:
        """Return the sampling settings that are given. Raises InvalidRequest."""
        if self.top_logprobs and not self.logprobs:
            raise InvalidRequest("invalid_request", "`top_logprobs` needs `logprobs` to be true.", "top_logprobs")
        return self.settings(engine, (self.top_logprobs or 0) if self.logprobs else None)

    def check_end(self, engine: Engine, continues: bool) -> None:
        """Raise InvalidRequest where the last message cannot be treated as the request asks."""
        refused = InvalidRequest
        if continues and "continue_final_message" not in engine.honours:
            raise refused(
                "unsupported_parameter",
                f"the last message is from `assistant`, and the engine `{engine.name}` cannot continue it with this "
                "model server. End with a message from `user`.",
                "messages",
            )
        if continues and (self.continue_final_message is False or self.add_generation_prompt):
            key = "continue_final_message" if self.continue_final_message is False else "add_generation_prompt"
            raise refused(
                "invalid_request",
                f"`{key}` asks for a new reply after a last message from `assistant`, which is always continued here. "
                "End with a message from `user`.",
                key,
            )
        if not continues and (self.continue_final_message or self.add_generation_prompt is False):
            key = "continue_final_message" if self.continue_final_message else "add_generation_prompt"
            raise refused(
                "invalid_request", f"`{key}` asks to continue a last message from `assistant`, and there is none.", key
            )


Prompt = Annotated[str, Field(min_length=1, max_length=MAX_SYSTEM_CHARS)]


class TextCompletionRequest(Parameters):
    """A request for the reply to a text. A transcript that ends with the character's label is read as one."""

    prompt: Prompt | list[Prompt] = Field(description=f"One text, or up to {MOST_ANSWERS}.")
    logprobs: int | None = Field(default=None, ge=0, le=10)
    echo: bool | None = Field(default=False, description="Return the prompt before the reply.")

    def prompts(self) -> list[str]:
        """Return the prompts. Raises InvalidRequest where they ask for too many answers."""
        prompts = [self.prompt] if isinstance(self.prompt, str) else self.prompt
        if not 1 <= len(prompts) * (self.n or 1) <= MOST_ANSWERS:
            raise InvalidRequest(
                "invalid_request",
                f"{len(prompts)} prompts with {self.n or 1} answers each; expected 1 to {MOST_ANSWERS} answers.",
                "prompt",
            )
        return prompts
