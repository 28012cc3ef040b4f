"""A stand-in for the Hugging Face Hub: the HTTP API that `huggingface_hub` and `datasets` use, on loopback, in memory.

It stores commits as whole trees and large files (``*.parquet``, ``*.png``, weights) by SHA-256, as the real Hub does.
It has two accounts: `writer` may write under its own name, `reader` may not write. Faults are attributes:
``cut_uploads`` and ``cut_commits`` break that many connections in the middle, ``race`` lets another client commit
first, ``echo`` repeats the token in an error. ``refusals`` are answers that the next requests to a path get.
``renamed`` forwards an old name to a new one, as the real Hub does.

To try the commands by hand without an account, run ``python -m tests.tools.hub`` and export what it prints.
"""

from __future__ import annotations

import base64
import hashlib
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import yaml
from flask import Flask, Response, abort, jsonify, request
from werkzeug.serving import WSGIRequestHandler, make_server

WRITER, READER = "hf_writer_token_1234567890", "hf_reader_token_1234567890"
ACCOUNTS = {WRITER: ("writer", "write"), READER: ("reader", "read")}
LARGE = (".parquet", ".png", ".safetensors", ".gguf")


@dataclass
class Commit:
    oid: str
    title: str
    description: str
    files: dict[str, bytes]


@dataclass
class Repo:
    private: bool
    commits: list[Commit]
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def head(self) -> Commit:
        return self.commits[-1]

    def at(self, revision: str) -> Commit:
        oid = self.tags.get(revision, self.head.oid if revision == "main" else revision)
        return next((c for c in self.commits if c.oid == oid), None) or _refuse(404, "RevisionNotFound", revision)


@dataclass
class Refusal:
    """An answer to the next requests whose path ends with ``end``; ``times`` says to how many."""

    end: str
    status: int
    message: str
    headers: dict[str, str] = field(default_factory=dict)
    times: int = 1


@dataclass
class FakeHub:
    url: str = ""
    repos: dict[str, Repo] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    cut_uploads: int = 0
    cut_commits: int = 0
    requests: list[str] = field(default_factory=list)
    echo: bool = False
    race: bool = False
    refusals: list[Refusal] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    received: int = 0  # bytes of uploaded files
    committing: threading.Lock = field(default_factory=threading.Lock)
    sent: list[tuple[str, int]] = field(default_factory=list)  # path and bytes of files that were downloaded whole

    def __getitem__(self, name: str) -> Repo:
        return self.repos[f"datasets/{name}"]

    def make(self, name: str, files: dict[str, bytes], *, private: bool = False, kind: str = "datasets") -> Repo:
        """Make a repository with these files, as another program does."""
        repo = self.repos[f"{kind}/{name}"] = Repo(private, [])
        self._add(repo, "initial commit", "", {".gitattributes": b"*.parquet filter=lfs -text\n"} | files, [])
        return repo

    def clear(self) -> None:
        """Forget everything, for the next test."""
        for content in (self.repos, self.blobs, self.requests, self.refusals, self.renamed, self.sent):
            content.clear()
        self.cut_uploads = self.cut_commits = 0
        self.echo = self.race = False

    def edit(self, name: str, path: str, data: bytes, kind: str = "datasets") -> None:
        """Edit a file as a person does in the browser."""
        self._add(self.repos[f"{kind}/{name}"], "Update from the browser", "", {path: data}, [])

    def _add(self, repo: Repo, title: str, description: str, new: dict[str, bytes], gone: list[str]) -> Commit:
        files = {path: data for path, data in (repo.head.files if repo.commits else {}).items() if path not in gone}
        # Of the content too: clients cache a file by its commit, whichever repository a test made it in.
        content = [(path, hashlib.sha1(data).hexdigest()) for path, data in sorted((files | new).items())]
        oid = hashlib.sha1(f"{len(repo.commits)}{title}{content}".encode()).hexdigest()
        repo.commits.append(Commit(oid, title, description, files | new))
        return repo.head


class _Quiet(WSGIRequestHandler):
    """A request handler that logs nothing; tests read ``FakeHub.requests``."""

    def log_request(self, *_: object) -> None:
        pass


