// The state of the page and what changes it.
const byId = (id) => document.getElementById(id);
const picked = new Set();
let visible = rowNumbers, sorted = fields.get("rank"), descending = false, view = "table";

function wanted() {
  return {
    words: byId("filter").value.toLowerCase().split(/\s+/).filter(Boolean),
    hideRed: byId("hide-red").checked, hideAlerts: byId("hide-alerts").checked, onlyDomain: byId("only-domain").checked,
  };
}

function update() {
  const filter = wanted();
  const order = ordered(rowNumbers, sorted.key, descending);
  visible = order.filter((row) => passes(row, filter));
  const shown = new Set(visible);
  const hidden = new Set(rowNumbers.filter((row) => !shown.has(row)));
  if (view === "table") arrange(tableBox.querySelector("tbody"), tableRows, order, hidden);
  else arrange(cardBox, cards, order, hidden);
  byId("count").textContent = visible.length + " of " + data.rows.length + " shown";
  byId("nothing").hidden = visible.length > 0;
  byId("nothing").textContent = data.rows.length ? "No hit passes these filters." : "No molecule passed the screen: there are no hits to show.";
  marks();
}

function marks() {
  for (const head of tableBox.querySelectorAll("th[data-name]")) {
    const active = head.dataset.name === sorted.name;
    if (active) head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    else head.removeAttribute("aria-sort");
  }
  byId("sort").value = sorted.name;
  byId("direction").textContent = descending ? "descending" : "ascending";
  selection();
}

function selection() {
  const number = picked.size;
  byId("picked").textContent = number ? number + " selected" : "";
  for (const id of ["copy", "download", "clear"]) byId(id).disabled = !number;
  for (const row of rowNumbers) for (const box of boxes[row]) box.checked = picked.has(row);
  const all = byId("all"), inside = visible.filter((row) => picked.has(row)).length;
  if (all) { all.checked = inside > 0 && inside === visible.length; all.indeterminate = inside > 0 && inside < visible.length; }
}

function pick(rows, on) {
  for (const row of rows) { if (on) picked.add(row); else picked.delete(row); }
  selection();
}

function sortBy(it) {
  descending = it === sorted ? !descending : it.descending;
  sorted = it;
  update();
}

function show(name) {
  view = name;
  if (view === "cards" && !cards.length) buildCards();
  tableBox.hidden = view !== "table";
  cardBox.hidden = view !== "cards";
  byId("wide-label").hidden = view !== "table";
  for (const it of ["table", "cards"]) byId("view-" + it).setAttribute("aria-pressed", String(it === view));
  update();
}

// A page opened from disk may be refused the clipboard; the old way through a text field still works there.
async function copyText(text, button) {
  const done = await (navigator.clipboard?.writeText(text).then(() => true, () => copyOldWay(text)) ?? copyOldWay(text));
  const before = button.dataset.label || button.textContent;
  button.dataset.label = before;
  button.textContent = done ? "Copied" : "The browser refused";
  setTimeout(() => { button.textContent = before; }, 1500);
}

function copyOldWay(text) {
  const area = el("textarea", { class: "skip", "aria-hidden": "true" });
  area.value = text;
  (dialog.open ? dialog : document.body).append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done;
}

function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "text/csv;charset=utf-8" }));
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 10000);
}

const inRankOrder = () => [...picked].sort((a, b) => a - b);

function listen() {
  let waitingForKeys;
  byId("filter").addEventListener("input", () => { clearTimeout(waitingForKeys); waitingForKeys = setTimeout(update, 80); });
  for (const id of ["hide-red", "hide-alerts", "only-domain"]) byId(id).addEventListener("change", update);
  byId("sort").addEventListener("change", (event) => { sorted = fields.get(event.target.value); descending = sorted.descending; update(); });
  byId("direction").addEventListener("click", () => { descending = !descending; update(); });
  byId("view-table").addEventListener("click", () => show("table"));
  byId("view-cards").addEventListener("click", () => show("cards"));
  byId("wide").addEventListener("change", (event) => { buildTable(event.target.checked ? allFields() : briefFields()); update(); });
  byId("copy").addEventListener("click", (event) => copyText(inRankOrder().map((row) => value(row, "smiles")).join("\n"), event.target));
  byId("download").addEventListener("click", () => download(data.name.replace(/[^\w.-]+/g, "_") + "-selected.csv", csv(inRankOrder())));
  byId("clear").addEventListener("click", () => pick(rowNumbers, false));
  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !dialog.open && !event.target.closest("input, select, textarea")) { event.preventDefault(); byId("filter").focus(); }
  });
  window.addEventListener("beforeprint", () => { for (const holder of [...waiting.keys()]) attach(holder); });
}

for (const group of new Set([...fields.values()].map((it) => it.column?.group ?? "Alerts"))) {
  byId("sort").append(el("optgroup", { label: group }, ...[...fields.values()].filter((it) => (it.column?.group ?? "Alerts") === group)
    .map((it) => el("option", { value: it.name }, it.label))));
}
if (!place.has("in_domain")) byId("only-domain").closest("label").hidden = true;
if (!place.has("tox_worst") || (data.panel.length && !data.endpoints.some((it) => it.limited))) byId("hide-red").closest("label").hidden = true;
if (!alertColumns.length) byId("hide-alerts").closest("label").hidden = true;
buildTable(briefFields());
listen();
byId("toolbar").hidden = false;
show(window.matchMedia("(max-width: 720px)").matches ? "cards" : "table");
