/* CUDA on one core, for tests: a .cu file is compiled as C++ and its kernels run, block after block, each thread a fiber.

   threads    a fiber runs until it waits: at __syncthreads, or at an operation of its warp until all 32 lanes are there.
              A warp runs as far as it can before another one does; which is first is chosen (`backwards`). So where a
              barrier is missing, one warp is far ahead of the others.
   warps      mma, load_matrices: done by the lane that comes last, for all lanes, with the fragments as the PTX ISA draws
              them. mma adds 16 products exactly (float64) to the float32 and rounds once. __shfl_down_sync likewise.
   copies     copy_16 is done at once, or (`backwards`) as late as wait_copies allows.
   memory     a block's dynamic shared memory is a piece of the heap of just its size: the address sanitizer sees its ends.
   mistakes   a barrier that not all threads reach ends the program and says so.
   Not seen   the memory model: on a GPU, threads of a warp need not run one after the other between two barriers. */

#pragma once

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <memory>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/common_interface_defs.h>
#endif

#define __global__
#define __device__
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __align__(bytes) alignas(bytes)
#define __restrict__

struct alignas(8) float2 { float x, y; };
struct alignas(16) float4 { float x, y, z, w; };
struct alignas(16) uint4 { uint32_t x, y, z, w; };
struct Index { unsigned x; };

static Index threadIdx, blockIdx, blockDim, gridDim;

namespace host {

constexpr size_t STACK = 256 << 10;  // of a fiber; the address sanitizer makes frames large
constexpr int WARP = 32;

/* From one stack to another. ucontext asks the system at each switch, which takes ten times as long; so not where it can be helped. */
#if defined(__x86_64__)
struct Context { void* stack_pointer = nullptr; };

__attribute__((naked, noinline)) static void switch_stacks(void** /*keep*/, void* /*to*/) {
    asm volatile(
        "pushq %rbp; pushq %rbx; pushq %r12; pushq %r13; pushq %r14; pushq %r15;"
        "movq %rsp, (%rdi); movq %rsi, %rsp;"
        "popq %r15; popq %r14; popq %r13; popq %r12; popq %rbx; popq %rbp; ret;");
}

inline void change(Context& from, Context& to) { switch_stacks(&from.stack_pointer, to.stack_pointer); }

inline void prepare(Context& context, char* stack, size_t size, void (*begin)()) {
    void** top = reinterpret_cast<void**>(stack + size - 64);  // as if called: 8 off a multiple of 16
    *--top = nullptr;
    *--top = reinterpret_cast<void*>(begin);
    context.stack_pointer = top - 6;
}
#else
using Context = ucontext_t;

inline void change(Context& from, Context& to) { swapcontext(&from, &to); }

inline void prepare(Context& context, char* stack, size_t size, void (*begin)()) {
    getcontext(&context);
    context.uc_stack.ss_sp = stack;
    context.uc_stack.ss_size = size;
    context.uc_link = nullptr;
    makecontext(&context, begin, 0);
}
#endif

struct Copy { void* to; const void* from; };

struct Fiber {
    Context context;
    std::unique_ptr<char[]> stack;
    void* fake_stack = nullptr;
    const std::function<bool()>* until = nullptr;  // what it waits for
    bool done = false;
    std::vector<std::vector<Copy>> groups;  // of copies, the last one open
};

struct Warp { void* lanes[WARP]; int arrived = 0; long turn = 0; };

struct Block {
    std::vector<Fiber> fibers;
    std::vector<Warp> warps;
    std::unique_ptr<unsigned char[]> shared;
    int at_barrier = 0, current = 0;
    long turn = 0;
    bool backwards = false;
    Context scheduler;
    void* scheduler_fake_stack = nullptr;
    const void* scheduler_stack = nullptr;
    size_t scheduler_size = 0;
    std::function<void()> kernel;
};

static Block* block;

/* The address sanitizer has to be told where the stack goes. */
inline void leave(void** keep, const void* stack, size_t size) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_start_switch_fiber(keep, stack, size);
#else
    (void)keep, (void)stack, (void)size;
#endif
}

inline void arrive(void* kept, const void** from, size_t* size) {
#if defined(__SANITIZE_ADDRESS__)
    __sanitizer_finish_switch_fiber(kept, from, size);
#else
    (void)kept, (void)from, (void)size;
#endif
}

