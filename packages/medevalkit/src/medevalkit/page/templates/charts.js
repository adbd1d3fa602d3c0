const $ = (id) => document.getElementById(id);
const LENS = 0, TASK = 1, KIND = 2, BY = 3, VALUE = 4, MEASURE = 5, N = 6, MEAN = 7, LOW = 8, HIGH = 9, CHANCE = 10, UNPARSED = 11, UNANSWERED = 12, UNJUDGED = 13;
const FATES = [["right", "r"], ["wrong", "w"], ["unparsed", "p"], ["unanswered", "a"], ["unjudged", "j"]];

function node(kind, className, text) {
  const made = document.createElement(kind);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}
function drawn(parent, kind, attributes, text) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  parent.append(made);
  return made;
}
function canvas(place, width, height, label) {
  place.replaceChildren();
  return drawn(place, "svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": label });
}
function legend(place, entries) {
  if (entries.length < 2) return;
  const made = node("div", "legend");
  for (const [name, colour] of entries) { const one = node("span", "", name); one.style.setProperty("--of", `var(--${colour})`); made.append(one); }
  place.append(made);
}
function short(text, most) { return text.length > most ? `${text.slice(0, most - 1)}…` : text; }
function colour(lens) { return `s${lens % 8}`; }
function figure(row, value) { return row[MEASURE] === "accuracy" ? `${(100 * value).toFixed(1)} %` : value.toFixed(3); }
function greatest(rows) {
  if (rows.every((row) => row[HIGH] <= 1 && row[LOW] >= 0)) return 1;
  return Math.max(...rows.map((row) => Math.max(row[HIGH], row[MEAN]))) || 1;
}
function seriesOf(rows) { return [...new Set(rows.map((row) => row[LENS]))].sort((a, b) => a - b); }

