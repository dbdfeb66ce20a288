"""report.html as text: self-contained, escaped, and complete."""

import json
import re
from typing import Any

import pytest

from drylab.report.html import source_hash
from drylab.report.page import page
from drylab.report.sections import moment
from drylab.score.model import load_model
from drylab.types import Hits
from tests.report import sample

HITS = sample.hits(12, 8)
EVIL = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</script><script>alert(1)</script>",
    "<!--",
    "$title",
)


def data_of(text: str) -> Any:
    return json.loads(re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[0])


def test_it_refers_to_nothing_outside() -> None:
    text = page(HITS)
    assert re.findall(r"""(?:src|href)=["'](?!#)""", text) == []
    outside = set(re.findall(r"https?://[^\"'\\ <]+", text))
    assert outside == {"http://www.w3.org/2000/svg"}
    assert "@import" not in text
    assert "url(" not in text


def test_the_policy_names_the_script_and_style_that_are_there() -> None:
    text = page(HITS)
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[0]
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    script, style = (
        re.findall(r"<script>(.*?)</script>", text, re.DOTALL),
        re.findall(r"<style>(.*?)</style>", text, re.DOTALL),
    )
    assert f"script-src {source_hash(script[0])};" in policy
    assert f"style-src {source_hash(style[0])};" in policy


@pytest.mark.parametrize("evil", EVIL)
def test_evil_words_anywhere_stay_words(evil: str) -> None:
    hits = sample.hits(4, 4, id=[evil] * 4, alerts_pains=[evil] * 4, nearest_known_id=[evil] * 4)
    run = spoiled(hits.run, evil)
    # A reason is a key: spoil one of those too.
    run["tally"] = {**hits.run["tally"], "rejected": {evil: 3}}
    run["library"]["build"] = hits.run["library"]["build"]
    run["histogram"] = hits.run["histogram"]
    run["target"]["screen"] = {"report_n": 4}
    text = page(Hits(hits.table, run, hits.pictures))
    assert "<img" not in text
    assert text.count("<script") == 2
    assert "<script>alert" not in text
    assert data_of(text)["rows"][0][1] == evil


