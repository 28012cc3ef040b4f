"""A paragraph on how an export was made, ready for the methods section of a paper. Pure.

Every figure is the export's own: those of its manifest, and the number of source files among its rows. What was not
measured is said to be not measured.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from functools import cache
from typing import Any

from curation.codes import Language
from curation.contracts.manifest import Manifest
from curation.record import KINDS

_KINDS: dict[Language, dict[str, str]] = {
    "en": {"persona": "persona lines", "quote": "quotes", "conversation": "conversations", "generic_qa": "generic QA"},
    "vi": {"persona": "lời tự thuật", "quote": "câu nói", "conversation": "hội thoại", "generic_qa": "hỏi đáp chung"},
}


def figures(about: Manifest, sources: Collection[str]) -> dict[str, Any]:
    """Return the figures of the paragraph as plain objects; ``sources`` are the source files of the exported rows."""
    sides = {name: side.samples for name, side in about.counts.items()}
    replies = sum(side.replies for side in about.counts.values())
    chars = sum(side.mean_reply_chars * side.replies for side in about.counts.values())
    review, split = about.review, about.split
    kinds = _added(about, "kind")
    return {
        "name": about.persona.name,
        "version": about.version,
        "samples": {**sides, "total": sum(sides.values())},
        "kinds": {kind: kinds[kind] for kind in KINDS if kinds[kind]},
        "languages": dict(_added(about, "language").most_common()),
        "importers": dict(_added(about, "importer").most_common()),
        "rights": dict(_added(about, "rights").most_common()),
        "source_files": len(set(sources)),
        "multi_turn": sum(side.multi_turn for side in about.counts.values()),
        "rewritten": sum(side.rewritten for side in about.counts.values()),
        "replies": replies,
        "mean_reply_chars": round(chars / replies, 1) if replies else 0.0,
        "imported": sum(about.imported.values()),
        "quarantined": {code: n for code, n in about.rejected.items() if n},
        "exact_duplicates": about.duplicates.get("exact", 0),
        "near_duplicates": about.duplicates.get("near", 0),
        "near_threshold": about.configuration.get("dedup_threshold"),
        "near_left_out": bool(about.configuration.get("auto_near")),
        "approved": review.approved,
        "awaiting_review": review.awaiting_review,
        "annotators": review.annotators,
        "judged_by_a_person": review.seen_by_a_person,
        "approved_on_the_authors_word": review.only_vouched_for_by_the_author,
        "decided_unread": review.decided_unread,
        "verdicts": {verdict: n for verdict, n in review.verdicts.items() if n},
        "agreement": review.agreement.to_json() if review.agreement and review.agreement.blind else None,
        "audits": [audit.to_json() for audit in review.audits if audit.bound is not None],
        "eval_share": about.configuration.get("eval_share"),
        "near_pairs_across_the_split": _total(split.get("leakage", {})),
        "groups": {side: part["groups"] for side, part in split.get("groups", {}).items()},
        "on_neither_side": len(split.get("left_out", ())),
        "held_out_prompts": about.held_out,
        "libraries": about.libraries,
    }


def paragraph(found: Mapping[str, Any], language: Language) -> str:
    """Return the figures as one paragraph."""
    text: str = _template(language).render(**found, kind_names=_KINDS[language])
    return " ".join(text.split())


def _added(about: Manifest, name: str) -> Counter[str]:
    return sum((Counter(getattr(side, name)) for side in about.counts.values()), Counter[str]())


def _total(pairs: Any) -> int:
    """Add up the near pairs, however deep the report of the split nests them."""
    return sum(map(_total, pairs.values())) if isinstance(pairs, Mapping) else int(pairs)


@cache
def _template(language: Language) -> Any:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(undefined=StrictUndefined, autoescape=False)  # noqa: S701 - plain text
    point = "." if language == "vi" else ","
    environment.filters["n"] = lambda number: f"{number:,}".replace(",", point)
    environment.filters["d"] = lambda number: f"{number:g}".replace(".", "," if language == "vi" else ".")
    environment.filters["listed"] = lambda counts, names=None: ", ".join(
        f"{(names or {}).get(key, key.replace('_', ' '))} {environment.filters['n'](n)}" for key, n in counts.items()
    )
    return environment.from_string(_TEXT[language])


_TEXT: dict[Language, str] = {
    "en": """