function bars(place, rows, category, label) {
  const names = [...new Set(rows.map(category))], series = seriesOf(rows), most = greatest(rows);
  const width = Math.max(260, place.clientWidth), left = Math.min(170, width * 0.34), right = 54, thick = series.length > 1 ? 13 : 18;
  const high = series.length * thick + 12, span = width - left - right;
  const svg = canvas(place, width, names.length * high + 6, label);
  const at = (value) => left + span * Math.max(0, Math.min(1, value / most));
  names.forEach((name, place) => {
    const top = place * high + 6, mine = rows.filter((row) => category(row) === name);
    drawn(drawn(svg, "text", { x: left - 8, y: top + (series.length * thick) / 2 + 4, "text-anchor": "end" }, short(name, Math.floor(left / 7))), "title", {}, name);
    for (const row of mine) {
      const y = top + series.indexOf(row[LENS]) * thick, middle = y + thick / 2;
      const bar = drawn(svg, "rect", { x: left, y: y + 1, width: Math.max(1, at(row[MEAN]) - left), height: thick - 2, rx: 2, style: `fill: var(--${colour(row[LENS])})` });
      drawn(bar, "title", {}, `${SEEN.lenses[row[LENS]].name}, ${name}: ${figure(row, row[MEAN])} (${figure(row, row[LOW])} to ${figure(row, row[HIGH])}), ${row[N].toLocaleString("en")} items`);
      drawn(svg, "path", { d: `M${at(row[LOW])} ${middle}H${at(row[HIGH])}M${at(row[LOW])} ${middle - 3}v6M${at(row[HIGH])} ${middle - 3}v6`, style: "stroke: var(--ink); fill: none" });
      drawn(svg, "text", { x: Math.max(at(row[HIGH]), at(row[MEAN])) + 5, y: middle + 4, class: "soft" }, figure(row, row[MEAN]));
    }
    const guess = mine[0][CHANCE];
    if (guess) drawn(svg, "path", { d: `M${at(guess)} ${top - 2}v${series.length * thick + 4}`, style: "stroke: var(--ink); stroke-dasharray: 3 2; fill: none" });
  });
  legend(place, series.map((lens) => [SEEN.lenses[lens].name, colour(lens)]));
}
function radar(place, rows, category, label) {
  const names = [...new Set(rows.map(category))], series = seriesOf(rows), most = greatest(rows);
  const width = Math.max(260, Math.min(520, place.clientWidth)), height = Math.min(width, 400), radius = Math.min(width / 2 - 84, height / 2 - 30);
  const svg = canvas(place, width, height, label), x = width / 2, y = height / 2;
  const spot = (place, share) => { const angle = (2 * Math.PI * place) / names.length - Math.PI / 2; return [x + radius * share * Math.cos(angle), y + radius * share * Math.sin(angle)]; };
  const ring = (share) => `M${names.map((_, place) => spot(place, share).map((n) => n.toFixed(1)).join(" ")).join("L")}Z`;
  for (const share of [0.25, 0.5, 0.75, 1]) drawn(svg, "path", { d: ring(share), style: "stroke: var(--line); fill: none" });
  names.forEach((name, place) => {
    const [endX, endY] = spot(place, 1), [textX, textY] = spot(place, 1 + 10 / radius);
    drawn(svg, "path", { d: `M${x} ${y}L${endX} ${endY}`, style: "stroke: var(--line)" });
    const anchor = Math.abs(textX - x) < 8 ? "middle" : textX > x ? "start" : "end";
    drawn(drawn(svg, "text", { x: textX, y: textY + (textY > y + 8 ? 8 : textY < y - 8 ? 0 : 4), "text-anchor": anchor }, short(name, 14)), "title", {}, name);
  });
  for (const lens of series) {
    const found = names.map((name) => rows.find((row) => row[LENS] === lens && category(row) === name));
    const path = `M${found.map((row, place) => spot(place, row ? Math.max(0, row[MEAN] / most) : 0).map((n) => n.toFixed(1)).join(" ")).join("L")}Z`;
    drawn(svg, "path", { d: path, style: `stroke: var(--${colour(lens)}); stroke-width: 2; fill: var(--${colour(lens)}); fill-opacity: 0.12` });
  }
  drawn(svg, "text", { x: x + 4, y: y - radius + 14, class: "soft" }, figure(rows[0], most));
  legend(place, series.map((lens) => [SEEN.lenses[lens].name, colour(lens)]));
}
function shares(place, rows) {
  const width = Math.max(260, place.clientWidth), high = 38;
  const svg = canvas(place, width, rows.length * high, "Shares of verdicts by task");
  rows.forEach((row, number) => {
    const top = number * high, lost = row[UNPARSED] + row[UNANSWERED] + row[UNJUDGED];
    const parts = [row[MEAN], Math.max(0, 1 - row[MEAN] - lost), row[UNPARSED], row[UNANSWERED], row[UNJUDGED]];
    const name = SEEN.lenses.length > 1 ? `${row[TASK]} · ${SEEN.lenses[row[LENS]].name}` : row[TASK];
    drawn(drawn(svg, "text", { x: 0, y: top + 14 }, short(name, Math.floor(width / 6.6))), "title", {}, name);
    let from = 0;
    parts.forEach((share, fate) => {
      if (share > 0) drawn(drawn(svg, "rect", { x: from * width, y: top + 19, width: share * width, height: 12, style: `fill: var(--${FATES[fate][1]})` }), "title", {}, `${FATES[fate][0]}: ${(100 * share).toFixed(1)} %`);
      from += share;
    });
  });
  legend(place, FATES);
}
function whole() {
  const rows = SEEN.rows.filter((row) => !row[BY] && row[MEASURE] === "accuracy"), mixed = new Set(rows.filter((row) => row[KIND] === "all").map((row) => row[TASK]));
  return rows.filter((row) => row[KIND] === "all" || !mixed.has(row[TASK]));
}
function drawOverview() {
  const rows = whole(), task = (row) => row[TASK], enough = new Set(rows.map(task)).size >= 3;
  $("charts").hidden = !rows.length;
  $("tasks-card").hidden = !enough;
  if (!rows.length) return;
  bars($("overview"), rows, task, "Accuracy by task");
  shares($("shares"), rows);
  if (enough) radar($("circle"), rows, task, "Accuracy of the tasks");
}
function choices(id, values) {
  const select = $(id), before = select.value;
  select.replaceChildren(...values.map((value) => new Option(value, value)));
  if (values.includes(before)) select.value = before;
}
function divided(...chosen) {
  const columns = [(row) => `${row[TASK]}, ${row[KIND]}`, (row) => row[MEASURE], (row) => row[BY]];
  return SEEN.rows.filter((row) => row[BY] && chosen.every((value, place) => columns[place](row) === value));
}
function drawBreakdown() {
  choices("task-of", [...new Set(divided().map((row) => `${row[TASK]}, ${row[KIND]}`))]);
  choices("measure", [...new Set(divided($("task-of").value).map((row) => row[MEASURE]))]);
  choices("by", [...new Set(divided($("task-of").value, $("measure").value).map((row) => row[BY]))]);
  const rows = divided($("task-of").value, $("measure").value, $("by").value), value = (row) => row[VALUE];
  $("breakdowns").hidden = !rows.length;
  if (!rows.length) return;
  const label = `${$("measure").value} of ${$("task-of").value} by ${$("by").value}`, spread = new Set(rows.map(value)).size;
  $("radar-card").hidden = spread < 3 || spread > 16;
  bars($("bars"), rows, value, label);
  if (!$("radar-card").hidden) radar($("radar"), rows, value, label);
}
for (const id of ["task-of", "measure", "by"]) $(id).addEventListener("input", drawBreakdown);
let drawnAt = 0;
function drawCharts() { if (innerWidth !== drawnAt) { drawnAt = innerWidth; drawOverview(); drawBreakdown(); } }
addEventListener("resize", drawCharts);
drawCharts();
