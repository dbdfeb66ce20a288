"""The model card, written from the model file so that the two cannot disagree."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from drylab.score.model import Model
from drylab.score.support import load_support
from drylab.train.dropped import markdown
from drylab.types import Probe

HEAD = """# {name}

A graph neural network that reads a molecule once and answers {probes} questions about it: how strongly it may bind
each of {targets} human proteins, and what {tox} toxicity and ADME assays may say. It was made to rank large
libraries. It is a first filter for a chemist to argue with, not a measurement.

* **In:** a molecular graph (elements, charges, hydrogens, rings, bond orders). **Stereo is not seen**: enantiomers,
  diastereomers and E/Z isomers get the same numbers.
* **Network:** GINE, 4 layers of 128, mean and sum read-out to 128 numbers; every answer is a linear probe on those.
* **Affinity:** predicted -log10 of a mixed Ki/IC50/EC50 in mol/l (6 is 1 uM, 9 is 1 nM).
* **Toxicity and ADME:** calibrated probabilities; pIC50 of hERG, Nav1.5 and Cav1.2; rat LD50.
* **Weights:** SHA-256 `{sha256}`.

## How good it is

These figures are of the linear probes that a screen ranks by, if nothing else is said; what `drylab fit` reaches is in
[the evaluation](../../docs/models.md). Every figure is on molecules whose Bemis-Murcko scaffold is in no training or tuning molecule, with the weights as
shipped, and beside what a simpler method reaches on the same split: the nearest and the five nearest training
molecules (Tanimoto, ECFP4) and a random forest of 100 trees on ECFP4. Square brackets hold 95 % bootstrap intervals.
Literature values of one molecule from two laboratories differ by 0.5 to 0.7 log units, so no honest RMSE is below that.
"""

LIMITS = """## What it cannot do

* **Stereochemistry** is invisible to it, so it cannot choose between stereoisomers.
* **Other targets** than those listed are not predicted; mutants are not told from the wild type.
* **A screen gives no error bar for one molecule.** The test RMSE is an average. The distance to the training molecules
  (`domain.*` in the file) says when a molecule is unlike all of them; above the 95th percentile believe nothing.
* **Presumed inactives.** Few measured inactives are published, so library molecules, and molecules measured only on
  proteins of other families, are *presumed* not to bind a target: a predicted pActivity above 5 is pushed down gently
  (squared excess, relative weight {presumed}). Most of them do not bind; a few do, and the model was told otherwise.
* **Mixed assays.** Ki, IC50 and EC50 of many laboratories are pooled; do not read a difference below 0.5 as real.
* **Tox21 and hERG are cell and channel assays**, not toxicity in people; a low probability is not safety.
* **hERG:** values of exactly 5.00 in the source are taken to mean "at most 5": one-sided in `herg`, "does not block"
  in `herg_block`, and left out where `herg` is judged.
* Labels of molecules of more than 100 heavy atoms were not used.
"""

LICENCE = """
Treat the affinity weights as derived from ChEMBL and pass them on under CC BY-SA 3.0 with this attribution.
"""


Figures = Mapping[str, Mapping[str, float]]  # of the support, by target


def write_card(path: Path, model: Model) -> None:
    """The model card in Markdown, beside the model file."""
    bank = model.probes.probes
    affinity = [probe for probe in bank if probe.kind == "affinity"]
    toxicity = [probe for probe in bank if probe.kind == "toxicity"]
    support = load_support(model)
    figures = {} if support is None else support.figures
    head = HEAD.format(name=model.name, probes=len(bank), targets=len(affinity), tox=len(toxicity), sha256=model.sha256)
    parts = [
        head,
        _summary(model.info["summary"]),
        _refined(affinity, figures),
        _toxicity(toxicity),
        _affinity(affinity, figures),
        _check(model.info["check"]),
        _precision(model.info["engine"], bank),
        LIMITS.format(presumed=model.info["training"]["recipe"]["presumed"]),
        _made(model.info),
        _licences(model.info["training"]["data"]),
    ]
    path.write_text("\n".join(parts), encoding="utf-8")


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Rows as a Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _number(figures: Mapping[str, float], name: str) -> str:
    return f"{figures[name]:.2f}" if name in figures else "-"


def _ranged(figures: Mapping[str, float], name: str) -> str:
    if name not in figures:
        return "-"
    return f"{figures[name]:.2f} [{_number(figures, f'{name}_low')}, {_number(figures, f'{name}_high')}]"


def _best(row: list[str], figures: Mapping[str, float], name: str) -> list[str]:
    """The model's cell in bold where it is ahead of the forest."""
    if figures.get(name, -1.0) > figures.get(f"{name}_rf", 2.0):
        row[2] = f"**{row[2]}**"
    return row