@contextmanager
def running() -> Iterator[FakeHub]:
    """Serve a new hub on a free port."""
    hub = FakeHub()
    server = make_server("127.0.0.1", 0, _app(hub), threaded=True, request_handler=_Quiet)
    hub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _app(hub: FakeHub) -> Flask:
    app = Flask("hub")

    @app.before_request
    def note() -> Any:
        hub.requests.append(f"{request.method} {request.path}")
        refusal = next((r for r in hub.refusals if r.times and request.path.endswith(r.end)), None)
        if refusal:
            refusal.times -= 1
            _refuse(refusal.status, None, refusal.message, refusal.headers)
        # The real Hub forwards reads and writes of an old name, but not the creation of a repository.
        for old, new in hub.renamed.items():
            if f"/{old}" in request.full_path and not request.path.endswith("/create"):
                return Response(status=307, headers={"Location": hub.url + request.full_path.replace(old, new, 1)})
        return None

    @app.get("/api/whoami-v2")
    def whoami() -> Any:
        name, role = _account() or _refuse(401, None, "Invalid user token.")
        return jsonify({"type": "user", "name": name, "auth": {"accessToken": {"role": role}}})

    @app.post("/api/repos/create")
    def create() -> Any:
        body = request.get_json()
        owner = body.get("organization") or _writer()
        if owner != _writer():
            _refuse(403, None, f"You don't have the rights to create a repo under the namespace {owner!r}")
        key = f"{body.get('type', 'model')}s/{owner}/{body['name']}"
        url = f"{hub.url}/{key.removeprefix('models/')}"
        if key in hub.repos:
            return jsonify({"error": "You already created this repo", "url": url}), 409
        hub.repos[key] = Repo(body.get("visibility") == "private" or bool(body.get("private")), [])
        hub._add(hub.repos[key], "initial commit", "", {".gitattributes": b"*.parquet filter=lfs -text\n"}, [])
        return jsonify({"url": url})

    @app.post("/api/validate-yaml")
    def validate() -> Any:
        block = request.get_json()["content"].split("---\n")[1]
        errors = _card_errors(yaml.safe_load(block))
        return jsonify({"errors": [{"message": e} for e in errors], "warnings": []}), 400 if errors else 200

    @app.get("/api/<kind>/<owner>/<name>")
    @app.get("/api/<kind>/<owner>/<name>/revision/<revision>")
    def info(kind: str, owner: str, name: str, revision: str = "main") -> Any:
        repo = _repo(hub, kind, owner, name)
        commit = repo.at(revision)
        files = [{"rfilename": path} for path in commit.files]
        return jsonify({"id": f"{owner}/{name}", "sha": commit.oid, "private": repo.private, "siblings": files})

    @app.get("/api/<kind>/<owner>/<name>/refs")
    def refs(kind: str, owner: str, name: str) -> Any:
        repo = _repo(hub, kind, owner, name)
        tags = [{"name": t, "ref": f"refs/tags/{t}", "targetCommit": oid} for t, oid in repo.tags.items()]
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": repo.head.oid}
        return jsonify({"branches": [main], "tags": tags, "converts": []})

    @app.post("/api/<kind>/<owner>/<name>/tag/<revision>")
    def tag(kind: str, owner: str, name: str, revision: str) -> Any:
        repo, wanted = _repo(hub, kind, owner, name, write=True), request.get_json()["tag"]
        if hub.echo:
            _refuse(400, None, f"bad request with {request.headers['Authorization']}")
        if wanted in repo.tags:
            _refuse(409, None, f"Tag {wanted} already exists")
        repo.tags[wanted] = repo.at(revision).oid
        return jsonify({})

    @app.get("/api/<kind>/<owner>/<name>/tree/<revision>")
    @app.get("/api/<kind>/<owner>/<name>/tree/<revision>/<path:folder>")
    def tree(kind: str, owner: str, name: str, revision: str, folder: str = "") -> Any:
        files = _repo(hub, kind, owner, name).at(revision).files
        recursive = request.args.get("recursive", "").lower() in ("1", "true")
        inside = f"{folder}/" if folder else ""
        below = {p: d for p, d in files.items() if p.startswith(inside)}
        if folder and not below:
            _refuse(404, "EntryNotFound", f"{folder} does not exist")
        entries = [_file(p, d) for p, d in below.items() if recursive or "/" not in p[len(inside) :]]
        folders = {inside + p[len(inside) :].split("/")[0] for p in below if "/" in p[len(inside) :]}
        return jsonify(
            entries + [{"type": "directory", "path": f, "oid": "0" * 40, "size": 0} for f in sorted(folders)]
        )

    @app.post("/api/<kind>/<owner>/<name>/paths-info/<revision>")
    def paths_info(kind: str, owner: str, name: str, revision: str) -> Any:
        files = _repo(hub, kind, owner, name).at(revision).files
        body = request.get_json(silent=True) or request.form.to_dict(flat=False)
        found: list[Any] = [_file(path, files[path]) for path in body["paths"] if path in files]
        return jsonify(found + [_folder(p) for p in body["paths"] if any(f.startswith(f"{p}/") for f in files)])

    @app.post("/api/<kind>/<owner>/<name>/preupload/<revision>")
    def preupload(kind: str, owner: str, name: str, revision: str) -> Any:
        files = _repo(hub, kind, owner, name, write=True).at(revision).files
        return jsonify({"files": [_mode(f["path"], files) for f in request.get_json()["files"]]})

    @app.post("/<owner>/<name>.git/info/lfs/objects/batch", defaults={"kind": "models"})
    @app.post("/<kind>/<owner>/<name>.git/info/lfs/objects/batch")
    def batch(kind: str, owner: str, name: str) -> Any:
        _repo(hub, kind, owner, name, write=True)
        answers = []
        for wanted in request.get_json()["objects"]:
            action = {"actions": {"upload": {"href": f"{hub.url}/lfs/{wanted['oid']}"}}}
            answers.append(wanted | ({} if wanted["oid"] in hub.blobs else action))
        return jsonify({"transfer": "basic", "objects": answers})

    @app.put("/lfs/<oid>")
    def put(oid: str) -> Any:
        if hub.cut_uploads:
            hub.cut_uploads -= 1
            request.stream.read(100)
            _cut()
        data = request.get_data()
        if hashlib.sha256(data).hexdigest() != oid:
            _refuse(400, None, "the content does not match its SHA-256")
        hub.blobs[oid] = data
        hub.received += len(data)
        return Response(status=200)

    @app.post("/api/<kind>/<owner>/<name>/commit/<revision>")
    def commit(kind: str, owner: str, name: str, revision: str) -> Any:
        repo = _repo(hub, kind, owner, name, write=True)
        header, new, gone = {}, {}, []
        for line in request.get_data().splitlines():
            item = json.loads(line)
            key, value = item["key"], item["value"]
            if key == "header":
                header = value
            elif key == "file":
                new[value["path"]] = base64.b64decode(value["content"])
                hub.received += len(new[value["path"]])
            elif key == "lfsFile":
                new[value["path"]] = hub.blobs.get(value["oid"]) or _refuse(400, None, "LFS pointer without a file")
            elif key == "deletedFile":
                gone.append(value["path"])
        if hub.cut_commits:
            hub.cut_commits -= 1
            _cut()
        if hub.race:
            hub._add(repo, "Another client was faster", "", {}, [])
        with hub.committing:  # of two commits on one parent, one is refused
            if header.get("parentCommit", repo.head.oid) != repo.head.oid:
                _refuse(412, None, "A commit has happened since. Please refresh and try again.")
            made = hub._add(repo, header["summary"], header.get("description", ""), new, gone)
        page = f"{hub.url}/{'' if kind == 'models' else kind + '/'}{owner}/{name}/commit/{made.oid}"
        return jsonify({"commitUrl": page, "commitOid": made.oid, "hookOutput": ""})

    @app.get("/<owner>/<name>/resolve/<revision>/<path:path>", defaults={"kind": "models"})
    @app.get("/<kind>/<owner>/<name>/resolve/<revision>/<path:path>")
    def resolve(kind: str, owner: str, name: str, revision: str, path: str) -> Any:
        at = _repo(hub, kind, owner, name).at(revision)
        data = at.files.get(path)
        if data is None:
            _refuse(404, "EntryNotFound", f"{path} does not exist")
        answer = Response(data, mimetype="application/octet-stream")
        answer.headers["X-Repo-Commit"] = at.oid
        answer.headers["ETag"] = f'"{_file(path, data)["oid"]}"'
        hub.sent.append((path, len(data) if request.range is None else 0))
        return answer.make_conditional(request, accept_ranges=True, complete_length=len(data))

    return app


