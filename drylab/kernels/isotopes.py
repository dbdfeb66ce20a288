"""How RDKit rounds the mass of an isotope: the "delta mass" in its Morgan and other atom invariants.

    delta_mass(element, isotope) = trunc(mass - weight), 0 where no isotope is given

weight is the element's average mass in RDKit's table, three decimals; mass is the exact mass of an isotope that the
table knows, and the mass number itself of one it does not (``Atom::getMass``). So trunc(mass number - weight) is right
for every unknown isotope, and for a known one unless an integer lies between the mass number less the weight and the
mass less the weight. That happens in the 68 ranges of mass numbers in EXCEPTIONS, where the answer is off by one.
Found by comparing all 118 elements and mass numbers 1 to 999 with RDKit 2026.3.5; the test compares them again.

Source: RDKit, Code/GraphMol/atomic_data.cpp, through Chem.GetPeriodicTable() (BSD-3).
"""

from __future__ import annotations

import numpy as np

from drylab.kernels.twin import per_molecule

# RDKit's average atomic masses in mDa, by atomic number; 0 for the dummy atom.
# fmt: off
WEIGHT_MILLIDALTON = np.array([
    0, 1008, 4003, 6941, 9012, 10812, 12011, 14007, 15999, 18998, 20180, 22990, 24305, 26982, 28086, 30974, 32067,
    35453, 39948, 39098, 40078, 44956, 47867, 50944, 51996, 54938, 55845, 58933, 58693, 63546, 65390, 69723, 72610,
    74922, 78960, 79904, 83800, 85468, 87620, 88906, 91224, 92906, 95940, 98000, 101070, 102906, 106420, 107868,
    112412, 114818, 118711, 121760, 127600, 126904, 131290, 132905, 137328, 138906, 140116, 140908, 144240, 145000,
    150360, 151964, 157250, 158925, 162500, 164930, 167260, 168934, 173040, 174967, 178490, 180948, 183840, 186207,
    190230, 192217, 195078, 196967, 200590, 204383, 207200, 208980, 209000, 210000, 222000, 223000, 226000, 227000,
    232038, 231036, 238029, 237000, 244000, 243000, 247000, 247000, 251000, 252000, 257000, 258000, 259000, 262000,
    267000, 268000, 269000, 270000, 269000, 278000, 281000, 281000, 285000, 284000, 289000, 288000, 293000, 292000,
    294000,
], np.int64)

# Ranges of mass numbers where trunc(mass number - weight) is off: element, first, last, what to add.
EXCEPTIONS = np.array([
    [1, 2, 7, 1], [2, 3, 3, 1], [2, 5, 10, 1], [4, 5, 7, 1], [4, 10, 16, 1], [6, 8, 11, 1], [6, 16, 22, 1],
    [7, 10, 12, 1], [7, 17, 25, 1], [11, 25, 25, -1], [13, 28, 29, -1], [15, 32, 35, -1], [21, 46, 51, -1],
    [24, 44, 51, -1], [24, 53, 67, -1], [27, 61, 61, -1], [33, 77, 79, -1], [34, 66, 78, -1], [34, 80, 93, -1],
    [42, 85, 95, -1], [42, 97, 112, -1], [43, 99, 118, -1], [45, 105, 105, -1], [61, 146, 163, -1],
    [63, 130, 151, -1], [63, 153, 167, -1], [65, 147, 157, -1], [67, 155, 163, -1], [69, 161, 167, -1],
    [71, 152, 174, -1], [71, 176, 184, -1], [73, 169, 180, -1], [79, 185, 196, -1], [83, 197, 208, -1],
    [84, 210, 215, -1], [85, 211, 215, -1], [86, 195, 197, 1], [86, 216, 221, 1], [87, 199, 204, 1],
    [87, 215, 222, 1], [88, 202, 211, 1], [88, 213, 225, 1], [89, 206, 226, 1], [90, 233, 238, 1],
    [91, 232, 240, 1], [92, 225, 237, 1], [92, 239, 242, 1], [93, 225, 236, 1], [94, 228, 243, 1],
    [95, 231, 242, 1], [96, 233, 246, 1], [97, 235, 246, 1], [98, 237, 250, 1], [99, 240, 251, 1],
    [100, 242, 256, 1], [101, 245, 257, 1], [102, 248, 258, 1], [103, 251, 261, 1], [104, 253, 266, 1],
    [110, 267, 280, 1], [111, 272, 280, 1], [112, 276, 284, 1], [113, 278, 283, 1], [114, 285, 288, 1],
    [115, 287, 287, 1], [116, 289, 292, 1], [117, 291, 291, 1], [118, 293, 293, 1],
], np.int64)
# fmt: on


@per_molecule
def delta_mass(element, isotope):
    """RDKit's int(mass - average mass) of one atom, for mass number ``isotope`` > 0; 0 for a dummy atom."""
    if element == 0 or element >= len(WEIGHT_MILLIDALTON):
        return 0
    excess = isotope * 1000 - int(WEIGHT_MILLIDALTON[element])
    delta = excess // 1000 if excess >= 0 else -(-excess // 1000)
    for row in range(len(EXCEPTIONS)):
        if EXCEPTIONS[row, 0] == element and EXCEPTIONS[row, 1] <= isotope <= EXCEPTIONS[row, 2]:
            delta += int(EXCEPTIONS[row, 3])
    return delta
