"""Facts that a character is told when a word falls: a lorebook's entries, and which of them fire in a conversation.

In: the text of a lorebook file, and messages. Out: entries with their texts. Pure: opens no file, knows no tokenizer
and no persona. Shared ground, like the modules directly in ``curation``: training and serving select facts here alike,
and :mod:`curation.chat` renders them.
"""
