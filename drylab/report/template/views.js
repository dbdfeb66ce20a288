// Table, cards and the large view. Each row has one table row and one card; sorting moves them, filtering hides them.
const tableBox = document.getElementById("table");
const cardBox = document.getElementById("cards");
const dialog = document.getElementById("detail");
const boxes = rowNumbers.map(() => []);
let tableRows = [], cards = [];

function selector(row) {
  const box = el("input", {
    type: "checkbox", "aria-label": "Select " + value(row, "id"), onchange: (event) => pick([row], event.target.checked),
  });
  box.checked = picked.has(row);
  boxes[row] = [...boxes[row].filter((other) => other.isConnected), box];
  return box;
}

function buildTable(shownFields) {
  for (const holder of tableBox.querySelectorAll(".picture, .marks")) forget(holder);
  for (const row of rowNumbers) boxes[row] = boxes[row].filter((box) => !tableBox.contains(box));
  const all = el("input", { type: "checkbox", id: "all", "aria-label": "Select all rows shown", onchange: (event) => pick(visible, event.target.checked) });
  const head = el("tr", {}, el("th", { scope: "col", class: "select" }, all), el("th", { scope: "col" }, "Structure"),
    ...shownFields.map((it) => el("th", { scope: "col", title: it.title, "data-name": it.name, class: it.numeric ? "number" : null },
      el("button", { type: "button", onclick: () => sortBy(it) }, it.label))));
  tableRows = rowNumbers.map((row) => el("tr", { "data-row": row },
    el("td", { class: "select" }, selector(row)), el("td", { class: "structure" }, pictureButton(row)),
    ...shownFields.map((it) => el("td", { "data-name": it.name, class: it.numeric ? "number" : it.column?.kind === "text" ? "text" : null }, it.cell(row)))));
  tableBox.replaceChildren(el("table", {}, el("thead", {}, head), el("tbody", {}, ...tableRows)));
}

function fact(label, shown) {
  return shown === "" ? null : el("span", {}, el("small", {}, label), " " + shown);
}

function card(row) {
  const number = (name, digits) => { const it = value(row, name); return it === null ? "" : it.toFixed(digits); };
  return el("article", { class: "card", role: "listitem", "data-row": row },
    el("header", {}, selector(row), el("span", { class: "rank" }, "#" + value(row, "rank")),
      el("span", { class: "id" }, value(row, "id")), el("strong", { class: "score", title: "predicted pActivity" }, number("score", 2))),
    pictureButton(row), knownBadge(row),
    value(row, "refined_mean") === null ? null : el("p", { class: "like" }, el("small", {}, "refined "), refined(row)), toxCell(row),
    el("p", { class: "properties" }, fact("MW", number("mw", 0)), fact("cLogP", number("clogp", 1)), fact("TPSA", number("tpsa", 0)),
      fact("HBD", number("hbd", 0)), fact("QED", number("qed", 2))),
    alertsOf(row).length ? alertList(row) : null,
    value(row, "in_domain") === false ? chip("amber", "outside the domain") : null,
    value(row, "nearest_known_id") ? el("p", { class: "like" }, el("small", {}, "nearest known "), nearest(row)) : null);
}

function buildCards() {
  cards = rowNumbers.map(card);
  cardBox.replaceChildren(...cards);
}

function arrange(container, nodes, order, hidden) {
  container.append(...order.map((row) => nodes[row]));
  nodes.forEach((node, row) => { node.hidden = hidden.has(row); });
}

// The large view.
let openRow = null;

function openDetail(row) {
  const from = document.activeElement, held = dialog.contains(from) ? from.getAttribute("aria-label") : null;
  openRow = row;
  const position = visible.indexOf(row);
  const step = (by, label, mark) => el("button", {
    type: "button", "aria-label": label, title: label, disabled: position < 0 || !(position + by in visible), onclick: () => openDetail(visible[position + by]),
  }, mark);
  dialog.replaceChildren(
    el("header", {}, el("h2", { id: "detail-title" }, "#" + value(row, "rank") + " ", el("span", { class: "id" }, value(row, "id"))), knownBadge(row),
      el("span", { class: "steps" }, step(-1, "Previous hit", "\u2190"), step(1, "Next hit", "\u2192"),
        el("button", { type: "button", class: "close", "aria-label": "Close", onclick: () => dialog.close() }, "Close"))),
    el("div", { class: "detail" }, detailPictures(row), detailColumns(row)));
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  // The button just pressed is gone with the old view; its successor takes the focus, so keys go on working.
  const successor = [...dialog.querySelectorAll(".steps button:enabled")].find((button) => button.getAttribute("aria-label") === held);
  (successor || dialog.querySelector(".close")).focus();
}

