// Keys on lists: J and K go from row to row, Enter opens the row's first link, ? shows the keys. Never while one types.
(() => {
  "use strict";
  const typing = (element) => element.closest("input, textarea, select, [contenteditable=true], dialog[open]");

  const move = (step) => {
    const rows = [...document.querySelectorAll("[data-row]")].filter((row) => row.offsetParent !== null);
    if (!rows.length) return;
    const now = rows.findIndex((row) => row.hasAttribute("data-at"));
    const next = rows[now < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(Math.max(now + step, 0), rows.length - 1)];
    rows.forEach((row) => row.toggleAttribute("data-at", row === next));
    const goal = next.querySelector("a[href], button");
    if (goal) goal.focus({ preventScroll: true });
    next.scrollIntoView({ block: "nearest" });
  };

  const help = () => {
    const dialog = document.getElementById("keys");
    if (dialog && !dialog.open) dialog.showModal();
  };

  for (const button of document.querySelectorAll("[data-keys-help]")) button.hidden = false;  // without script it could do nothing
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target)) return;
    if (event.key === "j" || event.key === "J") move(1);
    else if (event.key === "k" || event.key === "K") move(-1);
    else if (event.key === "?") help();
    else return;
    event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (event.target.closest?.("[data-keys-help]")) { event.preventDefault(); help(); }
    for (const menu of document.querySelectorAll("details[data-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const menu of document.querySelectorAll("details[data-menu][open]")) { menu.open = false; menu.querySelector("summary").focus(); }
  });
})();
