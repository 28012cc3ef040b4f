"""The review desk's words, in Vietnamese and in English, by key. What a flag means is in ``curation.codes``.

``tests/annotations/test_words.py`` fails for a key that a view uses and is not here, or that is here and unused.
"""

from __future__ import annotations

from string import Formatter

from curation.codes import REASONS as REASONS
from curation.codes import Language
from curation.persona import Persona

# key → (Vietnamese, English). Streamlit reads labels as Markdown: no stars, underscores or brackets here.
WORDS: dict[str, tuple[str, str]] = {
    "title": ("Bàn duyệt", "Review desk"),
    # views
    "view_review": ("Duyệt", "Review"),
    "view_history": ("Lịch sử", "History"),
    "view_adjudication": ("Phân xử", "Adjudication"),
    "view_audit": ("Đọc kiểm", "Blind reading"),
    "view_choices": ("Câu nào hơn", "Which one?"),
    "view_meaning": ("Tìm ý", "Find"),
    "view_many": ("Cả loạt", "Many at once"),
    "view_casting": ("Phân vai", "Casting"),
    "view_dashboard": ("Tổng quan", "Dashboard"),
    "view_me": ("Của tôi", "My work"),
    "views": ("Trang", "Page"),
    # why a sample comes now
    "comes_surprise": (
        "Đến lượt vì: mô hình mới nhất không ngờ tới câu này.",
        "Why now: the newest run did not expect this.",
    ),
    "comes_doubt": (
        "Đến lượt vì: chưa rõ dấu cảnh báo ở đây có đúng không.",
        "Why now: its flag is often wrong, or not judged yet.",
    ),
    "comes_thin": ("Đến lượt vì: còn ít mẫu đã duyệt về ý này.", "Why now: few approved samples are about this."),
    "comes_spread": ("Đến lượt vì: đổi sang một ý khác.", "Why now: another topic than the last one."),
    # sign-in
    "who": ("Bạn là ai?", "Who are you?"),
    "who_pick": ("Chọn tên", "Pick a name"),
    "who_new": ("hoặc thêm tên mới", "or add a new one"),
    "who_first": ("Tên của bạn", "Your name"),
    "who_empty": ("Hãy chọn tên, hoặc gõ tên của bạn.", "Pick a name, or type yours."),
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
    "elsewhere": (
        "Yêu cầu này đi qua một máy chủ trung gian (tiêu đề {header}), mà bàn duyệt này chỉ hỏi tên.",
        "This request came through a proxy (header {header}), and this desk asks for a name only.",
    ),
    "elsewhere_hint": (
        "Ai cũng có thể lấy tên của người khác. Hãy chạy lại bàn duyệt với mật khẩu (docs/team.md):",
        "Anyone could take anyone's name. Start the desk again with passwords (docs/team.md):",
    ),
    "oidc": ("Đăng nhập", "Sign in"),
    "wrong_password": ("Tên hoặc mật khẩu không đúng.", "The name or the password is wrong."),
    "role_annotator": ("người duyệt", "annotator"),
    "role_adjudicator": ("người phân xử", "adjudicator"),
    # guidelines
    "guidelines": ("Hướng dẫn duyệt", "Guidelines"),
    "guidelines_key": ("Hướng dẫn", "Guidelines"),
    "guidelines_version": ("bản {version}, từ {since}", "version {version}, since {since}"),
    "guidelines_none": ("Chưa có hướng dẫn duyệt nào.", "There are no guidelines yet."),
    "guidelines_examples": ("Ví dụ từ các mẫu đã phân xử", "Examples from adjudicated samples"),
    # queue
    "filters": ("Lọc", "Filters"),
    "status": ("Trạng thái", "Status"),
    "queue": ("Việc của ai", "Whose work"),
    "queue_usual": ("của tôi và chưa giao", "mine and unassigned"),
    "queue_mine": ("chỉ của tôi", "mine only"),
    "queue_all": ("của mọi người", "everyone's"),
    "kind": ("Loại", "Kind"),
    "source": ("Nguồn", "Source"),
    "language": ("Ngôn ngữ", "Language"),
    "flag": ("Cờ", "Flag"),
    "any_flag": ("Có cờ, bất kể cờ nào", "Any flag"),
    "speaker": ("Người nói", "Speaker"),
    "text": ("Tìm trong lời", "Search the text"),
    "text_help": (
        "mat tìm cả mật, mặt; mật chỉ tìm mật. Nhiều từ: phải có đủ. Trong ngoặc kép: đúng cụm từ. "
        "Giữa hai gạch chéo: biểu thức chính quy. Cũng tìm tên người nói và mã mẫu.",
        "mat finds mật and mặt, too; mật finds mật only. Several words: all of them. In quotation marks: the phrase. "
        "Between slashes: a regular expression. Speakers and ids are found as well.",
    ),
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
    "context": ("Các câu trước và sau trong nguồn", "The lines before and after in the source"),
    "context_raw": ("Nguyên văn trong tệp", "As the file has it"),
    "context_row": ("Mẫu này không có câu trước và sau.", "This sample has no lines before and after."),
    "context_unnamed": ("không rõ ai", "not named"),
    "context_missing": (
        "Không tìm thấy tệp {path}, nên không có câu trước và sau.",
        "The file {path} is not there, so the lines before and after cannot be shown.",
    ),
    "context_changed": (
        "Tệp {path} đã đổi từ lúc nhập, nên không có câu trước và sau. Gõ `make dataset` để nhập lại.",
        "The file {path} has changed since the import, so the lines around are not shown. Run `make dataset`.",
    ),
    "context_unreadable": ("Không đọc được tệp {path}.", "The file {path} cannot be read."),
    "context_not_found": (
        "Không tìm thấy các câu của mẫu này trong tệp {path}.",
        "The lines of this sample were not found in the file {path}.",
    ),
    "also_more": ("và {n} chỗ nữa", "and {n} more places"),
    "topic": ("Chủ đề", "Topic"),
    "flags": ("Cần để ý", "Flags"),
    "flag_words": ("Trong lời:", "In the text:"),
    "no_flags": ("Không có cờ nào.", "Nothing was flagged."),
    # neighbours by meaning
    "meaning": ("Gần nghĩa", "Near by meaning"),
    "meaning_reading": (
        "Mô hình đang đọc các mẫu: {done:,} / {total:,}. Lần đầu mất vài phút.",
        "The model is reading the samples: {done:,} of {total:,}. The first time takes minutes.",
    ),
    "meaning_none": (
        "Không có mẫu nào gần nghĩa (cosine từ {cosine}).",
        "No sample is near by meaning (cosine {cosine}).",
    ),
    "meaning_default": (
        "Ngưỡng cosine mặc định {cosine}; đã so {n:,} cặp, từ {least} cặp máy sẽ tự tính ngưỡng.",
        "Default threshold, cosine {cosine}; {n:,} pairs are judged, and {least} give a threshold of your own.",
    ),
    "meaning_judged": (
        "Ngưỡng cosine {cosine}, tính từ {n:,} cặp đã so.",
        "Threshold, cosine {cosine}, from {n:,} judged pairs.",
    ),
    "meaning_share": (
        "Từ ngưỡng trở lên, {share}% [{low}, {high}] của {n:,} cặp là cùng ý.",
        "From there on, {share}% [{low}, {high}] of {n:,} judged pairs were the same.",
    ),
    "meaning_below": ("dưới ngưỡng một chút", "just below the threshold"),
    "meaning_only": ("chỉ gần nghĩa, chữ giống {ratio}%", "by meaning only; letters {ratio}%"),
    "meaning_exact": ("gần nghĩa, và chữ giống {ratio}%", "by meaning, and by letters: {ratio}%"),
    "meaning_same": ("Cùng một ý", "The same"),
    "meaning_different": ("Khác ý", "Not the same"),
    "did_same": ("Đã ghi: cùng một ý. u để hoàn tác.", "Recorded: the same. u undoes it."),
    "did_different": ("Đã ghi: khác ý. u để hoàn tác.", "Recorded: not the same. u undoes it."),
    "same_undone": ("Đã rút lại câu trả lời về cặp này.", "Your answer on the pair is withdrawn."),
    "meaning_ask": ("Tìm một ý, bằng lời của bạn", "Search for a meaning, in your own words"),
    "meaning_rule": (
        "Tìm trong mọi mẫu của hàng đợi, gần nghĩa nhất trước; bộ lọc ở cạnh không tính.",
        "Searches every sample of the queue, the nearest first; the filters at the side do not count.",
    ),
    "near": ("Gần giống ({n})", "Near-duplicates ({n})"),
    "near_more": ("… còn {n} mẫu nữa", "… and {n} more"),
    "near_none": ("Không còn mẫu nào gần giống.", "No near-duplicate is left."),
    "twins": ("So với mẫu gần giống ({n})", "Compare with near-duplicates ({n})"),
    "twins_none": ("Mẫu này không có mẫu gần giống.", "This sample has no near-duplicates."),
    "twins_leave": (
        "Phím không được tính: Esc trở lại mẫu, rồi quyết.",
        "That key did not count: Esc goes back to the sample, where you can judge it.",
    ),
    "back": ("Trở lại mẫu", "Back to the sample"),
    "loading_part": ("Đang lấy…", "Fetching…"),
    "part_failed": ("Chưa lấy được: {why}", "It could not be fetched: {why}"),
    "notes": ("Ghi chú", "Notes"),
    "role_user": ("Người hỏi", "User"),
    "role_system": ("Hệ thống", "System"),
    "cut": ("… còn {n:,} ký tự nữa không hiện ở đây", "… {n:,} more characters are not shown here"),
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
    "reason_to_rewrite": ("Cần sửa lại", "Needs a rewrite"),
    # naming a speaker in the scene
    "scene": ("Cả cảnh…", "Whole scene…"),
    "scene_of": ("Đặt tên người nói của lượt {n} cho cả cảnh", "Name the speaker of turn {n} in the whole scene"),
    "scene_no_name": (
        "Hãy gõ tên người nói của một lượt có trong mẫu đã lưu, rồi nhấn lại.",
        "Type the name of the speaker of a turn that the saved sample has, then press it again.",
    ),
    "scene_title": ("Đặt tên {name} trong các mẫu khác của cảnh", "Name {name} in the other samples of the scene"),
    "scene_rewrites": ("{n} mẫu đã nhận sẽ được sửa.", "{n} approved samples will be rewritten."),
    "scene_drafts": (
        "{n} mẫu chưa duyệt thành bản nháp của bạn; bản nháp đã có thì giữ nguyên.",
        "{n} open samples become drafts of yours; drafts that you have already stay as they are.",
    ),
    "scene_refused": ("{n} mẫu không đổi được.", "{n} samples cannot be changed."),
    "scene_refused_one": ("không đổi được", "cannot be changed"),
    "scene_none": ("Không có mẫu nào khác để đổi.", "There is no other sample to change."),
    "scene_do": ("Đặt tên trong {n} mẫu", "Name in {n} samples"),
    "scene_back": ("Trở lại ô sửa", "Back to the editor"),
    "scene_leave": ("Enter để đặt tên, Esc để trở lại ô sửa.", "Enter names them, Esc goes back to the editor."),
    "scene_done": (
        "{n} mẫu đã sửa, {drafts} bản nháp đã giữ. Hoàn tác: rời ô sửa rồi gõ u.",
        "{n} samples rewritten, {drafts} drafts kept. To undo, leave the editor and press u.",
    ),
    "scene_undone": ("Đã trả lại tên cũ trong {n} mẫu.", "Undone: {n} samples have their former names."),
    # a suggested rewrite
    "suggest": ("Gợi ý của mô hình", "Suggest a reply"),
    "suggest_loading": ("Mô hình đang được nạp…", "The model is being loaded…"),
    "suggest_writing": ("Mô hình đang viết…", "The model is writing…"),
    "suggest_by": ("Mô hình gợi ý, chưa ai duyệt", "Suggested by the model; no one has checked it"),
    "suggest_take": ("Chép vào ô sửa", "Copy into the editor"),
    "suggest_taken": (
        "Đã chép gợi ý vào ô sửa. Ctrl+Z lấy lại lời cũ.",
        "The suggestion is in the editor. Ctrl+Z brings the former text back.",
    ),
    "suggest_another": ("Gợi ý khác", "Another one"),
    "suggest_again": ("Thử lại", "Try again"),
    "suggest_failed": ("Chưa gợi ý được: {why}", "There is no suggestion: {why}"),
    "suggest_no_model": (
        "Chưa có mô hình nào để gợi ý. Hãy huấn luyện một mô hình (make train). Máy nói: {why}",
        "No model is served, so none can suggest a reply. Train one (make train). What it said: {why}",
    ),
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
    "turn_name": ("Tên người nói của lượt {n}", "Speaker of turn {n}"),
    "discard_sure": ("Bỏ hẳn bản nháp này?", "Discard this draft?"),
    "discarded": ("Đã bỏ bản nháp. Hoàn tác (u) lấy lại.", "Draft discarded. Undo (u) brings it back."),
    "discard_undone": ("Bản nháp đã trở lại.", "The draft is back."),
    "draft_here": ("Bản nháp của bạn trong trình duyệt này vẫn còn.", "Your draft in this browser is saved."),
    "draft_two": (
        "Có hai bản nháp khác nhau của bạn cho mẫu này. Chọn bản muốn giữ.",
        "You have two different drafts of this sample. Choose the one to keep.",
    ),
    "draft_elsewhere": (
        "Bạn đã đổi bản nháp này ở thẻ khác hoặc máy khác.",
        "You changed this draft in another tab or on another computer.",
    ),
    "draft_choose": ("Chọn bản muốn giữ", "Choose the text to keep"),
    "draft_mine": ("Bản ở đây", "The one here"),
    "draft_theirs": ("Bản ở nơi khác", "The other one"),
    "draft_use": ("Giữ bản ở đây", "Keep the one here"),
    "draft_use_theirs": ("Lấy bản kia", "Take the other one"),
    "draft_kept": ("Bản nháp vẫn còn.", "The draft is saved."),
    "will_remove": ("Khi lưu sẽ bỏ hoặc sửa:", "Saving removes or respells:"),
    "empty_turn": ("Có lượt trống.", "A turn is empty."),
    "no_reply_last": ("Lượt cuối phải là lời của nhân vật.", "The last turn must be the character's."),
    "too_long_to_edit_here": (
        "Mẫu này dài {n} ký tự, quá dài để sửa ở đây. Hãy loại mẫu này, hoặc cắt ngắn trong tệp nguồn.",
        "This sample has {n} characters, too many to edit here. Reject it, or shorten it in its source file.",
    ),
    # what the stage says
    "yes": ("Đồng ý", "Yes"),
    "dismiss": ("Đóng", "Close"),
    "keys_of": ("Phím của bàn duyệt", "Keys of the desk"),
    "other_reason_text": ("Lý do khác là gì?", "What is the reason?"),
    "save_reason": ("Loại vì lý do này", "Reject for this reason"),
    "decided": ("{status} · {who}", "{status} by {who}"),
    "overrule": (
        "{who} đã quyết: {status}. Bạn có muốn thay quyết định đó?",
        "{who} has judged this: {status}. Overrule it?",
    ),
    "overrule_again": ("Gõ lại phím đó để thay, Esc để thôi.", "Press the key again to overrule, Esc to cancel."),
    "disputed_wait": (
        "Những người duyệt không đồng ý với nhau. Người phân xử sẽ quyết; bạn xem được.",
        "The annotators disagree. An adjudicator will settle it; you can read it.",
    ),
    "disputed_here": (
        "Những người duyệt không đồng ý với nhau. Quyết định của bạn là cuối cùng.",
        "The annotators disagree. Your verdict settles it.",
    ),
    "cannot_judge": ("Bạn chưa quyết được mẫu này.", "You cannot judge this sample now."),
    "first_one": ("Đây là mẫu đầu tiên.", "This is the first sample."),
    "loading": ("Đang lấy mẫu…", "Fetching a sample…"),
    "gone_sample": (
        "Hàng đợi không còn mẫu đó. Đây là mẫu kế.",
        "The queue no longer has that sample. This is the next.",
    ),
    "not_on_screen": (
        "Phím không được tính: lúc gõ chưa có mẫu nào trên màn hình ({n}).",
        "A key did not count: no sample was on the screen when you pressed it ({n}).",
    ),
    "not_counted": (
        "Phím chưa được tính: không có chỗ nào mở ra để gõ. Ngừng một giây rồi gõ lại ({n}).",
        "A key did not count: nothing had opened to type into. Pause for a second, then go on ({n}).",
    ),
    "offline": (
        "Mất kết nối. {n} quyết định và {chars} ký tự nháp nằm trong trình duyệt này và sẽ tự gửi.",
        "No connection. {n} verdicts and {chars} typed characters wait in this browser and will be sent.",
    ),
    "sending": ("Đang gửi, còn {n}…", "Sending, {n} to go…"),
    "online_again": ("Đã kết nối lại, mọi thứ đã gửi.", "Connected again; everything is sent."),
    "wait_for_undo": ("Hoàn tác cần kết nối. Thử lại sau.", "Undo needs the connection. Try again later."),
    "refused_verdict": ("Chưa ghi được ({verdict}): {sample}", "Not recorded ({verdict}): {sample}"),
    "stale_own": (
        "Bạn đã quyết mẫu này ở một thẻ khác. Đây là bản mới nhất.",
        "You judged this sample in another tab. This is the newest version.",
    ),
    "signed_out": (
        "Phiên đăng nhập đã hết. Tải lại trang và đăng nhập; những gì bạn gõ vẫn ở trong trình duyệt này.",
        "Your sign-in has ended. Reload the page and sign in; what you typed stays in this browser.",
    ),
    "no_storage": (
        "Trình duyệt không cho lưu gì (đầy hoặc bị chặn). Đừng đóng thẻ này khi còn chữ chưa gửi.",
        "The browser keeps nothing (full or blocked). Do not close this tab while something is unsent.",
    ),
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
    "cluster_keep_sure": ("Nhận mẫu này và loại {n} mẫu kia?", "Approve this one and reject {n} others?"),
    "cluster_approve_sure": ("Nhận cả {n} mẫu?", "Approve all {n} samples?"),
    "cluster_reject_sure": ("Loại cả {n} mẫu?", "Reject all {n} samples?"),
    "cluster_overrules": (
        "Trong đó thay quyết định khác của {who} ở {n} mẫu.",
        "This overrules what {who} decided on {n} of them.",
    ),
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
    "in_conflict": ("làm khi chưa thấy quyết định kia", "made without sight of the verdict that stands"),
    "same_text": ("Lời không đổi.", "The text is the same."),
    # adjudication
    "adjudication_none": ("Không có bất đồng nào.", "There is nothing to settle."),
    "adjudication_role": ("Chỉ người phân xử mới quyết được ở đây.", "Only an adjudicator can decide here."),
    "adjudication_take": ("Theo {who}", "Follow {who}"),
    "conflict_title": ("Quyết định trái nhau", "Verdicts that differ"),
    "conflict_stands": ("Đang giữ: {status}, theo {who}.", "Stands now: {status}, by {who}."),
    "conflict_dismiss": ("Bỏ quyết định này", "Dismiss this verdict"),
    # blind reading
    "audit_none": ("Không có dòng nào chờ bạn đọc.", "No row waits for you."),
    "audit_left": ("Còn {n:,} dòng cho bạn. Dòng này có ổn không?", "{n:,} rows left for you. Is this one right?"),
    "audit_right": ("Đúng", "Right"),
    "audit_wrong": ("Sai", "Wrong"),
    "audit_why": ("Sai ở đâu?", "What is wrong with it?"),
    "audit_withdrawn": ("Đã rút câu trả lời", "Answer withdrawn"),
    "audit_found": ("Bị chê khi đọc kiểm ({n})", "Found wrong ({n})"),
    "audit_found_hint": (
        "Câu trả lời không đổi mẫu nào: bạn quyết. Mẫu đã sửa vẫn tính là sai trong lần đọc kiểm.",
        "An answer changes no sample: you decide. A row that you correct still counts as wrong in the audit.",
    ),
    "audit_rewrite": ("Mở để sửa", "Open it to rewrite it"),
    "audit_settle_right": ("Tính là đúng", "Count it as right"),
    "audit_settle_wrong": ("Tính là sai", "Count it as wrong"),
    # pairwise choices
    "choice_none": ("Không còn cặp nào chờ bạn chọn.", "No pair waits for you."),
    "choice_which": ("Câu nào giống {name} hơn?", "Which one sounds more like {name}?"),
    "choice_left": ("Còn {n:,} cặp", "{n:,} pairs left"),
    "choice_1": ("Câu thứ nhất", "The first"),
    "choice_2": ("Câu thứ hai", "The second"),
    "choice_0": ("Không câu nào", "Neither"),
    # casting
    "cast_rule": (
        "Những giọng chưa có tên, và nhân vật nói giống họ nhất. Đặt tên một lần cho mọi tập của thư mục: mẫu đã nhận "
        "được viết lại thành một loạt, mẫu chưa duyệt thành bản nháp của bạn.",
        "Voices without a name, and the known characters who talk most like them. A name counts in every episode of "
        "the folder: approved samples are rewritten as one batch, open ones become drafts of yours.",
    ),
    "cast_none": (
        "Không có giọng nào không tên (như SPEAKER 01, mã diễn viên ngắn).",
        "There is no voice without a name (such as SPEAKER 01 or a short actor code).",
    ),
    "cast_lines": ("{n:,} câu trong {episodes:,} tập: {where}", "{n:,} lines in {episodes:,} episodes: {where}"),
    "cast_nobody": (
        "Chưa có nhân vật nào đủ câu để so. Duyệt thêm mẫu, hoặc gõ tên.",
        "No two characters have enough lines to compare with. Approve more samples, or type a name.",
    ),
    "cast_other": ("Tên khác", "Another name"),
    "cast_name": ("Đặt tên này", "Give this name"),
    "cast_done": (
        "{label} là {name}: viết lại {n:,} mẫu, {drafts:,} bản nháp, {refused:,} mẫu không đổi được",
        "{label} is {name}: {n:,} samples rewritten, {drafts:,} drafts kept, {refused:,} refused",
    ),
    "cast_undone": ("Đã hoàn tác {n:,} mẫu và {drafts:,} bản nháp", "{n:,} samples and {drafts:,} drafts undone"),
    "cast_map": (
        "Câu của giọng này chưa nằm trong mẫu nào, hoặc nên được cắt lại theo tên? Thêm dòng này vào mục của thư mục "
        "trong persona.toml rồi chạy make dataset. Mẫu được cắt lại sẽ chờ duyệt lại.",
        "Are lines of this voice in no sample, or should they be cut again with the name? Add this line to the "
        "folder's entry in persona.toml and run make dataset. Samples that are cut again wait for review again.",
    ),
    # many at once
    "many_filter": (
        "Bộ lọc bên trái chọn mẫu. Mỗi việc ở đây là một loạt: một lần hoàn tác trả lại tất cả.",
        "The filters on the left choose the samples. Each action here is one batch: one undo takes all of it back.",
    ),
    "replace_title": ("Tìm và thay", "Find and replace"),
    "replace_rule": (
        "Chỉ mẫu đã nhận được sửa, và vẫn là đã nhận. Mẫu chưa duyệt chỉ có thể thành bản nháp của bạn: "
        "không ai nhận một lời chưa đọc.",
        "Only approved samples are rewritten, and stay approved. Open ones can only become drafts of yours: "
        "no text is approved unread.",
    ),
    "replace_find": ("Tìm", "Find"),
    "replace_put": ("Thay bằng", "Replace with"),
    "replace_word": ("Cả từ", "Whole words only"),
    "replace_case": ("Không phân biệt hoa thường", "Ignore case"),
    "replace_regex": ("Biểu thức chính quy", "Regular expression"),
    "replace_own": ("Chỉ lời nhân vật", "The character's turns only"),
    "replace_preview": ("Xem trước", "Preview"),
    "replace_found": (
        "{n:,} mẫu đã nhận sẽ được sửa ({matches:,} chỗ). Bỏ dấu chọn mẫu nào không muốn sửa.",
        "{n:,} approved samples would be rewritten ({matches:,} places). Untick those to leave as they are.",
    ),
    "replace_shown": ("Từ mẫu thứ", "From number"),
    "replace_include": ("sửa mẫu này", "rewrite this one"),
    "replace_waiting": ("{n:,} mẫu chưa duyệt cũng có: không sửa.", "{n:,} open samples match too: not rewritten."),
    "replace_drafts": ("Giữ lời mới thành bản nháp của tôi", "Keep the new text as my drafts"),
    "replace_drafted": ("{n:,} bản nháp đã giữ", "{n:,} drafts kept"),
    "replace_refused": ("{n:,} mẫu không sửa được:", "{n:,} samples cannot be rewritten:"),
    "replace_do": ("Sửa {n:,} mẫu", "Rewrite {n:,} samples"),
    "all_title": ("Quyết cả bộ lọc", "Judge a whole filter"),
    "all_approve": ("Nhận tất cả", "Approve all"),
    "all_reject": ("Loại tất cả", "Reject all"),
    "all_skip": ("Bỏ qua tất cả", "Skip all"),
    "all_sure_approve": ("Đúng, nhận {n:,} mẫu", "Yes, approve {n:,} samples"),
    "all_sure_reject": ("Đúng, loại {n:,} mẫu", "Yes, reject {n:,} samples"),
    "all_sure_skip": ("Đúng, bỏ qua {n:,} mẫu", "Yes, skip {n:,} samples"),
    "all_refused": ("{n:,} mẫu để lại: {why}", "{n:,} samples are left out: {why}"),
    "all_blind": ("do nhóm duyệt độc lập", "a panel judges them blind"),
    "all_held": ("đang có người mở", "another annotator has them open"),
    # dashboard
    "by_kind": ("Theo loại", "By kind"),
    "by_annotator": ("Theo người duyệt", "By annotator"),
    "per_day": ("Mỗi ngày", "Per day"),
    "agreement": ("Mức đồng thuận", "Agreement"),
    "agreement_none": (
        "Chưa có mẫu nào được hai người duyệt độc lập.",
        "No sample has been judged blind by two annotators yet.",
    ),
    "by_reason": ("Vì sao loại", "Why samples were rejected"),
    "reason": ("lý do", "reason"),
    "times": ("Mỗi quyết định mất bao lâu (trung vị)", "Time for a verdict (median)"),
    "seconds": ("giây", "seconds"),
    "gold_scores": ("Mẫu đã biết đáp án", "Gold items judged as known"),
    "gold_mine": (
        "Mẫu đã biết đáp án, trộn kín vào hàng: bạn quyết đúng {right:,} trên {answered:,}.",
        "Gold items, mixed in unseen: you judged {right:,} of {answered:,} as known.",
    ),
    "over_time": ("Theo thời gian", "Over time"),
    "verdicts": ("quyết định", "verdicts"),
    "day": ("ngày", "day"),
    "annotator": ("người duyệt", "annotator"),
    "total": ("tổng", "total"),
    "sync_now": ("Ghi vào sổ duyệt ngay", "Write the review log now"),
    "synced": ("Sổ duyệt: {to_log} mới, kho: {to_store} mới", "Log: {to_log} new, store: {to_store} new"),
    # Label Studio's page and tasks
    "ls_title": ("Nghe có giống {name} không?", "Does this sound like {name}?"),
    "ls_description": (
        "Duyệt lời của {name}. Lệnh `inosuke label-studio` giữ dự án này.",
        "Review of {name}'s lines, kept by `inosuke label-studio`.",
    ),
    "ls_reply_first": ("Lời của {name} (bút chì để sửa)", "{name}'s words (the pencil corrects them)"),
    "ls_reply": ("{name}, lượt {n}", "{name}, turn {n}"),
    "ls_as_it_was": ("như cũ", "as it was"),
    "ls_others": ("Những người khác: tên và lời", "Other speakers: names and words"),
    "ls_speaker": ("Lời {n}: ai nói?", "Line {n}: who says it?"),
    "ls_line": ("Lời {n}", "Line {n}"),
    "ls_no_name": ("chưa có tên", "no name"),
    "ls_verdict": ("Quyết định", "Verdict"),
    "ls_verdict_missing": ("Hãy chọn nhận, loại hoặc sửa.", "Choose approve, reject or rewrite."),
    "ls_rewrite": ("Sửa", "Rewrite"),
    "ls_says": ("{name} hay nói: {words}.", "{name} says: {words}."),
    "ls_avoids": ("{name} không nói: {words}.", "{name} would not say: {words}."),
    "ls_length": ("Mỗi lượt tối đa {n} ký tự.", "At most {n} characters at once."),
    "ls_how": (
        "Nhận: lời của {name} giữ nguyên. Sửa: sửa lời ở phía trên rồi chọn Sửa. Loại: chọn lý do. Chỉ bài đã gửi mới "
        "được tính; bản nháp và bài bỏ qua vẫn còn đó.",
        "Approve: the words of {name} stay as they are. Rewrite: correct them above the verdict, then choose it. "
        "Reject: choose a reason. Only Submit counts; drafts and skipped tasks stay open.",
    ),
    "ls_version": ("Bản hướng dẫn: {version}", "Guidelines version: {version}"),
    "ls_no_language": ("chưa rõ ngôn ngữ", "language unknown"),
    "ls_topic": ("chủ đề: {topic}", "topic: {topic}"),
    "ls_also": ("cũng có trong {places}", "also in {places}"),
    "ls_more": ("{n} nơi nữa", "{n} more"),
    "ls_no_near": ("Không có mẫu gần giống.", "No near-duplicates."),
    "ls_near_more": ("… còn {n} mẫu nữa trong nhóm này", "… and {n} more in this cluster"),
    "ls_decided": (
        "Mẫu này đã được quyết ở nơi khác ({status}), không cần làm nữa.",
        "This sample was decided elsewhere ({status}): nothing is left to do here.",
    ),
    "ls_replaced": ("đã có bản mới hơn", "there is a newer revision"),
    # my work
    "today": ("Hôm nay", "Today"),
    "all_time": ("Tất cả", "All"),
    "my_pace": ("Mỗi giờ", "Per hour"),
    "people": ("Người duyệt và vai trò", "Annotators and their roles"),
    "my_drafts": ("Bản nháp của tôi", "My drafts"),
    "none": ("không có", "none"),
}

