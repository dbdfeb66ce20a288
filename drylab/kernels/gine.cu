/* The GINE encoder of kernels/message.py as one CUDA kernel: a tile of whole molecules stays in shared memory through
   all layers.

   What a tile is    at most 128 atoms (rows) of whole molecules, in any order; a block of 256 threads (or 128)
                     works on one tile at a time, and takes every gridDim-th tile. Two blocks on a multiprocessor, so that one gathers
                     while the other multiplies.
   What is exact     messages, bias, ReLU, residual and pooling in float32, in the order of kernels/message.py; the two
                     products of a layer on the tensor cores, bfloat16 times bfloat16 into float32 (mma.sync m16n8k16),
                     16 terms at once. A row depends on its molecule alone: not on the tile, nor on where it stands in
                     it. No atomics.
   Result            pooled (n, WIDTH) float32: the sum of a molecule's last states, atom by atom. Probes are a kernel of
                     their own.
   What it leaves    molecules of more than 128 atoms, or with an atom of more than 8 bonds: left[i] = 1, for
                     kernels/gine.py to do.
   Sizes             WIDTH and HIDDEN are 64 or 128 (kernels/gine.py pads with zeros, which change no bit); any number
                     of layers.

   Shared memory, at 128 x 128: states h 128 x 128 float32 64 kB, m or u 128 x 128 bfloat16 32 kB, three steps of weights
   12 kB, bonds and places of atoms 3.5 kB: 114,176 bytes. Two blocks and the kilobyte the driver keeps for each are 225
   of the 228 kB of an sm_90 or sm_100 multiprocessor (a block alone may have 227). Registers: 128 a thread at most (two
   blocks of 256 threads), 64 of them sums; 116 used on sm_90, 128 on sm_100, none spilled (make ptx).

   Weights (256 kB at 128 x 128 x 4) do not fit beside that. kernels/gine.py lays them out as the steps of 16 rows in
   which they are used, each as the fragments that mma wants, so a step is 4 kB in a row: cp.async brings it from L2
   while the two before it are worked on, without pause from product to product and from tile to tile. 256 kB for 33.5
   MFLOP: 128 FLOP a byte of L2; and from device memory about 250 bytes a molecule come and 512 go, 9,000 FLOP a byte:
   the limit is not memory. Bank conflicts: 16-byte chunks of a row of m, and 32-byte pairs of chunks of a row of h, are
   permuted by the row's number.

   What to expect (arithmetic, no measurement: no GPU has run this yet). A layer of a tile is 8.4 MFLOP: 2,048 cycles of
   an H200's tensor cores at 989 TFLOP/s dense, about 3,300 at what mma.sync reaches of it (some 62 %,
   https://arxiv.org/abs/2402.13499; the rest is for wgmma). Shared memory at 128 bytes a cycle needs about 7,300 for the
   same layer: 2 x 1,800 to feed the products, 2,400 for neighbours, 1,300 for epilogues. So the limit is shared memory,
   near 28 % of the peak in full tiles; tiles of real libraries are 97 % full. 20 % would be no surprise.

   Versions considered
     un-fused (kernels/gine.py on a GPU)      each step of each layer through device memory: far more bytes
     a product's weights whole, twice         64 kB more, so one block on a multiprocessor: nothing to do while it gathers
     fragments of B straight from L2          no barriers in a product, but every byte comes twice: most of what L2 gives
     4 warps of 64 x 64 instead of 8 x 32     a seventh less traffic in shared memory, half the warps to hide waiting: it is
                                              built with THREADS 128, and bench/bench_gine.py times it beside 256
     16 warps of 32 x 32                      read a third more from shared memory for a product, and that is the limit
     h in registers, bfloat16 for neighbours  less traffic in shared memory, but one block on a multiprocessor; less exact
     wgmma (sm_90a), tcgen05 (sm_100a)        the way to the rest of the peak; two kernels more, none to run on a CPU

   Built by NVRTC (kernels/gine_gpu.py), compiled without a GPU by tests/gpu/compile_gine.py, and run on a CPU by
   tests/gpu/gine_host.cpp and gine_library.cpp, with tests/gpu/cuda_host.h for what is inside #ifdef __CUDACC__.
   SHARED_BYTES is what the launcher asks for, BLOCKS how many blocks of THREADS it puts on a multiprocessor. */

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;

