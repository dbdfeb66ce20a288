"""The commented target.yaml that ``drylab init`` writes."""

from __future__ import annotations

import json

from drylab.config.load import check_text

TEXT = """\
# What to look for, and where. docs/target-yaml.md explains every key. Check with: drylab check FILE
schema: drylab.target/1
{name} # names the output files
target:
{target} # a name the affinity model knows
# uniprot: P00533            # or an accession; or sequence: with residues or a .fa file
screen:
{library} # made by drylab library build
# top_k: 1000                # molecules kept
# report_n: 200              # molecules shown in the report

# known:                     # your own measurements
#   actives: {{file: actives.csv, smiles: smiles, id: id, value: ic50, units: nM}}   # nM, uM, M, or pX = -log10(mol/l)
#   exclude: tested.smi      # left out of the hits
# objective:
#   min_pactivity: 6.0       # -log10(mol/l): 6 is 1 uM
# anti_targets:
#   - {{name: KDR, panel: KDR, min_delta: 1.0}}      # at least ten times weaker on KDR
# toxicity:
#   herg: {{amber: 5.0, red: 6.0, unit: pIC50}}
#   ames: {{amber: 0.4, red: 0.7, unit: probability}}
# properties:
#   preset: none             # leadlike, druglike, cns, fragment
#   mw: [200, 500]           # g/mol; outside is marked
#   clogp: {{hard: [-1, 5]}}   # outside is removed
# substructure:
#   must_not_have: ["[N+](=O)[O-]"]      # SMARTS, in quotes
# alerts: {{catalogs: [pains, brenk, nih], action: annotate}}
# provenance: {{confidential: true}}      # no structures in logs
"""


def template(name: str, target: str, library: str) -> str:
    """A short target.yaml: required keys live, the others commented out; ConfigError where a value cannot be used."""
    live = {
        "name": f"name: {_quoted(name)}",
        "target": f"  panel: {_quoted(target)}",
        "library": f"  library: {_quoted(library)}",
    }
    text = TEXT.format(**{key: line.ljust(28) for key, line in live.items()})
    check_text(text, "template")
    return text


def _quoted(text: str) -> str:
    # JSON text is YAML text in double quotes, so that NO, 007 or "a: b" stay what they are.
    return json.dumps(text, ensure_ascii=False)