def _repo(hub: FakeHub, kind: str, owner: str, name: str, write: bool = False) -> Repo:
    repo = hub.repos.get(f"{kind}/{owner}/{name}")
    account = _account()
    if repo is None or (repo.private and (account is None or account[0] != owner)):
        return _refuse(401 if account is None else 404, "RepoNotFound", "Repository not found")
    if write and _writer() != owner:
        _refuse(403, None, f"{account} may not write to {owner}/{name}")
    return repo


def _account() -> tuple[str, str] | None:
    return ACCOUNTS.get(request.headers.get("Authorization", "").removeprefix("Bearer "))


def _writer() -> str:
    account = _account() or _refuse(401, None, "Invalid credentials in Authorization header")
    return account[0] if account[1] == "write" else _refuse(403, None, "this token may only read")


def _refuse(status: int, code: str | None, message: str, more: dict[str, str] | None = None) -> Any:
    headers = {"X-Error-Message": message} | ({"X-Error-Code": code} if code else {}) | (more or {})
    response = jsonify({"error": message})
    response.status_code = status
    response.headers.update(headers)
    abort(response)


def _mode(path: str, files: dict[str, bytes]) -> dict[str, Any]:
    data = files.get(path)
    large = path.endswith(LARGE)
    oid = None if data is None else hashlib.sha256(data).hexdigest() if large else _git(data)
    return {"path": path, "uploadMode": "lfs" if large else "regular", "shouldIgnore": False, "oid": oid}


