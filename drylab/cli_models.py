"""The commands fit, predict, models and evaluate: parse, call one library function, print. Nothing is computed here."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from drylab import terminal, terminal_models

models = typer.Typer(help="List the models that are there, and say what one holds.", no_args_is_help=True)

ModelOption = Annotated[str, typer.Option("--model", help="A shipped model by name, or a model file.")]
SmilesOption = Annotated[str, typer.Option("--smiles", help="Column of the SMILES, or its number from 1.")]
IdOption = Annotated[str, typer.Option("--id", help="Column of the ids, or its number from 1.")]


def fit(
    measurements: Annotated[Path, typer.Argument(help="Molecules with values: .csv, .tsv, .sdf, .parquet.")],
    name: Annotated[str, typer.Option("--name", help="What the target is called in columns.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="The file to write, NAME.safetensors.")],
    target: Annotated[str, typer.Option("--target", help="Start from a target of the panel.")] = "",
    sequence: Annotated[Path | None, typer.Option("--sequence", help="Start from a protein: a FASTA file.")] = None,
    smiles: SmilesOption = "",
    ids: IdOption = "",
    value: Annotated[str, typer.Option("--value", help="Column of the values.")] = "",
    units: Annotated[str, typer.Option("--units", help="nM, uM, M, pX, number, class (0 and 1) or actives.")] = "",
    relation: Annotated[str, typer.Option("--relation", help="Column of = < >.")] = "",
    assay: Annotated[str, typer.Option("--assay", help="Column that names the assay: one offset for each.")] = "",
    model: ModelOption = "default",
    force: Annotated[bool, typer.Option("--force", help="Replace the file if it is there.")] = False,
) -> None:
    """Fit a target to your own measurements, in seconds; say how well each is foretold by the others."""
    from drylab.config.fasta import read_fasta
    from drylab.fitting import FitOptions
    from drylab.fitting import fit as run_fit
    from drylab.measured import Fields

    fields = Fields(smiles, ids, value, units, relation, assay)
    protein = read_fasta(str(sequence)) if sequence else ""
    terminal_models.fitted(run_fit(measurements, name, out, FitOptions(fields, target, protein, model, force)), out)


def predict(
    molecules: Annotated[Path, typer.Argument(help="Molecules: .csv, .tsv, .smi, .sdf or .parquet.")],
    out: Annotated[
        Path, typer.Option("--out", "-o", help="The CSV to write: the input's columns and the predictions.")
    ],
    target: Annotated[
        list[str] | None, typer.Option("--target", help="A target of the panel; may be repeated.")
    ] = None,
    probe: Annotated[list[Path] | None, typer.Option("--probe", help="A file that fit wrote; may be repeated.")] = None,
    tox: Annotated[bool, typer.Option("--tox", help="The toxicity endpoints too.")] = False,
    smiles: SmilesOption = "",
    ids: IdOption = "",
    model: ModelOption = "default",
) -> None:
    """Predict activities of molecules by targets of the panel, by fitted targets, and toxicity."""
    from drylab.library.rows import Columns
    from drylab.predicting import predict as run_predict

    found = run_predict(molecules, target or (), probe or (), tox, model, Columns(smiles, ids))
    found.write(out)
    terminal_models.predicted(found, out)


@models.command("list")
def list_models() -> None:
    """The models that come with drylab."""
    from drylab.score.model import load_model, shipped

    terminal_models.models([load_model(name) for name in shipped()])


@models.command("show")
def show_model(
    model: Annotated[str, typer.Argument(help="A shipped model by name, a model file, or a file that fit wrote.")],
) -> None:
    """What a model, or a fitted target, holds and is worth."""
    from drylab.showing import describe

    terminal_models.described(describe(model))


def evaluate(
    sets: Annotated[list[str] | None, typer.Argument(help="Suites by name, or baselines.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Every suite.")] = False,
    data: Annotated[Path, typer.Option("--data", help="The folder of public data.")] = Path("../shared/data"),
    model: ModelOption = "default",
    out: Annotated[Path | None, typer.Option("--out", "-o", help="The Markdown table to write.")] = None,
    quick: Annotated[bool, typer.Option("--quick", help="Fewer tasks and draws: to see that it runs.")] = False,
) -> None:
    """Judge a model on public sets with fixed splits, its baselines in the same table. Needs the train extra."""
    from drylab.errors import InputError
    from drylab.evaluating import evaluate as run_evaluate

    if bool(sets) == everything:
        raise InputError("name the suites to run, or give --all")
    terminal_models.table(run_evaluate(tuple(sets or ()), data, model, quick, log=terminal.err.print), out)
