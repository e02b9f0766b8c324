// 快速前往: Ctrl K, from inside a field too. A list of links filtered as one types; Enter goes, or searches.
(() => {
  "use strict";
  const palette = document.getElementById("palette");
  if (!palette?.showModal) return;
  const field = palette.querySelector("input");
  const options = [...palette.querySelectorAll("[role=option]")];
  let chosen = -1;

  const shown = () => options.filter((option) => !option.hidden);
  const choose = (place) => {
    const list = shown();
    chosen = list.length ? (place + list.length) % list.length : -1;
    options.forEach((option) => option.setAttribute("aria-selected", String(option === list[chosen])));
    if (chosen >= 0) { field.setAttribute("aria-activedescendant", list[chosen].id); list[chosen].scrollIntoView({ block: "nearest" }); }
    else field.removeAttribute("aria-activedescendant");
  };
  const filter = () => {
    const wanted = field.value.trim().toLowerCase();
    options.forEach((option) => { option.hidden = !option.textContent.toLowerCase().includes(wanted); });
    choose(0);
  };

  document.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "k") return;
    event.preventDefault();
    if (palette.open) { palette.close(); return; }
    field.value = "";
    palette.showModal();
    filter();
    field.focus();
  });
  field.addEventListener("input", filter);
  field.addEventListener("keydown", (event) => {
    if (event.isComposing) return;
    if (event.key === "ArrowDown") choose(chosen + 1);
    else if (event.key === "ArrowUp") choose(chosen - 1);
    else if (event.key === "Enter" && chosen >= 0) shown()[chosen].querySelector("a").click();
    else return;
    event.preventDefault();
  });
  palette.addEventListener("click", (event) => { if (event.target === palette) palette.close(); });
})();
