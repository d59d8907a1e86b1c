// Filters the table of exit codes by a number; without it the table is complete.
"use strict";
(() => {
  const place = document.getElementById("decoder");
  const rows = [...document.querySelectorAll("#exit-codes tr")];
  if (!place || !rows.length) return;
  const label = document.createElement("label");
  const input = document.createElement("input");
  const answer = document.createElement("output");
  label.textContent = "Exit code ";
  input.inputMode = "text";
  input.autocomplete = "off";
  input.placeholder = "-15";
  input.size = 12;
  label.append(input);
  place.append(label, answer);
  input.addEventListener("input", () => {
    const text = input.value.trim();
    let code = /^[-+]?(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : NaN;
    // Windows' codes have 32 bits, and some tools show them with a sign.
    if (code < -64 && code >= -(2 ** 31)) code += 2 ** 32;
    let found = 0;
    for (const row of rows) {
      row.hidden = text !== "" && Number(row.dataset.code) !== code;
      found += row.hidden ? 0 : 1;
    }
    answer.textContent =
      text === "" || found ? ""
      : Number.isNaN(code) ? "That is no number."
      : code >= 3 && code <= 255 ? "The program chose this number itself: sys.exit(" + code + ")."
      : code > 255 && code < 2 ** 32 ? "No process leaves this number on POSIX; on Windows the program chose it."
      : "No process leaves this number.";
  });
})();
