// 写答复: `/` opens the canned answers under the caret, buttons put a text in without a reload, a draft saves itself.
// Without script the same form has a choice and a button, and the server puts the text in. While an input method is
// composing, nothing here acts: its Enter, its arrows and its / belong to it.
(() => {
  "use strict";
  const form = document.getElementById("answer-form");
  const field = form?.querySelector("[data-canned]");
  if (!field) return;
  const pick = form.querySelector("#f-canned");
  const saved = document.querySelector("[data-saved]");
  const told = form.querySelector("[data-canned-open]");
  const BEFORE = /(^|[\s，。；：、！？“”（）])$/; // what may stand before a / that means us: never 和/或, 11/24 or an address
  const CALL = /[/／、]([^/／、\n]{0,12})$/; // an input method writes 、 or ／ for the same key
  const PLACE = /[{｛][^{}｛｝\s]{1,12}[}｝]/;

  const put = (start, end, text) => {
    field.focus();
    field.setRangeText(text, start, end, "end");
    const hole = PLACE.exec(text); // what is still to be filled in is what one writes next
    if (hole) field.setSelectionRange(start + hole.index, start + hole.index + hole[0].length);
    field.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const append = (text) => {
    const at = field.selectionStart ?? field.value.length;
    const gap = at && field.value[at - 1] !== "\n" ? "\n" : "";
    put(at, field.selectionEnd ?? at, gap + text);
  };

  // ---- the list
  const canned = pick ? [...pick.options].filter((option) => option.value).map((o) => ({ title: o.textContent, text: o.dataset.text })) : [];
  const list = document.createElement("ul");
  let shown = [];
  let chosen = 0;
  let from = -1;

  const close = () => {
    list.hidden = true;
    from = -1;
    field.removeAttribute("aria-activedescendant");
    if (told) told.textContent = "";
  };
  const choose = (place) => {
    chosen = (place + shown.length) % shown.length;
    [...list.children].forEach((item, number) => item.setAttribute("aria-selected", String(number === chosen)));
    field.setAttribute("aria-activedescendant", list.children[chosen].id);
    list.children[chosen].scrollIntoView({ block: "nearest" });
  };
  const take = (place) => {
    const [start, one] = [from, shown[place]];
    close();
    put(start, field.selectionStart, one.text);
  };
  // above the field, out of the pane that scrolls around it, and never higher than the window
  const place = () => {
    if (list.hidden) return;
    const box = field.getBoundingClientRect();
    Object.assign(list.style, { left: `${box.left}px`, width: `${box.width}px`, bottom: `${innerHeight - box.top + 4}px` });
    list.style.maxHeight = `${Math.max(96, Math.min(272, box.top - 8))}px`;
  };
  const draw = () => {
    list.replaceChildren(...shown.map((one, number) => {
      const item = document.createElement("li");
      item.id = `canned-${number}`;
      item.setAttribute("role", "option");
      const [title, words] = [document.createElement("b"), document.createElement("span")];
      title.textContent = one.title;
      words.textContent = one.text;
      item.append(title, words);
      item.addEventListener("mousedown", (event) => { event.preventDefault(); take(number); }); // the field keeps the focus
      return item;
    }));
    list.hidden = false;
    place();
    if (told) told.textContent = `${shown.length} 条常用答复，上下键选，Enter 插入，Esc 关上`;
    choose(0);
  };
  const look = () => {
    const upTo = field.value.slice(0, field.selectionStart);
    const call = field.selectionStart === field.selectionEnd && CALL.exec(upTo);
    const lead = call ? upTo.slice(0, call.index) : "";
    const bare = call?.[0][0] === "、" ? lead === "" || lead.endsWith("\n") : BEFORE.test(lead);
    const words = call ? call[1].trim().toLowerCase() : "";
    shown = call && bare ? canned.filter((one) => `${one.title}\n${one.text}`.toLowerCase().includes(words)).slice(0, 8) : [];
    if (!shown.length) { close(); return; }
    from = call.index;
    draw();
  };

  if (canned.length) {
    list.id = "canned-list";
    list.className = "canned-list";
    list.hidden = true;
    list.setAttribute("role", "listbox");
    list.setAttribute("aria-label", "常用答复");
    field.parentElement.append(list);
    field.setAttribute("aria-controls", list.id);
    field.setAttribute("aria-autocomplete", "list");
    document.querySelector("[data-canned-hint]")?.removeAttribute("hidden");
    field.addEventListener("input", (event) => { if (!event.isComposing) look(); });
    field.addEventListener("compositionend", look);
    field.addEventListener("blur", close);
    addEventListener("scroll", place, true);
    addEventListener("resize", place);
    field.addEventListener("keydown", (event) => {
      if (list.hidden || event.isComposing || event.keyCode === 229) return;
      if (event.key === "ArrowDown") choose(chosen + 1);
      else if (event.key === "ArrowUp") choose(chosen - 1);
      else if (event.key === "Enter" || event.key === "Tab") take(chosen);
      else if (event.key === "Escape") close();
      else return;
      event.preventDefault();
    });
  }

  // ---- buttons that the server would answer with the whole page
  document.addEventListener("click", (event) => {
    const quote = event.target.closest?.("[data-quote]");
    const insert = event.target.closest?.("[name=insert]");
    const text = quote?.dataset.quote ?? (insert && pick?.selectedOptions[0]?.dataset.text);
    if (!text) return;
    event.preventDefault();
    append(text);
    if (quote) field.scrollIntoView({ block: "nearest" });
  });

  // ---- the draft
  if (!("autosave" in form.dataset)) return;
  const pause = 3000; // without a key, in milliseconds
  let timer = 0;
  let last = JSON.stringify([field.value, form.elements.short?.value]);
  const now = () => JSON.stringify([field.value, form.elements.short?.value]);
  const say = (text) => { if (saved) saved.textContent = text; };

  const save = async () => {
    const state = now();
    if (state === last || field.value.trim().length < 10) return;
    const body = new URLSearchParams(new FormData(form));
    for (const name of ["submit", "insert", "quote"]) body.delete(name);
    try {
      const answer = await fetch(form.action, { method: "POST", body, credentials: "same-origin", headers: { Accept: "application/json" } });
      const got = await answer.json();
      if (answer.ok) { last = state; say(`已保存 ${got.saved_at}`); }
      else say(`还没有保存：${got.sentence || got.detail || "请点“存下”看原因"}`);
    } catch { say("还没有保存，网络不通"); }
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(save, pause);
    if (now() !== last) say("还没有保存");
  });
  form.addEventListener("submit", () => { clearTimeout(timer); last = now(); });
  addEventListener("beforeunload", (event) => { if (now() !== last && field.value.trim()) event.preventDefault(); });
})();
