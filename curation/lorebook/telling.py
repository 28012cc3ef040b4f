"""What a character is told: constant entries beside the system prompt, fired ones within a budget."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from curation.lorebook.book import Book, Entry, Fact
from curation.lorebook.macros import filled
from curation.lorebook.matching import fired, within
from curation.record import Message

Count = Callable[[str], int]


def about_tokens(text: str) -> int:
    """Return about how many tokens a text has, where no tokenizer is at hand: one for three bytes."""
    return -(-len(text.encode("utf-8", "replace")) // 3)


def beside(book: Book, character: str, user: str) -> tuple[str, str]:
    """Return what stands before and after the system prompt: the constant entries that the budget has room for."""
    texts = [(e, filled(e.content, character, user)) for e in _standing(book)]
    return (
        "\n".join(text for entry, text in texts if entry.before and text),
        "\n".join(text for entry, text in texts if not entry.before and text),
    )


def facts(
    book: Book, messages: Sequence[Message], character: str, user: str, count: Count, most: int | None = None
) -> list[Fact]:
    """Return what the entries that fire on messages say, in the order in which they are told.

    They and the constant ones take at most the book's ``token_budget``; ``most`` is a lower limit for the fired ones.
    """
    budget = left_for_fired(book)
    seed = f"{len(messages)}\0{messages[-1].content if messages else ''}"
    found = fired(book, messages)
    texts = {entry.number: filled(entry.content, character, user, seed) for entry in found}
    entries = [entry for entry in found if texts[entry.number]]
    sizes = [count(texts[entry.number]) for entry in entries]
    told = within(entries, sizes, budget if most is None else min(budget, most))
    return [Fact(entry.name, texts[entry.number]) for entry in told]


def left_for_fired(book: Book) -> int:
    """Return how many tokens of the budget the constant entries leave for those that fire."""
    return max(0, book.token_budget - sum(about_tokens(entry.content) for entry in _standing(book)))


def examples(book: Book, most: int = 3) -> list[tuple[Message, ...]]:
    """Return short dialogues on each of which an entry fires, to prove rendering with: none where no key is a text."""
    found: list[tuple[Message, ...]] = []
    for entry in book.entries:
        if len(found) == most:
            break
        said = Message("user", " ".join((*entry.keys[:1], *entry.secondary, *entry.also[:1])))
        if entry.speaks and entry.keys and not entry.stands and entry in fired(book, [said]):
            found.append((said, Message("assistant", "…")))
    return found


def _standing(book: Book) -> list[Entry]:
    entries = sorted((e for e in book.entries if e.stands), key=lambda entry: (entry.order, entry.number))
    return within(entries, [about_tokens(entry.content) for entry in entries], book.token_budget)
