"""The public names: sorted, importable, and all that the root offers."""

import subprocess
import sys

import drylab


def test_names_are_sorted_and_there() -> None:
    assert drylab.__all__ == sorted(drylab.__all__)
    assert set(drylab.__all__) == {*drylab._HOMES, *drylab._ROOMS}
    for name in drylab.__all__:
        value = getattr(drylab, name)
        assert getattr(value, "__module__", value.__name__ if name in drylab._ROOMS else "").startswith("drylab."), name
        assert value.__doc__, f"{name} has no docstring"


def test_names_are_found_by_completion() -> None:
    assert dir(drylab) == sorted(drylab.__all__)


def test_unknown_name_is_an_attribute_error() -> None:
    assert not hasattr(drylab, "scren")


def test_verbs_are_callable_whatever_was_imported_before() -> None:
    code = "import drylab.cli, drylab.screening, drylab.checking, drylab; assert callable(drylab.screen) and callable(drylab.check)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_start_is_light() -> None:
    """Not a timing: what makes a start slow is that a heavy package is loaded."""
    heavy = ("torch", "numba", "rdkit", "pyarrow", "distributed", "dask", "pandas", "numpy", "scipy")
    code = f"import sys, drylab, drylab.cli; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "[]"


def test_a_screen_does_not_load_torch() -> None:
    code = "import sys, drylab; assert len(drylab.screen('EGFR', ['CCO'])) == 1; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == "False"
