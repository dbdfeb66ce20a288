"use strict";
// The data of the page and what can be asked of it. No markup here.
const data = JSON.parse(document.getElementById("data").textContent);
const place = new Map(data.columns.map((column, index) => [column.name, index]));
const rowNumbers = data.rows.map((_, index) => index);

function value(row, name) {
  const index = place.get(name);
  return index === undefined ? null : data.rows[row][index];
}

function written(row, column) {
  const it = data.rows[row][place.get(column.name)];
  if (it === null) return "";
  if (column.kind === "bool") return it ? "true" : "false";
  return column.kind === "number" ? it.toFixed(column.digits) : it;
}

const alertColumns = data.columns.filter((column) => column.group === "Alerts");
function alertsOf(row) {
  return alertColumns.flatMap((column) =>
    (value(row, column.name) || "").split("; ").filter(Boolean).map((name) => ({ catalog: column.label, name })));
}

const FLAG_ORDER = { green: 0, unknown: 1, amber: 2, red: 3 };
const collator = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

// A key for sorting: numbers by size, flags by severity, text as people count ("x9" before "x10").
function sortKey(row, column) {
  const it = value(row, column.name);
  if (it === null || it === "") return null;
  if (column.kind === "flag") return FLAG_ORDER[it] ?? 1;
  return column.kind === "bool" ? Number(it) : it;
}

// What is missing comes last in either direction; ties stay in rank order.
function ordered(rows, keyOf, descending) {
  const keys = new Map(rows.map((row) => [row, keyOf(row)]));
  const sign = descending ? -1 : 1;
  return [...rows].sort((a, b) => {
    const x = keys.get(a), y = keys.get(b);
    if (x === null || y === null) return (x === null) - (y === null) || a - b;
    const order = typeof x === "number" && typeof y === "number" ? x - y : collator.compare(String(x), String(y));
    return sign * order || a - b;
  });
}

const textColumns = data.columns.filter((column) => column.kind === "text");
const haystacks = rowNumbers.map((row) =>
  textColumns.map((column) => value(row, column.name) || "").join("\n").toLowerCase());

function passes(row, wanted) {
  if (wanted.hideRed && value(row, "tox_worst") === "red") return false;
  if (wanted.hideAlerts && alertsOf(row).length) return false;
  if (wanted.onlyDomain && value(row, "in_domain") === false) return false;
  return wanted.words.every((word) => haystacks[row].includes(word));
}

// The same rules as hits.csv: no cell is a formula, marks are quoted.
function csvCell(row, column) {
  let text = written(row, column);
  if (column.kind === "number" || column.kind === "bool") return text;
  if (/^[=+\-@\t\r]/.test(text)) text = "'" + text;
  return quoted(text);
}

function quoted(text) {
  return /[",\r\n]/.test(text) ? '"' + text.replaceAll('"', '""') + '"' : text;
}

function csv(rows) {
  const lines = [data.columns.map((column) => quoted(column.name)).join(",")];
  for (const row of rows) lines.push(data.columns.map((column) => csvCell(row, column)).join(","));
  return lines.join("\n") + "\n";
}
