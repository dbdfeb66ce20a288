"""Products of float32 rows with a fixed matrix, at the speed of the processor's multipliers: out = [relu](x W + bias).

    out[i, j] = fma(x[i, k-1], W[k-1, j], ... fma(x[i, 0], W[0, j], bias[j])), in the order of k, each step rounded once

Every element is its own chain of fused multiply-adds, so a row's bits depend neither on its place among other rows nor
on how wide the processor's vectors are. A BLAS promises neither: its sums depend on the shape of the whole product.

How. W is packed into panels of ``PANEL`` columns, k after k, so that the innermost loop reads it in order. A block of
``ROWS`` rows times a panel stays in registers (ROWS x VECTORS accumulators) while k runs: one load of a vector of W serves
ROWS products, one broadcast of x VECTORS. numba's loops cannot be told to keep a block in registers, so this loop is written
in LLVM's own language (``_block_of``); llvmlite makes of it what an assembler programmer would.

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
from numba.core.errors import TypingError
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


def _block_of(kind: Any, lanes: int, rows: int, vectors: int, fused: bool) -> Any:
    """The innermost loop for numbers of an LLVM type, ``rows`` rows and ``vectors`` vectors of columns at a time.

    block(x, row, weights, at, stride, bias, column, out, relu): out[row : row + rows, column : column + lanes * vectors] from
    x[row : row + rows]; weights of k lie at weights.flat[at + k * stride :], bias from ``column``.
    """

    def block(
        typing: Any, x: Any, row: Any, weights: Any, at: Any, stride: Any, bias: Any, column: Any, out: Any, relu: Any
    ) -> Any:
        if any(array.layout != "C" for array in (x, weights, bias, out)):
            raise TypingError("the products are of C-contiguous arrays; give np.ascontiguousarray of each")
        return types.void(x, row, weights, at, stride, bias, column, out, relu), generate

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kinds = signature.args
        arrays = {i: context.make_array(kinds[i])(context, builder, args[i]) for i in (0, 2, 5, 7)}
        word, vector = ir.IntType(64), ir.VectorType(kind, lanes)
        align = 4 if isinstance(kind, ir.FloatType) else 8
        fma = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(vector, [vector] * 3), f"llvm.fma.v{lanes}f{8 * align}"
        )

        def number(value: int) -> Any:
            return ir.Constant(word, value)

        def place(pointer: Any, index: Any) -> Any:
            return builder.gep(pointer, [index])

        def load(pointer: Any, lane: int) -> Any:
            value = builder.load(builder.bitcast(place(pointer, number(lane)), vector.as_pointer()))
            value.align = align
            return value

        def step(one: Any, other: Any, total: Any) -> Any:
            if fused:
                return builder.call(fma, [one, other, total])
            return builder.fadd(total, builder.fmul(one, other))

        depth = cgutils.unpack_tuple(builder, arrays[0].shape)[1]
        width = cgutils.unpack_tuple(builder, arrays[7].shape)[1]
        numbers = [builder.add(args[1], number(r)) for r in range(rows)]
        starts = [place(arrays[0].data, builder.mul(r, depth)) for r in numbers]
        first = [load(place(arrays[5].data, args[6]), v * lanes) for v in range(vectors)]
        entry = builder.block
        body, after = builder.append_basic_block("k"), builder.append_basic_block("done")
        builder.branch(body)

        builder.position_at_end(body)
        k = builder.phi(word)
        k.add_incoming(number(0), entry)
        sums = [[builder.phi(vector) for _ in range(vectors)] for _ in range(rows)]
        line = place(arrays[2].data, builder.add(args[3], builder.mul(k, args[4])))
        loaded = [load(line, v * lanes) for v in range(vectors)]
        same = ir.Constant(ir.VectorType(ir.IntType(32), lanes), [0] * lanes)
        nothing = ir.Constant(vector, ir.Undefined)
        added = []
        for r in range(rows):
            one = builder.insert_element(nothing, builder.load(place(starts[r], k)), ir.Constant(ir.IntType(32), 0))
            spread = builder.shuffle_vector(one, nothing, same)
            added.append([step(spread, loaded[v], sums[r][v]) for v in range(vectors)])
        following = builder.add(k, number(1))
        k.add_incoming(following, body)
        for r in range(rows):
            for v in range(vectors):
                sums[r][v].add_incoming(first[v], entry)
                sums[r][v].add_incoming(added[r][v], body)
        builder.cbranch(builder.icmp_signed("<", following, depth), body, after)

        builder.position_at_end(after)
        zero = ir.Constant(vector, [0.0] * lanes)
        for r in range(rows):
            target = place(arrays[7].data, builder.add(builder.mul(numbers[r], width), args[6]))
            for v in range(vectors):
                value = added[r][v]
                positive = builder.select(builder.fcmp_ordered(">", value, zero), value, zero)
                value = builder.select(args[8], positive, value)
                spot = builder.bitcast(place(target, number(v * lanes)), vector.as_pointer())
                builder.store(value, spot).align = align
        return context.get_dummy_value()

    return intrinsic(block)


_block = _block_of(ir.FloatType(), LANES, ROWS, VECTORS, fused=True)

# For the reference (message.py): each product rounded, then each sum, as its plain loops would.
LANES64, ROWS64, VECTORS64 = LANES // 2, 4, 4 if LANES == 16 else 2
WIDE64 = LANES64 * VECTORS64
block64 = _block_of(ir.DoubleType(), LANES64, ROWS64, VECTORS64, fused=False)


@launcher
def dense(x, panels, bias, out, n, relu):
    """out[:n] = x[:n] W + bias, negative values set to 0 where ``relu``; the contract is at the top of this file."""
    deep = x.shape[1] * PANEL
    for panel in range(len(panels)):
        for row in range(0, n, ROWS):
            _block(x, row, panels, panel * deep, PANEL, bias, panel * PANEL, out, relu)


def dense_reference(x: NDArray[Any], weight: NDArray[Any], bias: NDArray[Any], relu: bool) -> NDArray[np.float64]:
    """The same in float64."""
    value = x.astype(np.float64) @ weight.astype(np.float64) + bias
    return np.maximum(value, 0) if relu else value
