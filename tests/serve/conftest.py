"""A deterministic engine, and a tiny random model with a byte-level tokenizer: nothing is fetched."""

from __future__ import annotations

import hashlib
import json
import shutil
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from waitress import wasyncore

from serve import create_app
from serve.engine import OPTIONAL, Delta, Done
from serve.wsgi.server import bind, make_server
from tests.tools.chromium import browser, teller, url, visit  # noqa: F401 - fixtures of the page's tests
from tests.tools.tokenizers import chatml_tokenizer

PROJECT = Path(__file__).parents[2]


@dataclass
class Parrot:
    """Repeats the last message, word by word. ``gate`` holds it before every word but the first."""

    name: str = "parrot"
    model: str = "parrot-1"
    context: int | None = 2048
    slots: int = 1
    honours: frozenset = frozenset(OPTIONAL)
    gate: threading.Event | None = None
    crash_after: int | None = None
    seen: list = field(default_factory=list)
    told: list = field(default_factory=list)
    settings: list = field(default_factory=list)
    begun: threading.Event = field(default_factory=threading.Event)
    ended: threading.Event = field(default_factory=threading.Event)
    endings: list = field(default_factory=list)

    def tokens(self, text):
        return list(text.encode())

    def stream(self, messages, settings, cancelled):
        self.seen.append([(m.role, m.content) for m in messages])
        self.told.append([m.facts for m in messages])
        self.settings.append(settings)
        self.begun.set()
        words = messages[-1].content.split()
        try:
            for n, word in enumerate(words):
                if self.gate is not None and n:
                    # wakes up to check that the client is still there, as a model does between two tokens
                    while not self.gate.wait(0.02):
                        if cancelled():
                            self.endings.append("cancelled")
                            yield Done("cancelled", 1, n)
                            return
                if n == self.crash_after:
                    raise RuntimeError("a secret path: /root/models")
                yield Delta(f"{word} ")
            self.endings.append("stop")
            yield Done("stop", len(messages), len(words))
        except GeneratorExit:
            self.endings.append("closed")
            raise
        finally:
            self.ended.set()


@contextmanager
def serving(app):
    """Serve an application with the production server on a free port; gives its address."""
    config = app.extensions["inosuke"].config
    with bind("127.0.0.1", 0) as listener:
        server = make_server(app, listener, config.waiting, config.proxies)
        thread = threading.Thread(target=server.run)
        thread.start()
        app.extensions["waitress"] = server
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        # First the threads that answer: one of them could wake the loop, which would close the pipe that is used below.
        server.task_dispatcher.shutdown(timeout=1)
        # In the loop's own thread: closing its sockets from here would break its select().
        server.trigger.pull_trigger(lambda: wasyncore.close_all(server._map))
        thread.join(10)
        assert not thread.is_alive()


@pytest.fixture
def live():
    """`serving`, for fixtures outside this file."""
    return serving


@pytest.fixture
def parrot():
    return Parrot()


@pytest.fixture
def app(parrot, persona):
    return create_app({"ENGINE": parrot, "PERSONA": persona})


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture(scope="session")
def tokenizer():
    return chatml_tokenizer()


@pytest.fixture(scope="session")
def tiny_model(tokenizer):
    import torch
    from transformers import Qwen2Config, Qwen2ForCausalLM

    torch.manual_seed(1)
    config = Qwen2Config(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=4096,
        initializer_range=0.4,  # the usual 0.02 gives a model that repeats one letter
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
    )
    return Qwen2ForCausalLM(config).eval()


@pytest.fixture(scope="session")
def _finished_run(tmp_path_factory, tokenizer, tiny_model):
    """A finished run as the trainer writes it, with a random adapter that changes the model's answers."""
    import copy

    import torch
    from peft import LoraConfig, get_peft_model

    root = tmp_path_factory.mktemp("project")
    base, run = root / "models" / "base" / "Tiny", root / "models" / "run-1"
    tiny_model.save_pretrained(base)
    tokenizer.save_pretrained(base)
    torch.manual_seed(2)
    lora = LoraConfig(
        r=4, target_modules="all-linear", init_lora_weights=False, base_model_name_or_path="models/base/Tiny"
    )
    get_peft_model(copy.deepcopy(tiny_model), lora).save_pretrained(run / "adapter")
    tokenizer.save_pretrained(run / "tokenizer")
    shutil.copy(PROJECT / "persona.toml", run / "persona.toml")
    digest = hashlib.sha256((base / "model.safetensors").read_bytes()).hexdigest()
    metrics = {
        "base_model": {"name": "Tiny", "path": "models/base/Tiny", "sha256": digest},
        "prompt": "chat",
        "dataset": {"version": "v-test"},
        "eval": {"base": {}, "adapter": {}},
    }
    (run / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    (root / "models" / "latest").write_text("run-1\n", encoding="utf-8")
    return root


@pytest.fixture
def finished(_finished_run, tmp_path):
    """A copy of a project folder with one finished run, which a test may break."""
    return Path(shutil.copytree(_finished_run, tmp_path / "project"))
