"""What is said of a hit, column by column, against plain RDKit."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from rdkit import Chem, DataStructs
from rdkit.Chem import QED, rdFingerprintGenerator
from rdkit.Chem.Scaffolds import MurckoScaffold

from drylab import finish as finishing
from drylab.config import target_from
from drylab.execute import serial
from drylab.featurize import reference
from drylab.finish import Finished, finish
from drylab.question import Question, ask
from drylab.reduce import TopK
from drylab.report.depict import picture
from drylab.score import panel
from drylab.score.engine import GineEncoder
from tests.featurize.test_alerts import RARE, real
from tests.molecules import AWKWARD

CATALOGS = ("brenk", "pains")
KNOWN = (
    "CN1CCN(CC1)Cc1ccc(cc1)C(=O)Nc1ccc(C)c(Nc2nccc(n2)-c2cccnc2)c1",
    "c1ccccc1",
    "OC[C@H]1O[C@@H](O)[C@H](O)[C@@H](O)[C@@H]1O",
)
ODD = [
    "C" * 255,
    "C1CCC1" * 50,
    "[H][H]",
    "[2H]C([2H])([2H])O",
    "[Na+].[Cl-]",
    "[Fe+2]",
    "*C",
    "[13CH4]",
    "F[P-](F)(F)(F)(F)F",
]


@pytest.fixture(scope="module")
def question(tmp_path_factory: pytest.TempPathFactory) -> tuple[Question, object]:
    known = tmp_path_factory.mktemp("known") / "known.csv"
    known.write_text("smiles,name\n" + "".join(f"{smiles},known {i}\n" for i, smiles in enumerate(KNOWN)))
    said = {
        "name": "test",
        "target": "EGFR",
        "known": {"actives": {"file": str(known), "smiles": "smiles", "id": "name"}},
        "properties": {"preset": "druglike"},
        "alerts": {"catalogs": list(CATALOGS)},
        "screen": {"top_k": 5000, "report_n": 3},
        "report": {"explain_top": 2},
    }
    target = target_from(said)
    return ask(target), target


def top_of(question: Question, smiles: list[str]) -> TopK:
    """The molecules as the answer of a fold, in the order given."""
    n = len(smiles)
    z = GineEncoder(question.model.encoder)(reference.graphs(reference.parse(smiles))).z
    scores = panel.values(question.model.probes, z)[:, question.probe]
    keys = np.arange(2 * n, dtype=np.uint64).reshape(n, 2)
    ids = np.array([f"m{i}" for i in range(n)], object)
    return TopK(n, scores, keys, np.arange(n), ids, np.array(smiles, object))


def described(question: tuple[Question, object], smiles: list[str]) -> Finished:
    done: list[int] = []
    found = finish(question[0], question[1], top_of(question[0], smiles), serial(), done.append)  # type: ignore[arg-type]
    assert sum(done) == len(smiles) == found.table.num_rows
    return found


def held_to_rdkit(table: pa.Table, smiles: list[str], target: object) -> None:
    """Assert that each column is what RDKit alone gives."""
    rows = table.to_pylist()
    catalogs = {name: reference.alert_catalog((name,)) for name in CATALOGS}
    make = rdFingerprintGenerator.GetMorganGenerator(radius=2, fpSize=2048).GetFingerprint
    known = [make(Chem.MolFromSmiles(text)) for text in KNOWN]
    ranges = sorted(target.ranges().items())  # type: ignore[attr-defined]
    for text, row in zip(smiles, rows, strict=True):
        mol = Chem.MolFromSmiles(text)
        assert row["smiles"] == text
        assert row["inchikey"] == Chem.MolToInchiKey(mol), text
        assert row["scaffold"] == MurckoScaffold.MurckoScaffoldSmiles(mol=mol), text
        assert row["qed"] == QED.qed(mol), text
        for name, value in reference.PROPERTIES.items():
            assert row[name] == value(mol), f"{name} of {text}"
        outside = [name for name, r in ranges if not r.low <= row[name] <= r.high]
        assert row["outside"] == ",".join(outside), text
        for name, catalog in catalogs.items():
            want = sorted({entry.GetDescription() for entry in catalog.GetMatches(mol)})
            assert row[f"alerts_{name}"] == "; ".join(want), text
        near = DataStructs.BulkTanimotoSimilarity(make(mol), known)
        assert row["max_sim_known"] == max(near), text
        assert row["nearest_known_id"] == f"known {near.index(max(near))}", text


def readable(smiles: list[str]) -> list[str]:
    mols = reference.parse(smiles)
    return [text for text, state in zip(smiles, reference.status(mols), strict=True) if state == 0]


def test_odd_molecules_are_described_as_rdkit_does(question: tuple[Question, object]) -> None:
    smiles = readable([*ODD, *AWKWARD, *RARE])
    held_to_rdkit(described(question, smiles).table, smiles, question[1])


def test_real_molecules_are_described_as_rdkit_does(question: tuple[Question, object]) -> None:
    smiles = [Chem.MolToSmiles(mol) for mol in real(8)]
    held_to_rdkit(described(question, smiles).table, smiles, question[1])


def test_pieces_give_the_table_of_the_whole(question: tuple[Question, object], monkeypatch: pytest.MonkeyPatch) -> None:
    smiles = readable(AWKWARD)
    whole = described(question, smiles)
    monkeypatch.setattr(finishing, "CHUNK", 20)
    parts = described(question, smiles)
    assert parts.table.equals(whole.table)
    assert parts.pictures == whole.pictures


def test_the_first_hits_are_drawn_and_the_first_of_these_have_maps(question: tuple[Question, object]) -> None:
    smiles = readable(AWKWARD)[:6]
    found, asked = described(question, smiles), question[0]
    graphs = reference.graphs(reference.parse(smiles[:2]))
    weights = asked.model.probes.weights[asked.probe]
    whole = GineEncoder(asked.model.encoder).atom_contributions(graphs, weights).astype(np.float32)
    maps = found.table.column("atom_contributions").to_pylist()
    assert maps[:2] == [whole[: graphs.atom_ptr[1]].tolist(), whole[graphs.atom_ptr[1] :].tolist()]
    assert maps[2:] == [None] * 4
    assert found.pictures == (picture(smiles[0], maps[0]), picture(smiles[1], maps[1]), picture(smiles[2]))


def test_no_hits_give_an_empty_table_of_the_same_columns(question: tuple[Question, object], tmp_path: Path) -> None:
    none, some = described(question, []), described(question, ["CCO"])
    assert none.table.schema.names == some.table.schema.names
    assert none.pictures == ()
