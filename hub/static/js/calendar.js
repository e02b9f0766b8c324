// 日历: moves a post to another day by mouse or by Alt and an arrow, its time of day unchanged, and takes that back.
// What moves is a plain form; here it is only filled in, sent without a reload, and its answer put in place and said.
(() => {
  "use strict";
  const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -7, ArrowDown: 7 }; // in days
  const room = () => document.getElementById("calendar");
  let held = null; // the post under the mouse: what it was when it was taken up
  let queue = Promise.resolve(); // one move after the other, so that three presses are three days

  const arm = () => {
    for (const post of document.querySelectorAll("#calendar [data-ids]")) post.draggable = true;
    for (const hint of document.querySelectorAll(".calendar-hint")) hint.hidden = false;
    for (const button of document.querySelectorAll("[data-calendar-go]")) button.hidden = true;
  };

  const later = (day, step) => {
    const [year, month, date] = day.split("-").map(Number);
    return new Date(Date.UTC(year, month - 1, date + step)).toISOString().slice(0, 10);
  };

  // The answer is a whole page: its calendar takes our calendar's place, its toast is said, the keyboard stays on the post.
  const take = (page, url, place) => {
    const fresh = page.getElementById("calendar");
    if (!fresh) return false;
    const problem = fresh.querySelector("[data-calendar-problem]");
    const words = problem?.textContent.trim();
    problem?.remove();
    const open = room().querySelector("details[open] summary")?.textContent;
    room().replaceWith(fresh);
    arm();
    if (words) window.hub.toast(words, { error: true });
    else { history.replaceState(null, "", url); window.hub.adopt(page.querySelector("#toasts .toast")); }
    const at = fresh.querySelector("[data-lit]") || (place && document.getElementById(place));
    if (at && !open) { at.focus({ preventScroll: true }); at.scrollIntoView({ block: "nearest" }); }
    return true;
  };

  const send = async (url, body, place) => {
    try {
      const answer = await fetch(url, { method: "POST", credentials: "same-origin", body: new URLSearchParams(body) });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (take(page, answer.url, place)) return;
      window.hub.toast("没有改成，登录可能已失效。请刷新页面后再试。", { error: true });
    } catch {
      window.hub.toast("没有改成，连不上服务器。请稍后再试。", { error: true });
    }
  };

  const move = (post, day) => {
    const body = new FormData();
    body.append("csrf", document.body.dataset.csrf);
    for (const id of post.ids) body.append("id", id);
    body.append("seen", post.seen);
    body.append("day", day);
    return send(room().dataset.move, body, post.place);
  };

  const read = (link) => ({ ids: link.dataset.ids.split(" "), seen: link.dataset.seen, on: link.dataset.on, place: link.id });

  const over = (cell) => {
    for (const each of document.querySelectorAll("[data-over]")) if (each !== cell) delete each.dataset.over;
    if (cell) cell.dataset.over = "";
  };

  document.addEventListener("dragstart", (event) => {
    const link = event.target.closest?.("#calendar [data-ids]");
    held = link ? read(link) : null;
    if (!held) return;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", link.title);
  });
  document.addEventListener("dragover", (event) => {
    const cell = held && event.target.closest?.("#calendar [data-day]");
    if (cell) { event.preventDefault(); event.dataTransfer.dropEffect = "move"; }
    over(cell);
  });
  document.addEventListener("drop", (event) => {
    const cell = held && event.target.closest?.("#calendar [data-day]");
    if (!cell) return;
    event.preventDefault();
    const post = held;
    held = null;
    over(null);
    if (cell.dataset.day !== post.on) queue = queue.then(() => move(post, cell.dataset.day));
  });
  document.addEventListener("dragend", () => { held = null; over(null); });

  const still = (link) => window.hub.toast(`这一条是“${link.dataset.post}”，不能在这里改日期。`);
  const step = async (days) => {
    const link = document.activeElement?.closest("#calendar [data-post]");
    if (!link) return;
    if (link.dataset.ids) await move(read(link), later(link.dataset.on, days));
    else still(link);
  };
  const typing = (element) => element.closest?.("input, textarea, select, dialog[open]");
  document.addEventListener("keydown", (event) => {
    if (!room().dataset.move || typing(event.target)) return;
    if (event.altKey && !event.ctrlKey && !event.shiftKey && steps[event.key] && event.target.closest("#calendar [data-post]")) {
      event.preventDefault(); // in the browser Alt and an arrow would leave the page
      queue = queue.then(() => step(steps[event.key]));
    } else if ((event.ctrlKey || event.metaKey) && event.key === "z" && !event.shiftKey) {
      const undo = document.querySelector("#toasts .toast-undo");
      if (undo) { event.preventDefault(); undo.click(); }
    }
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || !new URL(form.action).pathname.startsWith("/calendar/")) return;
    event.preventDefault();
    const url = form.action;
    const body = new FormData(form, event.submitter);
    form.closest(".toast")?.remove(); // pressed once is pressed
    queue = queue.then(() => send(url, body, null));
  });
  document.addEventListener("change", (event) => event.target.closest?.("[data-calendar-filter]")?.requestSubmit());
  document.addEventListener("live:renewed", arm);
  arm();
})();
