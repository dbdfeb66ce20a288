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
# Since panel-2: human proteins with 125 or more molecules left when the benchmarks are kept out, most first.
_MORE_TARGETS = """
CA1 CHEMBL261 P00915        MC4R CHEMBL259 P32245       ADORA3 CHEMBL256 P0DMS8     IRAK4 CHEMBL3778 Q9NWZ3
CA9 CHEMBL3594 Q16790       OPRD1 CHEMBL236 P41143      PTPN1 CHEMBL335 P18031      MMP2 CHEMBL333 P08253
MC5R CHEMBL4608 P33032      NR1H2 CHEMBL4093 P55055     CA12 CHEMBL3242 O43570      CNR1 CHEMBL218 P21554
MMP3 CHEMBL283 P08254       CTSL CHEMBL3837 P07711      MMP13 CHEMBL280 P45452      HTR2C CHEMBL225 P28335
MMP9 CHEMBL321 P14780       GRM5 CHEMBL3227 P41594      MAOB CHEMBL2039 P27338      CTSK CHEMBL268 P43235
FGFR3 CHEMBL2742 P22607     HDAC3 CHEMBL1829 O15379     HCRTR1 CHEMBL5113 O43613    ADORA2B CHEMBL255 P29275
HSD11B1 CHEMBL4235 P28845   HDAC8 CHEMBL3192 Q9BY41     CTSS CHEMBL2954 P25774      EPHX2 CHEMBL2409 P34913
NOS1 CHEMBL3568 P29475      ABCB1 CHEMBL4302 P08183     CYP19A1 CHEMBL1978 P11511   CTSB CHEMBL4072 P07858
BRD4 CHEMBL1163125 O60885   FAAH CHEMBL2243 O00519      ACACB CHEMBL4829 O00763     MMP1 CHEMBL332 P03956
MC3R CHEMBL4644 P41968      PPARA CHEMBL239 Q07869      CTSD CHEMBL2581 P07339      CASP3 CHEMBL2334 P42574
ROCK2 CHEMBL2973 O75116     CYP11B1 CHEMBL1908 P15538   DPP8 CHEMBL4657 Q6V1X1      NOS2 CHEMBL4481 P35228
GBA1 CHEMBL2179 P04062      PLAU CHEMBL3286 P00749      CA7 CHEMBL2326 P43166       AKR1C3 CHEMBL4681 P42330
PDE5A CHEMBL1827 O76074     HCRTR2 CHEMBL4792 O43614    MAOA CHEMBL1951 P21397      REN CHEMBL286 P00797
MMP14 CHEMBL3869 P50281     ERN1 CHEMBL1163101 O75460   BACE2 CHEMBL2525 Q9Y5Z0     DRD4 CHEMBL219 P21917
DGAT1 CHEMBL6009 O75907     DPP9 CHEMBL4793 Q86TI2      NOS3 CHEMBL4803 P29474      CREBBP CHEMBL5747 Q92793
PGR CHEMBL208 P06401        MMP8 CHEMBL4588 P22894      NTSR1 CHEMBL4123 P30989     CA14 CHEMBL3510 Q9ULX7
ELANE CHEMBL248 P08246      HRH3 CHEMBL264 Q9Y5N1       PPARD CHEMBL3979 Q03181     ADRB3 CHEMBL246 P13945
HSD17B2 CHEMBL2789 P37059   AXL CHEMBL4895 P30530       OPRL1 CHEMBL2014 P41146     ADRA1A CHEMBL229 P35348
PLA2G4A CHEMBL3816 P47712   VCP CHEMBL1075145 P55072    MC1R CHEMBL3795 Q01726      GRM4 CHEMBL2736 Q14833
HTR7 CHEMBL3155 P34969      HDAC2 CHEMBL1937 Q92769     DHODH CHEMBL1966 Q02127     PTGES CHEMBL5658 O14684
ADRA2A CHEMBL1867 P08913    ADAM17 CHEMBL3706 P78536    KDM1A CHEMBL6136 O60341     DHFR CHEMBL202 P00374
ADRA1B CHEMBL232 P35368     LRRK2 CHEMBL1075104 Q5S007  ROCK1 CHEMBL3231 Q13464     F9 CHEMBL2016 P00740
HTR1D CHEMBL1983 P28221     CASP7 CHEMBL3468 P55210     CYP2A6 CHEMBL5282 P11509    ADRA2C CHEMBL1916 P18825
ADRA2B CHEMBL1942 P18089    HTR1B CHEMBL1898 P28222     CYP11B2 CHEMBL2722 P19099   ADRA1D CHEMBL223 P25100
CA13 CHEMBL3912 Q8N1Q1      CSF1R CHEMBL1844 P07333     TEK CHEMBL4128 Q02763       CA6 CHEMBL3025 P23280
TNKS2 CHEMBL6154 Q9H2K2     PREP CHEMBL3202 P48147      TRPV3 CHEMBL5522 Q8NET8     ALOX12 CHEMBL3687 P18054
HTR6 CHEMBL3371 P50406      KIF11 CHEMBL4581 P52732     PDE4D CHEMBL288 Q08499      PDE7A CHEMBL3012 Q13946
"""

