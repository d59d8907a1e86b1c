// Runs before the theme's scripts.
"use strict";
// A phone has no pointer that rests on a link: see overrides/page.html.
if (!matchMedia("(hover: hover)").matches) document.getElementById("rests")?.remove();

// A box that scrolls is focusable, so that keys can scroll it; other boxes are not. The
// theme does so for code only, and only once the box is in view.
(() => {
  const update = () => {
    const boxes = [...document.querySelectorAll("pre > code, .md-typeset__scrollwrap")];
    // An old browser has no checkVisibility(): there each box counts as visible.
    const visible = boxes.filter((box) => box.checkVisibility?.() !== false);
    const scroll = visible.map((box) => box.scrollWidth > box.clientWidth);
    visible.forEach((box, i) =>
      scroll[i] ? (box.tabIndex = 0) : box.removeAttribute("tabindex")
    );
  };
  for (const event of ["load", "resize"]) addEventListener(event, update);
  addEventListener("toggle", update, true);
})();

// Copy the page, as Markdown. Safari needs the promise; pages from a disk have no fetch().
(() => {
  const item = document.getElementById("copy-page");
  if (!item || !navigator.clipboard || location.protocol === "file:") return;
  item.hidden = false;
  item.firstChild.addEventListener("click", async ({ target }) => {
    const markdown = fetch("index.md").then((answer) => answer.text());
    const blob = markdown.then((text) => new Blob([text], { type: "text/plain" }));
    await navigator.clipboard.write([new ClipboardItem({ "text/plain": blob })]);
    target.textContent = "Copied";
  });
})();

// Each line of an example has a number, which is a link to it. Keys pass over the numbers,
// since they would be 40 stops. An empty link adds nothing to what is copied.
(() => {
  const code = document.querySelector("#example ~ .highlight .filename + pre > code");
  if (!code) return;
  let line = 0;
  const link = () => {
    const a = document.createElement("a");
    a.dataset.line = ++line;
    a.id = `L${line}`;
    a.href = `#L${line}`;
    a.tabIndex = -1;
    a.ariaHidden = "true";
    return a;
  };
  const texts = [];
  const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) texts.push(walker.currentNode);
  const last = texts.at(-1);
  code.prepend(link());
  for (const first of texts)
    for (let text = first, end; (end = text.data.indexOf("\n") + 1); ) {
      text = text.splitText(end);
      if (text.data || first !== last) text.before(link());
    }
})();

// The theme reads from the URL which words to mark, and which query a reader comes back to.
// No host sees them: they are there only while the theme starts.
(() => {
  const { from, marks, query } = JSON.parse(sessionStorage.getItem("search") ?? "{}");
  const url = new URL(location);
  const [{ type }] = performance.getEntriesByType("navigation");
  if (marks && url.searchParams.has("h")) url.searchParams.set("h", marks);
  if (query && type === "back_forward" && from === location.pathname)
    url.searchParams.set("q", query);
  history.replaceState(history.state, "", url);
  addEventListener("load", () => {
    const clean = new URL(location);
    for (const name of ["h", "q"]) clean.searchParams.delete(name);
    history.replaceState(history.state, "", clean);
  });
})();

// Search loads nothing until it is used.
(() => {
  const started = new Promise((start) => {
    const isSearch = (event) =>
      event.target.closest?.(".md-search, [for=__search]") ||
      (event.type === "keydown" && /^[fks/]$/.test(event.key));
    for (const type of ["focusin", "pointerover", "keydown"])
      addEventListener(type, (event) => isSearch(event) && start(), true);
    // The theme needs the index to open the search, and to mark the words of a query.
    if (/[?&][qh]=/.test(location.search)) start();
  });
  const { src } = document.currentScript;
  const ready = started.then(
    () =>
      new Promise((loaded) => {
        const script = document.createElement("script");
        script.src = src.replace("site.js", "search.js");
        script.onload = loaded;
        document.head.append(script);
      })
  );

  // The index: 220 KB that the theme requests with each page.
  const { open, send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    this.waits = /\/search(_index)?\.json$/.test(url);
    return open.call(this, method, url, ...rest);
  };
  XMLHttpRequest.prototype.send = function (...body) {
    if (this.waits) ready.then(() => send.apply(this, body));
    else send.apply(this, body);
  };

  // The worker: created for the first message. Its messages are numbered.
  const [SETUP, , QUERY, RESULT] = [0, 1, 2, 3];
  const Real = Worker;
  window.Worker = class extends EventTarget {
    constructor(...where) {
      super();
      this.where = where;
      this.queries = [];
    }
    postMessage(...message) {
      ready.then(() => this.send(...message));
    }
    send(message, ...rest) {
      if (!this.real) {
        this.real = new Real(...this.where);
        this.real.onmessage = ({ data }) => {
          // Another theme sends its queries in another form, and orders the pages itself.
          if (data.type === RESULT && this.queries.length) this.answer(data.data);
          const event = new MessageEvent("message", { data });
          this.onmessage?.(event);
          this.dispatchEvent(event);
        };
      }
      if (message.type === SETUP && message.data.docs) {
        const docs = search.learn(message.data.docs);
        message = { ...message, data: { ...message.data, docs } };
      }
      if (message.type === QUERY && message.data.replace) {
        this.queries.push(message.data);
        message = { ...message, data: search.rewrite(message.data) };
      }
      this.real.postMessage(message, ...rest);
    }
    answer(result) {
      const query = this.queries.shift();
      result.items = search.rank(result.items, query);
      const nothing = document.getElementById("nothing-found");
      if (nothing) nothing.hidden = !query.trim() || result.items.length > 0;
    }
    terminate() {
      this.real?.terminate();
    }
  };

  addEventListener("DOMContentLoaded", () => {
    const input = document.querySelector(".md-search__input");
    // Beside the results, because the theme moves the focus to each link in them.
    const nothing = document.getElementById("nothing-found");
    if (nothing) document.querySelector(".md-search-result")?.after(nothing);
    addEventListener("click", (event) => {
      if (!event.target.closest?.(".md-search-result a")) return;
      const query = input.value;
      const left = { from: location.pathname, marks: search.marks(query), query };
      sessionStorage.setItem("search", JSON.stringify(left));
    });
    addEventListener("pageshow", ({ persisted }) => {
      if (persisted && input?.value) input.focus();
    });
  });
})();