function detailPictures(row) {
  const id = value(row, "nearest_known_id");
  const neighbour = id !== null && Object.hasOwn(data.known, id) ? data.known[id] : null;
  const caption = data.mapped[row]
    ? el("figcaption", {}, el("span", { class: "key lowers" }, "lowers the score"), el("span", { class: "key raises" }, "raises the score"),
      el("em", {}, "What the model used, not how it binds."))
    : el("figcaption", {}, "No atom map was made for this hit.");
  return el("div", { class: "pictures" },
    el("figure", { class: "large" }, drawing(data.pictures[row], "Structure of " + value(row, "id")), caption),
    el("label", { class: "smiles" }, el("span", {}, "SMILES"), el("input", { readonly: true, value: value(row, "smiles"), onfocus: (event) => event.target.select() })),
    el("button", { type: "button", onclick: (event) => copyText(value(row, "smiles"), event.target) }, "Copy SMILES"),
    el("label", { class: "check" }, selector(row), " Select this hit"),
    neighbour ? el("figure", { class: "neighbour" }, el("figcaption", {}, "Nearest known active: ", nearest(row)), drawing(neighbour, "Structure of " + id)) : null);
}

function detailColumns(row) {
  const groups = new Map();
  for (const column of data.columns) {
    if (!groups.has(column.group)) groups.set(column.group, []);
    groups.get(column.group).push(column);
  }
  const box = el("div", { class: "columns" });
  const wide = data.panel.length ? ["Toxicity", "Identity"] : ["Identity"];
  for (const name of ["Score", ...[...groups.keys()].filter((group) => group !== "Score" && !wide.includes(group)), ...wide]) {
    if (groups.has(name)) box.append(el("section", { class: name === "Identity" ? "identity" : wide.includes(name) ? "identity panel" : null }, el("h3", {}, name), el("dl", {}, ...groups.get(name).flatMap((column) => line(row, column)), ...(name === "Toxicity" ? panelLines(row) : []))));
  }
  return box;
}

// Of the panel a line an endpoint: its mark, what is said, and the figures.
function panelLines(row) {
  return data.panel.flatMap((endpoint, index) => {
    const flag = value(row, endpoint.name + "_flag");
    return [el("dt", { title: endpoint.meaning }, endpoint.label),
      el("dd", {}, mark(row, index), " ", saidOf(row, index), el("small", {}, " " + figureOf(row, endpoint)), flag && flag !== "unknown" ? chip(flag, flag) : null)];
  });
}

const inPanel = new Set(data.panel.flatMap((endpoint) => ["_prob", "_set", "_mean", "_low", "_high", "_flag"].map((part) => endpoint.name + part)));

function line(row, column) {
  if (inPanel.has(column.name) || (column.name === "tox_worst" && !data.endpoints.some((it) => it.limited) && data.panel.length)) return [];
  if (column.kind === "flag" && column.name !== "tox_worst") return [];
  const endpoint = data.endpoints.find((it) => it.value === column.name);
  const flag = endpoint ? value(row, endpoint.flag) : column.name === "tox_worst" ? value(row, column.name) : null;
  const text = column.kind === "bool" ? { true: "yes", false: "no" }[written(row, column)] || "" : written(row, column);
  const shown = column.name === "tox_worst" ? "" : text || "\u2013";
  return [el("dt", { title: column.meaning }, column.label),
    el("dd", {}, el("span", {}, shown), text && column.unit && column.unit !== "probability" ? el("small", {}, " " + column.unit) : null, flag ? chip(flag, flag) : null)];
}

// Closing goes to the hit last looked at, which is where a reader who stepped through wants to be.
dialog.addEventListener("close", () => {
  const node = (view === "table" ? tableRows : cards)[openRow];
  openRow = null;
  node?.querySelector(".picture").focus();
});
dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
dialog.addEventListener("keydown", (event) => {
  if (event.target instanceof HTMLInputElement && event.target.readOnly) return;
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const next = visible[visible.indexOf(openRow) + by];
  if (by && next !== undefined) { event.preventDefault(); openDetail(next); }
});
