"""Molecules that tests share: real drugs, and what a library can hold besides."""

DRUGS = [
    "CC(=O)Oc1ccccc1C(=O)O",  # aspirin
    "Cn1c(=O)c2c(ncn2C)n(C)c1=O",  # caffeine
    "COCCOc1cc2ncnc(Nc3cccc(C#C)c3)c2cc1OCCOC",  # erlotinib
    "CC(C)Cc1ccc(cc1)[C@@H](C)C(=O)O",  # dexibuprofen
    "CN1CCN(CC1)Cc1ccc(cc1)C(=O)Nc1ccc(C)c(Nc2nccc(n2)-c2cccnc2)c1",  # imatinib
    "OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O",  # glucose
    "C[N+](C)(C)CCO",  # choline
    "FC(F)(F)c1ccc(/C=C/c2ccccn2)cc1",
]
ODD = [
    "C",
    "[Na+].[Cl-]",
    "[2H]C([2H])([2H])O",
    "O=[N+]([O-])c1ccccc1",
    "C12C3C4C1C5C2C3C45",  # cubane
    "CC(C)(C)[Si](C)(C)OB(O)O",
    "C#CC#CC#C",
    "[13CH3][C@](F)(Cl)Br",
    "c1ccc2c(c1)[nH]c1ccccc12",
    "N->[Fe]",
    "C" * 255,
]
