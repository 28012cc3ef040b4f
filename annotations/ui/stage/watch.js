// How long a sample has been in front of the annotator, without the time in which they did something else.

// Reading a long sample takes this long without a key or a movement; anything longer is a break.
const PAUSE_MS = 60_000;

export class Watch {
  constructor() {
    this.total = 0;
    this.last = performance.now();
    this.noticed = () => this.notice();
    for (const kind of ["keydown", "pointermove", "pointerdown", "wheel", "visibilitychange"]) {
      document.addEventListener(kind, this.noticed, { capture: true, passive: true });
    }
  }

  notice() {
    const now = performance.now();
    this.total += Math.min(now - this.last, PAUSE_MS);
    this.last = now;
  }

  /** A new sample is on the screen. */
  start() {
    this.total = 0;
    this.last = performance.now();
  }

  /** Return the seconds since then, to a tenth. */
  seconds() {
    this.notice();
    return Math.round(this.total / 100) / 10;
  }

  close() {
    for (const kind of ["keydown", "pointermove", "pointerdown", "wheel", "visibilitychange"]) {
      document.removeEventListener(kind, this.noticed, { capture: true });
    }
  }
}
