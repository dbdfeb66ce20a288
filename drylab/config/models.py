"""The frozen models of target.yaml, one class a section; attributes are the file's keys."""

from __future__ import annotations

import os
from typing import Annotated, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, ValidationInfo, field_validator, model_validator

from drylab.config.fasta import read_fasta
from drylab.config.fields import (
    LIST,
    SECTION,
    File,
    Name,
    Number,
    PActivity,
    Range,
    RangeOf,
    Word,
    between,
    fault,
    key_for,
    read_sample,
    read_sequence,
    whole,
)
from drylab.config.presets import PRESETS

Family = Literal[
    "kinase", "gpcr", "protease", "nuclear_receptor", "ion_channel", "epigenetic", "transporter", "other", "unknown"
]


MAX_BATCH = 65_536


class Section(BaseModel):
    """What all sections share: frozen, no unknown keys, no silent conversion."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Protein(Section):
    """What is aimed at: at least one of panel, uniprot, sequence and probe.

    panel     a name the affinity model knows, e.g. EGFR
    uniprot   accession, e.g. P00533
    sequence  residues in one-letter code; a .fa or .fasta file is read when the target is loaded
    probe     a file that ``drylab fit`` wrote: it ranks, and what else is given is a label
    """

    panel: Word | None = None
    uniprot: Word | None = None
    sequence: str | None = None
    probe: File | None = None
    organism: Word | None = None
    family: Family | None = None

    @field_validator("sequence")
    @classmethod
    def _residues(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None:
            return None
        if value.lower().endswith((".fa", ".fasta", ".faa")):
            folder = (info.context or {}).get("folder", "")
            value = read_fasta(os.path.join(folder, os.path.expanduser(value)))
        return read_sequence(value)

    @model_validator(mode="after")
    def _one_at_least(self) -> Self:
        if not (self.panel or self.uniprot or self.sequence or self.probe):
            raise fault("expected at least one of panel, uniprot, sequence, probe, got none; add one, e.g. panel: EGFR")
        return self


class Molecules(Section):
    """A file of molecules and its columns; not given: found by the reader."""

    file: File
    smiles: Word | None = None
    id: Word | None = None


class Actives(Molecules):
    """Molecules measured by the chemist; value is a column, units says what it holds (pX is -log10 of mol/l)."""

    value: Word | None = None
    units: Literal["nM", "uM", "M", "pX"] | None = None

    @model_validator(mode="after")
    def _value_and_units(self) -> Self:
        if self.value and not self.units:
            raise fault(
                f"expected units (nM, uM, M or pX) for the column {self.value!r}, got none; add units: nM", "value"
            )
        if self.units and not self.value:
            raise fault(
                "expected the column that holds the values, got none; add value: and the column's name", "units"
            )
        return self


class Known(Section):
    """What the chemist has already: actives show what is new and where they rank, exclude is left out of the hits."""

    actives: Actives | None = None
    exclude: Annotated[Molecules | None, BeforeValidator(key_for("file"))] = None


class Objective(Section):
    """What counts as good; min_pactivity in -log10 of mol/l."""

    mode: Literal["inhibit", "bind"] = "inhibit"
    min_pactivity: PActivity | None = None
    rank_by: Literal["mean"] = "mean"


class AntiTarget(Section):
    """A protein to leave alone; limits in -log10 of mol/l, min_delta = target minus anti-target."""

    name: Name
    panel: Word | None = None
    uniprot: Word | None = None
    max_pactivity: PActivity | None = None
    min_delta: Number | None = None

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not (self.panel or self.uniprot):
            raise fault(f"expected panel or uniprot for {self.name!r}, got none; add one, e.g. panel: {self.name}")
        if self.max_pactivity is None and self.min_delta is None:
            raise fault(
                f"expected max_pactivity or min_delta for {self.name!r}, got none; add one, e.g. min_delta: 1.0"
            )
        return self


class Threshold(Section):
    """Limits of a toxicity endpoint: above amber it is marked amber, above red red; report_only never filters."""

    amber: Number | None = None
    red: Number | None = None
    unit: Literal["pIC50", "probability", "-log10(mol/kg)"] | None = None
    report_only: bool = True

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        given = {"amber": self.amber, "red": self.red}
        for key, value in given.items():
            if value is not None and self.unit is None:
                raise fault(
                    f"expected unit: pIC50 or unit: probability (-log10(mol/kg) for ld50) with {key}, got none; add the unit",
                    key,
                )
            if value is not None:
                _in_unit(value, key, self.unit)
        if self.amber is not None and self.red is not None and self.red < self.amber:
            raise fault(f"expected red >= amber, got red {self.red:g} and amber {self.amber:g}; exchange them", "red")
        return self


def _in_unit(value: float, key: str, unit: str | None) -> None:
    high, hint = (1, "50 % is 0.5") if unit == "probability" else (15, "a pIC50 is -log10 of mol/l: 10 uM is 5")
    if not 0 <= value <= high:
        raise fault(f"expected {key} from 0 to {high} ({unit}), got {value:g}; {hint}", key)


class Properties(Section):
    """Ranges of computed properties; a preset gives soft ones, explicit ones win."""

    preset: Literal["leadlike", "druglike", "cns", "fragment", "none"] = "none"
    mw: RangeOf | None = None
    clogp: RangeOf | None = None
    tpsa: RangeOf | None = None
    hbd: RangeOf | None = None
    hba: RangeOf | None = None
    rotatable: RangeOf | None = None
    rings: RangeOf | None = None
    aromatic_rings: RangeOf | None = None
    fsp3: RangeOf | None = None
    heavy_atoms: RangeOf | None = None
    charge: RangeOf | None = None

    def ranges(self) -> dict[str, Range]:
        """Property -> Range, preset and explicit ones merged."""
        explicit = {name: value for name, value in self if isinstance(value, Range)}
        return PRESETS[self.preset] | explicit


class Substructure(Section):
    """SMARTS, as text; they are parsed where molecules are."""

    must_have_any: Annotated[tuple[str, ...], LIST] = ()
    must_not_have: Annotated[tuple[str, ...], LIST] = ()


class Alerts(Section):
    """Alert catalogs of RDKit, and whether an alert only marks a hit or removes it."""

    catalogs: Annotated[tuple[Literal["pains", "brenk", "nih"], ...], LIST] = ("pains", "brenk", "nih")
    action: Literal["annotate", "reject"] = "annotate"

    @model_validator(mode="after")
    def _something_to_reject(self) -> Self:
        if self.action == "reject" and not self.catalogs:
            raise fault("expected catalogs to reject by, got none; add one, e.g. catalogs: [pains]", "action")
        return self


class Columns(Section):
    """Columns of the library's files; not given: found by the reader."""

    smiles: Word | None = None
    id: Word | None = None


