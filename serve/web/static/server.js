// What the server told about itself, and what follows for the page. Older servers tell less; the page then offers less.

/** @type {Record<string, any> | null} */
let told = null;

export const info = () => told;
export const setInfo = (fromServer) => {
  told = fromServer;
};

export const limits = () => ({ messages: 400, chars: 4000, memory: 2000, pinned: 20, pinned_chars: 200, ...told?.limits });

/** Whether the character can be told what to remember. */
export const remembers = () => Boolean(told?.remembers);
/** Whether what falls out of the window can be summed up. */
export const sumsUp = () => remembers() && told?.sums_up !== false;
/** Whether the server can count tokens before it answers. */
export const counts = () => Boolean(told?.window);
/** Whether a reply can be continued. */
export const continues = () => Boolean(told?.honours?.includes("continue_final_message"));
