// Swiping a turn sideways. The bubble follows the finger a little, as a hint of what will happen.

const FAR = 56; // px, about a thumb's width: less is a slipped tap
const PULL = 0.35;

/** Call `onSwipe(item, step)`: 1 for a swipe to the left (the next version), -1 for one to the right. */
export function watchSwipes(list, onSwipe) {
  /** @type {{x: number, y: number, item: HTMLElement, bubble: HTMLElement} | null} */
  let start = null;
  const moved = (event, from) => ({ x: event.clientX - from.x, y: event.clientY - from.y });
  const end = () => {
    if (start) start.bubble.style.translate = "";
    start = null;
  };
  list.addEventListener("pointerdown", (event) => {
    end();
    const item = event.target.closest(".turn.can-swipe");
    if (!item || event.pointerType === "mouse" || !event.isPrimary) return;
    start = { x: event.clientX, y: event.clientY, item, bubble: item.querySelector(".bubble") };
  });
  list.addEventListener("pointermove", (event) => {
    if (!start) return;
    const { x, y } = moved(event, start);
    start.bubble.style.translate = Math.abs(x) > Math.abs(y) ? `${x * PULL}px` : "";
  });
  list.addEventListener("pointerup", (event) => {
    if (!start) return;
    const { x, y } = moved(event, start);
    const { item } = start;
    end();
    // Selecting text for copying is not a swipe.
    if (Math.abs(x) >= FAR && Math.abs(x) > 2 * Math.abs(y) && getSelection()?.isCollapsed) onSwipe(item, x < 0 ? 1 : -1);
  });
  list.addEventListener("pointercancel", end);
}
