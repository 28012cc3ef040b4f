// Keeps the page in the browser, so that it works without a network after the first visit. The first line of the file is
// written with the page: VERSION, what belongs to it, and the parts of the model, which the page itself fetches.
/* global VERSION, FILES, PARTS */

const PAGES = "inosuke-page-";
const WEIGHTS = "inosuke-weights";
const current = PAGES + VERSION;
const url = (file) => new URL(file, self.registration.scope).href;

self.addEventListener("install", (event) => {
  const fresh = FILES.map((file) => new Request(url(file), { cache: "no-cache" }));
  event.waitUntil(caches.open(current).then((cache) => cache.addAll(fresh)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => event.waitUntil(tidy().then(() => self.clients.claim())));

/** Delete former versions of the page, and parts of former models. */
async function tidy() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(PAGES) && name !== current).map((name) => caches.delete(name)));
  const cache = await caches.open(WEIGHTS);
  const parts = new Set(PARTS.map(url));
  const old = (await cache.keys()).filter((request) => !parts.has(request.url));
  await Promise.all(old.map((request) => cache.delete(request)));
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || !request.url.startsWith(self.registration.scope)) return;
  if (PARTS.some((part) => request.url === url(part))) return; // the page keeps them itself
  event.respondWith(answer(request));
});

async function answer(request) {
  const cache = await caches.open(current);
  const address = request.url.split(/[?#]/, 1)[0];
  const kept = await cache.match(address === url("") ? url("index.html") : address);
  return kept ?? fetch(request);
}
