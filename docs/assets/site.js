// Runs before Material's scripts.
"use strict";
// Nothing rests on a link: see overrides/main.html.
if (!matchMedia("(hover: hover)").matches) document.getElementById("rests")?.remove();

// A stop for the keys where something scrolls, and only there. Material says so too,
// but of a box that comes into view, and that may be because the keys have come to it.
(() => {
  const stops = () => {
    const boxes = [...document.querySelectorAll("pre > code")];
    // An old browser has no checkVisibility(), and may look at them all.
    const seen = boxes.filter((code) => code.checkVisibility?.() !== false);
    const scroll = seen.map((code) => code.scrollWidth > code.clientWidth);
    seen.forEach((code, i) =>
      scroll[i] ? (code.tabIndex = 0) : code.removeAttribute("tabindex")
    );
  };
  stops();
  addEventListener("resize", stops);
})();

// Search costs nothing until it is used.
(() => {
  const started = new Promise((start) => {
    const isSearch = (event) =>
      event.target.closest?.(".md-search, [for=__search]") ||
      (event.type === "keydown" && /^[fs/]$/.test(event.key));
    for (const type of ["focusin", "pointerover", "keydown"])
      addEventListener(type, (event) => isSearch(event) && start(), true);
    if (new URLSearchParams(location.search).has("q")) start();
  });

  // The index: half a megabyte that Material asks for with each page.
  const { open, send } = XMLHttpRequest.prototype;
  XMLHttpRequest.prototype.open = function (method, url, ...rest) {
    this.waits = /\/search_index\.json$/.test(url);
    return open.call(this, method, url, ...rest);
  };
  XMLHttpRequest.prototype.send = function (...body) {
    if (this.waits) started.then(() => send.apply(this, body));
    else send.apply(this, body);
  };

  // The worker: made when it is first spoken to.
  const Real = Worker;
  window.Worker = class extends EventTarget {
    constructor(...where) {
      super();
      this.where = where;
    }
    postMessage(message, ...rest) {
      if (!this.real) {
        this.real = new Real(...this.where);
        this.real.onmessage = ({ data }) => {
          const event = new MessageEvent("message", { data });
          this.onmessage?.(event);
          this.dispatchEvent(event);
        };
      }
      // "-15" is a number, not the wish to see no page with 15.
      if (message.type === 2 && message.data.replace)
        message.data = message.data.replace(/(^|\s)-(?=\d)/g, "$1");
      this.real.postMessage(message, ...rest);
    }
    terminate() {
      this.real?.terminate();
    }
  };
})();
