// 显示: the reader's theme and large type. Runs before the page is drawn, so that nothing flashes; without script the
// same form is a plain POST that sets the same two cookies.
(() => {
  "use strict";
  const root = document.documentElement;
  const year = 365 * 24 * 3600;

  const wish = (name) => {
    const found = document.cookie.split("; ").find((pair) => pair.startsWith(`look-${name}=`));
    return found ? found.slice(found.indexOf("=") + 1) : "";
  };
  const remember = (name, value) => {
    document.cookie = `look-${name}=${value}; Path=/; Max-Age=${year}; SameSite=Lax${location.protocol === "https:" ? "; Secure" : ""}`;
  };
  const draw = () => {
    const theme = wish("theme");
    if (theme === "light" || theme === "dark") root.dataset.theme = theme;
    else if (theme === "device") delete root.dataset.theme;
    const elder = wish("elder");
    if (elder) root.toggleAttribute("data-elder", elder === "on");
  };
  const isDark = () => root.dataset.theme === "dark" || (!root.dataset.theme && matchMedia("(prefers-color-scheme: dark)").matches);

  draw();

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("form[data-look] button[name]");
    if (!button) return;
    event.preventDefault();
    const form = button.form;
    const alone = form.querySelectorAll("button[name=theme]").length === 1;
    if (button.name === "elder") remember("elder", root.hasAttribute("data-elder") ? "off" : "on");
    else remember("theme", alone ? (isDark() ? "light" : "dark") : button.value);
    draw();
    press();
  });

  const press = () => {
    for (const button of document.querySelectorAll("form[data-look] button[name]")) {
      const group = button.form.querySelectorAll("button[name=theme]").length;
      const on = button.name === "elder" ? root.hasAttribute("data-elder") : group === 1 ? isDark() : (root.dataset.theme || "device") === button.value;
      button.setAttribute("aria-pressed", String(on));
    }
  };
  document.addEventListener("DOMContentLoaded", press);
})();
