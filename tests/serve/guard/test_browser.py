"""What a browser is told and refused: security headers, origins, host names."""

import pytest

from serve import create_app

BODY = {"messages": [{"role": "user", "content": "a"}]}


def test_the_page_may_only_load_what_this_server_has(client):
    headers = client.get("/").headers
    policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self'",
        "connect-src": "'self'",
        "base-uri": "'none'",
        "form-action": "'none'",
        "frame-ancestors": "'none'",
    }
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_errors_and_files_carry_the_headers_too(client):
    for path in ("/nothing", "/static/main.js", "/api/info"):
        assert "default-src 'none'" in client.get(path).headers["Content-Security-Policy"]
    assert client.get("/api/info").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),  # a program
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://localhost"}, 200),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),  # another port of this machine
        ({"Origin": "http://localhost"}, 200),
        ({"Origin": "https://localhost"}, 200),  # a proxy in front speaks TLS
        ({"Origin": "http://localhost:9999"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "http://["}, 403),
    ],
)
def test_another_site_cannot_get_an_answer(client, parrot, headers, status):
    assert client.post("/api/chat", json=BODY, headers=headers).status_code == status
    assert bool(parrot.seen) == (status == 200)


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:7860", 200),
        ("127.0.0.1:7860", 200),
        ("[::1]:7860", 200),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("127.0.0.1.nip.io:7860", 400),
        ("[nowhere]:7860", 400),
    ],
)
def test_a_foreign_host_name_is_refused(client, host, status):
    for path in ("/", "/api/info"):
        assert client.get(path, headers={"Host": host}).status_code == status


def test_the_page_has_no_inline_script_or_style_and_no_foreign_address(client):
    page = client.get("/").get_data(as_text=True)
    assert "style=" not in page and "<style" not in page and "onclick" not in page
    assert "http://" not in page and "https://" not in page and "//" not in page.replace("</", "")
    assert page.count("<script") == page.count("<script src=") + page.count('<script type="module" src=')


# ---------------------------------------------------------------- pages of other origins, where the operator names them

GUEST = "http://chat.example:3000"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization, x-stainless-os"}


@pytest.fixture
def open_client(parrot, persona):
    return create_app({"ENGINE": parrot, "PERSONA": persona, "CORS": [GUEST], "KEYS": ["k" * 16]}).test_client()


def allowed(response):
    return {k: v for k, v in response.headers.items() if k.startswith("Access-Control-")}


def test_a_named_origin_may_ask_first_and_then_send_a_key(open_client, parrot):
    asked = open_client.options("/v1/chat/completions", headers={"Origin": GUEST, **PREFLIGHT})
    assert asked.status_code == 204 and "Origin" in asked.headers["Vary"]
    assert allowed(asked) == {
        "Access-Control-Allow-Origin": GUEST,
        "Access-Control-Allow-Methods": "GET, POST",
        "Access-Control-Allow-Headers": "authorization, x-stainless-os",
        "Access-Control-Max-Age": "600",
        "Access-Control-Expose-Headers": "Retry-After, Inosuke-Ignored",
    }
    sent = {"Origin": GUEST, "Sec-Fetch-Site": "cross-site"}
    refused = open_client.post("/v1/chat/completions", json=BODY, headers=sent)
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (401, GUEST)
    key = {"Authorization": f"Bearer {'k' * 16}"}
    answer = open_client.post("/v1/chat/completions", json=BODY, headers=sent | key)
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, GUEST)
    assert "Access-Control-Allow-Credentials" not in answer.headers and len(parrot.seen) == 1


@pytest.mark.parametrize(
    ("path", "origin"),
    [
        ("/v1/chat/completions", "http://chat.example"),
        ("/v1/chat/completions", "https://chat.example:3000"),
        ("/v1/chat/completions", "http://chat.example:3000.evil.example"),
        ("/v1/chat/completions", "null"),
        ("/api/feedback", GUEST),
        ("/metrics", GUEST),
        ("/", GUEST),
    ],
)
def test_no_other_origin_and_no_other_part_is_opened(open_client, path, origin):
    headers = {"Origin": origin, "Sec-Fetch-Site": "cross-site", "Authorization": f"Bearer {'k' * 16}"}
    assert not allowed(open_client.options(path, headers=headers | PREFLIGHT))
    response = open_client.post(path, json=BODY, headers=headers)
    assert not allowed(response) and response.status_code == 403
    assert not allowed(open_client.get(path, headers=headers))


def test_without_an_origin_named_nothing_is_opened(client):
    headers = {"Origin": GUEST, "Sec-Fetch-Site": "cross-site"}
    assert not allowed(client.options("/v1/chat/completions", headers=headers | PREFLIGHT))
    assert client.post("/v1/chat/completions", json=BODY, headers=headers).status_code == 403
    assert "Vary" not in client.get("/v1/models").headers


def test_a_named_origin_cannot_reach_the_server_under_another_name(open_client):
    headers = {"Origin": GUEST, "Host": "evil.example", **PREFLIGHT}
    assert open_client.options("/v1/chat/completions", headers=headers).status_code == 400
