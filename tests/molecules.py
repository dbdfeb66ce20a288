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

# What a parser can get wrong: stereo in every position, ring closures, charges, isotopes, rings that are nearly aromatic.
AWKWARD = [
    *DRUGS,
    *ODD,
    "N[C@H](C)C(=O)O", "[C@H](N)(C)O", "[C@@H]1(F)CO1", "F[C@]12CC1CO2", "F[C@]21CC1CO2", "O1[C@H]2CC12", "C[S@](=O)CC",
    "[S@@](=O)(C)CC", "F[P@](Cl)C", "C[C@@H]1CC[C@H](C)CC1", "C[C@H](C)O", "C[C@H]1CC[C@H](O)CC1", "C[N@]1C[C@@H]1C",
    "F/C=C/F", "F/C=C(C)/C", "C/C=C/C=C/C", "F/C(Cl)=C(/Br)I", "C/1=C/CCCCCCCC1", "C1=C/CCCCCCCC/1", "C\\1=C/CCCCCCCC1",
    "C/C=C1/CC1", "O=C1NC(=S)S/C1=C/c1ccccc1", "C/N=C/C", "[H]/N=C/C", "C/N=N/C", "C=c1cc2/c(=C/c3ccco3)oc(O)c2c(=S)[nH]1",
    "C2CC1CC2C1", "C12CC1CC2", "C%12CC%11CC%12C%11", "C=1CCC=1", "C=1CCC1", "C1CCC=1", "C12C3C4C1C5C2C3C45", "C1CC2CCC1CC2",
    "C1C2CC3CC1CC(C2)C3", "c1ccc2c(c1)-c1ccccc1-2", "c1ccc-2c(c1)Cc1ccccc1-2", "c1ccccc1c1ccccc1", "c1cc2cccc3c2c(c1)C=C3",
    "c1ccc2cccc-2cc1", "C1=CC=CC=C1", "C1=CC=CN1", "O=C1C=CC(=O)C=C1", "O=C1C=CC(=O)N1", "O=c1cc[nH]cc1", "O=C1C=CNC=C1",
    "O=c1ccoc2ccccc12", "c1c[nH]cn1", "c1cnc[nH]1", "C1=CN=CN1", "c1cc[n-]c1", "[o+]1ccccc1", "C[n+]1ccccc1", "c1ccs[nH]1",
    "c1ccsc1", "c1cc[se]c1", "b1ccccc1", "p1ccccc1", "[cH-]1cccc1", "[cH+]1cccccc1", "c1ccc1", "c1cccc1", "c1ccccccc1", "n1cccc1",
    "O=n1ccccc1", "[O-][n+]1ccccc1", "CN(=O)=O", "C[N+](=O)[O-]", "CN=[N+]=[N-]", "CN=N#N", "[C-]#[O+]", "C[N+]#[C-]", "OCl(=O)(=O)=O",
    "CP(=O)(O)O", "CS(=O)(=O)C", "C[S+](C)[O-]", "CP(C)(C)(C)C", "F[S](F)(F)(F)(F)F", "C[I](C)C", "O=I(=O)C", "C=P(C)=O", "[BH4-]",
    "[NH4+]", "[OH3+]", "[CH3]", "[CH2]", "[CH]", "[C]", "[CH3-]", "[CH3+]", "[H]", "[H][H]", "[H+]", "[2H]", "[2H]C", "[H]C", "[H]O[H]",
    "[13CH4]", "[14C]", "[2H]c1ccccc1", "[nH]1cccc1", "[15nH]1cccc1", "CC.CC", "[Na+].[OH-]", "C[Mg]Br", "[Fe+2]", "F[Si-2](F)(F)(F)(F)F",
    "*C", "C~C", "C$C", "C->[Fe]", "C:C", "c:1:c:c:c:c:c:1", "C-C", "C-1CC-1", "C(C)(C)(C)C", "C((C))C", "C()C", "(C)C", "C(=)C", "C=(C)C",
    "C11", "C12CC12", "C1CC", "CC(", "CC)", "[C", "C]", "[]", "[13]", "[C@@@H]", "[C+-]", "[C++]", "[C+2]", "[CH10]", "[C:1]", "[0C]", "[C@TH1]",
    "C C", "", "CO\t", "Cl", "Br", "I", "[Cl-]", "ClC(Cl)(Cl)Br", "SC", "C1SC1S(=O)C", "N#CC#N", "C#C", "C=C=C", "CC=[C@]=CC", "C1=C=CC1",
    "C1CCCCCCc2ccc1o2", "C1CCCCc2ccc1o2", "C1CCCCCCc2ccc1s2", "O=C1C=CC(=O)c2csn(ss2)C1", "C1CCCCCCc2ccc1[nH]2",
    "O=C1C=C2C=CC=CC2=C1", "c1cc2ccc3cccc4ccc(c1)c2c34", "c1ccc2c(c1)c1ccccc1c1ccccc21", "C1CC1C1CC1", "C1CCC2(CC1)CCCC2", "N1=CC=CC=CC=C1",
]  # fmt: skip
