"use strict";
// The whole page can be read without this script. It adds switches, values of marks, and sorting.
const root = document.documentElement;
root.classList.add("scripted");
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// --- what is shown ----------------------------------------------------------------------

for (const box of all("input[data-switches]")) {
  box.addEventListener("change", () => {
    for (const element of all(`[data-series="${box.dataset.switches}"]`)) {
      element.classList.toggle("off", !box.checked);
    }
    all(".panel").forEach(makeReachable);
    countRows();
  });
}
for (const choice of all("input[name=scale]")) {
  choice.addEventListener("change", () => { root.dataset.scale = choice.value; });
}
document.getElementById("theme").addEventListener("change", (event) => {
  root.dataset.theme = event.target.value;
});

// --- values of points: by mouse, and by arrow keys from one point to the next -----------

const shown = (panel) => all(".point", panel).filter((point) => !point.classList.contains("off"));
const at = (point, axis) => Number(point.getAttribute(axis));

function makeReachable(panel) {
  // The Tab key stops once in each panel.
  const points = shown(panel);
  const current = points.find((point) => point.getAttribute("tabindex") === "0") || points[0];
  all(".point", panel).forEach((point) => point.setAttribute("tabindex", "-1"));
  if (current) current.setAttribute("tabindex", "0");
}

function neighbour(point, key) {
  // Left and right along the series; up and down to the nearest series.
  const points = shown(point.closest("svg"));
  const others = points.filter((other) => other !== point);
  const series = points.filter((other) => other.dataset.series === point.dataset.series)
    .sort((a, b) => at(a, "cx") - at(b, "cx") || at(a, "cy") - at(b, "cy"));
  const place = series.indexOf(point);
  if (key === "ArrowRight" && series[place + 1]) return series[place + 1];
  if (key === "ArrowLeft" && series[place - 1]) return series[place - 1];
  if (key === "Home") return series[0];
  if (key === "End") return series[series.length - 1];
  if (key !== "ArrowUp" && key !== "ArrowDown") return null;
  const sign = key === "ArrowDown" ? 1 : -1;
  const distance = (other) => sign * (at(other, "cy") - at(point, "cy"));
  const beside = others.filter((other) => Math.abs(at(other, "cx") - at(point, "cx")) < 12);
  const beyond = beside.filter((other) => distance(other) > 0);
  return beyond.sort((a, b) => distance(a) - distance(b))[0] || null;
}

function showValue(point) {
  point.closest("figure").querySelector(".readout").textContent = point.getAttribute("aria-label");
}

function nearest(panel, event) {
  // The nearest mark counts, because hitting a mark exactly is hard, above all with a finger.
  const distance = (point) => {
    const box = point.getBoundingClientRect();
    return Math.hypot(event.clientX - box.x - box.width / 2, event.clientY - box.y - box.height / 2);
  };
  const [best] = shown(panel).map((point) => [distance(point), point]).sort((a, b) => a[0] - b[0]);
  return best && best[0] < 40 ? best[1] : null;
}

// Listeners are on the figures: an SVG with a focus listener would be one more stop of the Tab key.
for (const figure of all("figure")) {
  for (const eventName of ["pointermove", "pointerdown"]) {
    figure.addEventListener(eventName, (event) => {
      const panel = event.target.closest(".panel");
      all(".near", figure).forEach((point) => point.classList.remove("near"));
      const point = panel && nearest(panel, event);
      if (!point) return;
      point.classList.add("near");
      showValue(point);
    });
  }
  figure.addEventListener("focusin", (event) => {
    if (!event.target.classList.contains("point")) return;
    const panel = event.target.closest(".panel");
    all(".point", panel).forEach((point) => point.setAttribute("tabindex", "-1"));
    event.target.setAttribute("tabindex", "0");
    showValue(event.target);
  });
  figure.addEventListener("keydown", (event) => {
    if (!event.target.classList.contains("point")) return;
    const next = neighbour(event.target, event.key);
    if (next) next.focus();
    if (next || event.key.startsWith("Arrow")) event.preventDefault();
  });
}

// --- the table --------------------------------------------------------------------------

const table = document.getElementById("cells");
const body = table.tBodies[0];
const filter = document.getElementById("filter");
const matches = (row) => row.textContent.toLowerCase().includes(filter.value.toLowerCase());
const visible = () => [...body.rows].filter((row) => !row.hidden && !row.classList.contains("off"));

function countRows() {
  document.getElementById("count").textContent = `${visible().length} of ${body.rows.length} rows`;
}
filter.addEventListener("input", () => {
  for (const row of body.rows) row.hidden = !matches(row);
  countRows();
});

for (const button of all("th button", table)) {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    const ascending = head.getAttribute("aria-sort") !== "ascending";
    all("th", table).forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const key = (row) => row.cells[head.cellIndex].dataset.value ?? "";
    const numeric = head.classList.contains("number");
    const compare = (a, b) => numeric ? Number(a) - Number(b) : a.localeCompare(b);
    const rows = [...body.rows].sort((a, b) => {
      const [left, right] = [key(a), key(b)];
      if (left === "" || right === "") return (left === "") - (right === "");  // unknown last
      return ascending ? compare(left, right) : compare(right, left);
    });
    body.append(...rows);
  });
}

const plain = (cell) => {
  const text = cell.dataset.value ?? cell.textContent.trim();
  // As in the files: a text that a spreadsheet would take for a formula is marked as text.
  const formula = !cell.classList.contains("number") && /^'*[\t\r\n ]*[-=+@]/.test(text);
  return formula ? `'${text}` : text;
};
const quoted = (text) => /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
const barred = (text) => text.replace(/[\\`*[\]>&#$!|]|~(?=.*~)/g, "\\$&")
  .replace(/(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])/g, "\\_").replaceAll("<", "&lt;");
const formats = {
  csv: (head, rows) => [head, ...rows.map((row) => [...row.cells].map(plain))]
    .map((values) => values.map(quoted).join(",")).join("\r\n") + "\r\n",
  markdown: (head, rows) => [head, head.map(() => "---"),
    ...rows.map((row) => [...row.cells].map((cell) => cell.textContent.trim()))]
    .map((values, line) => `| ${values.map(line === 1 ? String : barred).join(" | ")} |`)
    .join("\n") + "\n",
};
for (const button of all("button[data-copy]")) {
  button.addEventListener("click", async () => {
    const head = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
    const text = formats[button.dataset.copy](head, visible());
    const box = document.getElementById("copied");
    box.hidden = false;
    box.value = text;
    box.select();
    const message = document.getElementById("said");
    try {
      await navigator.clipboard.writeText(text);
      message.textContent = `Copied ${visible().length} rows.`;
    } catch {
      message.textContent = "The text is selected: press Ctrl+C to copy it.";
    }
  });
}
countRows();
all(".panel").forEach(makeReachable);
