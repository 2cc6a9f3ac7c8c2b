// Search, copy buttons, and the way to what is folded. The page is whole without it.
"use strict";
(() => {
  const texts = document.body.dataset;
  const entries = [...document.querySelectorAll("[data-entry]")].map((element) => ({
    element,
    id: element.id || element.querySelector("[id]").id,
    text: (element.id + " " + element.textContent).toLowerCase(),
  }));
  const links = new Map([...document.querySelectorAll("[data-of]")].map((link) => [link.dataset.of, link]));
  const sections = [...document.querySelectorAll("main > section, main > .lead")];

  const query = document.getElementById("query");
  const found = document.getElementById("found");
  const look = () => {
    const words = query.value.toLowerCase().split(/\s+/).filter(Boolean);
    const searching = words.length > 0;
    let count = 0;
    document.body.classList.toggle("searching", searching);
    for (const { element, id, text } of entries) {
      const fits = words.every((word) => text.includes(word));
      element.hidden = !fits;
      if (links.has(id)) links.get(id).hidden = !fits;
      if (fits) count += 1;
    }
    for (const section of sections) {
      const own = section.querySelectorAll("[data-entry]");
      section.hidden = searching && ![...own].some((entry) => !entry.hidden);
    }
    found.textContent = !searching ? "" : count === 0 ? texts.nothingFound : count + " " + texts.found;
  };
  document.getElementById("search").hidden = false;
  query.addEventListener("input", look);
  query.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      query.value = "";
      look();
    }
  });
  document.addEventListener("keydown", (event) => {
    const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      query.focus();
    }
  });

  // Whoever follows a link sees what it leads to, folded or left out by a search.
  const reveal = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!target) return;
    if (target.closest("[hidden]")) {
      query.value = "";
      look();
    }
    const folded = target.closest("details");
    if (folded && !folded.open) {
      folded.open = true;
      target.scrollIntoView();
    }
  };
  addEventListener("hashchange", reveal);
  reveal();

  // Browsers that do not print what is folded.
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const folded of opened) folded.open = true;
  });
  addEventListener("afterprint", () => {
    for (const folded of opened) folded.open = false;
  });

  // A service under development gives its reader a sandbox token and the addresses of this machine. Both are asked for
  // when something is copied, and are never part of the page.
  const demo = async () => {
    if (!texts.demoToken) return null;
    const reply = await fetch(texts.demoToken, { cache: "no-store", credentials: "omit" });
    return reply.ok ? reply.json() : null;
  };
  const filled = (code, own) => {
    const copy = code.cloneNode(true);
    const sandbox = own && code.dataset.replies === "sandbox";
    for (const base of own ? copy.querySelectorAll("[data-base]") : []) {
      base.textContent = own.hosts[sandbox ? "sandbox" : base.dataset.base] || base.textContent;
    }
    for (const token of sandbox ? copy.querySelectorAll("[data-token]") : []) token.textContent = own.token;
    return { text: copy.textContent, withToken: Boolean(sandbox && copy.querySelector("[data-token]")) };
  };
  const status = document.getElementById("status");
  let fading;
  const say = (text) => {
    status.textContent = text;
    clearTimeout(fading);
    fading = setTimeout(() => { status.textContent = ""; }, 6000);
  };
  for (const button of document.querySelectorAll(".copy")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      try {
        const own = code.querySelector("[data-base]") ? await demo().catch(() => null) : null;
        const { text, withToken } = filled(code, own);
        await navigator.clipboard.writeText(text);
        say(withToken ? texts.copiedWithToken : texts.copied);
      } catch {
        say(texts.notCopied);
      }
    });
  }
})();
