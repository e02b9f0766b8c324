// Counters follow the field they are for while one types. The server's figure stands until the first key and is the
// one that counts: this only repeats how the platform counts.
(() => {
  "use strict";
  const bytes = new TextEncoder();
  const rules = {
    characters: (text) => [...text].length,
    bytes: (text) => bytes.encode(text).length,
    // 微博: a full-width sign is one, two half-width signs are one, an address is ten
    halves: (text) => {
      const links = text.match(/https?:\/\/[\w\-./?%&=#:~+]+/g) || [];
      let halves = 0;
      for (const sign of text.replace(/https?:\/\/[\w\-./?%&=#:~+]+/g, "")) halves += sign.codePointAt(0) < 128 ? 1 : 2;
      return Math.ceil(halves / 2) + links.length * 10;
    },
  };

  const show = (counter, field) => {
    const used = (rules[counter.dataset.counter] || rules.characters)(field.value.normalize("NFC"));
    const limit = Number(counter.dataset.limit);
    const left = limit - used;
    const state = left < 0 ? "over" : left * 5 <= limit ? "few" : "enough";
    counter.dataset.state = state;
    counter.querySelector("[data-counter-used]").textContent = used;
    counter.querySelector("[data-counter-words]").textContent = state === "over" ? `超 ${-left} 字` : state === "few" ? `余 ${left} 字` : "";
  };

  document.addEventListener("input", (event) => {
    for (const counter of document.querySelectorAll("output[data-counter]")) {
      if (counter.htmlFor.contains(event.target.id)) show(counter, event.target);
    }
  });
})();
