#!/usr/bin/env bash
# Everything that needs a GPU, on a machine that has one and perhaps nothing else: tests, equality, speed. docs/gpu.md
# Usage: bench/gpu.sh [DATA] [more arguments of bench_gpu.py]
set -euo pipefail
cd "$(dirname "$0")/.."
data=${1:-../shared/data}
shift || true
for near in shared/data .data; do
    if [ ! -d "$data" ]; then data=$near; fi
done

python=${PYTHON:-python3}
if [ -z "${PYTHON:-}" ] && .venv/bin/python -c "import cupy" 2>/dev/null; then python=.venv/bin/python; fi

# What is missing comes from ./.wheels, without a network.
missing=()
for package in rdkit pyarrow safetensors hypothesis pytest; do
    "$python" -c "import $package" 2>/dev/null || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "installing ${missing[*]} from .wheels"
    site=$(mktemp -d)
    "$python" -m pip install --quiet --no-index --no-deps --no-compile --find-links .wheels --target "$site" "${missing[@]}"
    export PYTHONPATH="$site${PYTHONPATH:+:$PYTHONPATH}"
fi

# Small grids are what tests are made of, and arrays of CuPy and kernels of Numba use one stream: no need to wait for it.
export NUMBA_CUDA_LOW_OCCUPANCY_WARNINGS=0 NUMBA_CUDA_ARRAY_INTERFACE_SYNC=0 PYTHONUNBUFFERED=1
started=$SECONDS
status=0
"$python" bench/bench_gpu.py --data "$data" --tests "$@" || status=$?
echo "bench/gpu.sh: $((SECONDS - started)) s, status $status"
exit $status
