"""What the desk says, in Vietnamese and in English. One table; the pages name its keys."""

from __future__ import annotations

from curation.codes import Language as Language

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
    "who_adjudicator": ("Tôi phân xử khi hai người không đồng ý", "I settle it when two people disagree"),
    "sign_in": ("Bắt đầu", "Start"),
    "sign_out": ("Đổi người", "Change person"),
    "password": ("Mật khẩu", "Password"),
    "name": ("Tên", "Name"),
    "closed": (
        "Bàn duyệt này mở ra ngoài máy này, nên cần đăng nhập. Chưa ai có mật khẩu.",
        "This desk is open to other computers, so it needs a sign-in, and nobody has a password yet.",
    ),
    "closed_hint": (
        "Gõ lệnh này cho từng người, hoặc đặt OIDC của Streamlit (.streamlit/secrets.toml), hoặc chỉ mở 127.0.0.1:",
        "Type this for each person, or set up Streamlit's OIDC (.streamlit/secrets.toml), or serve 127.0.0.1 only:",
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
    "no_pace": ("chưa đủ để đo tốc độ", "too few verdicts to tell a pace"),
    "nothing_left": ("Hết mẫu trong bộ lọc này.", "Nothing is left in this filter."),
    "nothing_left_hint": (
        "Đổi bộ lọc bên trái, xem trang Tổng quan, hoặc chạy `make dataset` để xuất bản những gì đã nhận.",
        "Change the filters on the left, look at the dashboard, or run `make dataset` to export what is approved.",
    ),
    "no_queue": ("Chưa có gì để duyệt.", "There is nothing to review yet."),
    "no_queue_hint": (
        "Gõ lệnh này trong thư mục của dự án, rồi tải lại trang:",
        "Type this in the project's folder, then reload:",
    ),
    "reload": ("Tải lại", "Reload"),
    # one sample
    "sample": ("Mẫu", "Sample"),
    "from_where": ("Nguồn gốc", "Where it came from"),
    "also_in": ("cũng có trong {path} · {locator}", "also in {path} · {locator}"),
    "topic": ("Chủ đề", "Topic"),
    "flags": ("Cần để ý", "Look at"),
    "no_flags": ("Không có cờ nào.", "Nothing was flagged."),
    "near": ("Gần giống ({n})", "Near-duplicates ({n})"),
    "notes": ("Ghi chú", "Notes"),
    "role_user": ("Người hỏi", "User"),
    "role_system": ("Hệ thống", "System"),
    "role_assistant": ("Nhân vật", "Character"),
    "cut": ("… còn {n:,} ký tự nữa không hiện ở đây", "… {n:,} more characters are not shown here"),
    "too_long_to_edit": (
        "Mẫu này dài {n:,} ký tự, quá dài để sửa ở đây. Hãy loại nó, hoặc cắt ngắn trong tệp nguồn.",
        "This sample has {n:,} characters, too many to edit here. Reject it, or shorten it in its source file.",
    ),
    "held": (
        "{names} đang mở mẫu này. Bạn xem được nhưng chưa quyết được.",
        "{names} has this open. You can look, not decide.",
    ),
    "blind": ("Mẫu này do {n} người duyệt độc lập.", "{n} people judge this one, each without seeing the others."),
    "revision": ("bản {n}", "revision {n}"),
    "draft_found": ("Bản nháp của bạn lúc {time} vẫn còn.", "Your draft of {time} is still here."),
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
    "undone": ("Đã hoàn tác: {verdict}", "Taken back: {verdict}"),
    "nothing_to_undo": ("Không còn gì để hoàn tác.", "There is nothing left to take back."),
    "did_approve": ("Đã nhận", "Approved"),
    "did_reject": ("Đã loại", "Rejected"),
    "did_rewrite": ("Đã lưu bản sửa", "Rewrite saved"),
    "did_skip": ("Đã bỏ qua", "Skipped"),
    "did_note": ("Đã ghi chú", "Noted"),
    "verdict_approve": ("nhận", "approve"),
    "verdict_reject": ("loại", "reject"),
    "verdict_rewrite": ("sửa", "rewrite"),
    "verdict_skip": ("bỏ qua", "skip"),
    "verdict_flag": ("đánh dấu", "flag"),
    "verdict_note": ("ghi chú", "note"),
    "verdict_undo": ("hoàn tác", "undo"),
    # reasons
    "reason_not_his_voice": ("Không giống giọng nhân vật", "Not his voice"),
    "reason_wrong_speaker": ("Lời của người khác", "Somebody else says it"),
    "reason_wrong_language": ("Sai ngôn ngữ", "Wrong language"),
    "reason_near_duplicate": ("Trùng với mẫu khác", "Duplicate of another"),
    "reason_no_sense": ("Vô nghĩa, thiếu ngữ cảnh", "Makes no sense"),
    "reason_harmful": ("Gây hại, riêng tư", "Harmful or private"),
    "reason_other": ("Lý do khác", "Another reason"),
    # editing
    "editing": ("Đang sửa · nháp tự lưu", "Editing · the draft saves itself"),
    "turn": ("Lượt {n}", "Turn {n}"),
    "turn_text": ("Lời của lượt {n}", "Text of turn {n}"),
    "turn_role": ("Vai của lượt {n}", "Role of turn {n}"),
    "turn_up": ("Lên", "Up"),
    "turn_down": ("Xuống", "Down"),
    "turn_remove": ("Xóa", "Remove"),
    "turn_add": ("Thêm lượt", "Add a turn"),
    "changes": ("Thay đổi so với bản gốc", "Changes against the import"),
    "no_changes": ("Chưa đổi gì.", "Nothing is changed yet."),
    "checks": ("Kiểm tra", "Checks"),
    "checks_fine": ("Ổn cả.", "All fine."),
    "diff_too_long": ("Quá dài để so sánh ở đây.", "Too long for a comparison here."),
    "discard": ("Bỏ bản nháp", "Discard the draft"),
    # merge
    "stale": (
        "{who} đã quyết mẫu này sau khi bạn mở nó. Đây là bản mới nhất.",
        "{who} has decided on this one since you opened it. This is the newest version.",
    ),
    "merge_title": ("Mẫu đã đổi trong khi bạn sửa", "It changed while you were editing"),
    "merge_theirs": ("Bản mới nhất", "The newest version"),
    "merge_yours": ("Bản nháp của bạn, so với bản mới nhất", "Your draft, against the newest version"),
    "merge_keep_mine": ("Sửa tiếp bản của tôi", "Go on with mine"),
    "merge_take_theirs": ("Lấy bản mới nhất", "Take theirs"),
    # clusters
    "cluster_keep": ("Giữ mẫu này, loại các mẫu kia", "Keep this one, reject the others"),
    "cluster_approve": ("Nhận cả nhóm", "Approve all"),
    "cluster_reject": ("Loại cả nhóm", "Reject all"),
    "cluster_done": ("{n} mẫu đã quyết", "{n} decided"),
    "cluster_refused": ("{n} mẫu không quyết được: {why}", "{n} could not be decided: {why}"),
    "open_this": ("Mở mẫu này", "Open this one"),
    # history
    "history_pick": ("Mã mẫu", "Sample id"),
    "history_recent": ("Việc vừa làm", "Just done"),
    "history_none": ("Chưa ai quyết gì về mẫu này.", "Nobody has decided anything about this one."),
    "history_hidden": ("Ẩn cho đến khi cả nhóm duyệt xong.", "Hidden until the whole panel has judged."),
    "history_restore": ("Khôi phục bản này", "Restore this revision"),
    "history_original": ("Bản nhập gốc", "As imported"),
    "restored": ("Đã khôi phục bản {n}", "Revision {n} restored"),
    "taken_back": ("đã hoàn tác", "taken back"),
    "out_of_turn": ("làm trên bản cũ", "made on an old revision"),
    # adjudication
    "adjudication_none": ("Không có bất đồng nào.", "Nobody disagrees about anything."),
    "adjudication_role": ("Chỉ người phân xử mới quyết được ở đây.", "Only an adjudicator can decide here."),
    "adjudication_take": ("Theo {who}", "Take {who}'s"),
    "conflict_title": ("Quyết định làm trên bản cũ", "Verdicts made on an old revision"),
    "conflict_dismiss": ("Bỏ quyết định này", "Dismiss it"),
    # dashboard
    "by_kind": ("Theo loại", "By kind"),
    "by_annotator": ("Theo người duyệt", "By annotator"),
    "per_day": ("Mỗi ngày", "Per day"),
    "agreement": ("Mức đồng thuận", "Agreement"),
    "agreement_none": ("Chưa có mẫu nào được hai người duyệt độc lập.", "No sample was judged by two people yet."),
    "over_time": ("Theo thời gian", "Over time"),
    "verdicts": ("quyết định", "verdicts"),
    "day": ("ngày", "day"),
    "week": ("tuần", "week"),
    "samples": ("mẫu", "samples"),
    "raters": ("người", "people"),
    "annotator": ("người duyệt", "annotator"),
    "total": ("tổng", "total"),
    "sync_now": ("Ghi vào sổ duyệt ngay", "Write the review log now"),
    "synced": ("Sổ duyệt: {to_log} mới, kho: {to_store} mới", "Log: {to_log} new, store: {to_store} new"),
    # my work
    "today": ("Hôm nay", "Today"),
    "all_time": ("Tất cả", "All"),
    "my_pace": ("Mỗi giờ", "An hour"),
    "my_drafts": ("Bản nháp của tôi", "My drafts"),
    "none": ("không có", "none"),
    "interface": ("Giao diện", "Interface"),
}

# Reject reasons, in the order of the keys 1 to 7.
REASONS = ("not_his_voice", "wrong_speaker", "wrong_language", "near_duplicate", "no_sense", "harmful", "other")

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

Streamlit giữ `c` và `r` cho riêng nó, và không nhận dấu `?`; vì vậy loại là `x`, trợ giúp là `h`.
""",
    "en": """
| key | what it does |
| --- | --- |
| `a` | approve |
| `x` | reject, then `1`–`7` for the reason |
| `e` | edit; `Ctrl+Enter` saves and approves, `Esc` leaves (the draft stays) |
| `s` | skip: somebody else gets it |
| `u` | undo, as many steps back as you like |
| `n` `p` | next, previous |
| `m` | note |
| `k` | keep this one, reject its near-duplicates |
| `h` | open and close this page |

Streamlit keeps `c` and `r` for itself and takes no `?`; so reject is `x` and help is `h`.
""",
}


def say(key: str, language: Language, **values: object) -> str:
    """Return a text of the table, with values put in."""
    return WORDS[key][0 if language == "vi" else 1].format(**values)
