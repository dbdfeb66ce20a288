"""Products of float32 rows with a fixed matrix, at the speed of the processor's multipliers: out = [relu](x W + bias).

    out[i, j] = fma(x[i, k-1], W[k-1, j], ... fma(x[i, 0], W[0, j], bias[j])), in the order of k, each step rounded once

Every element is its own chain of fused multiply-adds, so a row's bits depend neither on its place among other rows nor
on how wide the processor's vectors are. A BLAS promises neither: its sums depend on the shape of the whole product.

How. W is packed into panels of ``PANEL`` columns, k after k, so that the innermost loop reads it in order. A block of
``ROWS`` rows times a panel stays in registers (ROWS x VECTORS accumulators) while k runs: one load of a vector of W serves
ROWS products, one broadcast of x VECTORS. numba's loops cannot be told to keep a block in registers, so this loop is written
in LLVM's own language (``_block``); llvmlite makes of it what an assembler programmer would.

Where the limit lies: on Zen 4 (512-bit vectors in two halves) 6 x 4, 8 x 2 and 14 x 2 blocks all reach 115 GFLOP/s of 115 at 3.6 GHz;
OpenBLAS reaches 100 on the same shapes. 7 x 4 spills (88), 12 x 2 is placed badly by LLVM 22 (29). bench/bench_engine.py prints both.

Contract of ``dense``: x (rows, k) float32, C-contiguous, with rows a multiple of ROWS; panels and bias from ``pack``;
out (rows, padded width) float32; n <= rows: rows past the last block of n are left alone. Edges: n = 0 does nothing; k >= 1.
"""

from __future__ import annotations

from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from drylab.kernels.twin import launcher


def _vector_lanes() -> int:
    """float32 lanes of the widest vector that this processor has."""
    features = llvm.get_host_cpu_features()
    return 16 if features.get("avx512f") else 8 if features.get("avx2") else 4


LANES = _vector_lanes()
ROWS, VECTORS = (8, 2) if LANES == 16 else (6, 2)  # 16 or 12 accumulators: AVX2 has 16 registers, AVX-512 and NEON 32
PANEL = LANES * VECTORS


def padded(n: int) -> int:
    """The least multiple of 32 that holds n columns; a panel has 8, 16 or 32."""
    return -(-n // 32) * 32


def padded_rows(n: int) -> int:
    """The least multiple of ROWS that holds n rows."""
    return -(-n // ROWS) * ROWS


def pack(weight: NDArray[Any], bias: NDArray[Any] | None = None) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """weight (k, n) and bias (n,) -> panels (padded(n) / PANEL, k, PANEL) and bias (padded(n),), float32, zeros behind n."""
    k, n = weight.shape
    wide = np.zeros((k, padded(n)), np.float32)
    wide[:, :n] = weight
    ends = np.zeros(padded(n), np.float32)
    if bias is not None:
        ends[:n] = bias
    return np.ascontiguousarray(wide.reshape(k, -1, PANEL).transpose(1, 0, 2)), ends


@intrinsic
def _block(typing: Any, x: Any, row: Any, panels: Any, panel: Any, bias: Any, out: Any, relu: Any) -> Any:
    """out[row : row + ROWS, the columns of a panel] from x[row : row + ROWS], as the top of this file says."""
    signature = types.void(x, row, panels, panel, bias, out, relu)

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        arrays = {i: context.make_array(kinds[i])(context, builder, args[i]) for i in (0, 2, 4, 5)}
        word, vector = ir.IntType(64), ir.VectorType(ir.FloatType(), LANES)
        fma = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{LANES}f32"
        )

        def number(value: int) -> Any:
            return ir.Constant(word, value)

        def at(pointer: Any, index: Any) -> Any:
            return builder.gep(pointer, [index])

        def load(pointer: Any, lane: int) -> Any:
            value = builder.load(builder.bitcast(at(pointer, number(lane)), vector.as_pointer()))
            value.align = 4
            return value

        depth = cgutils.unpack_tuple(builder, arrays[0].shape)[1]
        width = cgutils.unpack_tuple(builder, arrays[5].shape)[1]
        column = builder.mul(args[3], number(PANEL))
        rows = [builder.add(args[1], number(r)) for r in range(ROWS)]
        starts = [at(arrays[0].data, builder.mul(r, depth)) for r in rows]
        weights = at(arrays[2].data, builder.mul(column, depth))
        first = [load(at(arrays[4].data, column), v * LANES) for v in range(VECTORS)]
        entry = builder.block
        body, after = builder.append_basic_block("k"), builder.append_basic_block("done")
        builder.branch(body)

        builder.position_at_end(body)
        k = builder.phi(word)
        k.add_incoming(number(0), entry)
        sums = [[builder.phi(vector) for _ in range(VECTORS)] for _ in range(ROWS)]
        line = at(weights, builder.mul(k, number(PANEL)))
        loaded = [load(line, v * LANES) for v in range(VECTORS)]
        places = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)
        nothing = ir.Constant(vector, ir.Undefined)
        added = []
        for r in range(ROWS):
            one = builder.insert_element(nothing, builder.load(at(starts[r], k)), ir.Constant(ir.IntType(32), 0))
            spread = builder.shuffle_vector(one, nothing, places)
            added.append([builder.call(fma, [spread, loaded[v], sums[r][v]]) for v in range(VECTORS)])
        following = builder.add(k, number(1))
        k.add_incoming(following, body)
        for r in range(ROWS):
            for v in range(VECTORS):
                sums[r][v].add_incoming(first[v], entry)
                sums[r][v].add_incoming(added[r][v], body)
        builder.cbranch(builder.icmp_signed("<", following, depth), body, after)

        builder.position_at_end(after)
        zero = ir.Constant(vector, [0.0] * LANES)
        for r in range(ROWS):
            target = at(arrays[5].data, builder.add(builder.mul(rows[r], width), column))
            for v in range(VECTORS):
                value = added[r][v]
                positive = builder.select(builder.fcmp_ordered(">", value, zero), value, zero)
                value = builder.select(args[6], positive, value)
                place = builder.bitcast(at(target, number(v * LANES)), vector.as_pointer())
                builder.store(value, place).align = 4
        return context.get_dummy_value()

    return signature, generate


@launcher
def dense(x, panels, bias, out, n, relu):
    """out[:n] = x[:n] W + bias, negative values set to 0 where ``relu``; the contract is at the top of this file."""
    for panel in range(len(panels)):
        for row in range(0, n, ROWS):
            _block(x, row, panels, panel, bias, out, relu)


def dense_reference(x: NDArray[Any], weight: NDArray[Any], bias: NDArray[Any], relu: bool) -> NDArray[np.float64]:
    """The same in float64."""
    value = x.astype(np.float64) @ weight.astype(np.float64) + bias
    return np.maximum(value, 0) if relu else value
