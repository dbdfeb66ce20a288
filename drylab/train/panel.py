"""What the model predicts: the targets and the toxicity endpoints, with the words people find them by.

Targets are human single proteins (the UniProt accession says so; rat and mouse orthologs serve training only).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# gene symbol, ChEMBL target, UniProt accession
_TARGETS = """
EGFR CHEMBL203 P00533       KDR CHEMBL279 P35968        PIK3CA CHEMBL4005 P42336    PIK3CB CHEMBL3145 P42338
PIK3CD CHEMBL3130 O00329    PIK3CG CHEMBL3267 P48736    MTOR CHEMBL2842 P42345      SYK CHEMBL2599 P43405
MAPK1 CHEMBL4040 P28482     MAPK14 CHEMBL260 Q16539     AKT1 CHEMBL4282 P31749      NTRK1 CHEMBL2815 P04629
BRAF CHEMBL5145 P15056      MET CHEMBL3717 P08581       JAK1 CHEMBL2835 P23458      JAK2 CHEMBL2971 O60674
JAK3 CHEMBL2148 P52333      FGFR1 CHEMBL3650 P11362     FLT3 CHEMBL1974 P36888      IGF1R CHEMBL1957 P08069
KIT CHEMBL1936 P10721       ABL1 CHEMBL1862 P00519      BTK CHEMBL5251 Q06187       AURKA CHEMBL4722 O14965
PIM1 CHEMBL2147 P11309      LCK CHEMBL258 P06239        PDGFRB CHEMBL1913 P09619
DRD2 CHEMBL217 P14416       DRD3 CHEMBL234 P35462       HTR1A CHEMBL214 P08908      HTR2A CHEMBL224 P28223
HTR2B CHEMBL1833 P41595     SLC6A4 CHEMBL228 P31645     SLC6A2 CHEMBL222 P23975     SLC6A3 CHEMBL238 Q01959
ADORA1 CHEMBL226 P30542     ADORA2A CHEMBL251 P29274    OPRM1 CHEMBL233 P35372      OPRK1 CHEMBL237 P41145
CNR2 CHEMBL253 P34972       CA2 CHEMBL205 P00918        HDAC1 CHEMBL325 Q13547      HDAC6 CHEMBL1865 Q9UBN7
BACE1 CHEMBL4822 P56817     ACHE CHEMBL220 P22303       PDE10A CHEMBL4409 Q9Y233    DPP4 CHEMBL284 P27487
F10 CHEMBL244 P00742        F2 CHEMBL204 P00734         PPARG CHEMBL235 P37231      PARP1 CHEMBL3105 P09874
AR CHEMBL1871 P10275        ESR1 CHEMBL206 P03372       PTGS2 CHEMBL230 P35354      HSP90AA1 CHEMBL3880 P07900
"""

HERG = ("CHEMBL240", "Q12809", "KCNH2")  # what the channel is also called

# Molecules made for one member of a family are likely to hit another: they are never presumed inactive there.
_FAMILIES = {
    "kinase": r"kinase|growth factor (I )?receptor|stimulating factor receptor|TGF-beta receptor|Cyclin|Trk|B-raf",
    "aminergic": r"Serotonin|Dopamine|adrenergic|Histamine|Norepinephrine|Muscarinic|Trace amine|HERG",
    "adenosine": r"Adenosine",
    "opioid": r"opioid|Nociceptin",
    "cannabinoid": r"Cannabinoid|Anandamide",
    "carbonic": r"Carbonic anhydrase",
    "deacetylase": r"Histone deacetylase",
    "metalloprotease": r"metalloprotein|ADAM",
    "aspartic": r"secretase|Renin|Cathepsin D",
    "cholinesterase": r"cholinesterase",
    "phosphodiesterase": r"phosphodiesterase",
    "peptidase": r"Dipeptidyl|peptidase",
    "coagulation": r"Thrombin|Coagulation|Trypsin|Plasmin|Urokinase",
    "ppar": r"Peroxisome",
    "steroid": r"Estrogen|Androgen|Progesterone|corticoid",
    "cyclooxygenase": r"Cyclooxygenase|lipoxygenase",
    "parp": r"ADP-ribose",
    "hsp90": r"Heat shock",
}

TOX21 = {
    "nr_ar": "agonism of the androgen receptor (full length)",
    "nr_ar_lbd": "agonism of the androgen receptor (ligand-binding domain)",
    "nr_ahr": "activation of the aryl hydrocarbon receptor",
    "nr_aromatase": "inhibition of aromatase",
    "nr_er": "agonism of estrogen receptor alpha (full length)",
    "nr_er_lbd": "agonism of estrogen receptor alpha (ligand-binding domain)",
    "nr_ppar_gamma": "agonism of PPAR-gamma",
    "sr_are": "activation of the antioxidant response element (oxidative stress)",
    "sr_atad5": "induction of ATAD5 (DNA damage)",
    "sr_hse": "activation of the heat-shock response element",
    "sr_mmp": "loss of mitochondrial membrane potential",
    "sr_p53": "activation of p53 (DNA damage)",
}


@dataclass(frozen=True, slots=True)
class Task:
    """One column of labels: kind is "affinity", "censored" (pIC50, 5.00 means at most 5) or "class"; family may be ""."""

    name: str
    kind: str
    family: str = ""
    shipped: bool = True


@dataclass(frozen=True, slots=True)
class Target:
    """A human protein with a probe of its own."""

    gene: str
    chembl: str
    uniprot: str


def targets() -> tuple[Target, ...]:
    """The targets that become probes, in the order of the model file."""
    words = _TARGETS.split()
    return tuple(Target(*words[i : i + 3]) for i in range(0, len(words), 3))


def family(protein: str) -> str:
    """The family of a protein by its ChEMBL name, "" where none is listed."""
    return next((name for name, rule in _FAMILIES.items() if re.search(rule, protein, re.IGNORECASE)), "")


def tox_tasks() -> tuple[Task, ...]:
    """The toxicity endpoints, in the order of the model file."""
    return (
        *(Task(name, "class") for name in TOX21),
        Task("ames", "class"),
        Task("herg", "censored"),
        Task("herg_block", "class"),
    )


def meaning(name: str, protein: str) -> str:
    """One sentence for people: what the number of a probe is, with unit and threshold."""
    if name == "ames":
        return "Probability that the molecule is mutagenic in the Ames bacterial test (any strain, with or without S9)."
    if name == "herg":
        return "Predicted -log10 of the hERG channel IC50 in mol/l (6 is 1 uM); below 5 it only says weaker than 10 uM."
    if name == "herg_block":
        return "Probability that the molecule blocks the hERG channel with an IC50 below 10 uM (pIC50 above 5)."
    if name in TOX21:
        return (
            f"Probability of activity in the Tox21 assay for {TOX21[name]}; a cell assay result, not toxicity itself."
        )
    return (
        f"Predicted -log10 of Ki, IC50 or EC50 in mol/l (mixed) against human {protein} ({name}); 6 is 1 uM, 9 is 1 nM."
    )
