"""Writes a Space that needs no server: the chat page, llama.cpp as WebAssembly, and the run's GGUF in parts."""

from __future__ import annotations

import hashlib
import html
import json
import mimetypes
import shutil
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader

from curation import chat, licences
from curation.chat.layout import control_tokens
from curation.errors import InosukeError
from curation.files import sha256_file
from curation.newest import find_run
from serve.answering.default_settings import default_settings
from serve.config import ServerConfig
from serve.engines.prompts import Reader, prove
from serve.engines.tokenizer import ChatTokenizer
from serve.engines.window import SMALLEST_DEFAULT
from serve.http import page
from serve.http.responses import LIMITS, Info
from serve.model_files import gguf_choice
from serve.model_files.gguf_choice import Gguf
from serve.model_files.gguf_header import read_header
from serve.model_files.portrait import load_portrait
from serve.model_files.served_run import MODELS, Run, checked_run
from serve.space.card import terms_of, write_card
from serve.space.filling import check_empty, files_of, filling, text_file
from serve.space.lorebook_pieces import lorebook_pieces, untold
from serve.space.prompt_pieces import plain_tokenizer, prompt_pieces

CARD = "README.static.md.template"
# A part is kept in the browser's cache as a whole and hashed in memory.
PART_BYTES = 60 * 2**20
# wllama reads a file with `ftell`, whose numbers end there, and a page has at most 4 GB for everything.
MOST_BYTES = 2**31 - 1
# As strict as wllama lets it be: it compiles WebAssembly, and its worker comes from a blob.
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "worker-src 'self' blob:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
)
# What page/local/draw.js and model.js apply of the optional settings.
HONOURS = ("continue_final_message", "dry_multiplier", "min_p", "repetition_penalty", "top_k")
_HERE = Path(__file__).parent
_WEB = _HERE.parent / "web"
_BESIDE = 0.3  # GB that program, cache and page take beside the weights


def write_static_space(
    out: Path,
    run_name: str | None = None,
    root: Path = Path(),
    api: Any = None,
    *,
    base_licence: str | None = None,
    licence_known: bool = False,
    part_bytes: int = PART_BYTES,
) -> list[Path]:
    """Write the folder and return its files, relative to it. ``out`` may contain nothing but a ``.git``.

    The weights are cut into parts of at most ``part_bytes``.

    Raises InosukeError for a run without a GGUF file, or with one that is too large for a browser, and as
    :func:`serve.space.folder.write_space` does for licences.
    """
    check_empty(out)
    run = checked_run(root, run_name, weights=False)
    gguf = _gguf(find_run(root / MODELS, run_name))
    tokenizer = ChatTokenizer(run.folder / "tokenizer")
    prove(run, tokenizer)
    terms = terms_of(run, True, base_licence, licence_known)
    licence_text = licences.text_of(terms.licence, run.folder, api) if terms else None
    portrait = load_portrait(run.persona, root)
    picture = "portrait" + (mimetypes.guess_extension(portrait.mimetype) or "")
    bytes_ = gguf.path.stat().st_size
    with filling(out) as part:
        # A page for one character has no list of characters and no room.
        shutil.copytree(_WEB / "static", part / "static", ignore=shutil.ignore_patterns("room", "characters.css"))
        for name in ("local", "vendor"):
            shutil.copytree(
                _HERE / "page" / name,
                part / "static" / name,
                ignore=shutil.ignore_patterns("*.d.ts"),
                dirs_exist_ok=True,
            )
        for name in ("transport.js", "local.css"):
            shutil.copyfile(_HERE / "page" / name, part / "static" / name)
        for types in part.rglob("*.d.ts"):
            types.unlink()
        (part / picture).write_bytes(portrait.data)
        weights = _write_parts(part, gguf.path, part_bytes)
        text_file(part / "space.json", _json(_space(run, gguf, tokenizer) | {"weights": weights}))
        text_file(part / "tokenizer.json", _json(plain_tokenizer(run.folder / "tokenizer")))
        text_file(part / "index.html", _page(run, picture, portrait.mimetype))
        memory = f"{bytes_ / 1e9 + _BESIDE:.1f}"
        megabytes = str(round(bytes_ / 1e6))
        write_card(part, CARD, run, terms, megabytes=megabytes, memory=memory, untold=_untold_section(run))
        if terms:
            licences.write_files(part, terms, licence_text)
        text_file(part / "sw.js", _service_worker(part, [entry["file"] for entry in weights["parts"]]))
        text_file(part / ".gitattributes", "*.gguf-part filter=lfs diff=lfs merge=lfs -text\n*.wasm -text\n")
    return files_of(out)


