// Answers with the rows of one exit code; without a script the table is complete.
// A test compares each answer with process_terminate._exit_codes, which says the same.
"use strict";
(() => {
  const rows = [...document.querySelectorAll("#exit-codes tr")];
  const input = document.querySelector("#decoder input");
  const answer = document.querySelector("#decoder output");
  if (!input || !rows.length) return;

  const codesOf = (row) => row.dataset.codes.split(" ").map(Number);
  const byWord = rows.flatMap((row) =>
    row.dataset.words.split("|").filter(Boolean).map((word) => [word, codesOf(row)[0]]));
  const signals = new Map(rows.filter((row) => codesOf(row)[0] < 0).map((row) =>
    [-codesOf(row)[0], { name: row.dataset.words.split("|")[0], core: "core" in row.dataset }]));

  // The code that a text shows; NaN if it shows none.
  const read = (text) => {
    let m;
    if ((m = /\b0x[0-9a-f]+\b/i.exec(text))) return Number(m[0]);
    for (const [name] of text.matchAll(/\bSIG[A-Z]+\d?\b/g)) {
      const found = byWord.find(([word]) => word === name);
      if (found) return found[1];
    }
    if ((m = /(?:\bsignal:?|\bcode=(?:killed|dumped), status=)\s*(\d{1,20})(?!\d)/i.exec(text))) return -m[1];
    if ((m = /(?:code|status|returned|exited|exit)(?: with)?[^\w-]{0,3}(-?\d{1,20})(?!\d)/i.exec(text)))
      return Number(m[1]);
    for (const [word, code] of byWord)
      if (text.includes(word) ||
          (word.includes(" ") && text.toLowerCase().includes(word.toLowerCase()))) return code;
    const numbers = text.match(/(?<![\w+-])[-+]?\d{1,20}(?!\w)/g) || [];
    return numbers.length === 1 ? Number(numbers[0]) : NaN;
  };

  // What follows from the number alone.
  const computed = (code, known) => {
    const found = [];
    const number = code < 0 ? -code : code - 128;
    const isSignal = number >= 1 && number <= 64;
    const harmless = [17, 18, 19, 20, 21, 22, 23, 28].includes(number);
    if (isSignal && !signals.has(number) && !harmless) found.push(`killed by signal ${number}`);
    if (code < 0 && harmless) found.push(`no process: signal ${number} does not kill`);
    if (code > 0 && code <= 255 && (!known || isSignal))
      found.push(`the program chose it: sys.exit(${code})` +
        (code > 192 ? ` or sys.exit(${code - 256})`
          : code > 128 ? ", perhaps in a handler of the signal" : ""));
    if (code > 255 && !known) found.push("on Windows the program, or the system, chose it");
    const raw = "as the raw status of os.wait() or os.system(): ";
    const low = signals.get(code & 127);
    if (code > 0 && code <= 0xff00 && code % 256 === 0) found.push(`${raw}exit code ${code / 256}`);
    else if (code > 0 && code < 128 && low) found.push(`${raw}killed by ${low.name} (${code})`);
    else if (code > 128 && code < 256 && low && low.core)
      found.push(`${raw}killed by ${low.name} (${code & 127}), with a core file`);
    return found;
  };

  input.addEventListener("input", () => {
    const text = input.value.replace(/[\u2212\u2013]/g, "-"); // As copied from prose.
    let code = read(text);
    // Windows' codes have 32 bits, and some tools show them with a sign.
    if (code < -64 && code >= -(2 ** 31)) code += 2 ** 32;
    const found = rows.filter((row) => codesOf(row).includes(code));
    for (const row of rows) row.hidden = text.trim() !== "" && !found.includes(row);
    const lines = [...found.map((row) => row.cells[1].textContent), ...computed(code, found.length > 0)];
    if (text.trim() === "") answer.textContent = "";
    else if (Number.isNaN(code)) answer.textContent = "There is no exit code in this text.";
    else if (code < -64 || code >= 2 ** 32) answer.textContent = "No process leaves this number.";
    else answer.textContent = lines.join("\n");
  });
})();
