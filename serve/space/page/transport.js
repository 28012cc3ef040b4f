// What stands in for the server on a page that needs none: answers the page's requests with a model in this browser.

import { currentLanguage } from "./i18n.js";
import * as loading from "./local/loading.js";
import { Lorebook } from "./local/lorebook.js";
import { Model, missing } from "./local/model.js";
import { Prompts, Refused } from "./local/prompt.js";
import * as weights from "./local/weights.js";
import { sendable } from "./text.js";

const space = (await (await fetch("space.json")).json());
const lorebook = space.lorebook && new Lorebook(space.lorebook);
const encoder = new TextEncoder();

/** @type {Promise<{model: Model, prompts: Prompts}> | null} */
let started = null;

/** A refusal with one of the server's codes. */
class Refusal extends Error {
  constructor(code, message, status = 503) {
    super(message);
    this.code = code;
    this.status = status;
  }

  response = () => Response.json({ error: { code: this.code, message: this.message } }, { status: this.status });
}

/** Load the model, once; after a failure the next call begins again. */
function model() {
  started ??= start().catch((error) => {
    started = null;
    const { key, args, again } = reason(error);
    loading.wrong(key, args, again ? () => void model().catch(() => {}) : null); // the bar tells what failed
    throw new Refusal("model_not_loaded", String(error));
  });
  return started;
}

async function start() {
  if (missing()) throw new Unfit();
  const all = space.weights.bytes;
  loading.fetching(0, all);
  const { blob, kept } = await weights.load(space.weights, (bytes) => loading.fetching(bytes, all));
  loading.waking();
  const tokenizer = await (await fetch("tokenizer.json")).json();
  const prompts = new Prompts(space.layout, tokenizer);
  const model = await Model.load(blob, space);
  // The system prompt and the greeting are read before the first message.
  const ids = prompts.render([...(await opening()), { role: "user", content: "!" }]);
  await model.take(ids, (done, total) => loading.waking(done / total));
  if (kept) loading.hide();
  else loading.note("localNotKept");
  return { model, prompts };
}

/** The turns with which the conversation that is shown begins, before the visitor has said anything. */
async function opening() {
  // Only now: these files import this one.
  const [{ shown }, { greeting }] = await Promise.all([import("./session.js"), import("./opening.js")]);
  const first = shown()?.nodes.length === 0 && greeting(shown());
  /** @type {{role: "system" | "assistant", content: string}[]} */
  const turns = space.layout.prompt === "chat" ? [{ role: "system", content: systemPrompt() }] : [];
  return first ? [...turns, { role: "assistant", content: first }] : turns;
}

/** The browser cannot run the model. */
class Unfit extends Error {}

function reason(error) {
  if (error instanceof Unfit) return { key: "localUnfit", args: [], again: false };
  if (error instanceof weights.NotFetched) {
    const key = error.reason === "network" ? "localNetwork" : "localDamaged";
    return { key, args: [], again: true };
  }
  const memory = /memory|alloc|OOM|out of bounds|Array buffer|array length/i.test(String(error?.message ?? error));
  return { key: memory ? "localMemory" : "localFailed", args: memory ? [needed()] : [String(error?.message ?? error)], again: true };
}

const needed = () => Math.ceil((space.weights.bytes + 300e6) / 1e8) / 10; // GB: the weights, the cache, the program
const systemPrompt = () => space.layout.system[currentLanguage()] ?? Object.values(space.layout.system)[0];

// ------------------------------------------------------------------------------------------------- the server's paths

const room = (settings) => space.context - Math.min(settings.max_new_tokens, Math.floor(space.context / 2));

async function chat(body, signal) {
  const settings = { ...space.info.settings, ...body.settings };
  const { model: loaded, prompts } = await withSignal(model(), signal);
  const remembering = prompts.withMemory(body.messages, body.memory, body.pinned);
  let fitted, facts;
  try {
    const told = prompts.told(remembering, lorebook, room(settings));
    facts = lorebook?.book.show ? told.facts : [];
    fitted = prompts.fit(told.messages, room(settings));
  } catch (error) {
    if (error instanceof Refused) throw new Refusal("invalid_request", error.message, 400);
    throw error;
  }
  if (!fitted) throw new Refusal("conversation_too_long", "the last message does not fit into the window", 400);
  const { ids, dropped } = fitted;
  const stopped = new AbortController();
  signal?.addEventListener("abort", () => stopped.abort());
  const stream = new ReadableStream({
    async start(controller) {
      const send = (event, data) => stopped.signal.aborted || controller.enqueue(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
      try {
        const { finish_reason, tokens } = await loaded.alone(() => loaded.answer(ids, settings, {
          said: (text) => send("delta", { text: sendable(text) }),
          reading: (done, total) => send("reading", { done, total }),
          signal: stopped.signal,
          loops: space.loops,
        }));
        const usage = { prompt_tokens: ids.length, completion_tokens: tokens, total_tokens: ids.length + tokens };
        send("done", { finish_reason, usage, dropped_messages: dropped, run: space.info.run, facts });
        if (!stopped.signal.aborted) controller.close();
      } catch (error) {
        if (stopped.signal.aborted) return controller.error(error);
        send("error", { code: "engine_failed", message: String(error) });
        controller.close();
        started = null; // a model that failed once has an unknown cache
        await loaded.wllama.exit();
      }
    },
    cancel: () => stopped.abort(),
  });
  return new Response(stream, { headers: { "Content-Type": "text/event-stream" } });
}

/** Wait for something, or until the visitor no longer wants it. */
function withSignal(promise, signal) {
  if (!signal) return promise;
  return Promise.race([promise, new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  })]);
}

async function count(body) {
  if (!started) throw new Refusal("loading", "the model is not loaded yet");
  const { prompts } = await started;
  const typed = body.draft?.trim() ? [{ role: "user", content: body.draft }] : [];
  const window = room(space.info.settings);
  const remembering = prompts.withMemory([...body.messages, ...typed], body.memory, body.pinned);
  const turns = prompts.told(remembering, lorebook, window).messages;
  const tokens = prompts.count(turns, 2 * window);
  const fitted = prompts.fit(turns, window);
  if (!fitted) return Response.json({ tokens, window, kept_from: Math.max(0, body.messages.length + typed.length - 1), opening: 0 });
  const { opening, dropped } = fitted;
  return Response.json({ tokens, window, kept_from: dropped ? opening + dropped : 0, opening });
}

const PATHS = {
  "api/info": async () => Response.json(space.info),
  "api/chat": chat,
  "api/count": count,
  readyz: async () => Response.json({ status: "ready" }),
};

/**
 * Answers as the server would.
 * @param {string} path
 * @param {RequestInit} [init]
 */
export async function request(path, init = {}) {
  const handler = PATHS[path];
  if (!handler) return new Refusal("not_found", `${path}: this page has no server`, 404).response();
  try {
    return await handler(init.body ? JSON.parse(String(init.body)) : {}, init.signal);
  } catch (error) {
    if (error instanceof Refusal) return error.response();
    if (init.signal?.aborted) throw error;
    return new Refusal("internal_error", String(error), 500).response();
  }
}

// ------------------------------------------------------------------------------------------------------------ starting

// Page, program and words stay in the browser, so that the next visit needs no network. Without a service worker (a
// private window, storage refused) it does need one, and all else is the same.
navigator.serviceWorker?.register("sw.js").catch(() => {});
if (missing()) loading.wrong("localUnfit", [], null);
else if (await weights.areKept(space.weights)) void model().catch(() => {});
else loading.offer(space.weights.bytes, () => void model().catch(() => {}));
