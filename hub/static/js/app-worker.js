// 离线阅读: the app's worker. It keeps the files that the app is drawn with and the pages that were read, network first.
// It stands under /app/ and sees nothing else of the site. What is sent (POST), what has a question in its address and
// what says no-store is never kept, so nothing that a person wrote or asked for lies here.
"use strict";

const VERSION = new URL(self.location.href).searchParams.get("v") || "none";
const SHELL = `app-shell-${VERSION}`;
const READ = "app-read";
const PICTURES = "app-pictures";
const MOST_CARDS = 60;
const MOST_PICTURES = 120;
const PATIENCE = 4000; // milliseconds until a page that was read before is shown instead of waiting on
const OFFLINE = "/app/offline";

const isCard = (path) => /^\/app\/cards\/[A-Za-z0-9_-]{1,80}$/.test(path);
const askShell = async () => (await fetch("/app/shell.json", { cache: "no-store" })).json();

// ---- keeping

const mayKeep = (answer) =>
  answer.ok && answer.type === "basic" && !answer.redirected && !/no-store|private/.test(answer.headers.get("cache-control") || "");

async function keep(cache, address, answer) {
  if (mayKeep(answer)) {
    await cache.delete(address, { ignoreVary: true }); // so that the order is that of the last reading
    await cache.put(address, answer);
  } else if (answer.status === 404 || answer.status === 410) {
    await cache.delete(address, { ignoreVary: true }); // taken back: not shown from here either
  }
}

async function prune(cache, most, counts) {
  const old = (await cache.keys()).filter((request) => counts(new URL(request.url).pathname));
  await Promise.all(old.slice(0, Math.max(0, old.length - most)).map((request) => cache.delete(request, { ignoreVary: true })));
}

async function keepPage(address) {
  const answer = await fetch(address, { cache: "no-cache" });
  await keep(await caches.open(READ), address, answer);
}

// ---- a new version

async function install() {
  const listed = await askShell();
  const shell = await caches.open(SHELL);
  await shell.addAll(listed.files);
  await Promise.all(listed.pages.map(keepPage));
  await self.skipWaiting();
}

async function activate() {
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith("app-shell-") && name !== SHELL).map((name) => caches.delete(name)));
  await self.clients.claim();
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("message", (event) => {
  const address = String(event.data?.keep || "");
  if (isCard(address)) event.waitUntil(keepPage(address).catch(() => {}));
});

// ---- answering

async function file(request) {
  const shell = await caches.open(SHELL);
  const exact = await shell.match(request, { ignoreVary: true });
  if (exact) return exact;
  try {
    return await fetch(request);
  } catch (gone) {
    // A page that was read under an older version names its files: today's draw it as well.
    const today = await shell.match(request, { ignoreSearch: true, ignoreVary: true });
    if (today) return today;
    throw gone;
  }
}

async function picture(event, request) {
  const cache = await caches.open(PICTURES);
  try {
    const answer = await fetch(request);
    event.waitUntil(keep(cache, request.url, answer.clone()).then(() => prune(cache, MOST_PICTURES, () => true)));
    return answer;
  } catch (gone) {
    const before = await cache.match(request.url, { ignoreVary: true });
    if (before) return before;
    throw gone;
  }
}

async function page(event, request, path) {
  const cache = await caches.open(READ);
  const before = async () => cache.match(path, { ignoreVary: true });
  const fresh = fetch(request, { cache: "no-cache" }).then(async (answer) => {
    await keep(cache, path, answer.clone());
    await prune(cache, MOST_CARDS, isCard);
    return answer;
  });
  event.waitUntil(fresh.catch(() => {}));
  const slow = new Promise((done) => setTimeout(done, PATIENCE, null));
  try {
    const first = await Promise.race([fresh, slow]);
    if (first && first.status < 500) return first;
    return (await before()) || first || (await fresh);
  } catch {
    return (await before()) || cache.match(OFFLINE, { ignoreVary: true });
  }
}

async function other(request) {
  try {
    return await fetch(request);
  } catch (gone) {
    const cache = await caches.open(READ);
    const stands = await cache.match(OFFLINE, { ignoreVary: true });
    if (stands) return stands;
    throw gone;
  }
}

const KEPT = new Set(["/app/", "/app/cards", "/app/services", "/app/say", "/app/mine", OFFLINE]);

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const { origin, pathname, search } = new URL(request.url);
  if (request.method !== "GET" || origin !== self.location.origin) return;
  if (pathname.startsWith("/static/")) event.respondWith(file(request));
  else if (pathname.startsWith("/media/")) event.respondWith(picture(event, request));
  else if (request.mode === "navigate" && !search && (KEPT.has(pathname) || isCard(pathname))) event.respondWith(page(event, request, pathname));
  else if (request.mode === "navigate") event.respondWith(other(request));
});