def _summary(row: Mapping[str, float]) -> str:
    if not row:
        return "No target has enough test molecules to be judged.\n"
    cells = [
        f"{row['tasks']:.0f}",
        f"{row['model']:.3f} [{row['low']:.3f}, {row['high']:.3f}]",
        *(f"{row[who]:.3f}" for who in ("1nn", "5nn")),
        f"{row['rf']:.3f} [{row['rf_low']:.3f}, {row['rf_high']:.3f}]",
        f"{row['model_beats_rf']:.0f} of {row['tasks']:.0f}",
    ]
    columns = ["affinity, mean Spearman: targets", "this probe", "1-NN", "5-NN", "random forest", "ahead of the forest"]
    return table(columns, [cells])


def _refined(probes: Sequence[Probe], figures: Figures) -> str:
    """Means of what predict says, beside those of probe and forest, over the targets that all three have."""
    both = [(figures[p.name], p.metrics) for p in probes if p.name in figures and "spearman_rf" in p.metrics]
    if not both:
        return ""
    rows = [
        [name, *(f"{np.mean([pick(said, own, metric) for said, own in both]):.3f}" for metric in ("spearman", "rmse"))]
        for name, pick in (
            ("`drylab predict` (the support)", lambda said, own, metric: said[metric]),
            ("this probe", lambda said, own, metric: own[metric]),
            ("random forest", lambda said, own, metric: own[f"{metric}_rf"]),
        )
    ]
    ahead = sum(said["spearman"] > own["spearman_rf"] for said, own in both)
    return (
        "`drylab predict`, and `refined_mean` of a screen's hits, ask a Gaussian process of what was measured (fingerprints and the\n"
        "network's numbers), which a fold of a billion molecules cannot afford. On the same test molecules (it is fitted to the tuning molecules too, an eighth\n"
        "more than the others have):\n\n"
        + table([f"mean of {len(both)} targets", "Spearman", "RMSE"], rows)
        + f"\nIt is ahead of the forest in Spearman on {ahead} of {len(both)}.\n"
    )


def _toxicity(probes: Sequence[Probe]) -> str:
    classes = [probe for probe in probes if probe.unit == "probability"]
    rows = [
        [
            f"`{p.name}`",
            _sizes(p),
            _ranged(p.metrics, "auroc"),
            *(_number(p.metrics, n) for n in ("auprc", "prevalence", "ece")),
        ]
        for p in classes
    ]
    values = [
        [f"`{p.name}`", p.unit, _sizes(p), _ranged(p.metrics, "spearman"), _number(p.metrics, "rmse")]
        for p in probes
        if p.unit != "probability"
    ]
    return (
        "### Toxicity and ADME, the probes of the fold\n\nECE is the calibration error; AUPRC of a coin is the prevalence. "
        "`drylab predict --tox` says more, and better ([the panel](../../docs/toxicity.md)); baselines are in "
        "[the evaluation](../../docs/models.md).\n\n"
        + table(["endpoint", "train / test", "AUROC", "AUPRC", "prevalence", "ECE"], rows)
        + "\n"
        + table(["endpoint", "unit", "train / test", "Spearman", "RMSE"], values)
    )


def _sizes(probe: Probe) -> str:
    return f"{probe.metrics.get('n_train', 0):.0f} / {probe.metrics.get('n_test', 0):.0f}"


def _affinity(probes: Sequence[Probe], figures: Figures) -> str:
    return _regression("### Affinity, by target", probes, figures) + (
        "\nPredict: the support. A dash: fewer than 20 test molecules, too few to say anything. Intervals are wide for most targets; believe the mean.\n"
    )


def _regression(title: str, probes: Sequence[Probe], figures: Figures) -> str:
    rows = []
    for probe in probes:
        m = probe.metrics
        row = [f"`{probe.name}`", _sizes(probe), _ranged(m, "spearman")]
        names = ("spearman_1nn", "spearman_5nn", "spearman_rf", "rmse", "rmse_5nn", "rmse_rf")
        said = [_number(figures.get(probe.name, {}), metric) for metric in ("spearman", "rmse")]
        rows.append(_best([*row, *(_number(m, name) for name in names), *said], m, "spearman"))
    columns = ["probe", "train / test", "Spearman", "1-NN", "5-NN", "forest", "RMSE", "5-NN", "forest"]
    columns += ["predict: Spearman", "RMSE"]
    return f"{title}\n\n{table(columns, rows)}"


