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
  // At "load" the theme has put each table into its box.
  for (const event of ["load", "resize"]) addEventListener(event, update);
  addEventListener("toggle", update, true);
})();

// Search: what a reader types becomes a query, and the pages come in an order of our own.
const search = (() => {
  // Words that say nothing about the page that is wanted.
  const COMMON = new Set(
    `a about after all already also although am an and any are as at be because been but by can
    could d did didn do does doesn doing don even ever for from get gets getting give go got had
    has have how i if in into is isn it its just ll m me my no not of on one or our out over own
    python re s should so some t than that the their them then there these they this those to
    use used using ve very was way we were what when where which while why will with won would
    you your`.split(/\s+/)
  );
  const split = (text) => text.toLowerCase().split(/[^\p{L}\p{N}.]+|\.(?!\d)/u).filter(Boolean);
  const plain = (html) => split(html.replace(/<[^>]*>|&\w+;/g, " ")).join(" ");
  const words = (query) => {
    const all = split(query);
    const rest = all.filter((word) => !COMMON.has(word));
    return [...new Set(rest.length ? rest : all)];
  };
  // "killed", "killing" and "kills" are found by "kill".
  const stem = (word) => word.replace(/^(.{4,}?)(?:ing|ed|(?<=[szx]|[cs]h)es|s|e)$/, "$1");

  // The words of each page, by its path, and its titles and tags.
  const pages = new Map();

  return {
    // Each document is a section of a page. Lists of other pages are left out.
    learn(all) {
      const docs = all.filter((doc) => !doc.location.endsWith("#see-also"));
      for (const doc of docs) {
        // The title of a block of code is the path of a file.
        doc.text = doc.text.replace(/[\w/]+\.py(?=<pre)/g, "");
        const path = doc.location.split("#")[0];
        if (!pages.has(path)) pages.set(path, { text: "", titles: new Set() });
        const page = pages.get(path);
        // In the reference, labels such as "property" follow a name.
        const titles = [doc.title.replace(/ {2}<code>.*/, ""), ...(doc.tags ?? [])].map(plain);
        titles.forEach((title) => page.titles.add(title));
        page.text += ` ${titles.join(" ")} ${plain(doc.text)} `;
      }
      return docs;
    },

    // The words to mark on a page that was found.
    marks: (query) => words(query).flatMap((word) => [...new Set([word, stem(word)])]).join(" "),

    // A word counts most as it is, and less as the beginning of another.
    rewrite: (query) =>
      words(query)
        .flatMap((word) =>
          stem(word).length > 2 ? [`${word}^8`, stem(word)] : [`${word}^8`]
        )
        .join(" "),

    // First come pages with the whole query as a title, then those with all of its words.
    rank(items, query) {
      const all = words(query).map(stem);
      const whole = split(query).join(" ");
      const score = (group) => {
        const page = pages.get(group[0].location.split("#")[0]);
        const found = all.filter((word) => page.text.includes(` ${word}`)).length;
        const phrase = page.text.includes(` ${whole} `) ? all.length : 1;
        const best = Math.max(...group.map((item) => item.score));
        return best * (found / all.length) ** 2 * (page.titles.has(whole) ? 50 : phrase);
      };
      // The theme lists the words that a result lacks: each once, and as it was typed. It
      // would put the others into the link, so that the host would see them.
      for (const item of items.flat()) {
        const lacks = words(query).filter(
          (word) => item.terms[word] === false && !item.terms[stem(word)]
        );
        item.terms = Object.fromEntries(lacks.map((word) => [word, false]));
      }
      return items
        .map((group) => [score(group), group])
        .sort(([a], [b]) => b - a)
        .map(([, group]) => group);
    },
  };
})();

// The theme reads from the URL which words to mark, and which query a reader comes back to.
// No host sees them: they are there only while the theme starts.
(() => {
  const { from, query } = JSON.parse(sessionStorage.getItem("search") ?? "{}");
  const url = new URL(location);
  const [{ type }] = performance.getEntriesByType("navigation");
  if (query && url.searchParams.has("h")) url.searchParams.set("h", search.marks(query));
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

  // The index: 100 KB that the theme requests with each page.
  const { open, send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    this.waits = /\/search(_index)?\.json$/.test(url);
    return open.call(this, method, url, ...rest);
  };
  XMLHttpRequest.prototype.send = function (...body) {
    if (this.waits) started.then(() => send.apply(this, body));
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
    postMessage(message, ...rest) {
      if (!this.real) {
        this.real = new Real(...this.where);
        this.real.onmessage = ({ data }) => {
          if (data.type === RESULT && data.data.items) this.answer(data.data);
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
      const left = { from: location.pathname, query: input.value };
      sessionStorage.setItem("search", JSON.stringify(left));
    });
    addEventListener("pageshow", ({ persisted }) => {
      if (persisted && input?.value) input.focus();
    });
  });
})();
