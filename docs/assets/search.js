// Loaded by site.js once a reader searches.
"use strict";
// Search: what a reader types becomes a query, and the pages come in an order of our own.
window.search = (() => {
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
