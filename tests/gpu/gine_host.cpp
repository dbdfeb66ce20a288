/* drylab/kernels/gine.cu on a CPU: arrays from a file, through packing, encoder and probes, results to a file (tests/gpu/on_host.py).

   gine_host IN OUT GRID BACKWARDS      a file is arrays one after the other, each its bytes (int64) and then those */

#include "cuda_host.h"

#include "../../drylab/kernels/gine.cu"

#include <string>

struct Array {
    std::unique_ptr<unsigned char[]> bytes;
    int64_t size = 0;
    template <typename T>
    T* as() { return reinterpret_cast<T*>(bytes.get()); }
};

/* Just as long as it is, so that the address sanitizer sees who reads on. */
static Array zeros(int64_t size) { return {std::unique_ptr<unsigned char[]>(new unsigned char[size]()), size}; }

static Array read(FILE* file) {
    int64_t size;
    if (std::fread(&size, 8, 1, file) != 1) std::exit(2);
    Array array = zeros(size);
    if (size && std::fread(array.bytes.get(), size, 1, file) != 1) std::exit(2);
    return array;
}

static void write(FILE* file, const Array& array) {
    if (std::fwrite(&array.size, 8, 1, file) != 1 || (array.size && std::fwrite(array.bytes.get(), array.size, 1, file) != 1)) std::exit(2);
}

int main(int argc, char** argv) {
    if (argc != 5) return 2;
    FILE* in = std::fopen(argv[1], "rb");
    if (!in) return 2;
    const int grid = std::atoi(argv[3]);
    const bool backwards = std::atoi(argv[4]);
    Array sizes = read(in);  // features, layers, classes, probes
    const int features = sizes.as<int>()[0], layers = sizes.as<int>()[1], classes = sizes.as<int>()[2], probes = sizes.as<int>()[3];
    Array x = read(in), begin = read(in), end = read(in), e = read(in), atom_ptr = read(in), bond_ptr = read(in);
    Array kinds = read(in), rests = read(in), stride = read(in), edges = read(in), b1 = read(in), b2 = read(in), steps = read(in);
    Array mean = read(in), total = read(in), constant = read(in), empty = read(in), logistic = read(in);
    std::fclose(in);

    const int n = (int)(atom_ptr.size / 4) - 1, chunks = (n + CHUNK - 1) / CHUNK;
    Array order = zeros(4 * n), row = zeros(n), ends = zeros(4 * n), counts = zeros(4 * chunks), tile_of = zeros(2 * n), row_of = zeros(n);
    Array left = zeros(n), pooled = zeros(4 * (int64_t)n * WIDTH), values = zeros(8 * (int64_t)n * probes);
    const int of_chunks = (chunks + 31) / 32;
    host::launch(of_chunks, 32, 1, backwards, [&] {
        pack(n, atom_ptr.as<int>(), order.as<int>(), row.as<u8>(), ends.as<int>(), counts.as<int>(), tile_of.as<u16>(), row_of.as<u8>(), left.as<u8>());
    });
    for (int i = 1; i < chunks; ++i) counts.as<int>()[i] += counts.as<int>()[i - 1];
    const int all = chunks ? counts.as<int>()[chunks - 1] : 0;
    Array tiles = zeros(8 * all), count = zeros(4);
    *count.as<int>() = all;
    host::launch(of_chunks, 32, 1, backwards, [&] { list_tiles(n, ends.as<int>(), counts.as<int>(), tiles.as<int>()); });
    host::launch(grid, THREADS, sizeof(Shared), backwards, [&] {
        gine(count.as<int>(), tiles.as<int>(), order.as<int>(), row.as<u8>(), atom_ptr.as<int>(), bond_ptr.as<int>(), x.as<u8>(), features,
             stride.as<int>(), begin.as<u8>(), end.as<u8>(), e.as<u8>(), layers, classes, kinds.as<float>(), rests.as<float>(), edges.as<float>(),
             steps.as<u8>(), b1.as<float>(), b2.as<float>(), pooled.as<float>(), left.as<u8>());
    });
    host::launch((n + PER_BLOCK - 1) / PER_BLOCK, THREADS, PER_BLOCK * (WIDTH + 1) * sizeof(float), backwards, [&] {
        probe(n, probes, WIDTH, atom_ptr.as<int>(), pooled.as<float>(), mean.as<double>(), total.as<double>(), constant.as<double>(), empty.as<double>(),
              logistic.as<u8>(), values.as<double>());
    });
    FILE* out = std::fopen(argv[2], "wb");
    if (!out) return 2;
    write(out, pooled);
    write(out, left);
    write(out, values);
    write(out, tiles);
    std::fclose(out);
    return 0;
}
