"""What a browser is told and refused: security headers, origins, host names."""

import pytest

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
