"""What programs of speech recognition save as JSON: lines with times and voices."""

import json

import pytest

from tests.curation.importers.formats.data.files import ASSEMBLYAI, DEEPGRAM, WHISPER_CPP, WHISPERX
from tests.curation.importers.looks import said

A, B = "Where are you?", "Up on the roof!"


def word(text, start, speaker=None, **more):
    return {"word": text, "start": start, "end": start + 0.2} | ({} if speaker is None else {"speaker": speaker}) | more


@pytest.mark.parametrize(
    ("value", "lines", "starts"),
    [
        (WHISPERX, [("Tanjiro", "Đi nào!"), ("Inosuke", "Ta đi trước!")], [1000, 3000]),
        (WHISPER_CPP, [(None, "Tanjiro: Đi nào!"), ("Inosuke", "Ta đi trước!")], [1000, 3000]),
        (DEEPGRAM, [("0", "Đi nào!"), ("1", "Ta đây!")], [0, 1000]),
        (ASSEMBLYAI, [("A", "Đi nào!"), ("B", "Ta đi!")], [250, 1700]),
        # openai-whisper: `segments` count, not the text above them
        ({"text": f"{A} {B}", "segments": [{"id": 0, "seek": 0, "start": 0.0, "end": 2.0, "text": f" {A}"},
                                           {"id": 1, "seek": 0, "start": 2.0, "end": 4.0, "text": f" {B}"}]},
         [(None, A), (None, B)], [0, 2000]),
        # faster-whisper, dumped as a bare list
        ([{"start": 0.5, "end": 2.0, "text": A, "avg_logprob": -0.2}, {"start": 2.5, "end": 4, "text": B,
                                                                      "avg_logprob": -0.3}],
         [(None, A), (None, B)], [500, 2500]),
        # the API's diarised answer
        ({"task": "transcribe", "duration": 4.0, "text": f"{A} {B}", "segments": [
            {"type": "transcript.text.segment", "id": "s1", "start": 0.0, "end": 2.0, "text": A, "speaker": "A"},
            {"type": "transcript.text.segment", "id": "s2", "start": 2.0, "end": 4.0, "text": B, "speaker": "B"}]},
         [("A", A), ("B", B)], [0, 2000]),
        # whisperX: two voices in one segment
        ({"segments": [{"start": 1.0, "end": 4.0, "text": " Where? Up!", "speaker": "SPEAKER_00", "words": [
            word("Where?", 1.0, "SPEAKER_00"), word("Up!", 3.0, "SPEAKER_01")]}]},
         [("SPEAKER_00", "Where?"), ("SPEAKER_01", "Up!")], [1000, 3000]),
        # vibe counts hundredths of a second
        ([{"start": 96, "stop": 712, "text": " where", "speaker": 0}, {"start": 712, "stop": 1456, "text": " up",
                                                                      "speaker": 1}],
         [("0", "where"), ("1", "up")], [960, 7120]),
        # Hugging Face pipelines
        ({"text": f"{A} {B}", "chunks": [{"timestamp": [0.0, 2.0], "text": A}, {"timestamp": [2.0, None], "text": B}]},
         [(None, A), (None, B)], [0, 2000]),
        # Deepgram: utterances before channels, paragraphs before bare words
        ({"results": {"channels": [{"alternatives": [{"transcript": "x", "words": []}]}], "utterances": [
            {"start": 0.5, "end": 1.5, "channel": 0, "transcript": A, "speaker": 0, "words": []},
            {"start": 2.5, "end": 3.5, "channel": 0, "transcript": B, "speaker": 1, "words": []}]}},
         [("0", A), ("1", B)], [500, 2500]),
        ({"results": {"channels": [{"alternatives": [{"transcript": "x", "words": [word("x", 1, 0)], "paragraphs": {
            "transcript": "x", "paragraphs": [
                {"sentences": [{"text": A, "start": 0.5, "end": 1}], "speaker": 0, "start": 0.5, "end": 1.0},
                {"sentences": [{"text": "Up on", "start": 2.5, "end": 3}, {"text": "the roof!", "start": 3, "end": 4}],
                 "speaker": 1, "start": 2.5, "end": 4.0}]}}]}]}},
         [("0", A), ("1", B)], [500, 2500]),
        # a second alternative is another guess at the same words
        ({"results": {"channels": [{"alternatives": [
            {"words": [word("Where?", 0, 0), word("Up!", 1, 1)]}, {"words": [word("Ware?", 0, 0)]}]}]}},
         [("0", "Where?"), ("1", "Up!")], [0, 1000]),
        # two channels, in the order of their times
        ({"results": {"channels": [{"alternatives": [{"words": [word("Where?", 0), word("Oh!", 5)]}]},
                                   {"alternatives": [{"words": [word("Up!", 2)]}]}]}},
         [(None, "Where?"), (None, "Up!"), (None, "Oh!")], [0, 2000, 5000]),
        # AssemblyAI without utterances: its words have voices
        ({"id": "x", "text": "Where? Up!", "utterances": None, "words": [
            {"text": "Where?", "start": 250, "end": 650, "confidence": 1, "speaker": "A"},
            {"text": "Up!", "start": 1250, "end": 1650, "confidence": 1, "speaker": "B"}]},
         [("A", "Where?"), ("B", "Up!")], [250, 1250]),
        # AWS Transcribe writes seconds as texts
        ({"jobName": "x", "results": {"transcripts": [{"transcript": "x"}], "audio_segments": [
            {"id": 0, "transcript": A, "start_time": "0.5", "end_time": "2.0", "speaker_label": "spk_0"},
            {"id": 1, "transcript": B, "start_time": "2.5", "end_time": "4.0", "speaker_label": "spk_1"}]}},
         [("spk_0", A), ("spk_1", B)], [500, 2500]),
        # Rev.ai
        ({"monologues": [{"speaker": 0, "elements": [
            {"type": "text", "value": "Where", "ts": 0.5, "end_ts": 0.7}, {"type": "punct", "value": "?"}]}]},
         [("0", "Where?")], [500]),
        # Japanese words have no spaces between them
        ({"segments": [{"start": 1.0, "end": 4.0, "text": "どこ屋根", "words": [
            word("ど", 1.0, "SPEAKER_00"), word("こ", 1.2, "SPEAKER_00"), word("屋根", 3.0, "SPEAKER_01")]}]},
         [("SPEAKER_00", "どこ"), ("SPEAKER_01", "屋根")], [1000, 3000]),
        # clock times
        ({"segments": [{"start": "00:00:01,000", "end": "00:00:02,000", "text": A, "speaker": "Tanjiro"},
                       {"start": "00:00:03,000", "end": "00:00:04,000", "text": B, "speaker": "Inosuke"}]},
         [("Tanjiro", A), ("Inosuke", B)], [1000, 3000]),
    ],
)  # fmt: skip
def test_programs(imported, value, lines, starts):
    found = imported("x.json", json.dumps(value))
    assert said(found) == [(who and (who.title() if who.isupper() and len(who) > 2 else who), t) for who, t in lines]
    assert [u.start_ms for u in found.utterances] == starts
    assert found.format.startswith("speech") and found.notes == ()


def test_a_silence_cuts_what_was_recognised(imported, persona):
    from curation.transcripts.scenes import to_samples

    rows = [("Tanjiro", A, 0), ("Inosuke", B, 2), ("Tanjiro", "Hm.", 60), ("Inosuke", "Ha, I am still here!", 62)]
    value = {"segments": [{"start": float(at), "end": at + 1.5, "text": t, "speaker": who} for who, t, at in rows]}
    samples, _ = to_samples([imported("x.json", json.dumps(value))], persona)
    assert [[m.content for m in s.messages] for s in samples] == [[A, B], ["Hm.", "Ha, I am still here!"]]