inline void wait(const std::function<bool()>& until) {
    if (until()) return;
    Block& b = *block;
    Fiber& me = b.fibers[b.current];
    me.until = &until;
    leave(&me.fake_stack, b.scheduler_stack, b.scheduler_size);
    change(me.context, b.scheduler);
    arrive(me.fake_stack, &b.scheduler_stack, &b.scheduler_size);
    me.until = nullptr;
}

inline void begin_fiber() {
    Block& b = *block;
    arrive(nullptr, &b.scheduler_stack, &b.scheduler_size);
    b.kernel();
    Fiber& me = b.fibers[b.current];
    me.done = true;
    leave(nullptr, b.scheduler_stack, b.scheduler_size);  // nullptr: this stack is used no more
    change(me.context, b.scheduler);
}

inline void resume(int thread) {
    Block& b = *block;
    b.current = thread;
    threadIdx.x = thread;
    Fiber& fiber = b.fibers[thread];
    leave(&b.scheduler_fake_stack, fiber.stack.get(), STACK);
    change(b.scheduler, fiber.context);
    arrive(b.scheduler_fake_stack, nullptr, nullptr);
}

/* Ready to begin the kernel. */
inline void prepare(Fiber& fiber) {
    fiber.done = false;
    fiber.until = nullptr;
    fiber.groups.assign(1, {});
    prepare(fiber.context, fiber.stack.get(), STACK, begin_fiber);
}

/* Run the fibers of a warp as far as they go without the other warps: how many came to their ends, or -1 if none moved. */
inline int run_warp(int first, int last) {
    Block& b = *block;
    int ended = 0;
    bool ever = false;
    for (bool moved = true; moved; ever |= moved) {
        moved = false;
        for (int thread = first; thread < last; ++thread) {
            Fiber& fiber = b.fibers[thread];
            if (fiber.done || (fiber.until && !(*fiber.until)())) continue;
            resume(thread);
            moved = true;
            ended += fiber.done;
        }
    }
    return ever ? ended : -1;
}

/* Run all fibers of the block to their ends. */
inline void run_block() {
    Block& b = *block;
    const int threads = (int)b.fibers.size(), warps = (int)b.warps.size();
    for (int left = threads; left;) {
        bool moved = false;
        for (int i = 0; i < warps; ++i) {
            const int first = WARP * (b.backwards ? warps - 1 - i : i);
            const int ended = run_warp(first, first + WARP < threads ? first + WARP : threads);
            moved |= ended >= 0;
            left -= ended > 0 ? ended : 0;
        }
        if (!moved) {
            std::fprintf(
                stderr, "cuda_host: deadlock: %d threads of block %u wait, %d of them at __syncthreads\n", left, blockIdx.x,
                b.at_barrier);
            std::exit(3);
        }
    }
}

/* kernel<<<grid, threads, shared_bytes>>>: call is the kernel with its arguments. */
inline void launch(int grid, int threads, size_t shared_bytes, bool backwards, std::function<void()> call) {
    gridDim.x = grid;
    blockDim.x = threads;
    Block b;
    b.kernel = std::move(call);
    b.backwards = backwards;
    b.fibers.resize(threads);
    for (Fiber& fiber : b.fibers) fiber.stack.reset(new char[STACK]);
    block = &b;
    for (int i = 0; i < grid; ++i) {
        blockIdx.x = backwards ? grid - 1 - i : i;
        b.shared.reset(new unsigned char[shared_bytes]);
        std::memset(b.shared.get(), 0xA5, shared_bytes);  // what was there before
        b.warps.assign((threads + WARP - 1) / WARP, Warp());
        for (Fiber& fiber : b.fibers) prepare(fiber);
        run_block();
    }
    block = nullptr;
}

/* What a warp does together: the lane that comes last calls `work` with what all lanes brought. */
template <typename Mine>
void together(Mine& mine, void (*work)(Mine* const*)) {
    Warp& warp = block->warps[threadIdx.x / WARP];
    warp.lanes[threadIdx.x % WARP] = &mine;
    const long turn = warp.turn;
    if (++warp.arrived == WARP) {
        work(reinterpret_cast<Mine* const*>(warp.lanes));
        warp.arrived = 0;
        ++warp.turn;
    }
    wait([&] { return warp.turn != turn; });
}

inline float wide(uint32_t bfloat16) {
    const uint32_t bits = bfloat16 << 16;
    float value;
    std::memcpy(&value, &bits, 4);
    return value;
}

