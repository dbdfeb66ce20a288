"""drylab: a molecular virtual-screening engine.

    import drylab
    hits = drylab.screen("target.yaml")
    hits[0], hits.to_pandas()

The names below load their module when first used, since ``import drylab`` has to stay cheap (docs/decisions/0001).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from drylab import featurize
    from drylab.build import BuildOptions, build_library
    from drylab.checking import check
    from drylab.config import Target, load_target
    from drylab.demo import run_demo
    from drylab.errors import DrylabError
    from drylab.exporting import export_library
    from drylab.fitting import FitOptions, fit
    from drylab.foreseeing import plan
    from drylab.library.picking import find_library, sample_library
    from drylab.library.rows import Columns
    from drylab.library.store import Library, open_library
    from drylab.library.summary import library_info
    from drylab.measured import Fields
    from drylab.planning import plan_build
    from drylab.predicting import predict
    from drylab.score.model import load_model
    from drylab.screening import screen, screen_many, screen_many_to, screen_to
    from drylab.types import Hit, Hits
    from drylab.verifying import verify_library

_HOMES = {
    "BuildOptions": "drylab.build",
    "Columns": "drylab.library.rows",
    "DrylabError": "drylab.errors",
    "Fields": "drylab.measured",
    "FitOptions": "drylab.fitting",
    "Hit": "drylab.types",
    "Hits": "drylab.types",
    "Library": "drylab.library.store",
    "Target": "drylab.config",
    "build_library": "drylab.build",
    "check": "drylab.checking",
    "export_library": "drylab.exporting",
    "find_library": "drylab.library.picking",
    "fit": "drylab.fitting",
    "library_info": "drylab.library.summary",
    "load_model": "drylab.score.model",
    "load_target": "drylab.config",
    "open_library": "drylab.library.store",
    "plan": "drylab.foreseeing",
    "plan_build": "drylab.planning",
    "predict": "drylab.predicting",
    "run_demo": "drylab.demo",
    "sample_library": "drylab.library.picking",
    "screen": "drylab.screening",
    "screen_many": "drylab.screening",
    "screen_many_to": "drylab.screening",
    "screen_to": "drylab.screening",
    "verify_library": "drylab.verifying",
}

_ROOMS = ("featurize",)

__all__ = [
    "BuildOptions",
    "Columns",
    "DrylabError",
    "Fields",
    "FitOptions",
    "Hit",
    "Hits",
    "Library",
    "Target",
    "build_library",
    "check",
    "export_library",
    "featurize",
    "find_library",
    "fit",
    "library_info",
    "load_model",
    "load_target",
    "open_library",
    "plan",
    "plan_build",
    "predict",
    "run_demo",
    "sample_library",
    "screen",
    "screen_many",
    "screen_many_to",
    "screen_to",
    "verify_library",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"drylab.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'drylab' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