# The reason of a flag: an annotator asks for a rewrite and gives none.
TO_REWRITE = "to_rewrite"

# Codes of earlier versions, as logs and Label Studio projects still hold them, and the code of today.
_OLD_REASONS = {"not_his_voice": "wrong_voice", "to be rewritten (Label Studio)": TO_REWRITE}

# The keys of the review view: the key, what it does in Vietnamese, in English.
HELP: tuple[tuple[str, str, str], ...] = (
    ("a", "nhận", "approve"),
    ("x 1–7", "loại; số là lý do, gõ liền cũng được", "reject; the number is the reason, as fast as you like"),
    ("e", "sửa", "edit"),
    ("Ctrl+Enter", "lưu và nhận bản sửa", "save and approve the rewrite"),
    ("Esc", "thôi; chữ đã gõ vẫn còn là bản nháp", "leave; what you typed stays as a draft"),
    ("s", "bỏ qua: mẫu để người khác duyệt", "skip: the sample goes to another annotator"),
    ("u", "hoàn tác, lùi bao nhiêu bước cũng được", "undo, any number of steps back"),
    ("n p", "mẫu sau, mẫu trước", "next, previous"),
    ("m", "ghi chú; Enter lưu", "note; Enter saves it"),
    ("k", "giữ mẫu này, loại các mẫu gần giống", "keep this one, reject its near-duplicates"),
    (
        "i",
        "xem các mẫu gần nghĩa, và nói có cùng một ý không",
        "samples near by meaning; say whether they are the same",
    ),
    ("t", "so với các mẫu gần giống; Esc trở lại", "compare with near-duplicates; Esc goes back"),
    ("c", "mở, đóng các câu trước và sau trong nguồn", "open and close the lines before and after in the source"),
    ("g", "mở, đóng hướng dẫn duyệt", "open and close the guidelines"),
    ("r", "hỏi mô hình một lời gợi ý", "ask the model to suggest a reply"),
    ("y", "chép gợi ý vào ô sửa", "copy the suggestion into the editor"),
    ("h", "mở, đóng bảng này", "open and close this table"),
)


