"""A room: characters of one server and the visitor talk in turns. ``POST /api/room`` and the page ``/room/``.

Who may be in a room stands in each persona.toml (``[rooms]``); what a character reads of it is made by
:func:`curation.room.heard`. Like a chat, a room is kept by its client: each request carries the whole of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any

from flask import Blueprint, Response, current_app, redirect, render_template, stream_with_context
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from curation.persona import Persona
from curation.room import Line, foreign_names, next_speaker, own_names, unwilling
from serve.answering import answers
from serve.answering.room import readable
from serve.answering.service import Service
from serve.engine import Done, Settings
from serve.http import api, errors, sse
from serve.http.current import client_gone, json_body
from serve.http.openapi import described
from serve.http.page import LANGUAGES
from serve.http.responses import Ending, json_response, plain
from serve.schema import MAX_CHARS, MAX_MESSAGES, InvalidRequest, only_text, text_problem, validated
from serve.speaking.own_words import Labels

blueprint = Blueprint("rooms", __name__)

PATH = "room"
MOST = 8  # characters in a room
MAX_NAME = 60  # characters of the visitor's name


def _text(content: str) -> str:
    if wrong := text_problem(content):
        raise ValueError(wrong)
    return content


def _name(name: str) -> str:
    if only_text(name) != name or "\n" in name or ":" in name or "：" in name:
        raise ValueError("expected a name: one line without a colon")
    return name.strip()


Id = Annotated[str, Field(min_length=1, max_length=64, strict=True, description="A character's id under `/v1/models`.")]


class TurnIn(BaseModel):
    """What someone said. ``speaker`` is a character's id; left out or null for the visitor."""

    model_config = ConfigDict(extra="forbid", strict=True)

    speaker: Id | None = None
    content: Annotated[str, Field(max_length=MAX_CHARS), AfterValidator(_text)]


class RoomRequest(BaseModel):
    """The whole conversation so far, the oldest turn first. The last turn is the one to answer."""

    model_config = ConfigDict(extra="forbid")

    speakers: list[Id] = Field(min_length=2, max_length=MOST, description="The characters in the room.")
    turns: list[TurnIn] = Field(min_length=1, max_length=MAX_MESSAGES)
    next: Id | None = Field(
        default=None,
        description="Who answers. Left out, it is whoever the last turn names, else whoever spoke longest ago.",
    )
    visitor: Annotated[str, Field(max_length=MAX_NAME, strict=True), AfterValidator(_name)] = Field(
        default="", description="What the characters read as the visitor's name where others speak too."
    )
    settings: Settings = Field(default_factory=Settings)
    stream: bool = Field(default=False, strict=True)

    @model_validator(mode="after")
    def _people_are_in_the_room(self) -> RoomRequest:
        if len(set(self.speakers)) < len(self.speakers):
            raise ValueError("`speakers`: a character is named twice; expected each once")
        wanted = [("next", self.next), *((f"turns.{n}.speaker", turn.speaker) for n, turn in enumerate(self.turns))]
        for key, who in wanted:
            if who is not None and who not in self.speakers:
                raise ValueError(f"`{key}` is {who!r}; expected one of `speakers` ({', '.join(self.speakers)})")
        if self.next is not None and self.next == self.turns[-1].speaker:
            raise ValueError(f"`next`: {self.next} said the last turn; expected another speaker to answer it")
        return self


class RoomEnding(Ending):
    """How an answer ended, and who gave it."""

    speaker: str


class RoomReply(RoomEnding):
    """A whole answer."""

    reply: str


