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
    from drylab.library.store import Library, open_library
    from drylab.score.model import load_model
    from drylab.screening import screen, screen_to
    from drylab.types import Hit, Hits

_HOMES = {
    "BuildOptions": "drylab.build",
    "DrylabError": "drylab.errors",
    "Hit": "drylab.types",
    "Hits": "drylab.types",
    "Library": "drylab.library.store",
    "Target": "drylab.config",
    "build_library": "drylab.build",
    "check": "drylab.checking",
    "load_model": "drylab.score.model",
    "load_target": "drylab.config",
    "open_library": "drylab.library.store",
    "run_demo": "drylab.demo",
    "screen": "drylab.screening",
    "screen_to": "drylab.screening",
}

_ROOMS = ("featurize",)

__all__ = [
    "BuildOptions",
    "DrylabError",
    "Hit",
    "Hits",
    "Library",
    "Target",
    "build_library",
    "check",
    "featurize",
    "load_model",
    "load_target",
    "open_library",
    "run_demo",
    "screen",
    "screen_to",
]


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"drylab.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'drylab' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
