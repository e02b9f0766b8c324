// App: what belongs to one person stays on this phone: the district, letters sent, a draft. Nothing here is needed to
// read or to write; every page works without it. The worker (app-worker.js) keeps pages for reading offline.
(() => {
  "use strict";
  const one = (what, within = document) => within.querySelector(what);
  const all = (what, within = document) => [...within.querySelectorAll(what)];

  // ---- what this phone keeps

  const kept = {
    read(name, otherwise) {
      try {
        const text = localStorage.getItem(`app-${name}`);
        return text === null ? otherwise : JSON.parse(text);
      } catch {
        return otherwise; // a browser that keeps nothing, or words that are none of ours
      }
    },
    write(name, value) {
      try {
        if (value === null) localStorage.removeItem(`app-${name}`);
        else localStorage.setItem(`app-${name}`, JSON.stringify(value));
      } catch {
        // full or forbidden: the page works without it
      }
    },
  };
  const demands = () => {
    const rows = kept.read("demands", []);
    return Array.isArray(rows) ? rows.filter((row) => row && typeof row.title === "string") : [];
  };

  // ---- the network

  const line = one("[data-offline]");
  const show = (away) => {
    line.hidden = !away;
    if (!away) return;
    const writing = one("[data-say]") || kept.read("draft", null);
    one("[data-offline-kept]").textContent = writing ? "您写的已存好，联网后再送出。" : "";
  };
  // A phone may hold itself for connected where nothing gets through (a lift, a hotel's sign-in page): the site is asked.
  const reached = async () => {
    if (!navigator.onLine) return false;
    try {
      return (await fetch("/health", { cache: "no-store", signal: AbortSignal.timeout(5000) })).ok;
    } catch {
      return false;
    }
  };
  const look = async () => show(!(await reached()));
  addEventListener("online", look);
  addEventListener("offline", () => show(true));
  look();

  if ("serviceWorker" in navigator) {
    const fresh = !navigator.serviceWorker.controller;
    navigator.serviceWorker.register(`/app/worker.js?v=${document.body.dataset.version}`, { scope: "/app/" }).catch(() => {});
    // The first page was loaded before there was a worker: it is kept now.
    if (fresh) navigator.serviceWorker.ready.then((found) => found.active?.postMessage({ keep: location.pathname + location.search }));
  }

  // ---- my district

  const district = kept.read("district", "");
  if (district) one("[data-place]").textContent = district;

  const concerns = (row) => {
    const named = (row.dataset.districts || "").split(" ").filter(Boolean);
    return named.length === 0 || named.includes(district);
  };
  const choose = (list, most) => {
    let shown = 0;
    for (const row of all("li", list)) {
      row.hidden = !concerns(row) || shown >= most;
      if (row.hidden) continue;
      shown += 1;
      if (!row.dataset.districts) continue;
      const named = one("[data-title]", row).textContent.startsWith(district);
      one("[data-where]", row).textContent = named ? "您在的" : `您在的${district}：`;
    }
    return shown;
  };
  const notices = one("[data-notices]");
  if (notices && district) notices.hidden = choose(notices, Number(notices.dataset.most)) === 0;
  const messages = one("[data-messages]");
  if (messages && district) one("[data-messages-empty]").hidden = choose(messages, 100) > 0;

  const asked = one("[data-district]");
  if (asked) {
    const field = one("select", asked);
    if (all("option", field).some((option) => option.value === district)) field.value = district;
    asked.addEventListener("submit", (event) => {
      event.preventDefault();
      kept.write("district", field.value || null);
      location.href = "/app/";
    });
  }

  // ---- my demands

  const day = (text) => {
    const at = new Date(text);
    return Number.isNaN(at.getTime()) ? "" : `${at.getFullYear()}-${String(at.getMonth() + 1).padStart(2, "0")}-${String(at.getDate()).padStart(2, "0")} 送出`;
  };
  const newest = one("[data-demand]");
  if (newest && demands().length) {
    const [row] = demands();
    one("[data-demand-title]").textContent = row.title;
    one("[data-demand-code]").textContent = row.code || "";
    one("[data-demand-state]").textContent = row.at ? day(row.at) : "凭查询码看进度";
    newest.hidden = false;
  }

  const said = one("[data-said]");
  if (said) {
    const { title, code, at } = said.dataset;
    const others = demands().filter((row) => !(row.title === title && row.at === at) && !(code && row.code === code));
    kept.write("demands", [{ title, code, at }, ...others].slice(0, 50));
    kept.write("draft", null);
  }

  const list = one("ul[data-demands]");
  const draw = () => {
    const rows = demands();
    const empty = one("[data-demands-empty]");
    empty.textContent = rows.length ? "" : "这部手机上还没有送出过诉求。";
    empty.hidden = rows.length > 0;
    list.hidden = rows.length === 0;
    list.replaceChildren(...rows.map((row, place) => {
      const made = one("[data-demand-row]").content.cloneNode(true);
      one("[data-code]", made).textContent = row.code || "";
      const progress = one("[data-progress]", made);
      progress.hidden = !row.code;
      if (row.code) progress.href = `/demands#${encodeURIComponent(row.code)}`; // behind the #: no server sees it
      one("[data-title]", made).textContent = row.title;
      one("[data-when]", made).textContent = row.at ? day(row.at) : "";
      const button = one("[data-remove]", made);
      button.setAttribute("aria-label", `从手机上删去：${row.title}`);
      button.addEventListener("click", () => {
        kept.write("demands", demands().filter((_, each) => each !== place));
        draw();
        one("#demands").setAttribute("tabindex", "-1");
        one("#demands").focus();
      });
      return made;
    }));
  };
  if (list) draw();

  const add = one("[data-add]");
  if (add) {
    add.hidden = false;
    add.addEventListener("submit", (event) => {
      event.preventDefault();
      const field = one("#f-code");
      const code = field.value.toUpperCase().replace(/[^0-9A-Z]/g, "");
      const whole = code.length === 13;
      one("[data-add-said]").textContent = whole ? "已存在这部手机上。" : "查询码是 13 个字母和数字，请对照再写一遍。";
      if (!whole) return field.focus();
      const shown = code.match(/.{1,4}/g).join("-");
      const others = demands().filter((row) => row.code !== shown);
      kept.write("demands", [{ title: "凭查询码存下的诉求", code: shown, at: "" }, ...others].slice(0, 50));
      field.value = "";
      draw();
    });
  }

  // ---- a draft of what is being written; name and number are not kept

  const form = one("[data-say]");
  if (form) {
    const names = ["title", "text", "place", "district"];
    const field = (name) => form.elements[name];
    const draft = kept.read("draft", null);
    // A page kept for reading offline holds an old key: each writing gets one of its own.
    field("key").value = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    if (draft && !("returned" in form.dataset)) {
      for (const name of names) if (typeof draft[name] === "string") field(name).value = draft[name];
      one("[data-kept]").hidden = false;
      field("text").dispatchEvent(new Event("input", { bubbles: true }));
    }
    form.addEventListener("input", () => {
      const words = Object.fromEntries(names.map((name) => [name, field(name).value]));
      kept.write("draft", names.some((name) => words[name]) ? words : null);
    });
    one("[data-forget]").addEventListener("click", () => {
      kept.write("draft", null);
      form.reset();
      for (const name of names) field(name).value = "";
      one("[data-kept]").hidden = true;
      field("title").focus();
    });
    let asked = false; // whether the site was there when the button was pressed
    form.addEventListener("submit", async (event) => {
      if (asked) return;
      event.preventDefault();
      const there = await reached();
      one("[data-unsent]").hidden = there;
      if (!there) return;
      asked = true;
      form.requestSubmit(event.submitter);
      asked = false;
    });
  }
})();
