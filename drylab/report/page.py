"""report.html: one file that a chemist opens from disk, with the pictures, the numbers and the record inside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from drylab.report.charts import funnel, histogram, steps
from drylab.report.columns import Column, describe, plain, shown
from drylab.report.depict import picture
from drylab.report.html import Html, fill, json_block, safe_svg, source_hash, template
from drylab.report.sections import banners, endpoints, heading, known, limits, moment, record
from drylab.report.toxicity import STATES, group, legend, limit, meanings, panel, states
from drylab.types import Hits

# A chemist compares hits with a handful of series; beyond these a known active is named without its picture.
_KNOWN_PICTURES = 200
# Order matters: later files use what earlier ones define.
_SCRIPTS = ("data.js", "fields.js", "views.js", "main.js")


def page(hits: Hits) -> str:
    """The report as one HTML document without outside references, under a policy that forbids the network."""
    run, rows = hits.run, shown(hits)
    style, script = template("style.css"), template(*_SCRIPTS)
    return fill(
        template("page.html"),
        policy=Html(_policy(style, script)),
        version=run.get("drylab", ""),
        document_title=f"{run.get('title') or run.get('name', '')} - drylab",
        style=Html(style),
        heading=heading(run, rows),
        banners=banners(run),
        funnel=funnel(steps(run, len(hits), rows)),
        histogram=histogram(run, _cut(hits)),
        known=known(run),
        reading=legend(run, hits.table.column_names),
        endpoints=meanings(run) if panel(run) else endpoints(run),
        record=record(run),
        limits=limits(),
        closing=f"drylab {run.get('drylab', '')}, {moment(run.get('started', ''))}",
        data=json_block(_data(hits, rows)),
        script=Html(script),
    )


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; script-src {source_hash(script)}; style-src {source_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _cut(hits: Hits) -> float | None:
    """The score of the last row kept, None without rows."""
    return hits.table.column("score")[-1].as_py() if len(hits) else None


def _data(hits: Hits, rows: int) -> dict[str, Any]:
    columns = describe(hits)
    listed = [column for column in columns if column.kind != "list"]
    table = hits.table.slice(0, rows).to_pylist()
    names = {column.name for column in columns}
    return {
        "name": str(hits.run.get("name", "hits")),
        "columns": [_column(column) for column in listed],
        "rows": [[plain(row[column.name], column) for column in listed] for row in table],
        "pictures": [safe_svg(drawing) for drawing in hits.pictures[:rows]],
        "mapped": [row.get("atom_contributions") is not None for row in table],
        "endpoints": [_endpoint(e, names) for e in hits.run.get("toxicity", ()) if f"{e['name']}_flag" in names],
        "panel": [_panelled(e) for e in panel(hits.run)],
        "states": {each.code or " ": [each.sign, each.kind, each.name] for each in STATES},
        "marks": [states(panel(hits.run), row) for row in table],
        "known": _neighbours(hits.run.get("known", ()), table),
    }


def _column(column: Column) -> dict[str, Any]:
    fields = ("name", "label", "unit", "meaning", "kind", "digits", "group")
    return {name: getattr(column, name) for name in fields}


def _endpoint(endpoint: Mapping[str, Any], names: set[str]) -> dict[str, Any]:
    name = str(endpoint["name"])
    value = next((f"{name}{part}" for part in ("_prob", "_mean", "_value") if f"{name}{part}" in names), "")
    limited = endpoint.get("amber") is not None or endpoint.get("red") is not None
    return {"name": name, "value": value, "flag": f"{name}_flag", "limited": limited}


def _panelled(endpoint: Mapping[str, Any]) -> dict[str, Any]:
    """What the words of a mark need."""
    names = ("name", "label", "kind", "unit", "meaning", "yes", "no", "report_only")
    at = limit(endpoint) if endpoint["bad"] else None
    return {**{name: endpoint[name] for name in names}, "group": group(str(endpoint["name"])), "limit": at}


def _neighbours(known: Sequence[Mapping[str, Any]], table: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Pictures of those known actives that are the nearest of some row, by id."""
    wanted = {row.get("nearest_known_id") for row in table}
    nearest = [active for active in known if active["id"] in wanted][:_KNOWN_PICTURES]
    return {str(active["id"]): safe_svg(picture(str(active.get("smiles", "")))) for active in nearest}
