"""The SMILES alphabet as tables, and the valences that RDKit allows: what the parser looks up, byte by byte.

KIND     (256,) uint8: what a byte is, outside brackets
ELEMENT  (256,) uint8: atomic number of a one-letter organic-subset atom, either case
BRACKET  (703,) uint8: atomic number of an element symbol in a bracket: one letter at its number in the alphabet (A = 1),
         two letters at first * 26 + second (a = 1); 0 where there is no such element
VALENCE  (119, 5) int8: the greatest valence (bond orders and hydrogens) that RDKit's sanitisation accepts for a nonmetal
         of charge -2 to 2; -1 where the parser leaves the judgement to RDKit. It is the valence list of the
         isoelectronic neutral element, and was read off MolFromSmiles of [XHn] and of X with n methyls for every n.
         Nitrogen: an atom whose valence is within this table is left alone by RDKit's clean-up of hypervalent groups,
         but for phosphorus of valence 5 on 3 neighbours, and iodine, which the parser declines.
ORGANIC  (20, 2048) uint8: an organic-subset atom, row SLOT[element] + (1 if lower case), column 256 * bonds + 16 * aromatic
         bonds + sum of the other orders: the hydrogens that RDKit adds + 8 * what it is to its rings: electrons (0, 1, 2) + UPPER
         if upper case, EITHER where one electron is 0 if a double bond out of the ring leads to N, O or S, BARRED if no
         ring of its is aromatic, ODD if this table does not say; UNUSUAL where the parser leaves the atom to RDKit

Grammar: http://opensmiles.org/opensmiles.html
"""

from __future__ import annotations

import numpy as np

SYMBOLS = [
    "H",
    "He",
    "Li",
    "Be",
    "B",
    "C",
    "N",
    "O",
    "F",
    "Ne",
    "Na",
    "Mg",
    "Al",
    "Si",
    "P",
    "S",
    "Cl",
    "Ar",
    "K",
    "Ca",
    "Sc",
    "Ti",
    "V",
    "Cr",
    "Mn",
    "Fe",
    "Co",
    "Ni",
    "Cu",
    "Zn",
    "Ga",
    "Ge",
    "As",
    "Se",
    "Br",
    "Kr",
    "Rb",
    "Sr",
    "Y",
    "Zr",
    "Nb",
    "Mo",
    "Tc",
    "Ru",
    "Rh",
    "Pd",
    "Ag",
    "Cd",
    "In",
    "Sn",
    "Sb",
    "Te",
    "I",
    "Xe",
    "Cs",
    "Ba",
    "La",
    "Ce",
    "Pr",
    "Nd",
    "Pm",
    "Sm",
    "Eu",
    "Gd",
    "Tb",
    "Dy",
    "Ho",
    "Er",
    "Tm",
    "Yb",
    "Lu",
    "Hf",
    "Ta",
    "W",
    "Re",
    "Os",
    "Ir",
    "Pt",
    "Au",
    "Hg",
    "Tl",
    "Pb",
    "Bi",
    "Po",
    "At",
    "Rn",
    "Fr",
    "Ra",
    "Ac",
    "Th",
    "Pa",
    "U",
    "Np",
    "Pu",
    "Am",
    "Cm",
    "Bk",
    "Cf",
    "Es",
    "Fm",
    "Md",
    "No",
    "Lr",
    "Rf",
    "Db",
    "Sg",
    "Bh",
    "Hs",
    "Mt",
    "Ds",
    "Rg",
    "Cn",
    "Nh",
    "Fl",
    "Mc",
    "Lv",
    "Ts",
    "Og",
]

# What a byte is; atoms come first. TWO_LETTERS: C and B may be the first letter of Cl and Br.
ATOM_LETTER, TWO_LETTERS, SQUARE, DIGIT, OPEN, CLOSE, BOND, PERCENT, FOREIGN, BEYOND = range(10)
SINGLE, DOUBLE, TRIPLE, AROMATIC, UP, DOWN = 1, 2, 3, 4, 5, 6


def _kinds() -> np.ndarray:
    kind = np.full(256, FOREIGN, np.uint8)
    kind[: ord(" ") + 1] = BEYOND  # after white space comes a name or an extension: RDKit's business
    kind[127:] = BEYOND
    for letters, what in (
        ("NOPSFIcnopsb", ATOM_LETTER),
        ("BC", TWO_LETTERS),
        ("0123456789", DIGIT),
        ("(", OPEN),
        (")", CLOSE),
        ("-=#:/\\", BOND),
        ("[", SQUARE),
        ("%", PERCENT),
        (".*$~<>@|", BEYOND),
    ):
        for letter in letters:
            kind[ord(letter)] = what
    return kind