constexpr int ROWS = 128, SLOTS = 8, STAGES = 3, STEP = 16;
constexpr int OPEN = 8, CHUNK = 512;  // of the packing: tiles that still take molecules, and molecules of a thread
constexpr u8 NOBODY = 255;

#ifdef __CUDACC__
__device__ __forceinline__ u8* shared_memory() {
    extern __shared__ __align__(128) u8 dynamic[];
    return dynamic;
}

/* sum += a b: 16 x 16 times 16 x 8, a warp together; a and b are fragments as the PTX manual draws them. */
__device__ __forceinline__ void mma(float (&sum)[4], const u32 (&a)[4], const u32 (&b)[2]) {
    asm volatile(
        "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 "
        "{%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
        : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}

/* Four 8 x 8 matrices of 16-bit values: lane l names row l % 8 of matrix l / 8 and gets two neighbours of row l / 4 of each. */
__device__ __forceinline__ void load_matrices(u32 (&a)[4], const u16* row) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(a[0]), "=r"(a[1]), "=r"(a[2]), "=r"(a[3])
                 : "r"((u32)__cvta_generic_to_shared(row))
                 : "memory");
}

/* Two float32 rounded to nearest even, as one word. */
__device__ __forceinline__ u32 two_bfloat16(float low, float high) {
    u32 word;
    asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(word) : "f"(high), "f"(low));
    return word;
}

/* 16 bytes from global to shared memory, there when wait_copies says so. */
__device__ __forceinline__ void copy_16(u8* to, const u8* from) {
    const u32 there = (u32)__cvta_generic_to_shared(to);
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16;" ::"r"(there), "l"(from) : "memory");
}

__device__ __forceinline__ void commit_copies() { asm volatile("cp.async.commit_group;" ::: "memory"); }

/* Until all but the last LEFT groups of this thread's copies are there. */
template <int LEFT>
__device__ __forceinline__ void wait_copies() {
    asm volatile("cp.async.wait_group %0;" ::"n"(LEFT) : "memory");
}
#endif

/* ---- Packing: molecules into tiles, first fit into the last OPEN tiles, by one thread for each CHUNK molecules ---- */

/* order    (n,) int32: the molecules of a chunk, tile by tile, from the chunk's first place on
   row      (n,) uint8: beside it, the molecule's first row in its tile
   ends     (n,) int32: where in order tile k of the chunk ends, at the chunk's first place + k
   counts   (chunks,) int32: tiles of the chunk
   tile_of  (n,) uint16 scratch        left  (n,) uint8: 1 where a molecule is too large for a tile
   row_of   (n,) uint8 scratch
   A molecule without atoms is in no tile. */
extern "C" __global__ void pack(
    int n, const int* atom_ptr, int* order, u8* row, int* ends, int* counts, u16* tile_of, u8* row_of, u8* left) {
    const int chunk = blockIdx.x * blockDim.x + threadIdx.x;
    const int first = chunk * CHUNK;
    if (first >= n) return;
    const int last = n - first < CHUNK ? n : first + CHUNK;
    int tiles = 0, oldest = 0, room[OPEN], number[OPEN];
#pragma unroll
    for (int k = 0; k < OPEN; ++k) room[k] = number[k] = 0;
    for (int i = first; i < last; ++i) {
        const int atoms = atom_ptr[i + 1] - atom_ptr[i];
        if (atoms == 0 || atoms > ROWS) {
            left[i] = atoms > ROWS;
            tile_of[i] = CHUNK;
            continue;
        }
        int chosen = -1;
#pragma unroll
        for (int k = OPEN - 1; k >= 0; --k) chosen = room[k] >= atoms ? k : chosen;
        if (chosen < 0) {
            chosen = oldest;
            oldest = (oldest + 1) % OPEN;
            ends[first + tiles] = 0;
#pragma unroll
            for (int k = 0; k < OPEN; ++k)
                if (k == chosen) room[k] = ROWS, number[k] = tiles;
            ++tiles;
        }
#pragma unroll
        for (int k = 0; k < OPEN; ++k)
            if (k == chosen) {
                row_of[i] = (u8)(ROWS - room[k]);
                tile_of[i] = (u16)number[k];
                room[k] -= atoms;
                ++ends[first + number[k]];
            }
    }
    /* From counts to where each tile begins; as molecules go in, begins become ends. */
    for (int k = 0, at = first; k < tiles; ++k) {
        const int members = ends[first + k];
        ends[first + k] = at;
        at += members;
    }
    for (int i = first; i < last; ++i)
        if (tile_of[i] != CHUNK) {
            const int at = ends[first + tile_of[i]]++;
            order[at] = i;
            row[at] = row_of[i];
        }
    counts[chunk] = tiles;
}