@blueprint.post("/api/room")
@described(RoomReply, sse.TYPE, body=RoomRequest, errors=(404, *errors.OF_ANSWERS))
def answer() -> Response:
    """Let a character answer in a room; a stream with `stream`, or with `Accept: text/event-stream`."""
    body = validated(RoomRequest, json_body())
    services = _services()
    if unknown := [who for who in body.speakers if who not in services]:
        known = ", ".join(services)
        return errors.problem("character_not_found", f"{unknown[0]!r} is not here. Expected some of {known}.", 404)
    people = {who: services[who].persona for who in body.speakers}
    if found := unwilling(people.values()):
        return errors.problem("no_consent", _no_consent(*found), 403)
    if taken := next((p for p in people.values() if p.is_character(body.visitor)), None):
        raise InvalidRequest(
            "name_taken", f"`visitor` is a name of {taken.name}, who is in the room. Expected another.", "visitor"
        )
    lines = [Line(turn.speaker, turn.content) for turn in body.turns]
    speaker = body.next or next_speaker(lines, people)
    serving = services[speaker]
    settings = api.settings_over(serving, body.settings)
    labels = Labels(own_names(speaker, people), foreign_names(speaker, people, body.visitor))
    turns, left_out = readable(serving, lines, speaker, people, body.visitor, settings)
    stream = body.stream or api.wants_stream()
    events = answers.begin(
        serving, turns, settings, client_gone(), stream, None if settings.json_schema is not None else labels
    )

    def ending(done: Done) -> RoomEnding:
        read = replace(done, dropped=done.dropped + left_out)
        return RoomEnding(speaker=speaker, **dict(api.ending(read, serving)))

    def told() -> Iterator[bytes]:
        yield sse.encode("speaker", {"speaker": speaker, "name": serving.persona.name})
        yield from api.event_stream(events, ending)

    if stream:
        return sse.response(stream_with_context(told()))
    text, done = answers.whole(events)
    return json_response(RoomReply(reply=text, **plain(ending(done))))


@blueprint.get(f"/{PATH}/")
@described(None, "text/html", errors=(404,))
def page() -> Any:
    """Return the page of the room; everything else that it does goes through the API."""
    if not willing(_services()):
        return errors.problem(
            "not_found",
            "there is no room here: it needs two characters that may meet. Their authors set allowed = true below "
            "[rooms] in persona.toml.",
            404,
        )
    people = _people(_services())
    first = people[0]
    spoken = list(dict.fromkeys(code for one in people for code in one["languages"]))
    return render_template(
        "room.html",
        language=next((code for code in spoken if code in LANGUAGES), LANGUAGES[0]),
        title=", ".join(one["name"] for one in people),
        icon=first["portrait"],
        people=people,
        # What the page's shared modules ask of a persona.
        persona={
            "name": ", ".join(one["name"] for one in people),
            "place": PATH,
            "portrait": first["portrait"],
            "languages": spoken,
            "greetings": {},
            "starters": {},
            "notice": {},
        },
    )


@blueprint.get(f"/{PATH}")
def without_slash() -> Any:
    """Lead to the page. Werkzeug would name a scheme and a host, which a proxy in front may have changed."""
    return redirect(f"{PATH}/", 308)


def willing(services: Mapping[str, Service]) -> dict[str, list[str]]:
    """Return those who may be in a room with anyone here, each with whom."""
    found = {
        who: [other for other, theirs in services.items() if other != who and _may_meet(one.persona, theirs.persona)]
        for who, one in services.items()
    }
    return {who: others for who, others in found.items() if others}


def _may_meet(one: Persona, other: Persona) -> bool:
    return unwilling((one, other)) is None


def _people(services: Mapping[str, Service]) -> list[dict[str, Any]]:
    return [
        {
            "id": who,
            "name": services[who].persona.name,
            "portrait": f"../{who}/portrait",
            "languages": services[who].persona.languages,
            "greetings": services[who].persona.greetings,
            "with": others,
        }
        for who, others in willing(services).items()
    ]


def _no_consent(one: Persona, other: Persona) -> str:
    why = (
        f"names only {', '.join(one.rooms.others)} in `with` below [rooms]"
        if one.rooms.allowed
        else "does not set allowed = true below [rooms]"
    )
    return f"{one.name} may not be in a room with {other.name}: the persona.toml of {one.name} {why}."


def _services() -> Mapping[str, Service]:
    found: Mapping[str, Service] = current_app.extensions["inosuke"].services
    return found
