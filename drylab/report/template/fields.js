// Pieces of the page: every text goes in as text, never as markup.
function el(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, it] of Object.entries(attributes || {})) {
    if (it === null || it === undefined || it === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), it);
    else node.setAttribute(key, it === true ? "" : it);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function drawing(svg, label) {
  if (!svg) return el("span", { class: "nopicture" }, "no picture");
  const parsed = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
  const node = document.importNode(parsed, true);
  node.setAttribute("aria-label", label);
  return node;
}

// Pictures and marks are made when they come near the window: a thousand of them would hold up the first view.
const waiting = new Map();
const watcher = new IntersectionObserver((entries) => {
  for (const entry of entries) if (entry.isIntersecting) attach(entry.target);
}, { rootMargin: "600px" });

function attach(holder) {
  const make = waiting.get(holder);
  if (make === undefined) return;
  waiting.delete(holder);
  watcher.unobserve(holder);
  holder.replaceChildren(...make());
}

function later(holder, make) {
  waiting.set(holder, make);
  watcher.observe(holder);
  return holder;
}

function forget(holder) {
  watcher.unobserve(holder);
  waiting.delete(holder);
}

function pictureButton(row) {
  const holder = el("button", {
    type: "button", class: "picture", onclick: () => openDetail(row),
    "aria-label": "Open rank " + value(row, "rank") + ", " + value(row, "id"),
  });
  return later(holder, () => [drawing(data.pictures[row], "Structure of " + value(row, "id"))]);
}

function chip(flag, text) {
  return el("span", { class: "chip " + (flag in FLAG_ORDER ? flag : "unknown") }, text);
}

function endpointText(row, endpoint) {
  const column = data.columns[place.get(endpoint.value)];
  return column && value(row, endpoint.value) !== null ? endpoint.name + " " + value(row, endpoint.value).toFixed(2) : endpoint.name;
}

// Reds and ambers one by one, the rest as a count: a panel of twenty endpoints stays readable. An endpoint for which the
// target file sets no limit has no say.
function toxChips(row) {
  const box = el("span", { class: "chips" });
  const asked = data.endpoints.filter((endpoint) => endpoint.limited);
  if (!asked.length && data.endpoints.length && !data.panel.length) box.append(chip("unknown", "no limits set"));
  const few = asked.length <= 3;
  const counts = { green: 0, unknown: 0 };
  for (const flag of ["red", "amber", "unknown", "green"]) {
    for (const endpoint of asked) {
      if ((value(row, endpoint.flag) ?? "unknown") !== flag) continue;
      if (few || flag === "red" || flag === "amber") box.append(chip(flag, endpointText(row, endpoint) + " " + flag));
      else counts[flag] += 1;
    }
  }
  for (const flag of ["unknown", "green"]) if (counts[flag]) box.append(chip(flag, counts[flag] + " " + flag));
  return box;
}

// The panel: a mark an endpoint, in lines of a group, at the same place in every hit.
const panelGroups = new Map();
data.panel.forEach((endpoint, index) => {
  if (!panelGroups.has(endpoint.group)) panelGroups.set(endpoint.group, []);
  panelGroups.get(endpoint.group).push(index);
});

function mark(row, index) {
  const [sign, kind] = data.states[data.marks[row][index]];
  return el("span", { class: "mark " + kind, title: data.panel[index].label + ": " + markWords(row, index) }, sign);
}

function figureOf(row, endpoint) {
  const number = (part) => value(row, endpoint.name + part);
  if (endpoint.kind === "class") return number("_prob") === null ? "" : "P(" + endpoint.yes + ") " + number("_prob").toFixed(2);
  if (number("_mean") === null) return "";
  return number("_mean").toFixed(1) + " (" + number("_low").toFixed(1) + " to " + number("_high").toFixed(1) + ") " + endpoint.unit;
}

function saidOf(row, index) {
  const endpoint = data.panel[index], code = data.marks[row][index], isClass = endpoint.kind === "class";
  if (code === "+" || code === "-") return code === "+" ? endpoint.yes : endpoint.no;
  const name = data.states[code][2];
  if (code === "u") return name + (isClass ? ": neither is ruled out" : ": the interval holds " + endpoint.limit);
  if (code === "o") return name + ": unlike anything seen";
  if (code === " ") return name;
  if (!isClass) return name + (code === "c" ? ": below " : ": at least ") + endpoint.limit;
  const set = (value(row, endpoint.name + "_set") || "").replace(/^\{|\}$/g, "");
  return name + ": " + (code === "r" ? "looks " + set + ", improbable" : set) + (endpoint.report_only ? " (a reminder, no reason to drop it)" : "");
}

function markWords(row, index) {
  return [saidOf(row, index), figureOf(row, data.panel[index])].filter(Boolean).join("; ");
}

function countOf(row, code) {
  return [...data.marks[row]].filter((it) => it === code).length;
}