def spoiled(value: Any, evil: str) -> Any:
    """The same tree with every string replaced."""
    if isinstance(value, dict):
        return {key: spoiled(inner, evil) for key, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [spoiled(inner, evil) for inner in value]
    return evil if isinstance(value, str) else value


def test_a_picture_cannot_bring_a_script() -> None:
    evil = '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(1)</script></svg>'
    assert "alert(1)" not in page(Hits(HITS.table, HITS.run, (evil, *HITS.pictures[1:])))


def test_it_says_how_far_to_trust_it() -> None:
    text = page(HITS)
    assert "Known target; expected per-target rho 0.6 on new scaffolds." in text
    assert "3 of 5 known actives rank in the top 1\u00a0% of" in text
    assert "Scores rank hypotheses; they are not measurements" in text
    assert "not how it binds" in text
    assert "Confidential." in text
    assert "removed by mw in [200, 500]" in text


def test_a_known_active_without_a_score_has_no_rank() -> None:
    odd = {**sample.KNOWN[0], "id": "odd", "score": None, "rank": 1, "percentile": 0.001}
    text = page(Hits(HITS.table, {**HITS.run, "known": [*sample.KNOWN, odd]}, HITS.pictures))
    assert "3 of 6 known actives rank" in text
    assert "1 more cannot: the limits of the target file remove them" in text


def test_the_header_of_a_model_is_not_poured_into_the_report() -> None:
    header = {
        "name": "m-1",
        "sha256": "ab" * 32,
        "excluded": {"skeletons": ["AAAA", "BBBB"], "sentence": "Kept out: 2."},
    }
    text = page(Hits(HITS.table, {**HITS.run, "model": {**header, "check": {"best": ["CCO"]}}}, HITS.pictures))
    assert all(word in text for word in ("m-1", "ab" * 32, "Kept out: 2."))
    assert "BBBB" not in text


def test_many_known_actives_do_not_hide_the_hits() -> None:
    many = [{**sample.KNOWN[0], "id": f"known{i}", "rank": i + 1} for i in range(60)]
    text = page(Hits(HITS.table, {**HITS.run, "known": many}, HITS.pictures))
    assert "40 more, ranked lower" in text
    assert text.index("known19<") < text.index("40 more") < text.index("known20<")
    assert 'class="known">known' not in text, "no name in the histogram"


def test_counts_among_the_figures_are_whole() -> None:
    run = {**HITS.run, "probe": {**HITS.run["probe"], "metrics": {"n_test": 500.0, "spearman": 0.61}}}
    assert re.search(r"Held-out molecules</td><td[^>]*>500</td>", page(Hits(HITS.table, run)))


def test_a_figure_has_its_interval_and_the_shipped_baselines() -> None:
    """Every figure of the shipped model has a place: none stands there under the name it has in the file."""
    probes = {probe.name: probe for probe in load_model().probes.probes}
    rows = [{"name": p.name, "unit": p.unit, "meaning": p.meaning, "metrics": dict(p.metrics)} for p in probes.values()]
    run = {**HITS.run, "probe": {**HITS.run["probe"], "metrics": dict(probes["EGFR"].metrics)}, "toxicity": rows}
    text = page(Hits(HITS.table, run))
    rho = probes["EGFR"].metrics
    cell = f"{rho['spearman']:.3f} [{rho['spearman_low']:.3f}, {rho['spearman_high']:.3f}]"
    assert f'Spearman rho</td><td class="number">{cell}</td>' in text
    assert f"{rho['spearman_5nn']:.3f}" in text
    auroc = probes["ames"].metrics
    assert f"AUROC {auroc['auroc']:.3f} [{auroc['auroc_low']:.3f}, {auroc['auroc_high']:.3f}]" in text
    shown = text[text.index("<main") : text.index("Model card")]
    assert not re.search(r"\b[a-z0-9]+_(1nn|5nn|rf|low|high)\b", shown)


def test_not_confidential_has_no_banner() -> None:
    assert "Confidential." not in page(Hits(HITS.table, {**HITS.run, "confidential": False}, HITS.pictures))


def test_figures_stand_beside_their_baselines() -> None:
    text = page(HITS)
    assert re.search(r"Spearman rho</td><td[^>]*>0.610</td><td[^>]*>0.490</td><td[^>]*>0.550</td>", text)
    assert re.search(r"RMSE</td><td[^>]*>0.880</td><td[^>]*></td><td[^>]*>0.950</td>", text)


def test_the_record_holds_target_card_and_hashes() -> None:
    text = page(HITS)
    for words in (
        "schema: drylab.target/1",
        "# panel-2",
        "ab" * 32,
        "cd" * 32,
        "2026-03-02 09:12 UTC",
        "Python".lower(),
    ):
        assert words in text


def test_data_are_the_report_rows_as_written_in_csv() -> None:
    data = data_of(page(HITS))
    names = [column["name"] for column in data["columns"]]
    assert len(data["rows"]) == len(data["pictures"]) == len(data["mapped"]) == 8
    assert "atom_contributions" not in names
    assert [row[names.index("score")] for row in data["rows"]] == [round(hit["score"], 4) for hit in HITS][:8]
    assert {endpoint["name"] for endpoint in data["endpoints"]} == {*sample.ENDPOINTS, "herg"}
    assert set(data["known"]) <= {row["id"] for row in sample.KNOWN}


def test_hits_without_the_optional_columns() -> None:
    bare = HITS.table.select(["rank", "id", "smiles", "score", "atom_contributions"])
    run = {"name": "X", "tally": {"read": 12, "scored": 12}}
    assert len(data_of(page(Hits(bare, run)))["rows"]) == 12


def test_no_hits_is_a_page_too() -> None:
    assert data_of(page(sample.empty()))["rows"] == []


def test_moment() -> None:
    assert moment("2026-11-20T22:00:00+00:00") == "2026-11-20 22:00 UTC"
    assert moment("yesterday") == "yesterday"