The dataset holds {{ samples.total | n }} dialogues in the voice of {{ name }} (version {{ version }}, the first 12
hexadecimal digits of a SHA-256 over its content): {{ samples.train | n }} to train on and {{ samples.eval | n }} to
evaluate on. By kind these are {{ kinds | listed(kind_names) }}; by language, {{ languages | listed }}.
{{ multi_turn | n }} dialogues have more than one reply, and the {{ replies | n }} replies have
{{ mean_reply_chars | d }} characters on average. They come from {{ source_files | n }} source
file{{ "" if source_files == 1 else "s" }} (read as
{{ importers | listed }}). Of what was read, {{ imported | n }} dialogues were imported and
{% if quarantined %}{{ quarantined.values() | sum | n }} rows or pieces were quarantined with a reason
({{ quarantined | listed }}){% else %}nothing was quarantined{% endif %}. Texts were normalised to Unicode NFC.
{{ exact_duplicates | n }} exact duplicates were merged. {{ near_duplicates | n }} dialogues are near another
(normalised indel similarity, rapidfuzz fuzz.ratio, of {{ near_threshold | d }} or more of 100);
{% if near_left_out %}only the best of each cluster was kept{% else %}they were flagged, and none was removed
automatically{% endif %}. {{ approved | n }} dialogues were approved and {{ awaiting_review | n }} await review.
{% if annotators is none %}Who judged them is not recorded in this version.
{% elif annotators == 0 %}No one but the author has judged them: {{ approved_on_the_authors_word | n }} were approved on
the author's word.
{% else %}{{ annotators | n }} annotator{{ "" if annotators == 1 else "s" }} judged {{ judged_by_a_person | n }} of them
({{ verdicts | listed }}); {{ approved_on_the_authors_word | n }} were approved on the author's word alone.{% endif %}
{% if decided_unread %}{{ decided_unread | n }} were decided by one action on many dialogues.{% endif %}
{{ rewritten | n }} of the exported dialogues were rewritten in review.
{% if agreement %}On {{ agreement.samples | n }} dialogues that two or more annotators judged blind,
{{ (100 * agreement.share) | d }}% of verdict pairs are equal (Krippendorff's alpha
{% if agreement.alpha is none %}undefined, since all verdicts are equal{% else %}{{ agreement.alpha | d }}{% endif %}).
{% else %}Agreement between annotators was not measured.{% endif %}
{% for audit in audits %}In an audit, {{ audit.people | n }} people read {{ audit.read | n }} of {{ audit.frame | n }}
dialogues approved on the author's word, drawn at random, and found {{ audit.wrong | n }} wrong: at most
{{ (100 * audit.bound) | d }}% with {{ (100 * audit.confidence) | d }}% confidence (Clopper and Pearson, one-sided).
{% endfor %}
The split keeps near-duplicates and dialogues of one scene on one side
{% if groups %}({{ groups.get("train", 0) | n }} groups in train, {{ groups.get("eval", 0) | n }} in eval)
{% endif %}and aims at {{ (100 * eval_share) | d }}% for evaluation; {{ near_pairs_across_the_split | n }} near pairs
cross it{% if on_neither_side %}, and {{ on_neither_side | n }} dialogues are on neither side because they are near both
or near a held-out prompt{% endif %}. {{ held_out_prompts | n }} further prompts are held out for evaluation.
""",
    "vi": """
