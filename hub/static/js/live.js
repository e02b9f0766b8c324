// 实时: keeps the marked parts of a page fresh from the event stream, and sends marked forms without a reload.
// The attributes come from templates/parts/live.html; the server answers with whole pages, we take the part we need.
(() => {
  "use strict";
  const waits = [1000, 2000, 5000, 10000, 30000]; // before the next try, in milliseconds
  const settle = 1500; // events that come together bring one fetch
  const urgent = 100; // an alert waits for no others
  let paused = false;
  let tries = 0;
  let source = null;
  const due = new Map();

  const words = (state, text) => {
    for (const line of document.querySelectorAll("[data-live-state]")) {
      line.dataset.liveState = state;
      if (text) line.querySelector("[data-live-words]").textContent = text;
    }
  };
  const clock = () => new Date().toLocaleTimeString("zh-CN", { hour12: false, timeZone: "Asia/Shanghai" });

  // where the keyboard is inside an element, told so that the same place can be found in its successor
  const placeOf = (element) => {
    const at = document.activeElement;
    if (!element.contains(at)) return null;
    const goal = at.getAttribute("href");
    return at.id ? `#${CSS.escape(at.id)}` : goal ? `a[href="${CSS.escape(goal)}"]` : null;
  };
  const writing = (element) => element.querySelector("input:focus, textarea:focus, select:focus");

  const replace = (ours, theirs) => {
    const scroller = ours.closest("[data-live-scroll]") || document.scrollingElement;
    const above = ours.getBoundingClientRect().top < 0;
    const before = ours.offsetHeight;
    const open = [...ours.querySelectorAll("details[open]")].map((d) => [...ours.querySelectorAll("details")].indexOf(d));
    const place = placeOf(ours);
    ours.replaceWith(theirs);
    for (const button of theirs.querySelectorAll("[data-live-pause]")) button.hidden = false;
    if (place) theirs.querySelector(place)?.focus({ preventScroll: true });
    for (const number of open) theirs.querySelectorAll("details")[number]?.setAttribute("open", "");
    if (above) scroller.scrollTop += theirs.offsetHeight - before; // the text under the reader's eye stays
    theirs.dispatchEvent(new CustomEvent("live:renewed", { bubbles: true }));
  };

  const fetchPart = async (url, id, options) => {
    const answer = await fetch(url, { credentials: "same-origin", headers: { "X-Part": id }, ...options });
    if (answer.redirected && new URL(answer.url).pathname.startsWith("/login")) { location.reload(); return null; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    return { answer, part: page.getElementById(id) };
  };

  const renew = async (id) => {
    due.delete(id);
    const ours = document.getElementById(id);
    if (!ours || paused) return;
    if (writing(ours)) { later(id, 3000); return; }
    try {
      const got = await fetchPart(ours.dataset.liveUrl || location.href, id);
      if (!got) return;
      if (got.answer.ok && got.part) { replace(document.getElementById(id), got.part); words("live", `实时，更新于 ${clock()}`); }
    } catch { words("lost", "连接断开，显示的是上次的内容"); }
  };
  const later = (id, milliseconds) => {
    const waiting = due.get(id);
    const at = Date.now() + milliseconds;
    if (waiting && waiting.at <= at) return;
    if (waiting) clearTimeout(waiting.timer);
    due.set(id, { at, timer: setTimeout(renew, milliseconds, id) });
  };

  const heard = (name) => {
    for (const element of document.querySelectorAll("[data-live-on][id]")) {
      const on = element.dataset.liveOn.split(" ");
      if (on.includes(name) || on.includes("*")) later(element.id, name === "alert" ? urgent : settle);
    }
  };

  const connect = () => {
    const url = document.body.dataset.liveStream;
    const names = new Set([...document.querySelectorAll("[data-live-on]")].flatMap((e) => e.dataset.liveOn.split(" ")).filter(Boolean));
    if (!url || !names.size || paused) return;
    source = new EventSource(url);
    source.onopen = () => { if (tries) names.forEach(heard); tries = 0; words("live", `实时，更新于 ${clock()}`); };
    source.onmessage = (event) => heard(event.type);
    for (const name of names) if (name !== "*") source.addEventListener(name, () => heard(name));
    source.onerror = () => {
      source.close();
      words("lost", "连接断开，正在重连");
      setTimeout(connect, waits[Math.min(tries++, waits.length - 1)]);
    };
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-live-pause]");
    if (!button) return;
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
    button.textContent = paused ? "继续" : "暂停";
    if (paused) { source?.close(); words("still", `已暂停，显示 ${clock()} 的内容`); }
    else { tries = 1; connect(); }
  });

  document.addEventListener("submit", async (event) => {
    const form = event.target;
    const main = event.submitter;
    if (main?.dataset.working) { main.dataset.busy = ""; main.querySelector("span").textContent = main.dataset.working; }
    const id = form.dataset?.liveForm;
    if (!id || event.defaultPrevented) return;
    event.preventDefault();
    const body = new FormData(form, main);
    const get = form.method === "get";
    const url = get ? `${form.action}?${new URLSearchParams(body)}` : form.action;
    try {
      const files = [...body.values()].some((value) => value instanceof File);
      const got = await fetchPart(url, id, get ? {} : { method: "POST", body: files ? body : new URLSearchParams(body) });
      if (!got) return;
      if (got.part && (got.answer.ok || got.answer.status === 422)) {
        replace(document.getElementById(id), got.part);
        document.querySelector("#errors")?.focus();
        if (got.answer.redirected && got.answer.ok) history.replaceState(null, "", got.answer.url);
      } else if (got.answer.redirected) location.assign(got.answer.url);
      else form.submit();
    } catch { form.submit(); } // the plain form says what went wrong
  });

  addEventListener("pageshow", () => document.querySelectorAll("[data-busy]").forEach((button) => delete button.dataset.busy));
  for (const button of document.querySelectorAll("[data-live-pause]")) button.hidden = false;
  for (const element of document.querySelectorAll("[data-live-every][id]")) {
    setInterval(() => later(element.id, 0), Number(element.dataset.liveEvery) * 1000);
  }
  connect();
})();