def _check(check: Mapping[str, Any]) -> str:
    drugs = sorted(check["drugs"].items(), key=lambda pair: pair[1])
    inside = sum(share <= 0.01 for _, share in drugs)
    rows = [[name, "none" if share == 0 else f"{100 * share:.2f} %"] for name, share in drugs]
    best = [[f"{value:.2f}", f"{percentile:.0f} %", f"`{_cut(smiles)}`"] for smiles, value, percentile in check["best"]]
    return (
        "## A screen with known answers\n\n"
        f"Drugs that inhibit EGFR, none of them in the training data, among {check['library']} ZINC and PubChem\n"
        f"molecules that were not in it either, ranked by the EGFR probe: {inside} of {len(drugs)} are in the best 1 %.\n\n"
        + table(["drug", "share of the library that scores at least as high"], rows)
        + "\nThe ten library molecules it likes best for EGFR, to be judged by eye. The domain percentile says how unlike\n"
        "the training molecules one is (50 is usual, above 95 believe nothing):\n\n"
        + table(["predicted pActivity", "domain percentile", "SMILES"], best)
    )


def _precision(engine: Mapping[str, Any], bank: Sequence[Probe]) -> str:
    rows = []
    for name, said in engine.items():
        worst = max(range(len(bank)), key=said["largest_error"].__getitem__)
        largest = f"{said['largest_error'][worst]:.1e} (`{bank[worst].name}`)"
        rows.append([name, largest, f"{said['molecules']:,}", str(said["most_atoms"])])
    return (
        "## In a screen\n\n"
        "The reference is the network in float64, held to PyTorch Geometric's. A screen may score in less and rescores in float64\n"
        "what can be among the best. Its bound is 16 times the largest difference found here (3 times for bfloat16, which is for\nGPUs), and every run checks it.\n\n"
        + table(["precision", "largest difference from the reference", "molecules", "atoms of the largest"], rows)
    )


def _cut(smiles: str) -> str:
    return smiles if len(smiles) <= 80 else f"{smiles[:77]}..."


def _licences(data: Mapping[str, str]) -> str:
    return (
        "## Data and licences\n\n"
        + table(["data", "source and licence"], [list(row) for row in data.items()])
        + LICENCE
    )


def _made(info: Mapping[str, Any]) -> str:
    training, excluded = info["training"], info["excluded"]
    sizes, recipe = training["molecules"], training["recipe"]
    auxiliary = ", ".join(f"{number} {kind}" for kind, number in sorted(training["auxiliary_tasks"].items()))
    return f"""## How it was made

Parents: largest organic fragment, neutral, no isotopes, no stereo; tautomers are one molecule ([how](../../docs/curation.md)).
One row below is one measurement; rows read = kept + merged + dropped.

{markdown(training["counts"])}
**Kept out** of training, tuning and testing, in every form whose flat parent has the same InChIKey skeleton (first block), so as
any salt, stereoisomer or tautomer: the {excluded["molecules"]} drugs of drylab's demo library ({excluded["rows"]} rows) and the molecules of the benchmarks
named in the table. Close analogues of them were kept, as in any real project. {_fitted(info)}

**Split:** {training["split"]}; an acyclic molecule is its own group.
Train {sizes["train"]}, tune {sizes["valid"]}, test {sizes["test"]}, too large {sizes["skipped_too_large"]} molecules, of which {sizes["library"]} are unlabelled library
molecules. SHA-256 of the split: `{training["split_sha256"]}`.

**Training:** every probe has a head; so have tasks that shape the embedding and are not shipped ({auxiliary}). Beside the heads z is
trained to be fitted: {recipe["episodes"]} episodes a step, from {training["episode_tasks"]} assays and targets, in which a closed-form fit on z to
some molecules has to predict the others. And z has to give back the leading directions of the count ECFP4 and the
descriptors. Huber loss, one-sided for bounds, cross-entropy for classes, AdamW, moving average of the weights, best
tuning epoch. Affinity probes were then refitted by a ridge around the trained head where the tuning fold says so
(strengths: {", ".join(f"{k} {_strength(v)}" for k, v in info["refit_strength"].items())}); the probes of the endpoints are
the mean of the five heads of [the toxicity panel](../../docs/toxicity.md).

    {training["command"]}
"""


def _fitted(info: Mapping[str, Any]) -> str:
    """What the affinity probes and the support know beyond the encoder."""
    fitted = info.get("probes_fitted_to")
    if fitted is None:
        return ""
    return f"""
**The affinity probes and the support** (what was measured on the panel's targets) were fitted afterwards, to an encoder that no longer
changed, and to the benchmarks' molecules too ({fitted["labelled"]} labelled ones; the drugs stay out): without them some of
the best-known targets would have hardly a value. So these probes must not be judged by those benchmarks; the evaluation
fits its own. The figures above are of scaffolds that neither the encoder nor the probes saw."""


def _strength(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"
