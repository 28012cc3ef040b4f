"""A small OpenAI-compatible model server: it says numbered words, and continues a reply where it ended.

``python -m tests.tools.upstream [SECONDS]`` serves until it is ended, for benchmarks: a word takes so long.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORDS = tuple(f"lời-{number} " for number in range(1, 65))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512


class Upstream:
    """``kind`` is its owner in the list of models: our servers let ``llamacpp`` continue a reply.

    With ``hold``, the first answer stops after so many words until ``gate`` is set.
    """

    def __init__(self, kind: str = "llamacpp", seconds: float = 0.0, hold: int | None = None) -> None:
        self.kind = kind
        self.seconds = seconds
        self.hold = hold
        self.gate = threading.Event()
        self.bodies: list[dict] = []
        self.server = _Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1"

    def start(self) -> None:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()

    def _handler(upstream) -> type[BaseHTTPRequestHandler]:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 0
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                self._head("application/json")
                self._chunk(json.dumps({"data": [{"id": "words", "owned_by": upstream.kind}]}))
                self._chunk("")

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                upstream.bodies.append(body)
                first = len(upstream.bodies) == 1
                last = body["messages"][-1]
                begun = len(last["content"].split()) if last["role"] == "assistant" else 0
                self._head("text/event-stream")
                with suppress(ConnectionError):  # our server may have been ended
                    for number, word in enumerate(WORDS[begun:]):
                        if first and number == upstream.hold:
                            upstream.gate.wait(60)
                        if upstream.seconds:
                            time.sleep(upstream.seconds)
                        self._event({"choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]})
                    made = {"prompt_tokens": 9, "completion_tokens": len(WORDS) - begun}
                    self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
                    self._event({"choices": [], "usage": made})
                    self._chunk("data: [DONE]\n\n")
                    self._chunk("")

            def _head(self, kind: str) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()

            def _event(self, data: dict) -> None:
                self._chunk(f"data: {json.dumps(data)}\n\n")

            def _chunk(self, text: str) -> None:
                raw = text.encode()
                self.wfile.write(f"{len(raw):x}\r\n".encode() + raw + b"\r\n")

            def log_message(self, *_: object) -> None:
                pass

        return Handler


if __name__ == "__main__":
    one = Upstream(seconds=float(sys.argv[1]) if len(sys.argv) > 1 else 0.0)
    print(f"Open {one.url}", flush=True)
    one.server.serve_forever()
