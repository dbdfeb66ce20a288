"""The CUDA kernels with the types of their arguments: what is compiled without a GPU."""

from __future__ import annotations

from typing import Any

from numba import types

from drylab.kernels import descriptors_gpu, morgan_gpu, ragged, smiles, topk

U8, I8, U16, I32, I64 = (
    types.Array(t, 1, "C") for t in (types.uint8, types.int8, types.uint16, types.int32, types.int64)
)
U32, U64, F64 = (types.Array(t, 1, "C") for t in (types.uint32, types.uint64, types.float64))
U32_2D, I32_2D, I64_2D, F64_2D = (
    types.Array(t, 2, "C") for t in (types.uint32, types.int32, types.int64, types.float64)
)
ATOMS = types.Tuple((U8, I8, U8, U8, U8, U8, U8, U16))
BONDS = types.UniTuple(U8, 5)
PTRS_STATUS = types.Tuple((I32, I32, U8))
MORGAN = (
    PTRS_STATUS, types.Tuple((U8, I8, U8, U8, U16, U8)), types.UniTuple(U8, 3), types.UniTuple(U8, 3),
    types.boolean, types.int64, types.int64, types.boolean, U32_2D, U32, U32, I32,
)  # fmt: skip

KERNELS: dict[str, tuple[Any, tuple[types.Type, ...]]] = {
    "smiles.parse_kernel": (smiles.parse_kernel, (U8, I32, ATOMS, BONDS, I32, I32, U8, I32)),
    "ragged.compact_kernel, text": (ragged.compact_kernel, (I32, I32, U8, U8)),
    "morgan_gpu.small_kernel": (morgan_gpu.small_kernel, MORGAN),
    "morgan_gpu.any_kernel": (morgan_gpu.any_kernel, (I64, *MORGAN, I64_2D, I32_2D, U32_2D, U32_2D)),
    "descriptors_gpu.describe_kernel": (
        descriptors_gpu.describe_kernel,
        (PTRS_STATUS, types.Tuple((U8, I8, U8, U8, U8, U8, U16, U8)), BONDS, types.int64, F64_2D, I32_2D, U8),
    ),
    "ragged.compact_kernel": (ragged.compact_kernel, (I64, I64, U32, U32)),
    "topk.count_digits": (topk.count_digits, (U64, types.uint64, types.int64, I32)),
}
