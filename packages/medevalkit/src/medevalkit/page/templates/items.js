const ROW = 46, KEPT_PARTS = 24, KEPT_WORDS = 6e7;
const VERDICTS = { r: "right", w: "wrong", p: "unparsed", a: "unanswered", j: "unjudged", m: "measured", "-": "not asked" };
const CHANGES = { "": "all", lost: "right → not right", gained: "not right → right", differ: "verdicts differ" };
const FILTERS = ["task", "kind", "modality", "language"];
let items = null, starts = [], shown = [], chosen = -1, turn = 0;
const kept = { part: new Map(), labels: new Map() }, waiting = new Map(), spoken = new Map();
let spokenSize = 0;

function index(data) { items = data; start(); }
function arrived(kind, number, data) {
  kept[kind].set(number, data);
  if (kind === "part" && kept.part.size > KEPT_PARTS) kept.part.delete(kept.part.keys().next().value);
  const name = `${kind}-${number}`;
  for (const then of waiting.get(name) || []) then(data);
  waiting.delete(name);
}
function load(kind, number, then) {
  if (kept[kind].has(number)) return then(kept[kind].get(number));
  const name = `${kind}-${number}`;
  if (waiting.has(name)) return waiting.get(name).push(then);
  waiting.set(name, [then]);
  const tag = node("script");
  tag.src = `data/${name}.js`;
  tag.onload = () => tag.remove();
  tag.onerror = () => { tag.remove(); waiting.delete(name); $("count").textContent = `data/${name}.js is missing: copy the whole folder of the page`; };
  document.head.append(tag);
}
function partOf(item) {
  let low = 0, high = starts.length - 1;
  while (low < high) { const middle = (low + high + 1) >> 1; if (starts[middle] <= item) low = middle; else high = middle - 1; }
  return low;
}
function fill(id, pairs) { for (const [text, value] of pairs) $(id).append(new Option(text, value)); }
function start() {
  let sum = 0;
  for (const size of items.parts) { starts.push(sum); sum += size; }
  for (const name of FILTERS) {
    const names = items.names[name];
    fill(name, [["all", ""], ...names.map((text, code) => [text, code]).sort((a, b) => (a[0] < b[0] ? -1 : 1))]);
    $(name).parentElement.hidden = names.length < 2;
  }
  fill("lens", SEEN.lenses.map((lens, place) => [lens.name, place]));
  fill("beside", SEEN.lenses.map((lens, place) => [lens.name, place]));
  $("beside").value = Math.max(SEEN.lenses.findIndex((lens) => lens.run === 1), Math.min(1, SEEN.lenses.length - 1));
  fill("verdict", [["all", ""], ...Object.entries(VERDICTS).filter(([sign]) => items.verdicts.some((v) => v.includes(sign))).map(([sign, name]) => [name, sign])]);
  fill("change", Object.entries(CHANGES).map(([value, text]) => [text, value]));
  for (const label of document.querySelectorAll(".two")) label.hidden = SEEN.lenses.length < 2;
  for (const id of [...FILTERS, "lens", "verdict", "beside", "change"]) $(id).addEventListener("input", filter);
  let typed = 0;
  $("words").addEventListener("input", () => { clearTimeout(typed); typed = setTimeout(filter, 150); });
  $("list").addEventListener("scroll", draw);
  $("list").addEventListener("keydown", (event) => {
    const move = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    if (move && shown.length) { event.preventDefault(); choose(Math.min(shown.length - 1, Math.max(0, chosen + move)), true); }
  });
  addEventListener("resize", draw);
  filter();
}
function passing() {
  const wanted = FILTERS.filter((name) => $(name).value !== "").map((name) => [items.codes[name], Number($(name).value)]);
  const mine = items.verdicts[$("lens").value] || "", other = items.verdicts[$("beside").value] || "", verdict = $("verdict").value, change = $("change").value;
  const found = [];
  for (let item = 0; item < SEEN.total; item++) {
    if (wanted.some(([codes, code]) => codes[item] !== code) || (verdict && mine[item] !== verdict)) continue;
    if (change) {
      const first = mine[item], second = other[item];
      if (first === second || first === "-" || second === "-") continue;
      if (change === "lost" ? first !== "r" : change === "gained" ? second !== "r" : false) continue;
    }
    found.push(item);
  }
  return found;
}
function filter() {
  const mine = ++turn, words = $("words").value.trim().toLowerCase(), among = passing();
  if (!words) return list(among, "");
  const parts = [...new Set(among.map(partOf))], allowed = new Set(among), found = [];
  list([], "looking …");
  (function next(place) {
    if (mine !== turn) return;
    if (place === parts.length) return list(found, "");
    if (place % 8 === 7) $("count").textContent = `looking: ${Math.round((100 * place) / parts.length)} %, ${found.length.toLocaleString("en")} found`;
    said(parts[place], (texts) => {
      texts.forEach((text, offset) => { const item = starts[parts[place]] + offset; if (allowed.has(item) && text.includes(words)) found.push(item); });
      setTimeout(() => next(place + 1));
    });
  })(0);
}
function said(part, then) {
  if (spoken.has(part)) return then(spoken.get(part));
  load("part", part, (data) => {
    const texts = data.map((item) => {
      const answers = item.answers.filter(Boolean).flatMap((a) => [a.said, a.error || "", ...a.read.flatMap((r) => [r.parsed || "", ...(r.judges || []).map((j) => j[2])])]);
      return [item.prompt, item.gold, item.id, ...Object.values(item.tags), ...answers].join("\n").toLowerCase();
    });
    const size = texts.reduce((sum, text) => sum + text.length, 0);
    if (spokenSize + size < KEPT_WORDS) { spoken.set(part, texts); spokenSize += size; }
    then(texts);
  });
}
function list(found, note) {
  shown = found;
  $("count").textContent = note || `${shown.length.toLocaleString("en")} of ${SEEN.total.toLocaleString("en")} items`;
  $("space").style.height = `${shown.length * ROW}px`;
  $("list").scrollTop = 0;
  chosen = -1;
  draw();
  if (shown.length) choose(0);
  else $("detail").replaceChildren(node("p", "soft", note || "No item is left by these filters."));
}
function verdict(sign) {
  const made = node("i", "", VERDICTS[sign]);
  made.style.setProperty("--of", `var(--${sign === "-" ? "soft" : sign})`);
  return made;
}
function draw() {
  const place = $("list"), first = Math.max(0, Math.floor(place.scrollTop / ROW) - 5);
  const last = Math.min(shown.length, first + Math.ceil(place.clientHeight / ROW) + 10);
  const lens = $("lens").value, beside = $("beside").value;
  for (const row of place.querySelectorAll(".row")) row.remove();
  for (let i = first; i < last; i++) {
    const item = shown[i], row = node("button", "row"), name = node("b", "", "…"), line = node("span");
    row.style.top = `${i * ROW}px`; row.tabIndex = -1;
    row.setAttribute("role", "option"); row.setAttribute("aria-selected", String(i === chosen));
    line.append(verdict(items.verdicts[lens][item]));
    if (SEEN.lenses.length > 1 && beside !== lens) line.append(" → ", verdict(items.verdicts[beside][item]));
    line.append(` · ${items.names.task[items.codes.task[item]]} · ${items.names.modality[items.codes.modality[item]]}`);
    row.append(name, line);
    row.addEventListener("click", () => choose(i));
    place.append(row);
    load("labels", Math.floor(item / SEEN.labels), (labels) => { name.textContent = labels[item % SEEN.labels]; });
  }
}
function choose(i, follow) {
  chosen = i;
  const place = $("list"), top = i * ROW;
  if (follow && (top < place.scrollTop || top + ROW > place.scrollTop + place.clientHeight)) place.scrollTop = Math.max(0, top - place.clientHeight / 2);
  draw();
  const item = shown[i], part = partOf(item);
  load("part", part, (data) => { if (shown[chosen] === item) show(item, data[item - starts[part]]); });
}
function titled(place, title, text) { if (text) place.append(node("h4", "", title), node("pre", "", text)); }
function name(column, item) { return items.names[column][items.codes[column][item]]; }
function show(item, data) {
  const detail = $("detail"), tags = Object.entries(data.tags).map(([tag, value]) => `${tag} ${value}`);
  detail.replaceChildren(node("h3", "", [...FILTERS.map((column) => name(column, item)), ...(data.replica ? [`answer ${data.replica + 1}`] : [])].join(" · ")));
  const small = node("p", "soft", [data.id, ...tags].join(" · "));
  small.style.overflowWrap = "anywhere";
  detail.append(small);
  if (data.pictures.length) detail.append(pictures(data.pictures));
  titled(detail, "Prompt", data.prompt);
  titled(detail, "Gold", data.gold);
  const answers = node("div", "answers");
  data.answers.forEach((answer, run) => answers.append(card(answer, run, item)));
  detail.append(answers);
}
function pictures(found) {
  const place = node("div", "pictures");
  for (const { path, fault } of found) {
    if (fault) { place.append(node("p", "soft", `Picture not shown: ${fault}`)); continue; }
    const link = node("a"), image = node("img");
    image.onerror = () => link.replaceWith(node("p", "soft", `Picture not shown: there is no ${path}`));
    image.alt = "picture of the item"; image.src = link.href = path;
    link.target = "_blank"; link.rel = "noopener";
    link.append(image); place.append(link);
  }
  return place;
}
function card(answer, run, item) {
  const made = node("div", "answer"), lenses = SEEN.lenses.map((lens, place) => [lens, place]).filter(([lens]) => lens.run === run);
  made.append(node("b", "", SEEN.runs[run]));
  const best = lenses.find(([, place]) => place === Number($("lens").value)) || lenses[0], sign = best ? items.verdicts[best[1]][item] : "-";
  made.style.setProperty("--of", `var(--${sign === "-" ? "line" : sign})`);
  if (!answer) { made.append(node("p", "soft", "not asked")); return made; }
  lenses.forEach(([lens, place], number) => {
    const read = answer.read[number] || {}, chips = node("div", "chips"), chip = node("span", "chip", `${lens.profile}: `);
    chip.append(verdict(items.verdicts[place][item]));
    chips.append(chip);
    if (read.verdict) chips.append(node("span", "chip", read.parsed === null ? "nothing read" : `read as ${read.parsed}`));
    for (const [metric, value] of Object.entries(read.metrics || {})) chips.append(node("span", "chip", `${metric} ${value}`));
    made.append(chips);
  });
  const facts = node("div", "chips");
  if (answer.tokens !== undefined) facts.append(node("span", "chip", `${answer.tokens} tokens`));
  if (answer.finish) facts.append(node("span", "chip", `ended by ${answer.finish}`));
  if (answer.other_words) facts.append(node("span", "chip", "was asked in other words than the prompt above"));
  made.append(facts);
  if (answer.error) titled(made, "Why there is no answer", answer.error);
  else made.append(node("h4", "", "Answer as it came"), node("pre", "", answer.said || "(empty)"));
  lenses.forEach(([lens], number) => {
    for (const [judge, ruled, raw] of (answer.read[number] || {}).judges || []) titled(made, `Judge ${judge} under ${lens.profile}: ${ruled}`, raw);
  });
  return made;
}
