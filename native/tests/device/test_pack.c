// SPDX-License-Identifier: Apache-2.0
/* Packing: there and back gives the file's bytes; a decoded row is the format's own; bad shapes are refused. */
#include "device/cpu/pack.h"
#include "device/cpu/ref/ref.h"
#include "format/block.h"
#include "shapes.h"
#include "testing.h"

static void there_and_back(void) {
    const uint32_t rows[] = {1, 15, 16, 17, 33}, cols[] = {32, 64, 96, 576};
    for (int t = 0; t < SHAPES_TYPES; t++)
        for (int r = 0; r < 5; r++)
            for (int c = 0; c < 4; c++) {
                uint32_t width = shapes_whole(shapes_types[t], cols[c]);
                shapes_matrix m = shapes_matrix_new(shapes_types[t], rows[r], width, false);
                uint8_t *back = shapes_new(m.row_bytes * CPU_TILE);
                for (uint32_t tile = 0; tile < m.weight.tiles; tile++) {
                    uint32_t left = rows[r] - tile * CPU_TILE, n = left < CPU_TILE ? left : CPU_TILE;
                    pack_untile(shapes_types[t], m.tiles + tile * m.weight.tile_bytes, n, width, m.row_bytes, back);
                    CHECK(memcmp(back, m.file + (size_t)tile * CPU_TILE * m.row_bytes, n * m.row_bytes) == 0);
                }
                shapes_free(back);
                shapes_matrix_free(&m);
            }
}

static void a_tile_is_sixteen_rows(void) {
    for (int t = 0; t < SHAPES_TYPES; t++) {
        const block_format *f = block_find(shapes_types[t]);
        CHECK_EQUAL(pack_tile_bytes(f->type, 768), (size_t)768 / f->length * f->bytes * CPU_TILE);
    }
    CHECK_EQUAL(pack_tile_bytes(BLOCK_F32, 7), 7 * 64);
}

static void bad_shapes_are_refused(void) {
    CHECK_EQUAL(pack_tile_bytes(BLOCK_Q4_0, 33), 0);
    CHECK_EQUAL(pack_tile_bytes(BLOCK_Q8_0, 0), 0);
    CHECK_EQUAL(pack_tile_bytes(BLOCK_Q4_K, 128), 0);
    CHECK_EQUAL(pack_tile_bytes(BLOCK_Q6_K, 0), 0);
    CHECK_EQUAL(pack_tile_bytes(16, 256), 0);
    CHECK_EQUAL(pack_tile_bytes(7777, 256), 0);
}

/* Rows beyond the matrix multiply to zero. */
static void short_tiles_end_in_zeros(void) {
    for (int t = 0; t < SHAPES_TYPES; t++) {
        shapes_matrix m = shapes_matrix_new(shapes_types[t], 3, 256, false);
        float out[256];
        for (uint32_t r = 3; r < 16; r++) {
            ref_decode_row(&m.weight, r, out);
            for (int k = 0; k < 256; k++) CHECK(out[k] == 0.0f);
        }
        shapes_matrix_free(&m);
    }
}

static void rows_decode_as_in_the_file(void) {
    float mine[512], theirs[512];
    for (int t = 0; t < SHAPES_TYPES; t++) {
        shapes_matrix m = shapes_matrix_new(shapes_types[t], 37, 512, false);
        for (uint32_t r = 0; r < 37; r++) {
            block_find(shapes_types[t])->decode(m.file + r * m.row_bytes, 512, theirs);
            ref_decode_row(&m.weight, r, mine);
            CHECK(memcmp(mine, theirs, sizeof mine) == 0);
        }
        shapes_matrix_free(&m);
    }
    shapes_matrix odd = shapes_matrix_new(BLOCK_F16, 5, 7, false);
    block_find(BLOCK_F16)->decode(odd.file + 4 * odd.row_bytes, 7, theirs);
    ref_decode_row(&odd.weight, 4, mine);
    CHECK(memcmp(mine, theirs, 7 * sizeof(float)) == 0);
    shapes_matrix_free(&odd);
}

int main(int argc, char **argv) {
    testing_begin(argc, argv);
    TEST(there_and_back);
    TEST(a_tile_is_sixteen_rows);
    TEST(bad_shapes_are_refused);
    TEST(short_tiles_end_in_zeros);
    TEST(rows_decode_as_in_the_file);
    return testing_end();
}