def untold_facts(run_name: str | None, root: Path = Path()) -> list[str]:
    """Return the names of the facts of a run's lorebook that a static page does not tell."""
    return _untold(checked_run(root, run_name, weights=False))


def _untold(run: Run) -> list[str]:
    book = run.persona.book if run.prompt == "chat" else None
    return [f"{entry.name} (entry {entry.number})" for entry in untold(book)] if book else []


def _untold_section(run: Run) -> str:
    names = [html.escape(" ".join(name.split()), quote=False) for name in _untold(run)]
    text = "Facts of the lorebook that a pattern makes fire are not told here; a server tells them:"
    return "\n".join([text, "", *(f"- {name}" for name in names), "", ""]) if names else ""


def _gguf(folder: Path) -> Gguf:
    if not gguf_choice.available(folder):
        raise InosukeError(
            f"the run {folder.name} has no GGUF file, which a page without a server runs. Make one with "
            f"`inosuke gguf {folder.name}`, or leave --static out."
        )
    gguf = gguf_choice.choose(folder)
    if (size := gguf.path.stat().st_size) > MOST_BYTES:
        raise InosukeError(
            f"{gguf.path} has {size / 1e9:.1f} GB, and a browser loads at most {MOST_BYTES / 1e9:.1f} GB. Make a "
            "smaller one with `inosuke gguf`, train a smaller base (`inosuke bases`), or leave --static out."
        )
    return gguf


def _space(run: Run, gguf: Gguf, tokenizer: ChatTokenizer) -> dict[str, Any]:
    """Return what the page knows of the run, in place of what a server tells."""
    context = min(read_header(gguf.path).context or SMALLEST_DEFAULT, SMALLEST_DEFAULT)
    settings, _ = default_settings(ServerConfig(), run)
    info = Info(
        character=run.persona.name,
        languages=run.persona.languages,
        engine="wllama",
        model=f"{run.base_name} + {run.name} ({gguf.type})",
        context=context,
        window=Reader(tokenizer, run.persona, context, run.prompt).room(settings),
        remembers=run.prompt == "chat",
        sums_up=False,
        run=run.name,
        base=run.base_name,
        dataset=run.dataset,
        limits=LIMITS,
        settings=settings,
        feedback=False,
        honours=HONOURS,
    )
    return {
        "info": info.model_dump(mode="json"),
        "context": context,
        "loops": "loop" not in run.persona.checks.off,
        "ends": sorted({chat.end_of_turn(tokenizer, run.prompt), *control_tokens(tokenizer).values()}),
        "layout": prompt_pieces(tokenizer, run.persona, run.prompt),
        "lorebook": lorebook_pieces(run.persona) if run.prompt == "chat" else None,
    }


def _write_parts(part: Path, path: Path, most: int) -> dict[str, Any]:
    """Cut the file into parts and return their list. The names change with the file, so no cache mixes two models."""
    folder = part / "weights"
    folder.mkdir()
    name = sha256_file(path)[:12]
    parts: list[dict[str, Any]] = []
    with path.open("rb") as file:
        while data := file.read(most):
            target = folder / f"{name}-{len(parts) + 1:02}.gguf-part"
            target.write_bytes(data)
            digest = hashlib.sha256(data).hexdigest()
            parts.append({"file": f"weights/{target.name}", "bytes": len(data), "sha256": digest})
    return {"bytes": path.stat().st_size, "parts": parts}


def _page(run: Run, portrait: str, portrait_type: str) -> str:
    """Render the served page's own template, with addresses that hold wherever the folder lies."""
    environment = Environment(loader=FileSystemLoader(_WEB / "templates"), autoescape=True)
    environment.globals["url_for"] = lambda _, filename: f"static/{filename}"
    shown = page.variables(run.persona, portrait, portrait_type)
    return environment.get_template(page.TEMPLATE).render(**shown, policy=POLICY, styles=("local",)) + "\n"


def _service_worker(part: Path, parts: list[str]) -> str:
    """Return the service worker with the list of what it keeps, under a version that changes with any of it."""
    kept = [
        p for p in files_of(part) if p.parts[0] == "static" or p.name in ("index.html", "space.json", "tokenizer.json")
    ]
    kept += [p.relative_to(part) for p in part.glob("portrait.*")]
    version = hashlib.sha256()
    for path in kept:
        version.update(path.as_posix().encode() + b"\0" + sha256_file(part / path).encode())
    names = [path.as_posix() for path in kept]
    known = {"VERSION": version.hexdigest()[:16], "FILES": names, "PARTS": parts}
    lines = "".join(f"const {name} = {_json(value)};\n" for name, value in known.items())
    return lines + (_HERE / "page" / "sw.js").read_text(encoding="utf-8")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
