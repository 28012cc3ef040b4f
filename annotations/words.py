"""The review desk's words, in Vietnamese and in English, by key. What a flag means is in ``curation.codes``.

``tests/annotations/test_words.py`` fails for a key that a view uses and is not here, or that is here and unused.
"""

from __future__ import annotations

from curation.codes import Language

# key → (Vietnamese, English). Streamlit reads labels as Markdown: no stars, underscores or brackets here.
WORDS: dict[str, tuple[str, str]] = {
    "title": ("Bàn duyệt", "Review desk"),
    # views
    "view_review": ("Duyệt", "Review"),
    "view_history": ("Lịch sử", "History"),
    "view_adjudication": ("Phân xử", "Adjudication"),
    "view_dashboard": ("Tổng quan", "Dashboard"),
    "view_me": ("Của tôi", "My work"),
    "views": ("Trang", "Page"),
    # sign-in
    "who": ("Bạn là ai?", "Who are you?"),
    "who_pick": ("Chọn tên", "Pick a name"),
    "who_new": ("hoặc thêm tên mới", "or add a new one"),
    "who_first": ("Tên của bạn", "Your name"),
    "who_adjudicator": ("Tôi phân xử khi hai người không đồng ý", "I settle disputes between annotators"),
    "sign_in": ("Bắt đầu", "Start"),
    "sign_out": ("Đổi người", "Sign out"),
    "password": ("Mật khẩu", "Password"),
    "name": ("Tên", "Name"),
    "closed": (
        "Bàn duyệt này mở ra ngoài máy này, nên cần đăng nhập. Chưa ai có mật khẩu.",
        "This desk is open to other computers, so it needs a sign-in, and no one has a password yet.",
    ),
    "closed_hint": (
        "Gõ lệnh này cho từng người, hoặc đặt OIDC của Streamlit (.streamlit/secrets.toml), hoặc chỉ mở 127.0.0.1:",
        "Run this for each person, or set up Streamlit's OIDC (.streamlit/secrets.toml), or serve 127.0.0.1 only:",
    ),
    "oidc": ("Đăng nhập", "Sign in"),
    "wrong_password": ("Tên hoặc mật khẩu không đúng.", "The name or the password is wrong."),
    "role_annotator": ("người duyệt", "annotator"),
    "role_adjudicator": ("người phân xử", "adjudicator"),
    # queue
    "filters": ("Lọc", "Filters"),
    "status": ("Trạng thái", "Status"),
    "kind": ("Loại", "Kind"),
    "source": ("Nguồn", "Source"),
    "language": ("Ngôn ngữ", "Language"),
    "flag": ("Cờ", "Flag"),
    "speaker": ("Người nói", "Speaker"),
    "text": ("Tìm trong lời", "Search the text"),
    "any": ("tất cả", "any"),
    "status_open": ("chưa duyệt", "to review"),
    "status_pending": ("chưa duyệt", "to review"),
    "status_skipped": ("đã bỏ qua", "skipped"),
    "status_disputed": ("bất đồng", "disputed"),
    "status_conflict": ("xung đột", "in conflict"),
    "status_approved": ("đã nhận", "approved"),
    "status_rejected": ("đã loại", "rejected"),
    "status_all": ("tất cả", "all"),
    "left": ("còn {n:,} mẫu trong bộ lọc này", "{n:,} left in this filter"),
    "progress": ("{done:,} trên {total:,} đã xong", "{done:,} of {total:,} done"),
    "pace": ("{n}/giờ · còn chừng {left}", "{n} an hour · about {left} left"),
    "no_pace": ("chưa đủ để đo tốc độ", "too few verdicts to estimate a pace"),
    "nothing_left": ("Hết mẫu trong bộ lọc này.", "Nothing is left in this filter."),
    "nothing_left_hint": (
        "Đổi bộ lọc bên trái, xem trang Tổng quan, hoặc chạy `make dataset` để xuất bản những gì đã nhận.",
        "Change the filters on the left, look at the dashboard, or run `make dataset` to export the approved samples.",
    ),
    "no_queue": ("Chưa có gì để duyệt.", "There is nothing to review yet."),
    "no_queue_hint": (
        "Gõ lệnh này trong thư mục của dự án, rồi tải lại trang:",
        "Run this in the project's folder, then reload the page:",
    ),
    "reload": ("Tải lại", "Reload"),
    # one sample
    "sample": ("Mẫu", "Sample"),
    "source_of": ("Nguồn gốc", "Source"),
    "also_in": ("cũng có trong {path} · {locator}", "also in {path} · {locator}"),
    "topic": ("Chủ đề", "Topic"),
    "flags": ("Cần để ý", "Flags"),
    "no_flags": ("Không có cờ nào.", "Nothing was flagged."),
    "near": ("Gần giống ({n})", "Near-duplicates ({n})"),
    "notes": ("Ghi chú", "Notes"),
    "role_user": ("Người hỏi", "User"),
    "role_system": ("Hệ thống", "System"),
    "cut": ("… còn {n:,} ký tự nữa không hiện ở đây", "… {n:,} more characters are not shown here"),
    "too_long_to_edit": (
        "Mẫu này dài {n:,} ký tự, quá dài để sửa ở đây. Hãy loại mẫu này, hoặc cắt ngắn trong tệp nguồn.",
        "This sample has {n:,} characters, too many to edit here. Reject it, or shorten it in its source file.",
    ),
    "held": (
        "{names} đang mở mẫu này. Bạn xem được nhưng chưa quyết được.",
        "{names} has this open. You can read it but not judge it.",
    ),
    "blind": ("Mẫu này do {n} người duyệt độc lập.", "{n} annotators judge this sample, blind to each other."),
    "revision": ("bản {n}", "revision {n}"),
    "draft_found": ("Bản nháp của bạn lúc {time} vẫn còn.", "Your draft of {time} is saved."),
    # actions
    "approve": ("Nhận", "Approve"),
    "reject": ("Loại", "Reject"),
    "edit": ("Sửa", "Edit"),
    "skip": ("Bỏ qua", "Skip"),
    "undo": ("Hoàn tác", "Undo"),
    "note": ("Ghi chú", "Note"),
    "next": ("Sau", "Next"),
    "previous": ("Trước", "Previous"),
    "help": ("Trợ giúp", "Help"),
    "cancel": ("Thôi", "Cancel"),
    "save": ("Lưu và nhận", "Save and approve"),
    "save_note": ("Lưu ghi chú", "Save the note"),
    "note_text": ("Ghi chú cho mẫu này", "A note on this sample"),
    "why_reject": ("Vì sao loại?", "Why reject it?"),
    "undone": ("Đã hoàn tác: {verdict}", "Undone: {verdict}"),
    "nothing_to_undo": ("Không còn gì để hoàn tác.", "There is nothing left to undo."),
    "did_approve": ("Đã nhận", "Approved"),
    "did_reject": ("Đã loại", "Rejected"),
    "did_rewrite": ("Đã lưu bản sửa", "Rewrite saved"),
    "did_skip": ("Đã bỏ qua", "Skipped"),
    "did_note": ("Đã ghi chú", "Note saved"),
    "verdict_approve": ("nhận", "approve"),
    "verdict_reject": ("loại", "reject"),
    "verdict_rewrite": ("sửa", "rewrite"),
    "verdict_skip": ("bỏ qua", "skip"),
    "verdict_flag": ("đánh dấu", "flag"),
    "verdict_note": ("ghi chú", "note"),
    "verdict_undo": ("hoàn tác", "undo"),
    # reasons
    "reason_wrong_voice": ("Không giống giọng nhân vật", "Does not sound like the character"),
    "reason_wrong_speaker": ("Lời của người khác", "Another speaker's line"),
    "reason_wrong_language": ("Sai ngôn ngữ", "Wrong language"),
    "reason_near_duplicate": ("Trùng với mẫu khác", "Duplicate of another sample"),
    "reason_no_sense": ("Vô nghĩa, thiếu ngữ cảnh", "Makes no sense"),
    "reason_harmful": ("Gây hại, riêng tư", "Harmful or private"),
    "reason_other": ("Lý do khác", "Another reason"),
    # editing
    "editing": ("Đang sửa · nháp tự lưu", "Editing · the draft is saved as you type"),
    "turn_text": ("Lời của lượt {n}", "Text of turn {n}"),
    "turn_role": ("Vai của lượt {n}", "Role of turn {n}"),
    "turn_up": ("Lên", "Up"),
    "turn_down": ("Xuống", "Down"),
    "turn_remove": ("Xóa", "Remove"),
    "turn_add": ("Thêm lượt", "Add a turn"),
    "changes": ("Thay đổi so với bản gốc", "Changes from the import"),
    "no_changes": ("Chưa đổi gì.", "Nothing has changed yet."),
    "checks": ("Kiểm tra", "Checks"),
    "checks_fine": ("Ổn cả.", "No problems."),
    "diff_too_long": ("Quá dài để so sánh ở đây.", "Too long to compare here."),
    "discard": ("Bỏ bản nháp", "Discard the draft"),
    # merge
    "stale": (
        "{who} đã quyết mẫu này sau khi bạn mở ra. Đây là bản mới nhất.",
        "{who} has judged this sample since you opened it. This is the newest version.",
    ),
    "merge_title": ("Mẫu đã đổi trong khi bạn sửa", "The sample changed while you were editing it"),
    "merge_theirs": ("Bản mới nhất", "The newest version"),
    "merge_yours": ("Bản nháp của bạn, so với bản mới nhất", "Your draft, compared with the newest version"),
    "merge_keep_mine": ("Sửa tiếp bản của tôi", "Continue with mine"),
    "merge_take_theirs": ("Lấy bản mới nhất", "Take the newest version"),
    # clusters
    "cluster_keep": ("Giữ mẫu này, loại các mẫu kia", "Keep this one, reject the others"),
    "cluster_approve": ("Nhận cả nhóm", "Approve all"),
    "cluster_reject": ("Loại cả nhóm", "Reject all"),
    "cluster_done": ("{n} mẫu đã quyết", "{n} samples decided"),
    "cluster_refused": ("{n} mẫu không quyết được: {why}", "{n} samples could not be decided: {why}"),
    "open_this": ("Mở mẫu này", "Open this one"),
    # history
    "history_pick": ("Mã mẫu", "Sample id"),
    "history_recent": ("Việc vừa làm", "Your latest work"),
    "history_none": ("Chưa ai quyết gì về mẫu này.", "This sample has no verdict yet."),
    "history_hidden": ("Ẩn cho đến khi cả nhóm duyệt xong.", "Hidden until the whole panel has judged."),
    "history_restore": ("Khôi phục bản này", "Restore this revision"),
    "history_original": ("Bản nhập gốc", "As imported"),
    "restored": ("Đã khôi phục bản {n}", "Revision {n} restored"),
    "was_undone": ("đã hoàn tác", "undone"),
    "on_old_revision": ("làm trên bản cũ", "made on an old revision"),
    # adjudication
    "adjudication_none": ("Không có bất đồng nào.", "There is nothing to settle."),
    "adjudication_role": ("Chỉ người phân xử mới quyết được ở đây.", "Only an adjudicator can decide here."),
    "adjudication_take": ("Theo {who}", "Follow {who}"),
    "conflict_title": ("Quyết định làm trên bản cũ", "Verdicts made on an old revision"),
    "conflict_dismiss": ("Bỏ quyết định này", "Dismiss this verdict"),
    # dashboard
    "by_kind": ("Theo loại", "By kind"),
    "by_annotator": ("Theo người duyệt", "By annotator"),
    "per_day": ("Mỗi ngày", "Per day"),
    "agreement": ("Mức đồng thuận", "Agreement"),
    "agreement_none": (
        "Chưa có mẫu nào được hai người duyệt độc lập.",
        "No sample has been judged blind by two annotators yet.",
    ),
    "over_time": ("Theo thời gian", "Over time"),
    "verdicts": ("quyết định", "verdicts"),
    "day": ("ngày", "day"),
    "annotator": ("người duyệt", "annotator"),
    "total": ("tổng", "total"),
    "sync_now": ("Ghi vào sổ duyệt ngay", "Write the review log now"),
    "synced": ("Sổ duyệt: {to_log} mới, kho: {to_store} mới", "Log: {to_log} new, store: {to_store} new"),
    # my work
    "today": ("Hôm nay", "Today"),
    "all_time": ("Tất cả", "All"),
    "my_pace": ("Mỗi giờ", "Per hour"),
    "my_drafts": ("Bản nháp của tôi", "My drafts"),
    "none": ("không có", "none"),
}