class Cascade(Section):
    """What mode: cascade certifies: ``recall`` of the full model's top_k with ``confidence``, from a random ``sample``.

    sample  share of the library that both stages score; auto is the smallest that can certify it, and at least 2 %
    """

    recall: Annotated[float, between(0.5, 0.9999, "a share of the top_k: 99 % is 0.99; all of them is mode: exact")] = (
        0.99
    )
    confidence: Annotated[float, between(0.5, 0.9999, "95 % is 0.95")] = 0.95
    sample: Annotated[float | Literal["auto"], BeforeValidator(read_sample)] = "auto"


class Screen(Section):
    """The library, and how many molecules are kept (top_k) and shown (report_n)."""

    library: File | None = None
    columns: Annotated[Columns, SECTION] = Columns()
    top_k: Annotated[int, whole(1, 10_000_000)] = 1000
    report_n: Annotated[int, whole(1, 10_000_000)] = 200
    mode: Literal["exact", "cascade"] = "exact"
    cascade: Annotated[Cascade, SECTION] = Cascade()
    stereo: Literal["as_given"] = "as_given"
    batch_size: Annotated[int, whole(1, MAX_BATCH)] = 1024

    @model_validator(mode="after")
    def _report_within_top(self) -> Self:
        if self.report_n <= self.top_k:
            return self
        if {"report_n", "top_k"} <= self.model_fields_set:
            what = f"expected report_n <= top_k, got {self.report_n} > {self.top_k}; raise top_k or lower report_n"
            raise fault(what, "report_n")
        # The one that was given wins. The model is frozen for others, not yet for its own validator.
        if "report_n" in self.model_fields_set:
            object.__setattr__(self, "top_k", self.report_n)
        else:
            object.__setattr__(self, "report_n", self.top_k)
        return self


class Model(Section):
    """Which affinity model, and the arithmetic of the fold, which changes how fast the hits come and not which."""

    affinity: File = "default"
    precision: Literal["auto", "bfloat16", "float32", "float64"] = "auto"
    allow_orphan: Literal[False] = False


class Report(Section):
    """Words for the report; explain_top hits get a picture of atom contributions; toxicity: all endpoints of the model, or false:
    only those that the target file names."""

    title: str | None = None
    contact: str | None = None
    explain_top: Annotated[int, whole(0)] = 50
    toxicity: bool = True


class Provenance(Section):
    """confidential: no structure is written to a log."""

    data_license: str | None = None
    confidential: bool = False