def say(key: str, language: Language, **values: object) -> str:
    """Return the words of a key, with values filled in. ``{n:,}`` has the separators of the language."""
    words = WORDS[key][0 if language == "vi" else 1]
    return (_VIETNAMESE if language == "vi" else _ENGLISH).format(words, **values)


class _Vietnamese(Formatter):
    """Writes 1355 as 1.355."""

    def format_field(self, value: object, format_spec: str) -> str:
        text: str = super().format_field(value, format_spec)
        return text.replace(",", ".") if format_spec == "," else text


_ENGLISH, _VIETNAMESE = Formatter(), _Vietnamese()


def reasons(persona: Persona, language: Language) -> dict[str, str]:
    """Return the reasons to reject, code and words: the fixed ones, then those of persona.toml's ``[review]``."""
    fixed = {code: say(f"reason_{code}", language) for code in REASONS}
    return fixed | {code: words.words(language) for code, words in persona.review.reasons.items()}


def explain_reason(reason: str, language: Language, persona: Persona | None = None) -> str:
    """Return a verdict's reason in words. What is not a reason code, such as an annotator's note, stays as it is.

    With a persona, its own reasons count too. Label Studio's annotators may give several codes; a pull joins them with
    semicolons.
    """
    fixed = {code: say(f"reason_{code}", language) for code in (*REASONS, TO_REWRITE)}
    known = fixed if persona is None else fixed | reasons(persona, language)
    codes = [current_reason(part) for part in reason.split("; ")]
    return "; ".join(known.get(code, code) for code in codes)


def current_reason(code: str) -> str:
    """Return today's code for a reason code of an earlier version. Any other text is returned as it is."""
    return _OLD_REASONS.get(code, code)
