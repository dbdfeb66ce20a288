"""Benchmark molecules are in no training, in any form, and the report says for what."""

from __future__ import annotations

from pathlib import Path

import pytest
from rdkit import Chem

from drylab.train.data import read_labels
from drylab.train.keepout import BENCHMARKS, ORIGINS, banned, origins
from tests.real import DATA
from tests.train.conftest import chain, write


def test_all_benchmarks_are_kept_out(data: Path) -> None:
    found = origins(data)
    assert set(found) == set(BENCHMARKS)
    assert banned(data) == frozenset().union(*found.values())
    sizes = {origin: len(skeletons) for origin, skeletons in found.items()}
    assert sizes["MUV and DUD actives"] == 3  # the decoys may train
    assert sizes["FS-Mol valid"] == 5
    assert sizes["DAVIS and KIBA"] == 6
    assert sizes["ChEMBL 22 later years"] == 0


def test_the_training_molecules_of_a_fit_are_kept_out_on_request(data: Path) -> None:
    purist = origins(data, tuple(ORIGINS))
    assert purist["MoleculeACE train"] - banned(data)
    assert banned(data) <= frozenset().union(*purist.values())


def test_a_benchmark_molecule_is_dropped_from_every_file_and_counted(data: Path, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for path in data.iterdir():
        (folder / path.name).symlink_to(path)
    (folder / "tox").unlink()
    (folder / "tox").mkdir()
    for path in (data / "tox").iterdir():
        (folder / "tox" / path.name).symlink_to(path)
    (folder / "tox/ames.csv.gz").unlink()
    salt = f"{chain(0)}[NH3+].[Cl-]"  # of FS-Mol valid
    write(folder / "tox/ames.csv.gz", ["Drug_ID,Drug,Y", f"x,{salt},1", "x,Cc1ccccc1,0"])
    labels = read_labels(folder, frozenset())
    assert labels.counts["ames"]["kept out: FS-Mol valid"] == 1
    assert labels.counts["ames"]["kept"] == 1
    assert f"{chain(0)}N" not in labels.parents
    assert f"{chain(0)}N" in read_labels(folder, frozenset(), benchmarks=()).parents


@pytest.mark.slow
def test_no_benchmark_molecule_is_in_the_real_training(shared_data: Path) -> None:
    """By RDKit's own InChIKey of a sample of the texts as written, whatever our curation makes of them."""
    kept = frozenset(read_labels(shared_data, frozenset()).parents)
    assert len(kept) > 250_000
    for origin in BENCHMARKS:
        for series in ORIGINS[origin](DATA):
            for text in list(series.unique())[::200]:
                mol = Chem.MolFromSmiles(text)
                Chem.RemoveStereochemistry(mol)
                assert Chem.MolToSmiles(mol) not in kept