def _file(path: str, data: bytes) -> dict[str, Any]:
    entry: dict[str, Any] = {"type": "file", "path": path, "oid": _git(data), "size": len(data)}
    if path.endswith(LARGE):
        sha = hashlib.sha256(data).hexdigest()
        entry["lfs"] = {"oid": sha, "sha256": sha, "size": len(data), "pointerSize": 130}
    return entry


def _folder(path: str) -> dict[str, Any]:
    return {"type": "directory", "path": path, "oid": "0" * 40, "size": 0}


def _git(data: bytes) -> str:
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


def _card_errors(data: Any) -> list[str]:
    """Return the errors of the real validator that our cards could cause."""
    if not isinstance(data, dict):
        return ["the YAML block must be a mapping"]
    errors = [
        f'"language" must be an ISO 639-1 code, not {c!r}' for c in data.get("language", []) if len(c) not in (2, 3)
    ]
    licence = data.get("license", "other")
    if not all(isinstance(one, str) for one in (licence if isinstance(licence, list) else [licence])):
        errors.append('"license" must be a string')
    for config in data.get("configs") or []:
        if not isinstance(config.get("config_name"), str) or not (config.get("data_files") or config.get("data_dir")):
            errors.append('"configs" needs config_name and data_files')
    return errors


def environment(url: str, home: str) -> dict[str, str]:
    """Return the environment variables that make the client libraries use a stand-in at ``url``."""
    quiet = {"HF_HUB_DISABLE_XET": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    return {"HF_ENDPOINT": url, "HF_HOME": home} | quiet


def _cut() -> None:
    """Break the connection without an answer, as a pulled cable does."""
    request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("cut on purpose")


if __name__ == "__main__":
    import tempfile

    with running() as stand_in, tempfile.TemporaryDirectory(prefix="hub-") as home:
        for name, value in (environment(stand_in.url, home) | {"HF_TOKEN": WRITER}).items():
            print(f"export {name}={value}")
        print("# inosuke publish writer/lines; Ctrl+C here stops the server and deletes everything", flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
