// The page's words in Vietnamese and English. Adding a language is adding a column here.

const WORDS = {
  vi: {
    skip: "Tới ô nhập tin nhắn",
    conversations: "Cuộc trò chuyện",
    newChat: "Cuộc trò chuyện mới",
    kept: "Mọi cuộc trò chuyện chỉ nằm trong trình duyệt này.",
    close: "Đóng",
    untitled: "Chưa có tên",
    rename: "Đổi tên",
    remove: "Xoá",
    exportChat: "Tải về (JSON)",
    renameTitle: "Đặt tên cho cuộc trò chuyện",
    removeTitle: (name) => `Xoá “${name}”? Không lấy lại được đâu.`,
    save: "Lưu",
    cancel: "Thôi",
    greeting: "Ta là chúa tể núi rừng! Ngươi muốn gì?",
    portrait: "Hình vẽ một chiến binh đội đầu lợn rừng",
    notice: "Nhân vật do người hâm mộ huấn luyện, không phải bản chính thức. Hắn có thể thô lỗ, và có thể nói sai.",
    fan: "Nhân vật do người hâm mộ làm; có thể thô lỗ và nói sai.",
    message: "Tin nhắn",
    placeholder: (name) => `Nói gì đó với ${name}…`,
    send: "Gửi",
    stop: "Dừng (Esc)",
    keys: "Enter để gửi · Shift+Enter xuống dòng · Esc để dừng ·",
    you: "Ngươi",
    copy: "Chép",
    copied: "Đã chép",
    edit: "Sửa",
    regenerate: "Trả lời lại",
    editing: "Đang sửa tin nhắn cuối.",
    stopped: "Đã dừng.",
    cut: "Dừng vì đã đủ dài.",
    forgot: (n) => `Hắn không còn nhớ ${n} tin nhắn đầu.`,
    thinking: "đang nghĩ…",
    queued: (n) => `đang chờ, còn ${n} người trước ngươi`,
    ready: (info) => info.run ? `${info.base} · ${info.run}` : info.model,
    toNewest: "Tới tin mới nhất",
    retry: "Thử lại",
    lost: "Mất kết nối. Tin nhắn vẫn còn đây.",
    broken: "Câu trả lời bị đứt giữa chừng.",
    offline: "Máy của ngươi đang ngoại tuyến.",
    full: "Bộ nhớ trình duyệt đã đầy: hãy tải về rồi xoá bớt vài cuộc trò chuyện.",
    tooLong: (n, max) => `Dài quá: ${n} ký tự, nhiều nhất ${max}.`,
    busy: "Hắn đang tiếp quá nhiều người. Đợi một lát rồi thử lại.",
    toDark: "Chuyển sang nền tối",
    toLight: "Chuyển sang nền sáng",
    other: "EN",
    otherLabel: "Switch to English",
    prompts: ["Ngươi là ai?", "Thách ngươi đấu với ta một trận!", "Hôm nay ta buồn quá…", "Món ngươi thích nhất là gì?"],
  },
  en: {
    skip: "Go to the message box",
    conversations: "Conversations",
    newChat: "New conversation",
    kept: "Conversations are kept in this browser only.",
    close: "Close",
    untitled: "Untitled",
    rename: "Rename",
    remove: "Delete",
    exportChat: "Download (JSON)",
    renameTitle: "Name this conversation",
    removeTitle: (name) => `Delete “${name}”? It cannot be brought back.`,
    save: "Save",
    cancel: "Cancel",
    greeting: "I am the king of the mountain! What do you want?",
    portrait: "A drawing of a fighter who wears a boar's head",
    notice: "A character trained by fans, not an official one. He can be rude, and he can be wrong.",
    fan: "A fan-made character; he can be rude and wrong.",
    message: "Message",
    placeholder: (name) => `Say something to ${name}…`,
    send: "Send",
    stop: "Stop (Esc)",
    keys: "Enter sends · Shift+Enter for a new line · Esc stops ·",
    you: "You",
    copy: "Copy",
    copied: "Copied",
    edit: "Edit",
    regenerate: "Answer again",
    editing: "Editing your last message.",
    stopped: "Stopped.",
    cut: "Stopped at the length limit.",
    forgot: (n) => `He no longer remembers the first ${n} messages.`,
    thinking: "is thinking…",
    queued: (n) => `waiting, ${n} ahead of you`,
    ready: (info) => info.run ? `${info.base} · ${info.run}` : info.model,
    toNewest: "To the newest message",
    retry: "Try again",
    lost: "Connection lost. Your message is still here.",
    broken: "The answer broke off.",
    offline: "You are offline.",
    full: "The browser's storage is full: download and delete some conversations.",
    tooLong: (n, max) => `Too long: ${n} characters, at most ${max}.`,
    busy: "He is talking to too many people. Wait a moment and try again.",
    toDark: "Switch to dark",
    toLight: "Switch to light",
    other: "VI",
    otherLabel: "Chuyển sang tiếng Việt",
    prompts: ["Who are you?", "I challenge you to a fight!", "I feel down today…", "What is your favourite food?"],
  },
};

let language = "vi";

export const currentLanguage = () => language;
export const setLanguage = (code) => {
  language = code in WORDS ? code : "vi";
};

/** The word for a key in the current language; functions take what varies. */
export const t = (key, ...args) => {
  const word = WORDS[language][key];
  return typeof word === "function" ? word(...args) : word;
};

/** Fill every element that names its words with data-i18n, data-i18n-label or data-i18n-alt. */
export function translate(root = document) {
  document.documentElement.lang = language;
  for (const element of root.querySelectorAll("[data-i18n]")) element.textContent = t(element.dataset.i18n);
  for (const element of root.querySelectorAll("[data-i18n-label]")) {
    const label = t(element.dataset.i18nLabel);
    element.setAttribute("aria-label", label);
    if (element.matches("button")) element.title = label;
  }
  for (const element of root.querySelectorAll("[data-i18n-alt]")) element.alt = t(element.dataset.i18nAlt);
}
