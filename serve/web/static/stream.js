// One answer from the server: POST the conversation, read server-sent events, yield {type, ...data}.

import { request } from "./transport.js";

/** A failed answer: `code` is the server's, or "lost" when the server did not answer; `retryAfter` is in seconds, or 0. */
export class ChatError extends Error {
  constructor(code, message, retryAfter = 0) {
    super(message);
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

/** `body` is that of POST /api/chat, or of another `path` that streams an answer, without `stream`. */
export async function* answer(body, signal, path = "api/chat") {
  let response;
  try {
    response = await request(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
      body: JSON.stringify({ ...body, stream: true }),
      signal,
    });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ChatError("lost", String(error));
  }
  if (!response.ok) throw await refusal(response);
  let ended = false;
  try {
    for await (const event of events(response.body)) {
      if (event.type === "error") throw new ChatError(event.code, event.message);
      ended ||= event.type === "done";
      yield event;
    }
  } catch (error) {
    if (signal.aborted || error instanceof ChatError) throw error;
    throw new ChatError("broken", String(error));
  }
  // A connection that closes without `done` was interrupted.
  if (!ended) throw new ChatError("broken", "the stream ended early");
}

/** The error in a refusal of the server. */
export async function refusal(response) {
  try {
    const { error } = await response.json();
    return new ChatError(error.code, error.message, Number(response.headers.get("Retry-After")) || 0);
  } catch {
    return new ChatError("lost", `${response.status} ${response.statusText}`);
  }
}

async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  try {
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      buffer += value;
      const blocks = buffer.split("\n\n");
      buffer = /** @type {string} */ (blocks.pop());
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split("\n").map((line) => {
          const colon = line.indexOf(":");
          return [line.slice(0, colon), line.slice(colon + 1).trimStart()];
        }));
        if (fields.event) yield { type: fields.event, ...JSON.parse(fields.data) };
      }
    }
  } finally {
    await reader.cancel().catch(() => {}); // already closed or aborted
  }
}