/* tiles (t, 2) int32: begin and end in order, of all chunks one behind the other; total (chunks,) int32: tiles up to
   and with each chunk. */
extern "C" __global__ void list_tiles(int n, const int* ends, const int* total, int* tiles) {
    const int chunk = blockIdx.x * blockDim.x + threadIdx.x;
    const int first = chunk * CHUNK;
    if (first >= n) return;
    const int base = chunk ? total[chunk - 1] : 0;
    for (int k = 0, begin = first; base + k < total[chunk]; ++k) {
        const int end = ends[first + k];
        tiles[2 * (base + k)] = begin;
        tiles[2 * (base + k) + 1] = end;
        begin = end;
    }
}

/* ---- The encoder ---- */

constexpr int BUFFER = WIDTH > HIDDEN ? WIDTH : HIDDEN;  // columns of m and u, which take turns in one place
constexpr int STAGE_BYTES = STEP * BUFFER * 2;
constexpr int ROW_TILES = 4;               // of 16 rows, of a warp: 64 rows
constexpr int COLUMN_WARPS = THREADS / 64;  // two of these share the rows, each has N / COLUMN_WARPS columns in tiles of 8
constexpr int LANES = WIDTH / 4, GROUPS = THREADS / LANES;  // threads of an atom, four columns each; atoms at once

struct __align__(16) Shared {
    float h[ROWS * WIDTH];
    u16 m[ROWS * BUFFER];
    u8 stage[STAGES * STAGE_BYTES];
    u16 slot[ROWS * SLOTS];  // neighbour's row, and 256 times the class of the bond, in the order of bonds
    int member[ROWS];        // by place in the tile: which molecule
    u16 kind[ROWS], rest[ROWS];  // rows of the two tables of atom classes
    u8 first[ROWS], size[ROWS];  // by place in the tile: its first row and its atoms
    u8 owner[ROWS], degree[ROWS];
};
static_assert(sizeof(Shared) == SHARED_BYTES, "the launcher asks for another size");
static_assert(THREADS == 128 || THREADS == 256, "a tile is two warps high, and two or four wide");
static_assert((WIDTH == 64 || WIDTH == 128) && (HIDDEN == 64 || HIDDEN == 128), "pad to 64 or 128");

/* Four columns of a state. */
__device__ __forceinline__ float4* state(Shared& s, int row, int chunk) {
    return reinterpret_cast<float4*>(&s.h[row * WIDTH + 4 * (chunk ^ ((row & 3) << 1))]);
}

/* Eight columns of m or u. */
__device__ __forceinline__ u16* activation(Shared& s, int row, int chunk) {
    return &s.m[row * BUFFER + 8 * (chunk ^ (row & 7))];
}

/* The weights of all layers as steps, round and round. */
struct Stream {
    const u8* weights;
    int steps, next, stage;  // in all; to be fetched; where it goes
};

__device__ __forceinline__ void fetch(Shared& s, Stream& stream) {
    for (int at = 16 * threadIdx.x; at < STAGE_BYTES; at += 16 * THREADS)
        copy_16(&s.stage[stream.stage * STAGE_BYTES + at], stream.weights + (size_t)stream.next * STAGE_BYTES + at);
    commit_copies();
    stream.next = stream.next + 1 == stream.steps ? 0 : stream.next + 1;
    stream.stage = stream.stage + 1 == STAGES ? 0 : stream.stage + 1;
}

