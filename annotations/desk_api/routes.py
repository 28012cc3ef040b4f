"""The routes: who asks, whether the request is well-formed, and how errors become answers.

A request counts with a token in ``X-Desk-Token`` and a JSON body. Another site's page cannot send either without the
browser asking this server first, which answers no. What is returned for an error:

==== ==============================================================================================
401  no token, or one that does not count: sign in again
409  ``stale``, ``leased``, ``adjudicator``, ``built_upon``, ``draft``: someone else was there first
422  ``bad``: the request contradicts itself or is incomplete
404  ``unknown``: no such sample
503  ``store``: the database cannot be used now; sending the same request again is safe
==== ==============================================================================================
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from annotations.desk_api import judging, naming, opening, pairing, parts, suggesting, writing
from annotations.desk_api.bodies import (
    Body,
    Check,
    Cluster,
    DropDraft,
    Keep,
    Name,
    Open,
    Part,
    Progress,
    Same,
    SaveDraft,
    Suggest,
    Undo,
    Unname,
    Unsame,
    Verdict,
)
from annotations.signing import Way, signed
from annotations.store.queries import Filters
from annotations.store.types import BadVerdict, BuiltUpon, Leased, NeedsAdjudicator, StaleVerdict, UnknownSample
from annotations.ui import remember, stage_files
from annotations.ui.access import from_elsewhere
from annotations.ui.sample.item_page import payload
from annotations.ui.session import Desk, open_desk
from curation.codes import Language
from curation.errors import InosukeError, UsageError

# A rewrite of 100,000 characters, each escaped, and some room.
_MOST_BYTES = 4_000_000

B = TypeVar("B", bound=Body)


def desk_routes(prefix: str, way: Callable[[], Way]) -> list[Route]:
    """Return the desk's routes under ``prefix`` (``/desk``). ``way`` returns how people sign in at this server now."""
    table: tuple[tuple[str, str, Callable[[Request], Awaitable[Response]]], ...] = (
        ("POST", "open", _endpoint(Open, opening.open_sample, way)),
        ("POST", "more", _endpoint(Open, opening.more, way)),
        ("POST", "keep", _endpoint(Keep, opening.keep, way)),
        ("POST", "part", _endpoint(Part, parts.part, way)),
        ("POST", "progress", _endpoint(Progress, opening.progress, way)),
        ("POST", "verdict", _endpoint(Verdict, judging.verdict, way)),
        ("POST", "cluster", _endpoint(Cluster, judging.cluster, way)),
        ("POST", "undo", _endpoint(Undo, judging.undo, way)),
        ("POST", "name", _endpoint(Name, naming.name_scene, way)),
        ("POST", "unname", _endpoint(Unname, naming.unname_scene, way)),
        ("POST", "same", _endpoint(Same, pairing.same, way)),
        ("POST", "unsame", _endpoint(Unsame, pairing.unsame, way)),
        ("POST", "suggest", _endpoint(Suggest, suggesting.suggest, way)),
        ("PUT", "draft", _endpoint(SaveDraft, writing.save_draft, way)),
        ("DELETE", "draft", _endpoint(DropDraft, writing.drop_draft, way)),
        ("POST", "check", _endpoint(Check, writing.check, way)),
    )
    served = [Route(f"{prefix}/{path}", endpoint, methods=[method]) for method, path, endpoint in table]
    served.append(remember.route(prefix, way, lambda: open_desk("vi").store))
    return [*served, Route(f"{prefix}/static/{{version}}/{{name}}", _static, methods=["GET"])]


def _endpoint(
    kind: type[B], action: Callable[[Desk, B], dict[str, Any]], way: Callable[[], Way]
) -> Callable[[Request], Awaitable[Response]]:
    async def endpoint(request: Request) -> Response:
        if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
            return _refuse(415, "bad", "expected a JSON body with Content-Type: application/json.")
        raw = b""
        async for chunk in request.stream():
            raw += chunk
            if len(raw) > _MOST_BYTES:
                return _refuse(413, "bad", f"the request is larger than {_MOST_BYTES:,} bytes.")
        return await run_in_threadpool(_answer, kind, action, way, request.headers, raw)

    return endpoint


def _answer(
    kind: type[B], action: Callable[[Desk, B], dict[str, Any]], way: Callable[[], Way], headers: Headers, raw: bytes
) -> Response:
    try:
        asked = json.loads(raw or b"{}")
        language: Language = "en" if isinstance(asked, dict) and asked.get("language") == "en" else "vi"
        desk = open_desk(language)
        how = way()
        who = signed(desk.store, headers.get("x-desk-token", ""), how)
        role = desk.store.people.roles().get(who) if who else None
        if how == "name" and from_elsewhere(headers) is not None:
            role = None  # the page refuses such a visitor, too
        if who is None or role is None:
            return _refuse(401, "signed_out", desk.say("signed_out"))
        body = kind.model_validate(asked)
        desk = replace(desk.signed_in(who, role, how), filters=Filters(**body.filters))
        return JSONResponse(action(desk, body))
    except (ValidationError, json.JSONDecodeError, UnicodeDecodeError, TypeError) as error:
        return _refuse(422, "bad", f"the request is not what the desk expects: {_first(error)}. Reload the page.")
    except StaleVerdict as stale:
        words = desk.say("stale_own" if stale.by == desk.who else "stale", who=stale.by)
        return _refuse(409, "stale", words, by=stale.by, item=payload(desk, stale.item))
    except Leased as leased:
        return _refuse(409, "leased", desk.say("held", names=", ".join(leased.holders)), by=", ".join(leased.holders))
    except writing.OtherDraft as other:
        return _refuse(409, "draft", desk.say("draft_elsewhere"), theirs=other.theirs)
    except NeedsAdjudicator as error:
        return _refuse(409, "adjudicator", str(error))
    except BuiltUpon as error:
        return _refuse(409, "built_upon", str(error))
    except UnknownSample as error:
        return _refuse(404, "unknown", str(error))
    except (BadVerdict, UsageError) as error:
        return _refuse(422, "bad", str(error))
    except InosukeError as error:
        return _refuse(503, "store", str(error))


def _refuse(status: int, refused: str, message: str, **values: Any) -> JSONResponse:
    return JSONResponse({"refused": refused, "message": message, **values}, status_code=status)


def _first(error: Exception) -> str:
    if isinstance(error, ValidationError):
        detail = error.errors()[0]
        return f"{'.'.join(str(p) for p in detail['loc'])}: {detail['msg']}"
    return str(error)


async def _static(request: Request) -> Response:
    """Return one of the stage's files. The address holds a hash of all of them, so a browser may keep it for ever."""
    found = stage_files.read(request.path_params["version"], request.path_params["name"])
    if found is None:
        return Response("not found", status_code=404, media_type="text/plain")
    text, media_type = found
    headers = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
    return Response(text, media_type=media_type, headers=headers)
