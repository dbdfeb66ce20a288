"""The ATP site: found in kinases at its known residues, and not in other proteins."""

import csv
import gzip

import numpy as np
import pytest

from drylab.score.align import clean
from drylab.score.pocket import _KNOWN, AFTER, BEFORE, POSITIONS, domain, likenesses, site
from tests.real import DATA

LYSINE, DFG = 17, slice(80, 83)


def sequences(name: str) -> dict[str, str]:
    path = DATA / "affinity" / name
    if not path.is_file():
        pytest.skip(f"the public data set ../shared/data/affinity/{name} is not here")
    with gzip.open(path, "rt", encoding="utf-8") as stream:
        return {row[0]: row[1] for row in list(csv.reader(stream))[1:]}


def test_every_known_site_has_all_positions_and_the_residues_that_make_a_kinase() -> None:
    for name, known in _KNOWN.items():
        assert len(known) == POSITIONS, name
        assert known[LYSINE - 1] == "K", name
        assert known[DFG] in ("DFG", "DWG"), name


@pytest.mark.parametrize("name", sorted(_KNOWN))
def test_a_known_site_is_found_where_its_pieces_stand_apart(name: str) -> None:
    known = _KNOWN[name]
    pieces = [known[i:j].replace("-", "") for i, j in ((0, 13), (13, 19), (19, 41), (41, 59), (59, 78), (78, 85))]
    assert site("GASP" * 10 + ("PGSTNP" * 3).join(pieces) + "GASP" * 10) == known


def test_kinases_have_a_site_and_other_proteins_have_none() -> None:
    known = sequences("sequences.csv.gz")
    kinases = {"P24941": "LVFEFLH", "P00519": "IITEFMT", "P12931": "VTEYMS", "P31749": "VMEYA", "O60674": "IMEYL"}
    for accession, hinge in kinases.items():
        if accession in known:
            found = site(clean(known[accession]))
            assert hinge in found, (accession, found)
            assert found[DFG] == "DFG"
    others = [
        "P08908",
        "P00918",
        "P42345",
        "P42336",
        "Q12809",
        "P37231",
        "P00734",
    ]  # GPCR, enzyme, mTOR, PI3K, channel...
    assert sum(accession in known for accession in others) >= 3
    assert [site(clean(known[accession])) for accession in others if accession in known] == [""] * sum(
        accession in known for accession in others
    )


def test_likeness_is_a_kernel_and_a_protein_without_a_site_is_like_nothing() -> None:
    sites = [*_KNOWN.values(), ""]
    found = likenesses(sites, sites)
    assert np.allclose(np.diag(found)[:-1], 1.0)
    assert not found[-1].any()
    assert np.linalg.eigvalsh(found).min() > -1e-10
    at = list(_KNOWN).index
    assert found[at("EGFR"), at("ABL1")] > found[at("EGFR"), at("CSNK2A1")]  # tyrosine kinases are closer


def test_a_domain_is_the_site_with_what_lies_about_it_and_all_of_what_is_no_kinase() -> None:
    known = _KNOWN["EGFR"]
    inside = known[:41] + "PGSTNP" * 3 + known[41:]
    found = domain("GASP" * 50 + inside + "GASP" * 50)
    assert found == ("GASP" * 50)[-BEFORE:] + inside + ("GASP" * 50)[:AFTER]
    assert domain(known) == known
    assert domain("GASP" * 50) == "GASP" * 50


def test_domains_of_kinases_hold_their_sites_and_are_as_long_as_kinase_domains_are() -> None:
    known = sequences("sequences.csv.gz")
    for accession in ("P24941", "P00519", "P12931", "P31749"):
        if accession in known:
            text = clean(known[accession])
            assert site(domain(text)) == site(text)
            assert 220 < len(domain(text)) < 330