/* The step to be used now. The barrier also says that all have used the one before it: the next to come takes its place. */
__device__ __forceinline__ const uint4* advance(Shared& s, Stream& stream) {
    wait_copies<STAGES - 2>();
    __syncthreads();
    fetch(s, stream);
    return reinterpret_cast<const uint4*>(&s.stage[stream.stage * STAGE_BYTES]);
}

template <int N>
constexpr int column_tiles = N / COLUMN_WARPS / 8;  // of a warp

/* sum = m (ROWS, K) times the next K rows of weights (K, N): what is this warp's of it. */
template <int K, int N>
__device__ __forceinline__ void product(Shared& s, Stream& stream, float (&sum)[ROW_TILES][column_tiles<N>][4]) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int row = 64 * (warp / COLUMN_WARPS) + lane % 16;
#pragma unroll
    for (int i = 0; i < ROW_TILES; ++i)
#pragma unroll
        for (int j = 0; j < column_tiles<N>; ++j)
#pragma unroll
            for (int c = 0; c < 4; ++c) sum[i][j][c] = 0.0f;
#pragma unroll 1  // registers
    for (int step = 0; step < K / STEP; ++step) {
        const uint4* stage = advance(s, stream);
        u32 b[column_tiles<N>][2];
#pragma unroll
        for (int pair = 0; pair < column_tiles<N> / 2; ++pair) {
            const uint4 words = stage[32 * (warp % COLUMN_WARPS * (column_tiles<N> / 2) + pair) + lane];
            b[2 * pair][0] = words.x;
            b[2 * pair][1] = words.y;
            b[2 * pair + 1][0] = words.z;
            b[2 * pair + 1][1] = words.w;
        }
#pragma unroll
        for (int i = 0; i < ROW_TILES; ++i) {
            u32 a[4];
            load_matrices(a, activation(s, row + 16 * i, 2 * step + lane / 16));
#pragma unroll
            for (int j = 0; j < column_tiles<N>; ++j) mma(sum[i][j], a, b[j]);
        }
    }
}

/* Calls use(row, column, x, y) for every two columns of this warp's sums. */
template <int N, typename Use>
__device__ __forceinline__ void each_pair(const float (&sum)[ROW_TILES][column_tiles<N>][4], Use use) {
    const int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
    const int row = 64 * (warp / COLUMN_WARPS) + lane / 4;
    const int column = warp % COLUMN_WARPS * (N / COLUMN_WARPS) + 2 * (lane % 4);
#pragma unroll
    for (int i = 0; i < ROW_TILES; ++i)
#pragma unroll
        for (int j = 0; j < column_tiles<N>; ++j) {
            use(row + 16 * i, column + 8 * j, sum[i][j][0], sum[i][j][1]);
            use(row + 16 * i + 8, column + 8 * j, sum[i][j][2], sum[i][j][3]);
        }
}

__device__ __forceinline__ float relu(float value) { return fmaxf(value, 0.0f); }

/* m = h + sum over an atom's bonds of relu(h of the neighbour + edge). The last row of edges is kept: bonds repeat. */
__device__ __forceinline__ void messages(Shared& s, const float* edges) {
    const int lane = threadIdx.x % LANES, group = threadIdx.x / LANES;
    int held = -1;
    float4 edge = {0.0f, 0.0f, 0.0f, 0.0f};
    for (int row = group * (ROWS / GROUPS); row < (group + 1) * (ROWS / GROUPS); ++row) {
        float4 m = *state(s, row, lane);
        const int degree = s.degree[row];
        for (int k = 0; k < degree; ++k) {
            const int slot = s.slot[row * SLOTS + k], bond = slot >> 8;
            const float4 h = *state(s, slot & 255, lane);
            if (bond != held) {
                edge = *reinterpret_cast<const float4*>(edges + bond * WIDTH + 4 * lane);
                held = bond;
            }
            m.x += relu(h.x + edge.x);
            m.y += relu(h.y + edge.y);
            m.z += relu(h.z + edge.z);
            m.w += relu(h.w + edge.w);
        }
        u32* to = reinterpret_cast<u32*>(activation(s, row, lane / 2)) + 2 * (lane % 2);
        to[0] = two_bfloat16(m.x, m.y);
        to[1] = two_bfloat16(m.z, m.w);
    }
}