inline uint32_t narrow(float value) {
    uint32_t bits;
    std::memcpy(&bits, &value, 4);
    return (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
}

}  // namespace host

inline void __syncthreads() {
    host::Block& b = *host::block;
    const long turn = b.turn;
    if (++b.at_barrier == (int)b.fibers.size()) {
        b.at_barrier = 0;
        ++b.turn;
    }
    host::wait([&] { return b.turn != turn; });
}

/* Of a whole warp, as all operations of a warp here. */
inline float __shfl_down_sync(unsigned, float value, int down) {
    struct Mine { float in, out; int down; } mine = {value, 0.0f, down};
    host::together<Mine>(mine, [](Mine* const* lanes) {
        for (int i = 0; i < host::WARP; ++i) lanes[i]->out = lanes[i + lanes[i]->down < host::WARP ? i + lanes[i]->down : i]->in;
    });
    return mine.out;
}

/* What kernels write in PTX. */
inline unsigned char* shared_memory() { return host::block->shared.get(); }

inline void mma(float (&sum)[4], const uint32_t (&a)[4], const uint32_t (&b)[2]) {
    struct Mine { float* sum; const uint32_t *a, *b; } mine = {sum, a, b};
    host::together<Mine>(mine, [](Mine* const* lanes) {
        float left[16][16], right[16][8];
        for (int lane = 0; lane < host::WARP; ++lane) {
            const int group = lane / 4, two = 2 * (lane % 4);
            for (int half = 0; half < 2; ++half) {
                const int shift = 16 * half;
                for (int r = 0; r < 4; ++r)  // rows + 8 in registers 1 and 3, columns + 8 in 2 and 3
                    left[group + 8 * (r % 2)][two + half + 8 * (r / 2)] = host::wide(lanes[lane]->a[r] >> shift & 0xFFFF);
                for (int r = 0; r < 2; ++r) right[two + half + 8 * r][group] = host::wide(lanes[lane]->b[r] >> shift & 0xFFFF);
            }
        }
        for (int lane = 0; lane < host::WARP; ++lane)
            for (int c = 0; c < 4; ++c) {  // rows + 8 in 2 and 3
                const int row = lane / 4 + 8 * (c / 2), column = 2 * (lane % 4) + c % 2;
                double total = lanes[lane]->sum[c];
                for (int k = 0; k < 16; ++k) total += (double)left[row][k] * right[k][column];
                lanes[lane]->sum[c] = (float)total;
            }
    });
}

inline void load_matrices(uint32_t (&a)[4], const uint16_t* row) {
    struct Mine { uint32_t* a; const uint16_t* row; } mine = {a, row};
    if (reinterpret_cast<uintptr_t>(row) % 16) {
        std::fprintf(stderr, "cuda_host: load_matrices: a row at %p is not aligned to 16 bytes\n", (const void*)row);
        std::exit(3);
    }
    host::together<Mine>(mine, [](Mine* const* lanes) {
        for (int lane = 0; lane < host::WARP; ++lane)
            for (int r = 0; r < 4; ++r) std::memcpy(&lanes[lane]->a[r], lanes[8 * r + lane / 4]->row + 2 * (lane % 4), 4);
    });
}

inline uint32_t two_bfloat16(float low, float high) { return host::narrow(high) << 16 | host::narrow(low); }

inline void copy_16(unsigned char* to, const unsigned char* from) {
    if ((reinterpret_cast<uintptr_t>(to) | reinterpret_cast<uintptr_t>(from)) % 16) {
        std::fprintf(stderr, "cuda_host: copy_16: %p to %p is not aligned to 16 bytes\n", (const void*)from, (void*)to);
        std::exit(3);
    }
    host::Block& b = *host::block;
    if (b.backwards)
        b.fibers[b.current].groups.back().push_back({to, from});
    else
        std::memcpy(to, from, 16);
}

inline void commit_copies() { host::block->fibers[host::block->current].groups.emplace_back(); }

template <int LEFT>
inline void wait_copies() {
    auto& groups = host::block->fibers[host::block->current].groups;  // the last one is open
    while ((int)groups.size() > LEFT + 1) {
        for (const host::Copy& copy : groups.front()) std::memcpy(copy.to, copy.from, 16);
        groups.erase(groups.begin());
    }
}
