"""Clients that people use: OpenAI's for JavaScript itself, and the request bodies of others."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from serve import create_app
from tests.conftest import ROOT
from tests.serve.conftest import serving

# Written after each client's source, which every file names.
BODIES = sorted((Path(__file__).parent / "bodies").glob("*.json"))


@pytest.mark.parametrize("file", BODIES, ids=lambda file: file.stem)
def test_what_other_clients_send_is_answered(client, parrot, file):
    case = json.loads(file.read_text(encoding="utf-8"))
    response = client.post(case["path"], json=case["body"])
    assert (response.status_code, response.headers.get("Inosuke-Ignored")) == (200, None), response.json
    assert [role for role, _ in parrot.seen[0]] == case["turns"]
    if case["body"]["stream"]:
        assert response.get_data(as_text=True).endswith("data: [DONE]\n\n")
    else:
        assert response.json["choices"][0]["message"]["content"]
    asked, settings = case["body"], parrot.settings[0]
    for key, name in (("seed", "seed"), ("min_p", "min_p"), ("frequency_penalty", "frequency_penalty")):
        if key in asked:
            assert getattr(settings, name) == asked[key]
    assert list(settings.stop) == asked.get("stop", [])
    assert (settings.json_schema is not None) == ("response_format" in asked)
    assert (settings.logprobs is not None) == bool(asked.get("logprobs"))


@pytest.mark.skipif(
    not shutil.which("node") or not (ROOT / "node_modules" / "openai").is_dir(), reason="needs node and `npm ci`"
)
def test_openais_client_for_javascript_works_against_a_running_server(parrot, persona):
    with serving(create_app({"ENGINE": parrot, "PERSONA": persona})) as url:
        script = Path(__file__).parent / "openai_npm.mjs"
        run = subprocess.run(["node", script, url], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == {
        "models": ["inosuke"],
        "model": "Inosuke",
        "reply": "xin chào ",
        "both": [0, 1],
        "pieces": ["một ", "hai "],
        "usage": [2],
        "final": "ba ",
        "text": "bốn ",
        "continued": "I am ",
        "error": [True, "unsupported_parameter", "tools"],
    }
    assert (parrot.settings[0].top_k, parrot.settings[0].seed) == (5, 3)