/* Which atom stands in each row, and its bonds: (members of the tile) molecules from order[begin] on. */
__device__ __forceinline__ void place(
    Shared& s, int begin, int members, const int* order, const u8* row, const int* atom_ptr, const int* bond_ptr,
    const u8* x, int features, const int* stride, const u8* bond_begin, const u8* bond_end, const u8* bond_class,
    u8* left) {
    const int at = threadIdx.x;
    if (at < ROWS) s.owner[at] = NOBODY;
    __syncthreads();
    if (at < members) {
        const int molecule = order[begin + at], first = row[begin + at];
        const int size = atom_ptr[molecule + 1] - atom_ptr[molecule];
        s.member[at] = molecule;
        s.first[at] = (u8)first;
        s.size[at] = (u8)size;
        for (int i = 0; i < size; ++i) s.owner[first + i] = (u8)at;
    }
    __syncthreads();
    if (at >= ROWS) return;
    s.degree[at] = 0;
    const int owner = s.owner[at];
    if (owner == NOBODY) return;
    const int molecule = s.member[owner], first = s.first[owner], me = at - first;
    const u8* classes = x + (size_t)(atom_ptr[molecule] + me) * features;
    int rest = 0;
    for (int f = 1; f < features; ++f) rest += classes[f] * stride[f];
    s.kind[at] = classes[0];
    s.rest[at] = (u16)rest;
    int degree = 0;
    for (int b = bond_ptr[molecule]; b < bond_ptr[molecule + 1]; ++b) {
        const int u = bond_begin[b], v = bond_end[b];
        if (u != me && v != me) continue;
        if (degree == SLOTS) {
            left[molecule] = 1;
            break;
        }
        s.slot[at * SLOTS + degree++] = (u16)(first + (u == me ? v : u) + 256 * bond_class[b]);
    }
    s.degree[at] = (u8)degree;
}

/* h = the table row of the first feature + the row for all other features; 0 where no atom stands. */
__device__ __forceinline__ void first_states(Shared& s, const float* kinds, const float* rests) {
    const int lane = threadIdx.x % LANES;
    for (int row = threadIdx.x / LANES; row < ROWS; row += GROUPS) {
        float4 h = {0.0f, 0.0f, 0.0f, 0.0f};
        if (s.owner[row] != NOBODY) {
            const float4 a = *reinterpret_cast<const float4*>(kinds + s.kind[row] * WIDTH + 4 * lane);
            const float4 b = *reinterpret_cast<const float4*>(rests + s.rest[row] * WIDTH + 4 * lane);
            h = {a.x + b.x, a.y + b.y, a.z + b.z, a.w + b.w};
        }
        *state(s, row, lane) = h;
    }
}

__device__ __forceinline__ void pool(Shared& s, int members, float* pooled) {
    const int column = threadIdx.x % WIDTH;
    for (int k = threadIdx.x / WIDTH; k < members; k += THREADS / WIDTH) {
        float sum = 0.0f;
        for (int row = s.first[k]; row < s.first[k] + s.size[k]; ++row)
            sum += reinterpret_cast<const float*>(state(s, row, column / 4))[column % 4];
        pooled[(size_t)s.member[k] * WIDTH + column] = sum;
    }
}

/* tiles (count[0], 2), order, row: from the packing
   x (a, features) uint8, stride (features,) int32: an atom's rows of kinds and rests
   kinds, rests (., WIDTH), edges (layers, classes, WIDTH), b1 (layers, HIDDEN), b2 (layers, WIDTH) float32
   weights  (layers (WIDTH + HIDDEN) / 16, STAGE_BYTES): steps of W1 and W2, layer after layer, as fragments */
