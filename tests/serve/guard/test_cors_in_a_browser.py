"""A page of another origin in a real browser: it reaches the API where the operator names it, and only there."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Error

from serve import create_app
from tests.serve.conftest import serving
from tests.tools.chromium import needs_chromium

pytestmark = needs_chromium

# What OpenAI's client for JavaScript sends: a key and headers of its own.
ASK = """async (url) => {
  const response = await fetch(`${url}/v1/chat/completions`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Authorization: "Bearer none", "X-Stainless-Lang": "js" },
    body: JSON.stringify({ messages: [{ role: "user", content: "xin chào" }], boar: 1 }),
  });
  const body = await response.json();
  return [response.status, body.choices[0].message.content, response.headers.get("Inosuke-Ignored")];
}"""


@contextmanager
def other_site():
    """Serve an empty page; gives its address, of another site than 127.0.0.1."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("named", [True, False])
def test_a_page_of_another_origin_gets_an_answer_only_where_it_is_named(browser, parrot, persona, named):
    with other_site() as origin:
        app = create_app({"ENGINE": parrot, "PERSONA": persona, "CORS": [origin] if named else []})
        with serving(app) as url:
            page = browser.new_page()
            page.goto(origin)
            if named:
                assert page.evaluate(ASK, url) == [200, "xin chào ", "boar"]
                models = "async (url) => (await (await fetch(`${url}/v1/models`)).json()).data[0].id"
                assert page.evaluate(models, url) == "inosuke"
                with pytest.raises(Error, match="Failed to fetch"):
                    page.evaluate("(url) => fetch(`${url}/metrics`)", url)
            else:
                with pytest.raises(Error, match="Failed to fetch"):
                    page.evaluate(ASK, url)
                with pytest.raises(Error, match="Failed to fetch"):
                    page.evaluate("(url) => fetch(`${url}/v1/models`)", url)
            page.close()
    assert len(parrot.seen) == named
