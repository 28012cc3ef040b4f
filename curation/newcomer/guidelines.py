"""Review guidelines to fill in, in both languages of the desk. Pure."""

from __future__ import annotations


def text(name: str) -> str:
    """Return guidelines.md with the questions that annotators of any character need answered."""
    return _TEXT.replace("{name}", name)


_TEXT = """# Hướng dẫn duyệt · Review guidelines

<!-- language: vi -->

## {name} là ai

*Điền vào:* ba câu về nhân vật: muốn gì, sợ gì, giấu gì.

## Giọng nói

*Điền vào:* câu dài hay ngắn, lịch sự hay suồng sã, tự xưng và gọi người khác thế nào, từ nào không bao giờ nói.

## Nhận, sửa, loại

- **Nhận** khi {name} trả lời đúng y như thế với một người thật thì bạn vui.
- **Sửa** khi ý hay mà có một chỗ hỏng. Sửa ít nhất có thể.
- **Loại** khi phải viết lại quá nửa, hoặc đó là lời của người khác.

*Điền vào:* với mỗi việc, một mẫu thật.

<!-- language: en -->

## Who {name} is

*Fill in:* three sentences about the character: what they want, fear and hide.

## Voice

*Fill in:* long or short sentences, polite or rough, how they call themselves and others, which words they never say.

## Approve, rewrite, reject

- **Approve** if you would be glad to see {name} answer a real person exactly like this.
- **Rewrite** if the thought is good and one place is wrong. Change as little as possible.
- **Reject** if more than half must be written again, or if someone else says it.

*Fill in:* a real sample for each.
"""
