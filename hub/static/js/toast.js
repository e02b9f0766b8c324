// Toasts: count down to the end of the time in which one can undo, stay while the pointer or the keyboard is on them.
// One with data-toast="0" is an error and goes only when it is closed. window.hub.toast(text) shows one made here,
// window.hub.adopt(toast) one out of another page, in the place of those that would have gone by themselves.
(() => {
  "use strict";
  const room = document.getElementById("toasts");
  if (!room) return;

  const start = (toast) => {
    let left = Number(toast.dataset.toast);
    const close = toast.querySelector("[data-toast-close]");
    const words = toast.querySelector("[data-toast-left]");
    if (close) { close.hidden = false; close.addEventListener("click", () => toast.remove()); }
    if (!left) return;
    const show = () => { if (words) words.textContent = `${left} 秒`; };
    show();
    const timer = setInterval(() => {
      if (!toast.isConnected) { clearInterval(timer); return; }
      if (toast.matches(":hover") || toast.contains(document.activeElement)) return;
      left -= 1;
      show();
      if (left <= 0) { clearInterval(timer); toast.remove(); }
    }, 1000);
  };

  const say = (text, { error = false, seconds = 8 } = {}) => {
    const toast = document.createElement("div");
    toast.className = "toast";
    toast.dataset.toast = error ? "0" : String(seconds);
    if (error) { toast.dataset.tone = "danger"; toast.setAttribute("role", "alert"); }
    const words = document.createElement("p");
    words.textContent = text;
    const left = document.createElement("span");
    left.className = "toast-left";
    left.dataset.toastLeft = "";
    left.setAttribute("aria-hidden", "true"); // a reader hears the words once, not every second
    const close = document.createElement("button");
    close.type = "button";
    close.className = "toast-close";
    close.dataset.toastClose = "";
    close.textContent = "关闭";
    toast.append(words, left, close);
    room.append(toast);
    start(toast);
  };

  const adopt = (toast) => {
    if (!toast) return;
    room.querySelectorAll('[data-toast]:not([data-toast="0"])').forEach((old) => old.remove());
    room.append(toast);
    start(toast);
  };

  room.querySelectorAll("[data-toast]").forEach(start);
  window.hub = Object.assign(window.hub || {}, { toast: say, adopt });
})();
