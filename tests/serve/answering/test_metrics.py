"""What /metrics counts: answers, failures, tokens and the load."""

from prometheus_client.parser import text_string_to_metric_families

from serve.engine import ConversationTooLong
from serve.schema import MAX_BODY

BODY = {"messages": [{"role": "user", "content": "một hai"}]}


def read(client):
    text = client.get("/metrics").get_data(as_text=True)
    return {
        (s.name, *s.labels.values()): s.value for f in text_string_to_metric_families(text) for s in f.samples
    }, text


def test_answers_tokens_and_times_are_counted(client):
    for _ in range(2):
        client.post("/api/chat", json=BODY)
    client.post("/v1/chat/completions", json=BODY | {"stream": True}).get_data()
    seen, text = read(client)
    assert seen["inosuke_answers_total", "stop"] == 3
    assert seen["inosuke_tokens_total", "completion"] == 6
    assert seen["inosuke_first_token_seconds_count",] == seen["inosuke_answer_seconds_count",] == 3
    assert (seen["inosuke_running",], seen["inosuke_waiting",]) == (0, 0)
    assert "một" not in text


def test_a_crash_and_a_refusal_are_counted(client, parrot):
    parrot.crash_after = 1
    client.post("/api/chat", json=BODY | {"stream": True}).get_data()
    client.post("/api/chat", json=BODY, headers={"Sec-Fetch-Site": "cross-site"})
    seen, _ = read(client)
    assert seen["inosuke_answers_total", "error"] == 1
    assert seen["inosuke_refused_total", "403"] == 1


def test_an_error_before_the_first_word_is_counted(client, parrot):
    parrot.crash_after = 0
    assert client.post("/api/chat", json=BODY).status_code == 500
    seen, _ = read(client)
    assert seen["inosuke_answers_total", "error"] == seen["inosuke_refused_total", "500"] == 1


def test_refusals_are_counted_by_status_and_not_as_failures(client, parrot, monkeypatch):
    def too_long(*_):
        raise ConversationTooLong("say it in fewer words")
        yield

    monkeypatch.setattr(parrot, "stream", too_long)
    assert client.post("/api/chat", json=BODY).status_code == 400
    assert client.post("/api/chat", json={}).status_code == 400
    assert client.post("/api/chat", data=b" " * (MAX_BODY + 1), content_type="application/json").status_code == 413
    seen, _ = read(client)
    assert (seen["inosuke_refused_total", "400"], seen["inosuke_refused_total", "413"]) == (2, 1)
    assert ("inosuke_answers_total", "error") not in seen
