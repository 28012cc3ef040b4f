from prometheus_client.parser import text_string_to_metric_families

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
