"""What each column of an export holds, in words: for the card and for ``croissant.json``."""

from __future__ import annotations

COLUMNS: dict[str, str] = {
    "id": "identifies the sample in every version, rewritten or not",
    "messages": "the dialogue: a list of `role`, `content` and `name`, the label that the source wrote before the turn",
    "turn": "which reply of the sample this row is, counted from 1",
    "instruction": "what is said to the character; another speaker's name stands before their words",
    "input": "always empty: `instruction` holds the whole prompt",
    "output": "the character's reply and nothing else",
    "history": "the exchanges before this one, a list of [prompt, reply]",
    "prompt": "the conversation before the reply: a list of `role`, `content` and `name`",
    "chosen": "the reply that people preferred, as a list with one message",
    "rejected": "the reply that they did not want or rewrote, as a list with one message",
    "completion": "the reply that people judged, as a list with one message",
    "label": "whether people wanted the reply",
    "origin": "how it is known: rewrite, approved_later, vote, better_answer, approval, rejection or thumb",
    "annotators": "how many people stand behind it",
    "edit_distance": "how far `chosen` is from `rejected`, from 0 (the same) to 1",
    "rejected_source": "the source file of `rejected` where it is from another sample than the row's",
    "rejected_rights": "the rights of `rejected` where it is from another sample than the row's",
    "system": "the system prompt that comes before the dialogue, in training and when serving",
    "group": "samples of one group resemble each other (near replies, near prompts or one scene) and are never split "
    "between train and eval: resample groups, not rows",
    "kind": "what sort of line it is: persona, quote, conversation or generic_qa",
    "language": "the language of the replies, an ISO 639-1 code",
    "topic": "the source's line about the dialogue; it is not a turn",
    "flags": "findings of automatic checks, as codes",
    "revision": "how often it was rewritten",
    "reviewers": "how many people or authors decided",
    "source": "the file it comes from",
    "source_sha256": "the SHA-256 of that file",
    "locator": "where in the file",
    "importer": "what read it",
    "rights": "own, licensed, private or unknown",
}
