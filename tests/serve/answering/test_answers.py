"""An answer without any request: the service and the client are arguments."""

from types import SimpleNamespace

import pytest

from curation.record import Message
from serve.answering import answers
from serve.answering.metrics import Metrics
from serve.answering.waiting_line import LineFull, WaitingLine
from serve.engine import Delta, Done, Settings

TALK = (Message("user", "một hai"),)


@pytest.fixture
def service(parrot, persona):
    line = WaitingLine(parrot.slots, limit=0)
    return SimpleNamespace(
        engine=parrot, waiting_line=line, metrics=Metrics(lambda: line.load), persona=persona, run=None
    )


def test_the_events_come_one_by_one_and_can_be_read_as_a_whole(service):
    events = answers.begin(service, TALK, Settings(), lambda: False)
    assert list(events) == [Delta("một "), Delta("hai "), Done("stop", 1, 2)]
    text, done = answers.whole(answers.begin(service, TALK, Settings(), lambda: False))
    assert (text, done.finish_reason) == ("một hai ", "stop")


def test_a_full_line_is_raised_before_the_first_event(service):
    running = answers.begin(service, TALK, Settings(), lambda: False)
    with pytest.raises(LineFull, match=r"busy \(answers running: 1, requests waiting: 0\)\. Try again"):
        answers.begin(service, TALK, Settings(), lambda: False)
    running.close()
    assert service.waiting_line.load == (0, 0)


def test_a_client_that_has_left_gets_no_answer(service, parrot):
    assert list(answers.begin(service, TALK, Settings(), lambda: True)) == [Done("cancelled", 0, 0)]
    assert parrot.seen == []