Bộ dữ liệu gồm {{ samples.total | n }} đoạn thoại theo giọng {{ name }} (phiên bản {{ version }}, 12 chữ số thập lục
phân đầu của mã SHA-256 trên nội dung): {{ samples.train | n }} để huấn luyện và {{ samples.eval | n }} để đánh giá.
Theo
loại: {{ kinds | listed(kind_names) }}; theo ngôn ngữ: {{ languages | listed }}. {{ multi_turn | n }} đoạn có hơn một
lời đáp; {{ replies | n }} lời đáp dài trung bình {{ mean_reply_chars | d }} ký tự. Chúng đến từ
{{ source_files | n }} tệp
nguồn (đọc dưới dạng {{ importers | listed }}). Trong những gì đã đọc, {{ imported | n }} đoạn được nhập và
{% if quarantined %}{{ quarantined.values() | sum | n }} dòng hay mẩu bị cách ly kèm lý do ({{ quarantined | listed }})
{%- else %}không có gì bị cách ly{% endif %}. Văn bản được chuẩn hóa theo Unicode NFC. {{ exact_duplicates | n }} bản
trùng hoàn toàn được gộp lại. {{ near_duplicates | n }} đoạn gần giống đoạn khác (độ tương tự indel chuẩn hóa,
fuzz.ratio của rapidfuzz, từ {{ near_threshold | d }} trên 100);
{% if near_left_out %}mỗi cụm chỉ giữ đoạn tốt nhất{% else %}chúng được gắn cờ và không đoạn nào bị tự động loại
{%- endif %}. {{ approved | n }} đoạn được duyệt và {{ awaiting_review | n }} đoạn còn chờ duyệt.
{% if annotators is none %}Phiên bản này không ghi ai đã duyệt.
{% elif annotators == 0 %}Ngoài tác giả chưa ai đánh giá: {{ approved_on_the_authors_word | n }} đoạn được duyệt theo
lời tác giả.
{% else %}{{ annotators | n }} người duyệt đã đánh giá {{ judged_by_a_person | n }} đoạn ({{ verdicts | listed }});
{{ approved_on_the_authors_word | n }} đoạn chỉ được duyệt theo lời tác giả.{% endif %}
{% if decided_unread %}{{ decided_unread | n }} đoạn được quyết định bằng một thao tác trên nhiều đoạn.{% endif %}
{{ rewritten | n }} đoạn đã xuất được viết lại khi duyệt.
{% if agreement %}Trên {{ agreement.samples | n }} đoạn mà từ hai người trở lên duyệt độc lập,
{{ (100 * agreement.share) | d }}% cặp phán quyết giống nhau (alpha của Krippendorff
{% if agreement.alpha is none %}không xác định, vì mọi phán quyết đều giống nhau{% else %}{{ agreement.alpha | d }}
{%- endif %}).{% else %}Mức đồng thuận giữa những người duyệt chưa được đo.{% endif %}
{% for audit in audits %}Khi kiểm tra, {{ audit.people | n }} người đọc {{ audit.read | n }} trong {{ audit.frame | n }}
đoạn được duyệt theo lời tác giả, rút ngẫu nhiên, và thấy {{ audit.wrong | n }} đoạn sai: nhiều nhất
{{ (100 * audit.bound) | d }}% với độ tin cậy {{ (100 * audit.confidence) | d }}% (Clopper và Pearson, một phía).
{% endfor %}
Phép chia giữ các đoạn gần giống nhau và các đoạn cùng cảnh ở một phía
{% if groups %}({{ groups.get("train", 0) | n }} nhóm huấn luyện, {{ groups.get("eval", 0) | n }} nhóm đánh giá)
{% endif %}và nhắm {{ (100 * eval_share) | d }}% cho đánh giá; {{ near_pairs_across_the_split | n }} cặp gần giống nằm ở
hai phía{% if on_neither_side %}, và {{ on_neither_side | n }} đoạn không thuộc phía nào vì gần cả hai phía hoặc gần một
câu hỏi để riêng{% endif %}. {{ held_out_prompts | n }} câu hỏi khác được để riêng cho đánh giá.
""",
}