function markSummary(row) {
  const parts = ["R", "r", "u", "o", "c"].filter((code) => countOf(row, code)).map((code) => countOf(row, code) + " " + data.states[code][2]);
  return "Toxicity panel: " + parts.join(", ");
}

function markGrid(row) {
  const holder = el("span", { class: "marks", role: "img", "aria-label": markSummary(row) });
  return later(holder, () => [...panelGroups].map(([name, indices]) =>
    el("span", { class: "marks-line" }, el("small", {}, name), ...indices.map((index) => mark(row, index)))));
}

function toxCell(row) {
  const chips = toxChips(row);
  if (!data.panel.length) return chips;
  return el("span", { class: "tox" }, chips.childNodes.length ? chips : null, markGrid(row));
}

// The worst flag of the limits that were set, then how much the panel flags.
function toxKey(row) {
  if (!data.panel.length) return sortKey(row, data.columns[place.get("tox_worst")]);
  return 1e4 * (FLAG_ORDER[value(row, "tox_worst")] ?? 1) + 100 * countOf(row, "R") + countOf(row, "r");
}

function refined(row) {
  const mean = value(row, "refined_mean"), sd = value(row, "refined_sd");
  if (mean === null) return el("span", {}, "");
  return el("span", { class: "refined" }, mean.toFixed(2), sd === null ? null : el("small", {}, " \u00b1 " + sd.toFixed(2)));
}

function alertList(row) {
  const box = el("span", { class: "alerts" });
  for (const alert of alertsOf(row)) box.append(el("span", { title: alert.catalog }, alert.name.replaceAll("_", " ")));
  return box;
}

function domainMark(row) {
  const inside = value(row, "in_domain");
  if (inside === null) return el("span", {}, "");
  return inside ? el("span", { class: "inside" }, "inside") : chip("amber", "outside");
}

function knownBadge(row) {
  const name = value(row, "known_as");
  return name ? el("span", { class: "known-badge" }, "known: " + name) : null;
}

function nearest(row) {
  const id = value(row, "nearest_known_id"), similarity = value(row, "max_sim_known");
  if (id === null || similarity === null) return el("span", {}, "");
  const activity = value(row, "nearest_known_value");
  return el("span", { class: "nearest" }, id, el("small", {}, similarity.toFixed(2) + (activity === null ? "" : ", pX " + activity.toFixed(1))));
}

const SPECIAL = {
  id: (row) => el("span", { class: "id" }, value(row, "id"), knownBadge(row)),
  score: (row) => el("strong", {}, value(row, "score").toFixed(2)),
  refined_mean: refined,
  tox_worst: toxCell,
  in_domain: domainMark,
  nearest_known_id: nearest,
  alerts: alertList,
};
const BRIEF = ["rank", "id", "score", "refined_mean", "delta_*", "tox_worst", "in_domain", "mw", "clogp", "tpsa", "qed", "alerts", "nearest_known_id"];
const LATER = ["key", "inchikey", "smiles", "scaffold"];
// Three decimals of a molecular weight are noise in a table; the detail view and the files have them.
const BRIEF_DIGITS = { mw: 1, tpsa: 1, clogp: 2, qed: 2, fsp3: 2, embed_distance_pct: 0, max_sim_known: 2 };

function field(column) {
  const special = SPECIAL[column.name];
  const digits = BRIEF_DIGITS[column.name] ?? (column.digits ? 2 : 0);
  return {
    name: column.name, label: column.name === "in_domain" ? "Domain" : column.label, column,
    title: column.meaning + (column.unit ? " (" + column.unit + ")" : ""),
    numeric: column.kind === "number",
    key: column.name === "nearest_known_id" ? (row) => value(row, "max_sim_known")
      : column.name === "tox_worst" ? toxKey : (row) => sortKey(row, column),
    // For these a first click should bring the largest on top.
    descending: ["score", "refined_mean", "qed", "nearest_known_id"].includes(column.name) || column.name.startsWith("delta_"),
    cell: special || ((row) => {
      const it = value(row, column.name);
      if (column.kind === "flag" && it !== null) return chip(it, it);
      return column.kind === "number" ? (it === null ? "" : it.toFixed(digits)) : written(row, column);
    }),
  };
}

const alertField = {
  name: "alerts", label: "Alerts", title: "structural alerts found, all catalogues: notes, not verdicts", numeric: false,
  key: (row) => alertsOf(row).length, descending: false, cell: alertList,
};
const fields = new Map(data.columns.map((column) => [column.name, field(column)]));
if (alertColumns.length) fields.set("alerts", alertField);

function briefFields() {
  return BRIEF.flatMap((name) => name.endsWith("*")
    ? [...fields.values()].filter((it) => it.name.startsWith(name.slice(0, -1)))
    : fields.has(name) ? [fields.get(name)] : []);
}

function allFields() {
  const brief = briefFields();
  const rest = [...fields.values()].filter((it) => !brief.includes(it));
  return [...brief, ...rest.filter((it) => !LATER.includes(it.name)), ...rest.filter((it) => LATER.includes(it.name))];
}
