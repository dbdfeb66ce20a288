"""The CUDA kernels with the types of their arguments: what is compiled without a GPU."""

from __future__ import annotations

from numba import types

from drylab.kernels import smiles, topk

U8, I8, U16, I32, I64 = (types.Array(t, 1, "C") for t in (types.uint8, types.int8, types.uint16, types.int32, types.int64))
U32, U64, F64 = (types.Array(t, 1, "C") for t in (types.uint32, types.uint64, types.float64))
ATOMS = types.Tuple((U8, I8, U8, U8, U8, U8, U8, U16))
BONDS = types.UniTuple(U8, 5)

KERNELS = {
    "smiles.parse_kernel": (smiles.parse_kernel, (U8, I32, ATOMS, BONDS, I32, I32, U8, I32)),
    "smiles.compact_kernel": (smiles.compact_kernel, (I32, I32, U8, U8)),
    "topk.count_digits": (topk.count_digits, (U64, types.uint64, types.int64, I32)),
}
