"""Molecules that try every branch of the descriptor kernels, most of them too odd to occur in a library. RDKit reads all."""

from rdkit import Chem


def _words(text: str) -> list[str]:
    return text.split()


_SYMBOLS = [Chem.GetPeriodicTable().GetElementSymbol(z) for z in range(1, 119)]
_FRAMES = (
    "[{}]", "[{}+]", "[{}-]", "[{}+2]", "[{}H]", "[{}H2]", "C[{}]", "C[{}H]C", "O[{}]", "c1ccccc1[{}]", "C[{}+]", "O=[{}]",
    "C=[{}]", "N[{}]", "[{0}]S[{0}]",
)  # fmt: skip
ELEMENTS = [frame.format(symbol) for frame in _FRAMES for symbol in _SYMBOLS]
DUMMIES = _words("""
    * ** *C *c1ccccc1 *1ccccc1 c1cc*cc1 *O *N *=C *=O *#C
""")
HYDROGENS = _words("""
    [H][H] [HH] [H+] [H-] [H] [2H][2H] [2H]O[2H] [2H]OC [2H]OC(=O)C [2H]Oc1ccccc1 [2H]ON [2H]N [2H]N([2H])C
    [2H]n1cccc1 [3H]C [2H]C([2H])([2H])C([2H])([2H])[2H] [2H]C([2H])([2H])OC CC([2H])([2H])[2H] [2H]C(C)(C)C
    [2H]c1ccccc1 [2H]S [2H]P [2H][Si](C)(C)C [2H]F B1(N)[H]B([H]1)N [2H]1[BH2][2H][BH2]1
""")
ISOTOPES = _words("""
    [13CH4] [14CH3]C [300C] [11CH3]O [18F]C [125I]c1ccccc1 [35S] [99Tc] [131I-] [15NH3] [17OH2] [18OH2] [32PH3]
    C[13C](=O)O [2H]C [1H]C [4H]C [12CH4]
""")
OXYGENS = _words("""
    O S N P C F Cl [OH-] [OH3+] [NH4+] [SH-] [O-2] [S-2] OO OOO OS ON OP OF OCl O[Si](C)(C)C OB(O)O OC=C OC=N OC=S
    OC=P OC(=[Se])C OC(=[Te])C OC(=O)O OC(O)O OC#C OC#N OS(=O)(=O)O OP(=O)(O)O O[N+](=O)[O-] ONO ON=O [OH+]=C
    [OH+](C)C [OH2+]C C[O+](C)C c1cc[o+]cc1 [O-]c1ccccc1 [O-]N [O-][N+](C)(C)C [O-][n+]1ccccc1 [O-][s+]1cccc1
    C[S+]([O-])C CS(C)=O CS(C)(=O)=O CS(=O)(=O)[O-] CS([O-])=O [O-]S(=O)(=O)[O-] [O-]C(=O)C [O-]C(=O)[O-] [O-]C=C
    [O-]P(=O)([O-])O [O-]Cl [O-][Cl+3]([O-])([O-])[O-] [O-]C(=S)C [O-]CC(=O)C [O-][O-] O=O O=C=O O=C=C O=C=N S=C=S
    C=C=C C=C=O O=C O=CC O=CO O=CN O=CF O=CS O=C(C)C O=C(C)O O=C(C)c1ccccc1 O=Cc1ccccc1 O=C(c1ccccc1)c1ccccc1
    O=C(n1cccc1)n1cccc1 O=C(n1cccc1)c1ccccc1 O=C(n1cccc1)C O=C(n1cccc1)O O=C(n1cccc1)S O=Cn1cccc1 O=C(F)F O=C(Cl)Cl
    O=C(N)N O=C(O)c1ccccc1 O=C(c1ccoc1)C O=c1cc[nH]cc1 O=c1ccocc1 S=c1cc[nH]cc1 O=C1C=CC(=O)C=C1 O=n1ccccc1
    O=[n+]1ccccc1 O=P(C)(C)C O=[Si] O=[Se] O=I(=O)O O=Cl O=S O=S=O O=[S+]C O=[P] O=S(=O)=O OS(=O)O OI(=O)(=O)=O
    O=Cl(=O)(=O)O C1CO1 O1NC1 O1CC1=O
""")
NITROGENS = _words("""
    N#N C#N CC#N C[N+]#[C-] [C-]#[O+] c1ccccc1C#N N#Cc1cccs1 CN=[N+]=[N-] C[N-][N+]#N CN=NC [N-]=[N+]=N [N-]=[N+]=C
    C=[N+]=[N-] N=[N+]=[N-] CN=C=O CN=C=S CN=C=NC C=[NH2+] C=[NH+]C C=[N+](C)C C=[N+](C)c1ccccc1
    C=[N+](c1ccccc1)c1ccccc1 C[N+](=Nc1ccccc1)[O-] C[N+](C)=N C=[N+]=NC [N+](=C)=N [N+](=[N-])=N [N+](=[NH])=[N-]
    C[N+](C)(C)C C[N+](C)(C)c1ccccc1 C[NH+](C)C C[NH2+]C C[NH3+] [NH2-] C[NH-] C[N-]C [NH-]c1ccccc1 C[N-]S(=O)(=O)C
    NC NN NO NS NF Nc1ccccc1 CNc1ccccc1 CN(C)c1ccccc1 c1ccc(cc1)Nc1ccccc1 c1ccc(cc1)N(c1ccccc1)c1ccccc1
    c1ccc(cc1)N(C)c1ccccc1 N=C NC=N CC(=N)N NC(=N)N NC(=[NH2+])N CN=C(N)N N=N c1ccccc1N=Nc1ccccc1 c1ccccc1N=C C=NO
    C=NN N1CC1 CN1CC1 C1CN1C N12CC1C2 C1NN1 N1N=N1 c1ccn[nH]1 Cn1ccnc1 c1ccncc1 c1ccncc1C c1cc[nH]c1 c1cc[n-]c1
    c1cc[nH+]cc1 C[n+]1ccccc1 c1ccc2[nH]ccc2c1 c1cnc2ccccc2n1 n1ccn2ccccc12 c1ccn2cccc2c1 On1cccc1 Nn1cccc1 N(F)(F)F
    [NH]=[O+] C[N+]=O N=O CN=O CN(=O)=O N[N+](C)(C)C CN(C)(C)C NP(N)(N)=O
""")
SULPHURS_AND_RINGS = _words("""
    c1ccsc1 c1ccoc1 c1cc[se]c1 c1cc[te]c1 c1cc[pH]c1 c1ccpcc1 C[s+]1cccc1 O=s1cccc1 CS1=NC=CC=C1 C1CS1 CS(=N)(=O)C
    CS(C)(=N)=NC S1N=NN=N1 s1nnnn1 C1=NSN=C1 CSSC CS(=O)SC CC(=S)N CC(=O)SC NS(N)(=O)=O CNS(=O)(=O)NC C=c1cc[nH]cc1
    N=c1cc[nH]cc1 CN=c1cc[nH]cc1 C1CC1 C12C3C4C1C5C2C3C45 C1CC2CCC1C2 C1C2CC3CC1CC(C2)C3 C1CCCCCCCCCCCCCCC1
    C1CC12CC2 C1CCC2(CC1)CCCCC2 C1CC23CCC1CC2CC3 C12C3C1C23 C1C2CC12 c1ccc2ccccc2c1 c1cc2cccc3cccc(c1)c23
    c1ccc2c(c1)Cc1ccccc12 C1=Cc2cccc3cccc1c23
""")
CARBONS = _words("""
    CC CCC CC(C)C CC(C)(C)C C(F)(F)(F)F FC(F)F FC(F)(F)C ClC(Cl)(Cl)C BrC(Br)(Br)C IC(I)(I)C FC(Cl)(Br)C
    FC(F)(F)CC(F)(F)F CC(C)(C)CCC(C)(C)C CC(C)(C)c1ccccc1 FC(F)(F)c1ccccc1 CC(F)(F)c1ccccc1 C[Si](C)(C)C
    C[Si](C)(C)CC CB(C)C CP(C)C CP(C)(C)=O C[Se]C C[Sn](C)(C)C C[Hg]C CI CCI CC(I)C CC(I)(C)C CO CCO CC(O)C
    CC(C)(C)O C=C CC=C CC(C)=C CC(C)=C(C)C C=Cc1ccccc1 CC=Cc1ccccc1 CC(C)=Cc1ccccc1 CC(=C)c1ccccc1
    C=C(c1ccccc1)c1ccccc1 CC=C(c1ccccc1)c1cccs1 C=C(c1cccs1)n1cccc1 C=C(n1cccc1)n1cccc1 C=Cn1cccc1 C=CO C=CN C=C(O)O
    C=C(F)F C=CS CC=O CC=N CC=S C=P C=PC C=S C=[Se] C=[Si] C=[O+]C C#[O+] C#[P] C#C CC#C c1ccccc1C#C CC#CC C[C+]
    C[CH+]C C[C-] [CH3] [CH2] [CH] [C] [CH3+] [CH3-] C[CH]C [CH2]c1ccccc1 Cc1ccccc1 Cn1cccc1 Cc1cccs1 CCc1ccccc1
    CCn1cccc1 CC(C)c1ccccc1 CC(C)n1cccc1 CC(C)(c1ccccc1)c1ccccc1 C(c1ccccc1)(c1ccccc1)(c1ccccc1)c1ccccc1
    OC(c1ccccc1)(c1ccccc1)c1ccccc1 C[Si](C)(C)c1ccccc1 CP(C)c1ccccc1 c1ccccc1B(O)O c1ccccc1[Se]C c1ccccc1P(=O)(O)O
    c1ccccc1I c1ccccc1Br c1ccccc1Cl c1ccccc1F c1ccccc1O c1ccccc1S c1ccccc1N c1ccccc1[N+](=O)[O-] c1ccccc1-c1ccccc1
""")
METALS_AND_CROWDS = _words("""
    [Fe] [Fe+2] Cl[Pt](Cl)(N)N [NH3][Pt](Cl)(Cl)[NH3] [Na]Cl [Na+].[Cl-] [K+].[I-] O=[Os](=O)(=O)=O F[Xe]F
    FS(F)(F)(F)(F)F FP(F)(F)(F)F F[P-](F)(F)(F)(F)F F[B-](F)(F)F FI(F)(F)(F)(F)(F)F
    C1=CC=C[CH-]1.[Fe+2].C1=CC=C[CH-]1 N->[Fe] [Cu]C#N C[Mg]Br [Li]C [Al+3] CCCC[Li]
""")
ROTORS = _words("""
    CC(=O)NC(=O)C CC(=O)NO CN(C)C(=O)N(C)C COC(=O)OC CC(=O)ON=C(C)C CC(=O)N1CCCC1 O=C1CCCN1 O=C1NC(=O)c2ccccc12
    CC(=N)OC CC(=[N+](C)C)NC CN=C(NC)NC CC(O)=NC CC(=O)n1cccc1 CCC(=O)c1ccccc1 COc1ccc(C(=O)NC)cc1 C#CCCC#C CC#CCC
    CCC#CCC N#CCC CCCCCC CCOC(=O)C(=O)NCC CC(=O)C(C)(C)C CC(C)(C)OC(=O)NCC CSC(=S)NCC OC(=O)CCS
""")
LONG = ["C" * 255, "C" * 254 + "O", "CC(C)(C)" * 40, "C(F)(F)" * 60 + "F", "CC(C)(C)C(C)(C)" * 20]

ODD_MOLECULES = [
    smiles
    for smiles in (
        *ELEMENTS, *DUMMIES, *HYDROGENS, *ISOTOPES, *OXYGENS, *NITROGENS, *SULPHURS_AND_RINGS, *CARBONS,
        *METALS_AND_CROWDS, *ROTORS, *LONG,
    )
    if Chem.MolFromSmiles(smiles) is not None
]  # fmt: skip