def _elements() -> np.ndarray:
    element = np.zeros(256, np.uint8)
    for symbol in ("B", "C", "N", "O", "P", "S", "F", "I"):
        element[ord(symbol)] = element[ord(symbol.lower())] = SYMBOLS.index(symbol) + 1
    return element


def _bracket() -> np.ndarray:
    table = np.zeros(27 * 26 + 1, np.uint8)
    for number, symbol in enumerate(SYMBOLS, start=1):
        first = ord(symbol[0]) - ord("A") + 1
        table[first if len(symbol) == 1 else first * 26 + ord(symbol[1]) - ord("a") + 1] = number
    return table


def _bonds() -> np.ndarray:
    table = np.zeros(256, np.uint8)
    for symbol, code in zip("-=#:/\\", (SINGLE, DOUBLE, TRIPLE, AROMATIC, UP, DOWN), strict=True):
        table[ord(symbol)] = code
    return table


def _valences() -> np.ndarray:
    table = np.full((119, 5), -1, np.int8)
    for symbol, allowed in {  # charge -2, -1, 0, 1, 2
        "B": (3, 4, 3, 2, -1),
        "C": (2, 3, 4, 3, 2),
        "N": (1, 2, 3, 4, 3),
        "O": (0, 1, 2, 3, 4),
        "F": (-1, 0, 1, 2, 3),
        "Si": (6, 5, 4, 3, -1),
        "P": (3, 6, 5, 4, 3),
        "S": (4, 5, 6, 5, 4),
        "Cl": (-1, 0, 1, 6, 5),
        "As": (3, 6, 5, 4, 3),
        "Se": (4, 5, 6, 5, 4),
        "Br": (-1, 0, 1, 6, 5),
        "Te": (6, 5, 6, 5, 4),
        "I": (-1, 0, 1, -1, -1),
    }.items():
        table[SYMBOLS.index(symbol) + 1] = allowed
    return table


ORGANIC_SUBSET = ("B", "C", "N", "O", "P", "S", "F", "Cl", "Br", "I")
MANY = 8 * 256 - 1
UNUSUAL = 255
EITHER, UPPER, BARRED, ODD = 3, 4, 8, 16


def _organic() -> np.ndarray:
    table = np.full((2 * len(ORGANIC_SUBSET), MANY + 1), UNUSUAL, np.uint8)
    for slot, symbol in enumerate(ORGANIC_SUBSET):
        for bonded in range(MANY + 1):
            degree, aromatic, others = bonded >> 8, bonded >> 4 & 15, bonded & 15
            if aromatic == 0:
                h = _aliphatic(symbol, degree, others)
                table[2 * slot, bonded] = h if h == UNUSUAL else h + 8 * _upper(symbol, degree + h, others + h)
            elif aromatic >= 2:
                h = _aromatic(symbol, degree, others)
                table[2 * slot + 1, bonded] = h if h == UNUSUAL else h + 8 * _lower(symbol, degree, others)
    return table


def _lower(symbol: str, degree: int, others: int) -> int:
    if symbol == "C":
        return EITHER if others == 2 else 1
    return 1 if symbol == "N" and degree == 2 else 2


def _upper(symbol: str, neighbours: int, valence: int) -> int:
    """RDKit's electron donors, of neutral atoms: carbon with a double bond, N= and N<, O and S with two neighbours."""
    if neighbours > 3:
        return BARRED
    if symbol == "C" and neighbours == 3:
        return UPPER + EITHER
    if symbol == "N" and neighbours in (2, 3):
        return UPPER + (1 if neighbours == 2 else 2)
    if symbol in "OS" and neighbours == valence == 2:
        return UPPER + 2
    return ODD


def _aliphatic(symbol: str, degree: int, valence: int) -> int:
    if symbol == "P" and valence == 5 and degree == 3:
        return UNUSUAL
    normal = {"B": (3,), "C": (4,), "N": (3,), "O": (2,), "P": (3, 5), "S": (2, 4, 6)}.get(symbol, (1,))
    return next((allowed - valence for allowed in normal if valence <= allowed), UNUSUAL)


def _aromatic(symbol: str, degree: int, others: int) -> int:
    if symbol == "C" and degree == 2:
        return 1
    fits = degree == 2 if symbol in "OS" else degree == 3 and others <= (2 if symbol == "C" else 1)
    if symbol == "N":
        fits = fits or degree == 2
    return 0 if fits and symbol in ("C", "N", "O", "S") else UNUSUAL


def _slots() -> np.ndarray:
    slot = np.zeros(119, np.uint8)
    for number, symbol in enumerate(ORGANIC_SUBSET):
        slot[SYMBOLS.index(symbol) + 1] = 2 * number
    return slot


KIND, ELEMENT, BRACKET, BOND_CODE, VALENCE = _kinds(), _elements(), _bracket(), _bonds(), _valences()
ORGANIC, SLOT = _organic(), _slots()
