// Answers with the rows of one exit code; without a script the table is complete.
"use strict";
(() => {
  const place = document.getElementById("decoder");
  const rows = [...document.querySelectorAll("#exit-codes tr")];
  if (!place || !rows.length) return;
  const label = document.createElement("label");
  const input = document.createElement("input");
  const answer = document.createElement("output");
  label.textContent = "Exit code ";
  input.type = "search"; // Escape empties it.
  input.autocomplete = "off";
  input.spellcheck = false;
  input.placeholder = "-15";
  input.size = 12;
  label.append(input);
  place.append(label, answer);

  const seen = { Python: "In Python", shell: "In a shell", Windows: "On Windows" };

  // What has no row in the table.
  const inWords = (code) => {
    if (Number.isNaN(code)) return "That is no number.";
    if (code <= -32 && code >= -64)
      return `In Python: killed by signal ${-code}, a real-time signal; a shell shows ${128 - code}.`;
    if (code >= 3 && code <= 255)
      return (
        `The program chose this number itself: sys.exit(${code}).` +
        (code >= 160 && code <= 192 ? ` Or a shell shows a death by signal ${code - 128}.` : "")
      );
    if (code > 255 && code < 2 ** 32)
      return "No process leaves this number on POSIX; on Windows the program chose it.";
    return "No process leaves this number.";
  };

  input.addEventListener("input", () => {
    const text = input.value.trim().replace(/^[\u2212\u2013]/, "-"); // As copied from prose.
    let code = /^([-+]?\d+|0x[0-9a-f]+)$/i.test(text) ? Number(text) : NaN;
    // Windows' codes have 32 bits, and some tools show them with a sign.
    if (code < -64 && code >= -(2 ** 31)) code += 2 ** 32;
    const found = rows.filter((row) => Number(row.dataset.code) === code);
    for (const row of rows) row.hidden = text !== "" && !found.includes(row);
    const lines = found.map((row) => `${seen[row.dataset.place]}: ${row.cells[2].textContent}.`);
    answer.textContent = text === "" ? "" : lines.join("\n") || inWords(code);
  });
})();