extern "C" __global__ void __launch_bounds__(THREADS, BLOCKS) gine(
    const int* count, const int* tiles, const int* order, const u8* row, const int* atom_ptr, const int* bond_ptr,
    const u8* x, int features, const int* stride, const u8* bond_begin, const u8* bond_end, const u8* bond_class,
    int layers, int classes, const float* kinds, const float* rests, const float* edges, const u8* weights,
    const float* b1, const float* b2, float* pooled, u8* left) {
    if ((int)blockIdx.x >= count[0]) return;
    Shared& s = *reinterpret_cast<Shared*>(shared_memory());
    Stream stream = {weights, layers * ((WIDTH + HIDDEN) / STEP), 0, 0};
    for (int k = 0; k < STAGES - 1; ++k) fetch(s, stream);
    for (int tile = blockIdx.x; tile < count[0]; tile += gridDim.x) {
        const int begin = tiles[2 * tile], members = tiles[2 * tile + 1] - begin;
        place(
            s, begin, members, order, row, atom_ptr, bond_ptr, x, features, stride, bond_begin, bond_end, bond_class, left);
        __syncthreads();
        first_states(s, kinds, rests);
        __syncthreads();
        for (int layer = 0; layer < layers; ++layer) {
            messages(s, edges + (size_t)layer * classes * WIDTH);
            {
                float sum[ROW_TILES][column_tiles<HIDDEN>][4];
                product<WIDTH, HIDDEN>(s, stream, sum);
                __syncthreads();  // all have read m; u takes its place
                const float* bias = b1 + layer * HIDDEN;
                each_pair<HIDDEN>(sum, [&](int at, int column, float x, float y) {
                    u32* to = reinterpret_cast<u32*>(activation(s, at, column / 8)) + (column % 8) / 2;
                    *to = two_bfloat16(relu(x + bias[column]), relu(y + bias[column + 1]));
                });
            }
            {
                float sum[ROW_TILES][column_tiles<WIDTH>][4];
                product<HIDDEN, WIDTH>(s, stream, sum);
                const float* bias = b2 + layer * WIDTH;
                each_pair<WIDTH>(sum, [&](int at, int column, float x, float y) {
                    float2* h = reinterpret_cast<float2*>(state(s, at, column / 4)) + (column % 4) / 2;
                    h->x += relu(x + bias[column]);
                    h->y += relu(y + bias[column + 1]);
                });
            }
            __syncthreads();
        }
        pool(s, members, pooled);  // what it reads, the next tile changes after a barrier in place()
    }
    wait_copies<0>();
}

/* ---- Probes: float64, a block for PER_BLOCK molecules, a thread for a value at a time ---- */

constexpr int PER_BLOCK = 32;

/* values (n, t) = (pooled . mean) / atoms + pooled . total + constant, columns in order, a rounding each; without atoms
   empty. Then 1 / (1 + exp(-value)) where logistic.
   mean, total (width, t), constant, empty (t,) float64; logistic (t,) uint8 */
extern "C" __global__ void probe(
    int n, int t, int width, const int* atom_ptr, const float* pooled, const double* mean, const double* total, const double* constant,
    const double* empty, const u8* logistic, double* values) {
    float* sums = reinterpret_cast<float*>(shared_memory());  // a column more than there are, for the banks
    const int first = blockIdx.x * PER_BLOCK, here = n - first < PER_BLOCK ? n - first : PER_BLOCK;
    for (int at = threadIdx.x; at < here * width; at += blockDim.x)
        sums[at / width * (width + 1) + at % width] = pooled[(size_t)first * width + at];
    __syncthreads();
    for (int at = threadIdx.x; at < PER_BLOCK * t; at += blockDim.x) {
        /* Neighbours in a warp are molecules where probes are few, and probes where they are many. */
        const int i = t < PER_BLOCK ? at % PER_BLOCK : at / t, p = t < PER_BLOCK ? at / PER_BLOCK : at % t;
        if (i >= here) continue;
        const int atoms = atom_ptr[first + i + 1] - atom_ptr[first + i];
        double by_mean = 0.0, by_sum = 0.0;
        for (int k = 0; k < width; ++k) {
            const double sum = sums[i * (width + 1) + k];
            by_mean = fma(sum, mean[(size_t)k * t + p], by_mean);
            by_sum = fma(sum, total[(size_t)k * t + p], by_sum);
        }
        const double value = atoms ? by_mean / atoms + by_sum + constant[p] : empty[p];
        values[(size_t)(first + i) * t + p] = logistic[p] ? 1.0 / (1.0 + exp(-value)) : value;
    }
}
