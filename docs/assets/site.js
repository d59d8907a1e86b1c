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

// Search loads nothing until it is used.
(() => {
  const started = new Promise((start) => {
    const isSearch = (event) =>
      event.target.closest?.(".md-search, [for=__search]") ||
      (event.type === "keydown" && /^[fks/]$/.test(event.key));
    for (const type of ["focusin", "pointerover", "keydown"])
      addEventListener(type, (event) => isSearch(event) && start(), true);
    if (new URLSearchParams(location.search).has("q")) start();
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

  // The worker: created for the first message.
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
      // "-15" is a number, not a wish for pages without 15.
      if (message.type === 2 && message.data.replace)
        message.data = message.data.replace(/(^|\s)-(?=\d)/g, "$1");
      this.real.postMessage(message, ...rest);
    }
    terminate() {
      this.real?.terminate();
    }
  };
})();