UNKNOWN = "unknown"  # family of an assay on some protein or other: nothing is presumed of its molecules
HERG = ("CHEMBL240", "Q12809", "KCNH2")  # what the channel is also called

# Molecules made for one member of a family are likely to hit another: they are never presumed inactive there.
_FAMILIES = {
    "kinase": r"(?<!uro)kinase|growth factor (I )?receptor|stimulating factor receptor|TGF-beta receptor|Cyclin|Trk|B-raf",
    "aminergic": r"Serotonin|Dopamine|adrenergic|Histamine|Norepinephrine|Muscarinic|Trace amine|HERG",
    "adenosine": r"Adenosine",
    "opioid": r"opioid|Nociceptin",
    "cannabinoid": r"Cannabinoid|Anandamide",
    "melanocortin": r"Melanocortin",
    "orexin": r"Orexin",
    "somatostatin": r"Somatostatin",
    "glutamate": r"glutamate receptor",
    "sphingosine": r"Sphingosine",
    "carbonic": r"Carbonic anhydrase",
    "deacetylase": r"Histone deacetylase",
    "bromodomain": r"Bromodomain|CREB-binding|p300",
    "metalloprotease": r"metalloprotein|ADAM",
    "aspartic": r"secretase|Renin|Cathepsin D",
    "cysteine": r"Cathepsin|Caspase|Calpain",
    "cholinesterase": r"cholinesterase",
    "phosphodiesterase": r"phosphodiesterase",
    "phosphatase": r"phosphatase",
    "peptidase": r"Dipeptidyl|peptidase|Seprase",
    "coagulation": r"Thrombin|Coagulation|Trypsin|Plasmin|Urokinase|elastase|Matriptase",
    "ppar": r"Peroxisome",
    "steroid": r"Estrogen receptor|Androgen|Progesterone|corticoid",
    "hydroxysteroid": r"steroid dehydrogenase|estradiol 17-beta|Aldo-keto",
    "cyclooxygenase": r"Cyclooxygenase|lipoxygenase|Prostaglandin E synthase",
    "amine oxidase": r"Monoamine oxidase|histone demethylase",
    "nitric": r"Nitric.oxide synthase",
    "cytochrome": r"Cytochrome P450",
    "folate": r"Dihydrofolate",
    "parp": r"ADP-ribose|Tankyrase",
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

CYPS = {"cyp1a2": "1A2", "cyp2c9": "2C9", "cyp2c19": "2C19", "cyp2d6": "2D6", "cyp3a4": "3A4"}


@dataclass(frozen=True, slots=True)
class Task:
    """One column of labels; family may be "".

    kind  "affinity": -log10 of mol/l on a protein; "assay": the same in one FS-Mol assay; "censored": pIC50 of a channel
          (5.00 means at most 5); "regression": a number in its own unit; "class": 0 or 1
    """

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
    words = (_TARGETS + _MORE_TARGETS).split()
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
        *(Task(name, "class") for name in CYPS),
        Task("bbb", "class"),
        Task("dili", "class"),
        Task("ld50", "regression"),
        Task("nav15", "censored"),
        Task("cav12", "censored"),
    )


def meaning(name: str, protein: str) -> str:
    """One sentence for people: what the number of a target's probe is, with its unit."""
    return (
        f"Predicted -log10 of Ki, IC50 or EC50 in mol/l (mixed) against human {protein} ({name}); 6 is 1 uM, 9 is 1 nM."
    )
