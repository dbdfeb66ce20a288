/* The kernels of drylab/kernels/gine.cu on a CPU, to be launched by name as CuPy does (tests/gpu/cupy_on_host.py). */

#include "cuda_host.h"

#include "../../drylab/kernels/gine.cu"

#include <utility>

template <typename... Arguments, size_t... At>
static void launch(void (*kernel)(Arguments...), void** given, int grid, int threads, size_t shared, std::index_sequence<At...>) {
    host::launch(grid, threads, shared, false, [&] { kernel(*static_cast<Arguments*>(given[At])...); });
}

template <typename... Arguments>
static int launch(void (*kernel)(Arguments...), void** given, int count, int grid, int threads, size_t shared) {
    if (count != (int)sizeof...(Arguments)) return 1;
    launch(kernel, given, grid, threads, shared, std::index_sequence_for<Arguments...>());
    return 0;
}

/* given: pointers to the arguments. 0, or 1 if they are too many or too few, or no kernel has that name. */
extern "C" int launch(const char* name, void** given, int count, int grid, int threads, size_t shared) {
    const auto is = [&](const char* known) { return !std::strcmp(name, known); };
    if (is("pack")) return launch(pack, given, count, grid, threads, shared);
    if (is("list_tiles")) return launch(list_tiles, given, count, grid, threads, shared);
    if (is("gine")) return launch(gine, given, count, grid, threads, shared);
    if (is("probe")) return launch(probe, given, count, grid, threads, shared);
    return 1;
}
