/* Kernels with a mistake each, for the test of cuda_host.h: planted WHICH prints a number, or is caught. */

#include "cuda_host.h"

constexpr int THREADS = 64;

/* Each thread adds its neighbour's value in shared memory to its own; the last one has no neighbour. */
static void neighbours(int* out, int values) {
    int* held = reinterpret_cast<int*>(shared_memory());
    const int me = threadIdx.x;
    held[me] = me;
    __syncthreads();
    out[me] = held[me] + (me + 1 < values ? held[me + 1] : 0);
}

static void divergent(int* out) {
    if (threadIdx.x % 2) __syncthreads();
    out[threadIdx.x] = 1;
}

/* Reads what another thread writes, without a barrier between. */
static void race(int* out) {
    int* held = reinterpret_cast<int*>(shared_memory());
    held[threadIdx.x] = threadIdx.x;
    out[threadIdx.x] = held[THREADS - 1 - threadIdx.x];
}

/* Uses a copy before waiting for it, or after. */
static void hasty(int* out, const int* in, bool waits) {
    unsigned char* to = shared_memory() + 16 * threadIdx.x;
    copy_16(to, reinterpret_cast<const unsigned char*>(in + 4 * threadIdx.x));
    commit_copies();
    if (waits) wait_copies<0>();
    out[threadIdx.x] = *reinterpret_cast<int*>(to);
    wait_copies<0>();
}

int main(int argc, char** argv) {
    if (argc != 3) return 2;
    const char* which = argv[1];
    const bool backwards = std::atoi(argv[2]);
    const auto is = [&](const char* name) { return !std::strcmp(which, name); };
    const std::unique_ptr<int[]> out(new int[THREADS]()), in(new int[4 * THREADS]);
    for (int i = 0; i < 4 * THREADS; ++i) in[i] = i / 4;
    std::function<void()> kernel;
    if (is("right")) kernel = [&] { neighbours(out.get(), THREADS); };
    if (is("beyond")) kernel = [&] { neighbours(out.get(), THREADS + 1); };
    if (is("divergent")) kernel = [&] { divergent(out.get()); };
    if (is("race")) kernel = [&] { race(out.get()); };
    if (is("hasty")) kernel = [&] { hasty(out.get(), in.get(), false); };
    if (is("patient")) kernel = [&] { hasty(out.get(), in.get(), true); };
    const size_t bytes = is("hasty") || is("patient") ? 16 * THREADS : sizeof(int) * THREADS;
    host::launch(1, THREADS, bytes, backwards, kernel);
    long sum = 0;
    for (int i = 0; i < THREADS; ++i) sum += out[i];
    std::printf("%ld\n", sum);
    return 0;
}