# Reject reasons, in the order of the keys 1 to 7.
REASONS = ("wrong_voice", "wrong_speaker", "wrong_language", "near_duplicate", "no_sense", "harmful", "other")

# Codes of earlier versions, as logs and Label Studio projects still hold them, and the code of today.
_OLD_REASONS = {"not_his_voice": "wrong_voice"}

HELP: dict[Language, str] = {
    "vi": """
| phím | việc |
| --- | --- |
| `a` | nhận |
| `x` | loại, rồi `1`–`7` chọn lý do |
| `e` | sửa; `Ctrl+Enter` lưu và nhận, `Esc` thôi (nháp vẫn còn) |
| `s` | bỏ qua: mẫu để người khác duyệt |
| `u` | hoàn tác, lùi bao nhiêu bước cũng được |
| `n` `p` | mẫu sau, mẫu trước |
| `m` | ghi chú |
| `k` | giữ mẫu này, loại các mẫu gần giống |
| `h` | mở, đóng trang này |

Streamlit giữ `c` và `r` để dùng riêng và không nhận dấu `?`; vì vậy loại là `x`, trợ giúp là `h`.
""",
    "en": """
| key | what it does |
| --- | --- |
| `a` | approve |
| `x` | reject, then `1`–`7` for the reason |
| `e` | edit; `Ctrl+Enter` saves and approves, `Esc` leaves (the draft stays) |
| `s` | skip: the sample goes to another annotator |
| `u` | undo, any number of steps back |
| `n` `p` | next, previous |
| `m` | note |
| `k` | keep this one, reject its near-duplicates |
| `h` | open and close this page |

Streamlit keeps `c` and `r` for itself and does not accept `?`, so reject is `x` and help is `h`.
""",
}


def say(key: str, language: Language, **values: object) -> str:
    """Return the words of a key, with values filled in."""
    return WORDS[key][0 if language == "vi" else 1].format(**values)


def explain_reason(reason: str, language: Language) -> str:
    """Return a verdict's reason in words. What is not a reason code, such as an annotator's note, stays as it is.

    Label Studio's annotators may give several codes and a note; a pull joins them with semicolons.
    """
    codes = [current_reason(part) for part in reason.split("; ")]
    return "; ".join(say(f"reason_{code}", language) if code in REASONS else code for code in codes)


def current_reason(code: str) -> str:
    """Return today's code for a reason code of an earlier version. Any other text is returned as it is."""
    return _OLD_REASONS.get(code, code)
