"""A client's parameters as settings, and the verdict on every other key: harmless, refused by name, or unknown.

A key that changes an answer is honoured or refused, never ignored. Clients also send what changes nothing here; what
is not known here is accepted and named in the response, so that a typing error can be found.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from serve.engine import OPTIONAL, Engine, Settings
from serve.http.openai_parts.known_keys import HARMLESS, REFUSED
from serve.schema import InvalidRequest

MOST_TOKENS = 1024
MOST_STOPS = 4
MOST_CHARS_OF_A_STOP = 64
# Answers to one request. They are made one after another, so that one client takes one place.
MOST_ANSWERS = 4


class StreamOptions(BaseModel):
    """Whether the last chunk of a stream has the token counts. Padding against eavesdroppers is never sent."""

    model_config = ConfigDict(strict=True)

    include_usage: bool = False


class Parameters(BaseModel):
    """What both routes take beside the text to answer. Names of other servers stand beside OpenAI's."""

    model_config = ConfigDict(extra="allow", strict=True)

    model: str | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = Field(default=1, ge=1, le=MOST_ANSWERS)
    best_of: int | None = Field(default=None, ge=1)
    max_tokens: int | None = Field(default=None, ge=-1, description="More than 1024, and -1, count as 1024.")
    max_completion_tokens: int | None = Field(default=None, ge=-1)
    n_predict: int | None = Field(default=None, ge=-1)
    stop: str | list[str] | None = Field(default=None, description="Up to 4 texts of at most 64 characters.")
    seed: int | None = Field(default=None, description="A negative one asks for other words each time.")
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    top_k: int | None = Field(default=None, ge=-1, le=1000)
    min_p: float | None = Field(default=None, ge=0, lt=1)
    typical_p: float | None = Field(default=None, gt=0, le=1)
    typ_p: float | None = Field(default=None, gt=0, le=1)
    frequency_penalty: float | None = Field(default=None, ge=-2, le=2)
    presence_penalty: float | None = Field(default=None, ge=-2, le=2)
    repetition_penalty: float | None = Field(default=None, ge=1, le=2)
    repeat_penalty: float | None = Field(default=None, ge=1, le=2)
    dry_multiplier: float | None = Field(default=None, ge=0, le=5)
    logit_bias: dict[str, Annotated[float, Field(ge=-100, le=100)]] | None = Field(default=None, max_length=1024)
    response_format: dict[str, Any] | None = None
    json_schema: dict[str, Any] | None = None

    # Settings by the keys that a client may use for them, the first of which counts.
    names: ClassVar[dict[str, tuple[str, ...]]] = {
        "max_new_tokens": ("max_completion_tokens", "max_tokens", "n_predict"),
        "typical_p": ("typical_p", "typ_p"),
        "repetition_penalty": ("repetition_penalty", "repeat_penalty"),
        "json_schema": ("response_format", "json_schema"),
    }

    @field_validator("n", "best_of", "max_tokens", "max_completion_tokens", "n_predict", "seed", "top_k", mode="before")
    @classmethod
    def _is_whole(cls, value: Any) -> Any:
        """Accept 200.0, which some clients write for 200."""
        return int(value) if isinstance(value, float) and value.is_integer() else value

    @field_validator("stop", mode="before")
    @classmethod
    def _are_stops(cls, stop: Any) -> Any:
        texts = stop if isinstance(stop, list) else [] if stop is None else [stop]
        if len(texts) > MOST_STOPS:
            raise ValueError(f"there are {len(texts)} stop texts; expected at most {MOST_STOPS}")
        for text in texts:
            if not isinstance(text, str):
                raise ValueError("expected a text, or a list of texts")
            if not 0 < len(text) <= MOST_CHARS_OF_A_STOP:
                raise ValueError(f"a stop text has {len(text)} characters; expected 1 to {MOST_CHARS_OF_A_STOP}")
        return stop

    @field_validator("max_tokens", "max_completion_tokens", "n_predict")
    @classmethod
    def _is_a_length(cls, most: int | None) -> int | None:
        if most == 0:
            raise ValueError("expected at least 1, or -1 for as many as there may be")
        return most

    @field_validator("logit_bias")
    @classmethod
    def _are_tokens(cls, biases: dict[str, float] | None) -> dict[str, float] | None:
        for token in biases or {}:
            if not (token.isascii() and token.isdigit() and int(token) < 2**31):
                raise ValueError(f"{token[:40]!r} is not the id of a token; expected a number, as /tokenize returns")
        return biases

    @property
    def stops(self) -> tuple[str, ...]:
        """The texts that end the reply."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())

    @property
    def with_usage(self) -> bool:
        """Whether a stream ends with the token counts."""
        return self.stream_options is not None and self.stream_options.include_usage

    def settings(self, engine: Engine, logprobs: int | None) -> Settings:
        """Return the sampling settings that are given. Raises InvalidRequest for what ``engine`` does not honour."""
        if self.best_of is not None and self.best_of > (self.n or 1):
            raise _refused("best_of", "is not supported: every answer that is made is returned")
        given = {name: self._first(keys) for name, keys in self.names.items()}
        for name in ("temperature", "top_p", "top_k", "min_p", "frequency_penalty", "presence_penalty", "seed"):
            given[name] = getattr(self, name)
        most, seed, top_k = given["max_new_tokens"], self.seed, self.top_k
        given |= {
            "max_new_tokens": most and (MOST_TOKENS if most < 0 else min(most, MOST_TOKENS)),
            "dry_multiplier": self.dry_multiplier,
            "top_k": top_k and max(top_k, 0),
            "seed": None if seed is None or seed < 0 else seed % 2**63,
            "stop": self.stops or None,
            "logit_bias": {int(token): bias for token, bias in (self.logit_bias or {}).items()} or None,
            "logprobs": logprobs,
            "json_schema": self._form(),
        }
        settings = _settings({name: value for name, value in given.items() if value is not None})
        check_honoured(engine, settings, {name: self._key(keys) for name, keys in self.names.items()})
        return settings

    def unknown(self) -> tuple[str, ...]:
        """Return the keys that are not known here. Raises InvalidRequest for those that change an answer."""
        extra = self.model_extra or {}
        for key, value in extra.items():
            if key == "stopping_strings" and value and tuple(value) != self.stops:
                raise _refused(key, "differs from `stop`, which is the name here")
            if key in REFUSED and value and value not in REFUSED[key]:
                raise _refused(key, "is not supported: it would change the answer, and no engine here knows it")
        return tuple(key for key in extra if key not in HARMLESS and key not in REFUSED and key != "stopping_strings")

    def _key(self, keys: Iterable[str]) -> str:
        keys = tuple(keys)
        return next((key for key in keys if getattr(self, key) is not None), keys[0])

    def _first(self, keys: tuple[str, ...]) -> Any:
        values = {key: value for key in keys if (value := getattr(self, key)) is not None}
        if keys[0] in values and len(set(map(str, values.values()))) > 1 and "max_tokens" not in keys:
            raise _refused(keys[1], f"and `{keys[0]}` are two names of one thing, with different values")
        return next(iter(values.values()), None)

    def _form(self) -> dict[str, Any] | None:
        """Return the JSON Schema that the reply must follow."""
        kind = (self.response_format or {"type": "text"}).get("type")
        if kind == "text":
            return self.json_schema
        if kind == "json_object":
            given = self.response_format.get("schema") if self.response_format else None  # llama.cpp's own addition
            return given if isinstance(given, dict) else {"type": "object"}
        wrapped = (self.response_format or {}).get("json_schema")
        schema = wrapped.get("schema") if isinstance(wrapped, dict) else None
        if kind != "json_schema" or not isinstance(schema, dict):
            raise InvalidRequest(
                "invalid_request",
                f"`response_format` is {str(self.response_format)[:60]}; expected the type `text`, `json_object`, or "
                "`json_schema` with an object at `json_schema.schema`.",
                "response_format",
            )
        return schema


def check_honoured(engine: Engine, settings: Settings, keys: Mapping[str, str] | None = None) -> None:
    """Raise InvalidRequest for a given setting that the engine does not honour, under the key that the client used."""
    for name in settings.model_fields_set:
        if name in OPTIONAL and name not in engine.honours and getattr(settings, name) != OPTIONAL[name]:
            raise _refused((keys or {}).get(name, name), f"is not supported by the engine `{engine.name}`")


def _settings(given: dict[str, Any]) -> Settings:
    try:
        return Settings(**given)
    except ValueError as error:
        # All else is checked above under the client's own names.
        problem = error.errors()[0] if hasattr(error, "errors") else {"msg": str(error)}
        message = str(problem["msg"]).removeprefix("Value error, ")
        raise InvalidRequest("invalid_request", f"`response_format`: {message}.", "response_format") from None


def _refused(key: str, why: str) -> InvalidRequest:
    return InvalidRequest("unsupported_parameter", f"`{key}` {why}. Leave it out.", key)
