"""Every toxicity and ADME endpoint in words: what it means, its unit, where amber and red begin, whose data it is.

A class endpoint predicts the probability of ``yes``; ``bad`` says whether a chemist should mind a high or a low number,
or neither ("": it depends on where the drug is to act). Amber and red are where a number starts to matter in practice;
a target file may say otherwise.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

TDC = "Therapeutics Data Commons, CC BY 4.0"
CTOXPRED = "CToxPred (Arab 2023, 10.1021/acs.jcim.3c01301), MIT; from ChEMBL, CC BY-SA 3.0, PubChem and literature"
GOVERNMENT = "Tox21 Data Challenge, US government, public domain"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One column of the panel.

    kind         "class": a probability of ``yes``; "value": a number in ``unit``
    label        a heading                     meaning  what is measured and what it is not, for a chemist
    threshold    where the class was cut, in the unit of the assay; "" for a value
    bad          "high", "low" or "": which direction is unwelcome
    amber, red   at and beyond these a flag is shown
    yes, no      words for the two classes     report_only  never to be used as a filter
    data         origin and licence of the labels
    """

    name: str
    kind: Literal["class", "value"]
    label: str
    meaning: str
    data: str
    threshold: str = ""
    unit: str = "probability"
    bad: Literal["high", "low", ""] = "high"
    amber: float = 0.5
    red: float = 0.8
    yes: str = "toxic"
    no: str = "safe"
    report_only: bool = False
    cautions: tuple[str, ...] = field(default=())


_TOX21 = {
    "nr_ar": ("androgen receptor, full length", "switches on the androgen receptor"),
    "nr_ar_lbd": (
        "androgen receptor, binding domain",
        "switches on the androgen receptor by its ligand-binding domain",
    ),
    "nr_ahr": ("aryl hydrocarbon receptor", "switches on the aryl hydrocarbon (dioxin) receptor"),
    "nr_aromatase": ("aromatase", "inhibits aromatase, which makes estrogens"),
    "nr_er": ("estrogen receptor, full length", "switches on estrogen receptor alpha"),
    "nr_er_lbd": (
        "estrogen receptor, binding domain",
        "switches on estrogen receptor alpha by its ligand-binding domain",
    ),
    "nr_ppar_gamma": ("PPAR-gamma", "switches on PPAR-gamma, which governs fat storage"),
    "sr_are": ("oxidative stress", "switches on the antioxidant response element"),
    "sr_atad5": ("DNA damage, ATAD5", "raises ATAD5, a sign of DNA damage"),
    "sr_hse": ("heat shock", "switches on the heat-shock response, a sign of damaged protein"),
    "sr_mmp": ("mitochondria", "lowers the mitochondrial membrane potential"),
    "sr_p53": ("DNA damage, p53", "switches on p53, a sign of DNA damage"),
}
_CYPS = {"cyp1a2": "1A2", "cyp2c9": "2C9", "cyp2c19": "2C19", "cyp2d6": "2D6", "cyp3a4": "3A4"}


def _tox21(name: str) -> Endpoint:
    label, does = _TOX21[name]
    return Endpoint(
        name,
        "class",
        f"Tox21 {label}",
        f"Probability that the molecule {does} in a Tox21 cell assay. An event in a cell line, not toxicity itself.",
        GOVERNMENT,
        threshold="called active by the Tox21 consortium from a curve up to about 90 uM",
        yes="active",
        no="inactive",
    )


def _cyp(name: str) -> Endpoint:
    return Endpoint(
        name,
        "class",
        f"CYP{_CYPS[name]} inhibition",
        f"Probability that the molecule inhibits cytochrome P450 {_CYPS[name]} in vitro, and so may raise the level of "
        "drugs that it breaks down.",
        f"{TDC}; Veith 2009 (10.1038/nbt.1581)",
        threshold="AC50 of 10 uM or less",
        yes="inhibitor",
        no="no inhibitor",
    )


def _channel(name: str, label: str, does: str, data: str = CTOXPRED) -> Endpoint:
    return Endpoint(
        name,
        "value",
        label,
        f"Predicted -log10 of the IC50 (mol/l) at {does}; 6 is 1 uM. Below 5 it only says weaker than 10 uM.",
        data,
        unit="pIC50",
        amber=5.0,
        red=6.0,
    )


_ENDPOINTS = (
    *(_tox21(name) for name in _TOX21),
    Endpoint(
        "ames",
        "class",
        "Ames mutagenicity",
        "Probability that the molecule is mutagenic in the Ames bacterial test (any strain, with or without S9).",
        f"{TDC}; Hansen 2009, Xu 2012",
        threshold="mutagenic in at least one strain",
        yes="mutagenic",
        no="not mutagenic",
    ),
    _channel("herg", "hERG potency", "the hERG potassium channel, whose block can stop the heart"),
    Endpoint(
        "herg_block",
        "class",
        "hERG block below 10 uM",
        "Probability that the molecule blocks the hERG potassium channel with an IC50 below 10 uM (pIC50 above 5).",
        CTOXPRED,
        threshold="IC50 below 10 uM",
        yes="blocker",
        no="no blocker at 10 uM",
        cautions=("Values of exactly 5.00 in the data are read as no block at 10 uM.",),
    ),
    *(_cyp(name) for name in _CYPS),
    Endpoint(
        "bbb",
        "class",
        "Blood-brain barrier",
        "Probability that the molecule enters the brain. A property, not a fault: wanted for some targets.",
        f"{TDC}; Martins 2012 (10.1021/ci300124c)",
        threshold="logBB of -1 or more, or a known effect on the brain",
        bad="",
        yes="enters the brain",
        no="stays out",
    ),
    Endpoint(
        "dili",
        "class",
        "Liver injury in people",
        "Probability that the molecule, as a drug, carries a warning of liver injury. From some three hundred drugs alone: "
        "a reminder to look, never a reason to drop a molecule.",
        f"{TDC}; Xu 2015, after labels of the FDA",
        threshold="listed as of concern by the FDA",
        yes="of concern",
        no="of no concern",
        report_only=True,
    ),
    Endpoint(
        "ld50",
        "value",
        "Acute oral toxicity, rat",
        "Predicted -log10 of the dose (mol/kg) that kills half of the rats; for 300 g/mol 3.0 is 300 mg/kg and 3.8 is "
        "50 mg/kg. Whole animals differ by half a unit from one laboratory to the next.",
        "Zhu 2009 (10.1021/tx900189p)",
        unit="-log10(mol/kg)",
        amber=3.0,
        red=3.8,
    ),
    _channel("nav15", "Nav1.5 potency", "the cardiac sodium channel Nav1.5"),
    _channel("cav12", "Cav1.2 potency", "the cardiac calcium channel Cav1.2"),
)
ENDPOINTS = {endpoint.name: endpoint for endpoint in _ENDPOINTS}
