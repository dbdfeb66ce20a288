"""Property presets, and the keys of the schema that this version does not act on yet."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from drylab.config.fields import Range

# Soft ranges; mw in g/mol, tpsa in square angstrom, the others counts or logarithms. An end the source leaves open is
# open here. Sources define clogP and donors in slightly different ways; drylab's columns are RDKit's.
PRESETS: dict[str, dict[str, Range]] = {
    "none": {},
    # ZINC's lead-like subset (doi:10.1021/acs.jcim.5b00559), in the numbers of the MOSES benchmark, section 2.1
    # (doi:10.3389/fphar.2020.565644): 250-350 g/mol, XlogP <= 3.5, at most 7 rotatable bonds.
    "leadlike": {"mw": Range(250, 350), "clogp": Range(-inf, 3.5), "rotatable": Range(0, 7)},
    # Rule of five (doi:10.1016/S0169-409X(00)00129-0); rotatable bonds and polar surface of Veber (doi:10.1021/jm020017n).
    "druglike": {
        "mw": Range(0, 500),
        "clogp": Range(-inf, 5),
        "hbd": Range(0, 5),
        "hba": Range(0, 10),
        "rotatable": Range(0, 10),
        "tpsa": Range(0, 140),
    },
    # Where the desirability of Wager's CNS MPO (doi:10.1021/cn100008c) falls to one half: mw 360 to 500, clogP 3 to 5,
    # donors 0.5 to 3.5, tpsa 20 to 40 and 90 to 120. Its pKa and logD terms have no column here.
    "cns": {"mw": Range(0, 430), "clogp": Range(-inf, 4), "hbd": Range(0, 2), "tpsa": Range(30, 105)},
    # Rule of three (doi:10.1016/S1359-6446(03)02831-9), with the two limits it offers besides (rotatable, tpsa).
    "fragment": {
        "mw": Range(0, 300),
        "clogp": Range(-inf, 3),
        "hbd": Range(0, 3),
        "hba": Range(0, 3),
        "rotatable": Range(0, 3),
        "tpsa": Range(0, 60),
    },
}


class Later(NamedTuple):
    """A key, or some values of a key, that the schema knows and this version refuses.

    path    dotted, [] for each entry of a list
    values  the values refused; empty: the key as such
    advice  what to do
    """

    path: str
    values: tuple[object, ...] = ()
    advice: str = "remove it"


LATER = (
    Later("target.domain", (), "remove it; the panel's targets are whole proteins"),
    Later(
        "target.mutations", (), "remove it; the panel's targets are wild types, and a mutant scores as its wild type"
    ),
    Later("target.pocket"),
    Later("known.inactives"),
    Later("known.reference"),
    Later("known.actives.relation", (), "remove it, and leave rows with < or > out of the file"),
    Later("known.actives.assay", (), "remove it, and give the rows of one assay only"),
    Later("known.actives.error_log"),
    Later("known.actives.units", ("percent_inhibition",), "use nM, uM, M or pX, or remove value and units"),
    Later("objective.kappa"),
    Later("objective.mode", ("avoid",), "use inhibit or bind, and list what to avoid under anti_targets"),
    Later("objective.rank_by", ("lcb", "desirability", "pareto"), "use mean"),
    Later("anti_targets[].sequence", (), "use panel or uniprot"),
    Later("anti_targets[].weight", (), "remove it, and set max_pactivity or min_delta"),
    Later("toxicity.require_in_domain", (True,), "use false"),
    Later("properties.sa_score"),
    Later("alerts.action", ("penalise",), "use annotate or reject"),
    Later("novelty"),
    Later("diversity"),
    Later("screen.cascade.keep", (), "remove it; what is passed on follows from recall"),
    Later("screen.controls"),
    Later("screen.columns.vendor"),
    Later("screen.columns.price"),
    Later("screen.stereo", ("enumerate", "enumerate(max 8)", "ignore"), "use as_given"),
    Later("model.ensemble"),
    Later("model.seed"),
    Later("model.precision", ("float16", "tf32", "fp8", "int8"), "use auto, bfloat16, float32 or float64"),
    Later("model.allow_orphan", (True,), "use false"),
)
