"""Masses of elements and isotopes in the digits RDKit holds, ready for sums that must come out in RDKit's bits.

Made once from RDKit 2026.3.5 (BSD-3) with ``t = Chem.GetPeriodicTable()``: EXACT_MASS is
``[t.GetMostCommonIsotopeMass(z) for z in range(119)]``, ISOTOPES ``t.GetMassForIsotope(z, a)`` for the isotopes that
occur in libraries, and the average weights are isotopes.WEIGHT_MILLIDALTON, from ``t.GetAtomicWeight(z)``. The tests
compare all of them again. Products with small integers are tables too: a multiplication next to an addition is fused on a GPU,
which rounds once instead of twice.
"""

from __future__ import annotations

import numpy as np

from drylab.kernels.isotopes import WEIGHT_MILLIDALTON
from drylab.kernels.surroundings import DONE
from drylab.kernels.twin import per_molecule

HYDROGEN = 1
CARBON = 6
ELEMENTS = 119  # elements 0 (a dummy atom) to 118
# (119,) float64, Da: average atomic weight. The quotient is the double nearest to the three decimals, as in RDKit.
WEIGHT = WEIGHT_MILLIDALTON / 1000.0
# (119,) float64: mass of the most common isotope (PeriodicTable.GetMostCommonIsotopeMass), Da.
EXACT_MASS = np.array(
    [
        0.0, 1.007825032, 4.002603254, 7.01600455, 9.0121822, 11.0093054, 12.0, 14.003074, 15.99491462,
        18.99840322, 19.99244018, 22.98976928, 23.9850417, 26.98153863, 27.97692653, 30.97376163, 31.972071,
        34.96885268, 39.96238312, 38.96370668, 39.96259098, 44.9559119, 47.9479463, 50.9439595, 51.9405075,
        54.9380451, 55.9349375, 58.933195, 57.9353429, 62.9295975, 63.9291422, 68.9255736, 73.9211778, 74.9215965,
        79.9165213, 78.9183371, 83.911507, 84.91178974, 87.9056121, 88.9058483, 89.9047044, 92.9063781,
        97.9054082, 96.906365, 101.9043493, 102.905504, 105.903486, 106.905097, 113.9033585, 114.903878,
        119.9021947, 120.9038157, 129.9062244, 126.904473, 131.9041535, 132.9054519, 137.9052472, 138.9063533,
        139.9054387, 140.9076528, 141.9077233, 144.912749, 151.9197324, 152.9212303, 157.9241039, 158.9253468,
        163.9291748, 164.9303221, 165.9302931, 168.9342133, 173.9388621, 174.9407718, 179.94655, 180.9479958,
        183.9509312, 186.9557531, 191.9614807, 192.9629264, 194.9647911, 196.9665687, 201.970643, 204.9744275,
        207.9766521, 208.9803987, 208.9824304, 209.987148, 222.0175706, 223.0197359, 226.0254026, 227.0277521,
        232.0380553, 231.035884, 238.0507882, 236.04657, 238.0495599, 241.0568291, 243.0613891, 247.070307,
        249.0748535, 252.08298, 257.095105, 258.098431, 259.10103, 262.10963, 267.12153, 268.12545, 271.13347,
        270.13362, 269.13406, 278.15481, 281.16206, 281.16537, 285.17411, 284.17873, 289.19042, 288.19274,
        293.20449, 292.20746, 294.21392,
    ]
)  # fmt: skip
# Isotopes that libraries hold: element, mass number, mass in Da (PeriodicTable.GetMassForIsotope). Others are declined.
ISOTOPES = (
    (1, 2, 2.014101778),
    (1, 3, 3.016049278),
    (6, 11, 11.0114336),
    (6, 13, 13.00335484),
    (6, 14, 14.00324199),
    (7, 13, 13.00573861),
    (7, 15, 15.0001089),
    (8, 15, 15.0030656),
    (8, 17, 16.9991317),
    (8, 18, 17.999161),
    (9, 18, 18.000938),
    (15, 32, 31.97390727),
    (15, 33, 32.9717255),
    (16, 34, 33.9678669),
    (16, 35, 34.96903216),
    (17, 36, 35.96830698),
    (17, 37, 36.96590259),
    (34, 75, 74.9225234),
    (35, 76, 75.924541),
    (35, 77, 76.921379),
    (35, 82, 81.9168041),
    (43, 99, 98.9062547),
    (53, 123, 122.905589),
    (53, 124, 123.9062099),
    (53, 125, 124.9046302),
    (53, 127, 126.904473),
    (53, 131, 130.9061246),
)

MAX_ATOM_HYDROGENS = 8  # on one atom
MAX_HYDROGENS = 1023  # in a molecule
MAX_CHARGE = 15  # of one atom, either sign
ELECTRON_MASS = 0.00054857991  # Da, as in RDKit's constants
HYDROGEN_WEIGHT = np.arange(MAX_ATOM_HYDROGENS + 1) * WEIGHT[HYDROGEN]  # (9,) float64: weight of h hydrogens
HYDROGEN_MASS = np.arange(MAX_HYDROGENS + 1) * EXACT_MASS[HYDROGEN]  # (1024,) float64: exact mass of h hydrogens
CHARGE_MASS = (
    np.arange(-MAX_CHARGE, MAX_CHARGE + 1) * ELECTRON_MASS
)  # (31,) float64: what charge q takes away, at q + 15

_KEYS = np.array([element << 10 | number for element, number, _ in ISOTOPES], np.int64)
_MASSES = np.array([mass for _, _, mass in ISOTOPES])
NO_MASS = -1.0
MASS = 4  # code of a molecule that is declined, after those of surroundings.py


@per_molecule
def isotope_mass(element, isotope):
    """Mass in Da of an isotope in ISOTOPES, NO_MASS for any other."""
    key = element << 10 | isotope
    for k in range(len(_KEYS)):
        if int(_KEYS[k]) == key:
            return float(_MASSES[k])
    return NO_MASS


@per_molecule
def weigh(element, charge, hydrogens, isotope, n):
    """(average weight, exact mass, heavy atoms, charge, DONE or MASS)."""
    weight, mass = 0.0, 0.0
    heavy, total, h_total = 0, 0, 0
    for i in range(n):
        z, q, h, a = int(element[i]), int(charge[i]), int(hydrogens[i]), int(isotope[i])
        if h > MAX_ATOM_HYDROGENS or q > MAX_CHARGE or q < -MAX_CHARGE:
            return 0.0, 0.0, 0, 0, MASS
        if a == 0:
            weight += WEIGHT[z]
            mass += EXACT_MASS[z]
        else:
            of_isotope = isotope_mass(z, a)
            if of_isotope == NO_MASS:
                return 0.0, 0.0, 0, 0, MASS
            weight += of_isotope
            mass += of_isotope
        mass -= CHARGE_MASS[q + MAX_CHARGE]
        weight += HYDROGEN_WEIGHT[h]
        heavy += z > 1
        total += q
        h_total += h
    if h_total > MAX_HYDROGENS:
        return 0.0, 0.0, 0, 0, MASS
    return weight, mass + HYDROGEN_MASS[h_total], heavy, total, DONE
