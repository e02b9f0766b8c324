// 写稿: the rich editor over the plain form, saving by itself, findings marked in the text. Without this file every
// button still works as a plain form. The server owns the text as blocks; here it is HTML only while one writes.
(() => {
  "use strict";
  const form = document.querySelector("form[data-editor]");
  if (!form) return;
  const quietFor = 2500; // milliseconds without a key before it saves
  const said = document.querySelector("[data-editor-said]");
  const saved = document.querySelector("[data-saved]");
  const plain = form.querySelector("#f-text");
  const rich = document.getElementById("editor-rich");
  const csrf = document.body.dataset.csrf;
  let editor = null;
  let timer = 0;
  let saving = null;
  let changedAt = 0; // counts changes, so that one made while saving is saved as well
  let stale = false;

  const keep = () => `govhub-draft-${document.body.dataset.person || ""}-${form.dataset.id || "new"}`;
  const tell = (text, links = [], kind = "") => {
    said.replaceChildren();
    said.dataset.kind = kind; // a note stays over the next save
    said.hidden = !text;
    const words = document.createElement("div");
    words.append(text);
    for (const [label, act] of links) {
      const link = document.createElement(typeof act === "string" ? "a" : "button");
      if (typeof act === "string") { link.href = act; link.target = "_blank"; link.rel = "noopener"; }
      else { link.type = "button"; link.addEventListener("click", act); }
      link.className = "link";
      link.textContent = label;
      words.append(" ", link);
    }
    said.append(words);
  };

  // ---- the text between the server's form (blocks.html) and the editor's

  const parse = (html) => new DOMParser().parseFromString(`<body>${html}</body>`, "text/html").body;
  const kept = ["img", "images", "video", "file", "footnote"]; // shown as a whole, not typed in

  const toEditor = (html) => {
    const body = parse(html);
    for (const child of [...body.children]) {
      const kind = child.dataset.block;
      if (kept.includes(kind)) {
        const box = document.createElement("div");
        box.dataset.wEType = "kept";
        box.dataset.kept = child.outerHTML;
        child.replaceWith(box);
      } else if (kind === "note") {
        const paragraph = document.createElement("p");
        paragraph.dataset.role = "note";
        paragraph.append(...child.childNodes);
        child.replaceWith(paragraph);
      } else if (kind === "table") {
        const table = child.querySelector("table");
        const caption = table.querySelector("caption");
        if (caption) {
          const paragraph = document.createElement("p");
          paragraph.dataset.role = "caption";
          paragraph.append(...caption.childNodes);
          caption.remove();
          child.before(paragraph);
        }
        child.replaceWith(table);
      }
    }
    return body.innerHTML;
  };

  // The policy forbids style attributes, even in a document that is only parsed: they are renamed before.
  const unstyled = (html) => html.replace(/<[a-z][^>]*>/gi, (tag) => tag.replace(/\sstyle\s*=/gi, " data-look="));

  const fromEditor = (html) => {
    const body = parse(unstyled(html));
    for (const each of body.querySelectorAll("[data-look]")) {
      const align = /text-align:\s*(center|right|end)/.exec(each.dataset.look)?.[1];
      if (align) each.dataset.align = align === "right" ? "end" : align;
      delete each.dataset.look;
    }
    for (const box of body.querySelectorAll("[data-kept]")) box.outerHTML = box.dataset.kept;
    for (const paragraph of body.querySelectorAll("p[data-role=note]")) {
      const note = document.createElement("aside");
      note.dataset.block = "note";
      note.append(...paragraph.childNodes);
      paragraph.replaceWith(note);
    }
    for (const paragraph of body.querySelectorAll("p[data-role=caption]")) {
      const table = paragraph.nextElementSibling?.matches("table") ? paragraph.nextElementSibling : null;
      if (!table) { delete paragraph.dataset.role; continue; }
      const caption = document.createElement("caption");
      caption.append(...paragraph.childNodes);
      table.prepend(caption);
      paragraph.remove();
    }
    return body.innerHTML;
  };

  // ---- the editor's own additions: roles of a paragraph, and blocks kept whole

  const node = (sel, attributes, children, text) => ({ sel, data: { attrs: attributes }, children, text, elm: undefined, key: undefined });

  const drawKept = (html) => {
    const part = parse(html).firstElementChild;
    const pictures = [...part.querySelectorAll("img")].map((image) => node("img", { src: image.getAttribute("src"), alt: image.alt }));
    const words = { video: "视频", file: "附件", footnote: "脚注" }[part.dataset.block] || "";
    const caption = part.dataset.block === "img" || part.dataset.block === "images"
      ? [...part.querySelectorAll("[data-part=caption]")].map((each) => each.textContent).join("　")
      : `${words}：${part.textContent.trim()}`;
    const alt = pictures.length ? [node("span", { class: pictures.every((each) => each.data.attrs.alt) ? "kept-alt" : "kept-alt missing" }, undefined, pictures.every((each) => each.data.attrs.alt) ? "已写替代文字" : "还没写替代文字")] : [];
    const lines = caption || alt.length ? [node("span", { class: "kept-line" }, [node("span", {}, undefined, caption), ...alt])] : [];
    return [...pictures, ...lines];
  };

  const register = (E) => {
    E.Boot.registerModule({
      editorPlugin: (made) => {
        const { isVoid, normalizeNode } = made;
        made.isVoid = (element) => (element.type === "kept" ? true : isVoid(element));
        made.normalizeNode = ([element, path]) => {
          if (element.type === "kept" && path.length === 1 && path[0] === made.children.length - 1) {
            E.SlateTransforms.insertNodes(made, { type: "paragraph", children: [{ text: "" }] }, { at: [path[0] + 1] });
          }
          return normalizeNode([element, path]);
        };
        return made;
      },
      renderElems: [{ type: "kept", renderElem: (element) => node("div", { class: "kept", contenteditable: "false" }, drawKept(element.html)) }],
      elemsToHtml: [{ type: "kept", elemToHtml: (element) => { const box = document.createElement("div"); box.dataset.kept = element.html; return box.outerHTML; } }],
      parseElemsHtml: [{ selector: "div[data-w-e-type=kept]", parseElemHtml: (element) => ({ type: "kept", html: element.dataset.kept, children: [{ text: "" }] }) }],
      parseStyleHtml: (element, made) => {
        const role = element.dataset?.role, align = element.dataset?.align;
        if (role) made.role = role;
        if (align) made.textAlign = align === "end" ? "right" : align;
        return made;
      },
      styleToHtml: (element, html) => {
        if (!element.role || element.type !== "paragraph") return html;
        const body = parse(html);
        if (body.firstElementChild) body.firstElementChild.dataset.role = element.role;
        return body.innerHTML;
      },
      renderStyle: (element, drawn) => {
        if (!element.role) return drawn;
        drawn.data = drawn.data || {};
        drawn.data.attrs = { ...drawn.data.attrs, "data-role": element.role };
        return drawn;
      },
    });
    class Roles {
      constructor() { this.title = "段落用途"; this.tag = "select"; this.width = 68; }
      getOptions(made) {
        const now = this.getValue(made);
        return [["", "段落"], ["salutation", "称呼"], ["lead", "导语"], ["note", "提示"], ["signature", "落款"], ["caption", "表题"]].map(([value, text]) => ({ value, text, selected: value === now }));
      }
      isActive() { return false; }
      getValue(made) {
        const found = made.selection && E.DomEditor.getSelectedNodeByType(made, "paragraph");
        return found?.role || "";
      }
      isDisabled(made) { return !made.selection || !E.DomEditor.getSelectedNodeByType(made, "paragraph"); }
      exec(made, value) {
        E.SlateTransforms.setNodes(made, { role: value || undefined }, { match: (each) => each.type === "paragraph" });
      }
    }
    E.Boot.registerMenu({ key: "paragraphRole", factory: () => new Roles() });
  };

  const askAlt = (name) => new Promise((resolve) => {
    const dialog = document.getElementById("picture-dialog");
    const [alt, caption, source] = ["alt", "caption", "source"].map((part) => dialog.querySelector(`#picture-${part}`));
    const wrong = dialog.querySelector("[data-picture-error]");
    for (const each of [alt, caption, source]) each.value = "";
    wrong.hidden = true;
    dialog.querySelector("form").onsubmit = (event) => {
      if (event.submitter?.value === "ok" && !alt.value.trim()) {
        event.preventDefault();
        wrong.hidden = false;
        wrong.textContent = `请给“${name}”写一句替代文字。`;
        alt.focus();
      }
    };
    dialog.onclose = () => resolve(dialog.returnValue === "ok" ? { alt: alt.value.trim(), caption: caption.value.trim(), source: source.value.trim() } : null);
    dialog.returnValue = "";
    dialog.showModal();
    alt.focus();
  });

  const figureOf = (address, words) => {
    const figure = document.createElement("figure");
    figure.dataset.block = "img";
    const image = document.createElement("img");
    image.setAttribute("src", address);
    image.setAttribute("alt", words.alt);
    figure.append(image);
    const parts = ["caption", "source"].filter((name) => words[name]);
    if (parts.length) {
      const caption = document.createElement("figcaption");
      for (const name of parts) { const span = document.createElement("span"); span.dataset.part = name; span.textContent = words[name]; caption.append(span); }
      figure.append(caption);
    }
    return figure.outerHTML;
  };

  const uploadPicture = async (file) => {
    const words = await askAlt(file.name);
    if (!words) return;
    const body = new FormData();
    body.append("file", file);
    saved.textContent = "正在上传图片";
    try {
      const answer = await fetch("/media", { method: "POST", body, credentials: "same-origin", headers: { "X-CSRF-Token": csrf, Accept: "application/json" } });
      const got = await answer.json();
      if (!answer.ok) { tell(got.errors?.[0]?.message || got.detail); return; }
      editor.restoreSelection();
      window.wangEditor.SlateTransforms.insertNodes(editor, { type: "kept", html: figureOf(got.url, words), children: [{ text: "" }] });
      tell("");
    } catch { tell("网络断开，图片没有上传。连上以后请再选一次。"); }
  };

  const tidyPaste = (event) => {
    const data = event.clipboardData;
    const files = [...(data?.files || [])].filter((file) => file.type.startsWith("image/"));
    if (files.length && !data.getData("text/html")) { files.forEach(uploadPicture); return false; }
    const html = data?.getData("text/html");
    if (!html) return true;
    const body = parse(unstyled(html.replace(/<style[\s\S]*?<\/style>/gi, "")));
    for (const each of body.querySelectorAll("script, style, meta, link, title, xml, o\\:p, iframe, form, input, button")) each.remove();
    const pictures = body.querySelectorAll("img");
    for (const each of pictures) each.remove(); // a picture is uploaded, never fetched from elsewhere
    if (pictures.length) tell(`粘贴的内容里有 ${pictures.length} 张图片没有带进来。请用工具栏的图片按钮上传。`, [["知道了", () => tell("")]], "note");
    for (const each of body.querySelectorAll("*")) {
      const bold = /font-weight:\s*(bold|[6-9]00)/.test(each.dataset.look || "");
      for (const { name } of [...each.attributes]) if (!["href", "colspan", "rowspan"].includes(name)) each.removeAttribute(name);
      if (bold && each.matches("span")) { const strong = document.createElement("strong"); strong.append(...each.childNodes); each.replaceWith(strong); }
    }
    for (const each of body.querySelectorAll("h1")) { const second = document.createElement("h2"); second.append(...each.childNodes); each.replaceWith(second); }
    for (const each of body.querySelectorAll("h4, h5, h6")) { const third = document.createElement("h3"); third.append(...each.childNodes); each.replaceWith(third); }
    if (!editor.selection) editor.focus(true); // a paste right after the click, before the editor knew its place
    editor.dangerouslyInsertHtml(body.innerHTML);
    return false;
  };

  // A web address as people write it, with or without its beginning; without, it is completed.
  const whole = (url) => (/^https?:\/\//i.test(url.trim()) ? url.trim() : `https://${url.trim()}`);
  const linkRules = {
    checkLink: (_, url) => (/^https?:\/\/[^\s/]+\.[^\s]+$/i.test(whole(url)) ? true : "链接没有放进去：网址要像 www.example.cn 或 https://www.example.cn/page 这样。"),
    parseLinkUrl: whole,
  };

  const makeEditor = (E) => {
    register(E);
    E.i18nChangeLanguage("zh-CN");
    rich.hidden = false;
    editor = E.createEditor({
      selector: "#editor-rich",
      html: toEditor(form.querySelector("[name=html]").dataset.html),
      mode: "simple",
      config: {
        placeholder: "正文。可以从 Word 粘贴",
        autoFocus: false,
        scroll: false,
        readOnly: form.dataset.mayWrite !== "1",
        hoverbarKeys: { text: { menuKeys: [] }, image: { menuKeys: [] }, link: { menuKeys: ["editLink", "unLink"] }, table: { menuKeys: ["tableHeader", "insertTableRow", "deleteTableRow", "insertTableCol", "deleteTableCol", "deleteTable"] } },
        customPaste: (_, event) => { const go = tidyPaste(event); if (!go) event.preventDefault(); return go; },
        customAlert: (text) => tell(text),
        MENU_CONF: { uploadImage: { customUpload: (file) => uploadPicture(file) }, insertLink: linkRules, editLink: linkRules },
      },
    });
    E.createToolbar({
      editor,
      selector: "#editor-toolbar",
      mode: "simple",
      config: { toolbarKeys: ["header2", "header3", "paragraphRole", "|", "bold", "bulletedList", "numberedList", "blockquote", "|", "insertLink", "uploadImage", "insertTable", "divider", "|", "undo", "redo"] },
    });
    const text = rich.querySelector("[contenteditable]");
    text.setAttribute("role", "textbox");
    text.setAttribute("aria-multiline", "true");
    text.setAttribute("aria-labelledby", "body-label");
    const toolbar = document.getElementById("editor-toolbar");
    toolbar.hidden = false;
    toolbar.setAttribute("role", "toolbar");
    toolbar.setAttribute("aria-label", "正文的格式");
    const nameButtons = () => {
      for (const button of toolbar.querySelectorAll("button")) {
        const label = (button.dataset.tooltip || "").split("\n")[0];
        if (label && button.getAttribute("aria-label") !== label) button.setAttribute("aria-label", label);
      }
      for (const field of rich.querySelectorAll("textarea:not([aria-label]), input:not([aria-label])")) if (!field.labels?.length) field.setAttribute("aria-label", field.placeholder || "文字");
    };
    nameButtons();
    new MutationObserver(nameButtons).observe(toolbar, { subtree: true, childList: true });
    plain.hidden = true;
    plain.disabled = true;
    document.getElementById("text-hint").hidden = true;
    document.querySelector(".body-field > label").removeAttribute("for");
    form.querySelector("[name=rich]").value = "1";
    form.classList.add("is-rich");
    form.querySelector("[name=html]").value = fromEditor(editor.getHtml());
    editor.on("change", () => changed());
  };

  const fill = () => { if (editor) form.querySelector("[name=html]").value = fromEditor(editor.getHtml()); };

  // ---- saving by itself

  const count = () => {
    const text = editor ? editor.getText() : plain.value;
    document.querySelector("[data-body-count]").textContent = `${text.replace(/\s/g, "").length.toLocaleString("en-US")} 字`;
  };

  let before = "";
  const state = () => { fill(); return new URLSearchParams(new FormData(form)).toString().replace(/(^|&)(revision|csrf)=[^&]*/g, ""); };

  const changed = () => {
    const now = state();
    if (now === before) return;
    before = now;
    changedAt += 1;
    count();
    const column = form.elements.column;
    document.querySelector("[data-facts-words]").textContent = `${column.value ? column.selectedOptions[0].textContent : "未选栏目"}　${form.elements["meta.source"].value || "未写来源"}`;
    document.querySelector("[data-title-words]").textContent = form.elements.title.value || "写稿件";
    clearTimeout(timer);
    if (form.dataset.state !== "draft") { saved.textContent = "有改动，按“保存”才会存，审批随之作废"; return; }
    saved.textContent = "有改动，停笔后自动保存";
    timer = setTimeout(save, quietFor);
  };

  const keepHere = () => { try { localStorage.setItem(keep(), JSON.stringify({ at: Date.now(), body: state() })); return true; } catch { return false; } };

  const write = async () => {
    if (stale || !form.elements.title.value.trim()) return false;
    const at = changedAt;
    fill();
    saved.textContent = "正在保存";
    let answer;
    try {
      answer = await fetch(form.action, {
        method: "POST", credentials: "same-origin", body: new URLSearchParams(new FormData(form)),
        headers: { Accept: "application/json", "X-CSRF-Token": csrf, "If-Match": `"${form.elements.revision.value}"` },
      });
    } catch {
      saved.textContent = keepHere() ? "网络断开，文字留在这台电脑上" : "网络断开，还没有保存";
      timer = setTimeout(save, 10000);
      return false;
    }
    const got = await answer.json().catch(() => ({}));
    if (!answer.ok) { refused(answer.status, got); return false; }
    took(got, at);
    return true;
  };

  const save = async () => {
    clearTimeout(timer);
    if (saving) { await saving; return before === "" ? true : write(); }
    saving = write();
    const done = await saving;
    saving = null;
    return done;
  };

  const refused = (status, got) => {
    keepHere();
    if (status === 412 || status === 409) {
      stale = true;
      saved.textContent = "没有保存：别人刚存过新版本";
      tell("这篇稿件在您打开之后又被保存过。您写的都还在这里。", [
        ["看新版本", `/contents/${form.dataset.id}`],
        ["看改动", `/contents/${form.dataset.id}/history`],
        ["以我的为准保存", overwrite],
      ]);
    } else if (status === 401 || status === 403) {
      saved.textContent = "没有保存：登录已失效，文字留在这台电脑上";
      tell("登录已失效。请在新窗口登录后回到这里，继续写就会保存。", [["去登录", "/login"]]);
    } else {
      saved.textContent = "还没有保存";
      tell(got.errors?.map((each) => each.message).join("　") || got.detail || "没有保存。请稍后再试。");
    }
  };

  const overwrite = async () => {
    const answer = await fetch(`/contents/${form.dataset.id}`, { credentials: "same-origin" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    form.elements.revision.value = page.querySelector("[name=revision]").value;
    stale = false;
    tell("");
    await save();
  };

  const took = (got, at) => {
    form.elements.revision.value = got.revision;
    form.dataset.state = got.state;
    if (got.state === "draft") document.querySelector("[data-guard]")?.remove();
    if (!form.dataset.id) {
      try { localStorage.removeItem(keep()); } catch { /* no room for drafts here */ }
      form.dataset.id = got.id;
      form.setAttribute("action", `/contents/${got.id}`);
      history.replaceState(null, "", `/contents/${got.id}`);
    }
    for (const other of document.querySelectorAll(".add-file [name=revision]")) other.value = got.revision;
    const words = document.querySelector("[data-revision-words]");
    if (words) words.textContent = got.revision;
    document.querySelector("[data-revision-room]")?.removeAttribute("hidden");
    document.querySelector("[data-state-chip]")?.replaceChildren(...[(() => { const chip = document.createElement("span"); chip.className = "chip"; chip.dataset.tone = got.state === "draft" ? "plain" : "primary"; chip.textContent = got.state_words; return chip; })()]);
    renew(got);
    if (at === changedAt) {
      saved.textContent = `已保存 ${got.saved_at}`;
      try { localStorage.removeItem(keep()); } catch { /* no room for drafts here */ }
    } else { timer = setTimeout(save, quietFor); }
    if (got.dropped.length) tell(`已保存。有几处没有带进来：${got.dropped.join("　")}`);
    else if (said.dataset.kind !== "note") tell("");
  };

  const renew = (got) => {
    const aside = document.getElementById("editor-aside");
    if (aside.contains(document.activeElement) && document.activeElement.matches("input, textarea")) return;
    const typed = new Map([...aside.querySelectorAll("input[name], textarea[name]")].map((each) => [each.id, each.value]));
    const open = new Set([...aside.querySelectorAll("details[open]")].map((each) => each.querySelector("[id]")?.id));
    aside.innerHTML = got.aside;
    document.getElementById("editor-acts").innerHTML = got.acts;
    for (const each of aside.querySelectorAll("input[name^='reason.']")) if (typed.get(each.id)) each.value = typed.get(each.id);
    for (const each of aside.querySelectorAll("details")) if (open.has(each.querySelector("[id]")?.id)) each.open = true;
    light(0);
    mark();
  };

  // ---- findings in the text

  const textNodes = () => {
    const root = editor ? rich.querySelector("[contenteditable]") : null;
    if (!root) return [];
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const found = [];
    while (walker.nextNode()) found.push(walker.currentNode);
    return found;
  };
  const rangesOf = (words) => {
    const nodes = textNodes();
    const whole = nodes.map((each) => each.data).join("");
    const ranges = [];
    for (let at = whole.indexOf(words); words && at >= 0; at = whole.indexOf(words, at + words.length)) {
      const range = document.createRange();
      let begun = false, passed = 0;
      for (const each of nodes) {
        if (!begun && at < passed + each.length) { range.setStart(each, at - passed); begun = true; }
        if (begun && at + words.length <= passed + each.length) { range.setEnd(each, at + words.length - passed); break; }
        passed += each.length;
      }
      ranges.push(range);
    }
    return ranges;
  };
  const cards = () => [...document.querySelectorAll("#editor-aside .finding")];
  const mark = () => {
    if (!window.CSS?.highlights || !window.Highlight) return;
    for (const severity of ["block", "acknowledge", "hint", "lit-block", "lit-acknowledge", "lit-hint"]) CSS.highlights.delete(`finding-${severity}`);
    const found = { block: [], acknowledge: [], hint: [], "lit-block": [], "lit-acknowledge": [], "lit-hint": [] };
    for (const each of document.querySelectorAll("#editor-aside [data-mark]")) {
      const ranges = rangesOf(each.dataset.text);
      found[each.dataset.mark].push(...ranges);
      if (each.closest(".finding")?.hasAttribute("data-lit")) found[`lit-${each.dataset.mark}`].push(...ranges);
    }
    for (const [severity, ranges] of Object.entries(found)) if (ranges.length) CSS.highlights.set(`finding-${severity}`, new Highlight(...ranges));
  };
  const light = (place) => {
    cards().forEach((card, number) => {
      card.toggleAttribute("data-lit", number === place);
      const key = card.querySelector("[data-key]");
      if (key) key.hidden = number !== place;
    });
  };

  const takeProposal = async (button) => {
    const { take, old, new: proposal } = button.dataset;
    if (take === "title" || take === "digest") {
      const field = form.elements[take];
      field.value = field.value.replace(old, proposal);
    } else if (editor) {
      const ranges = rangesOf(old);
      if (!ranges.length) return false;
      const at = window.wangEditor.DomEditor.toSlateRange ? window.wangEditor.DomEditor.toSlateRange(editor, ranges[0], { exactMatch: false, suppressThrow: true }) : null;
      if (!at) return false;
      window.wangEditor.SlateTransforms.insertText(editor, proposal, { at });
    } else return false;
    changed();
    await save();
    return true;
  };

  document.addEventListener("click", async (event) => {
    const card = event.target.closest?.("#editor-aside .finding");
    if (card) { light(cards().indexOf(card)); mark(); }
    const button = event.target.closest?.("[data-take]");
    if (button) {
      event.preventDefault();
      if (!(await takeProposal(button))) { await save(); fill(); form.requestSubmit(button); }
      return;
    }
    const saver = event.target.closest?.("[data-save]");
    if (saver) { event.preventDefault(); before = ""; if (!form.reportValidity()) return; if (!form.elements.title.value.trim()) { tell("请先写标题，再保存。"); form.elements.title.focus(); return; } await save(); }
  });
  document.addEventListener("keydown", (event) => {
    if (event.altKey && event.code === "Digit1") {
      const lit = document.querySelector("#editor-aside .finding[data-lit] [data-take]") || document.querySelector("#editor-aside [data-take]");
      if (lit) { event.preventDefault(); lit.click(); }
    }
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "s") { event.preventDefault(); before = ""; changed(); save(); }
  });

  form.elements.title.addEventListener("keydown", (event) => { if (event.key === "Enter" && !event.isComposing) { event.preventDefault(); form.elements.digest.focus(); } });
  form.addEventListener("input", changed);
  form.addEventListener("change", async (event) => {
    if (!event.target.matches("[data-kind]")) return;
    if (await save()) location.reload(); // other kinds have other facts
  });
  form.addEventListener("submit", () => { fill(); clearTimeout(timer); stopAsking(); });
  document.addEventListener("submit", async (event) => {
    const own = event.target;
    if (!own.matches("[data-variant]")) return;
    event.preventDefault();
    if (before && timer) await save();
    const answer = await fetch(own.action, { method: "POST", credentials: "same-origin", body: new URLSearchParams(new FormData(own)), headers: { Accept: "application/json", "X-CSRF-Token": csrf } });
    const got = await answer.json().catch(() => ({}));
    document.activeElement?.blur();
    if (answer.ok) { own.closest("details")?.removeAttribute("open"); took(got, changedAt); } else refused(answer.status, got);
  });

  const unsaved = (event) => { if (saved.textContent.startsWith("已保存") || saved.textContent.startsWith("还没有")) return; keepHere(); event.preventDefault(); };
  const stopAsking = () => removeEventListener("beforeunload", unsaved);
  addEventListener("beforeunload", unsaved);

  // ---- reasons are sent with the submission only: until then they are kept on this computer

  const reasonsAt = () => `govhub-reasons-${document.body.dataset.person || ""}-${form.dataset.id}`;
  const reasons = () => [...document.querySelectorAll("#editor-aside input[name^='reason.']")];
  const keepReasons = () => {
    const typed = Object.fromEntries(reasons().filter((each) => each.value.trim()).map((each) => [each.name, each.value]));
    try { localStorage.setItem(reasonsAt(), JSON.stringify(typed)); } catch { /* no room for drafts here */ }
  };
  const bringReasons = () => {
    let typed = {};
    try { typed = JSON.parse(localStorage.getItem(reasonsAt()) || "{}"); } catch { return; }
    for (const each of reasons()) {
      if (each.value || !typed[each.name]) continue;
      each.value = typed[each.name];
      each.closest("details").open = true;
    }
    if (form.dataset.state !== "draft") localStorage.removeItem(reasonsAt());
  };
  document.addEventListener("input", (event) => { if (event.target.matches?.("#editor-aside input[name^='reason.']")) keepReasons(); });

  const offerKept = () => {
    let found = null;
    try { found = JSON.parse(localStorage.getItem(keep()) || "null"); } catch { return; }
    if (!found) return;
    const values = new URLSearchParams(found.body);
    const when = new Date(found.at).toLocaleString("zh-CN", { hour12: false, month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit" });
    tell(`这台电脑上留着 ${when} 没来得及保存的文字。`, [
      ["取回来", () => {
        for (const [name, value] of values) {
          const field = form.elements[name];
          if (field && !["html", "text", "rich", "key", "files"].includes(name)) field.value = value;
        }
        if (editor && values.get("html")) editor.setHtml(toEditor(values.get("html")));
        else if (values.get("text")) plain.value = values.get("text");
        tell("");
        changed();
      }],
      ["不要了", () => { localStorage.removeItem(keep()); tell(""); }],
    ]);
  };

  if (window.wangEditor && rich) {
    try { makeEditor(window.wangEditor); } catch (error) { rich.hidden = true; plain.hidden = false; plain.disabled = false; editor = null; form.querySelector("[name=rich]").value = ""; console.error(error); }
  }
  before = state();
  count();
  light(0);
  mark();
  bringReasons();
  offerKept();
  addEventListener("online", () => { if (!saved.textContent.startsWith("已保存")) save(); });
})();
