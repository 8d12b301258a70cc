#include "routines.h"

enum { LOW = 2, WIDE = 32, TILE = 16, PLAN = 4 }; /* see `LOW` in cliqa/signal/jpeg/corner.py; columns that are summed at once */

/* Lowest coefficients of blocks down lines (length, columns), columns a multiple of `WIDE`: into out (blocks * LOW, columns). */
static inline __attribute__((always_inline)) void along(const float *restrict lines, int64_t columns, const int64_t *restrict starts,
                                                        const int64_t *restrict parts, int64_t blocks, int64_t reach,
                                                        const float *restrict weights, float *restrict out)
{
    for (int64_t block = 0; block < blocks; block++, out += LOW * columns) {
        const float *restrict means = weights + parts[block] * LOW * reach, *restrict slopes = means + reach;
        for (int64_t first = 0; first < columns; first += WIDE) {
            const float *restrict line = lines + starts[block] * columns + first;
            float mean[WIDE] = {0}, slope[WIDE] = {0};
            for (int64_t i = 0; i < reach; i++, line += columns) {
                const float by = means[i], other = slopes[i];
                for (int64_t x = 0; x < WIDE; x++) {
                    mean[x] += by * line[x];
                    slope[x] += other * line[x];
                }
            }
            for (int64_t x = 0; x < WIDE; x++) {
                out[first + x] = mean[x];
                out[columns + first + x] = slope[x];
            }
        }
    }
}

/* See `_lowest` in cliqa/signal/jpeg/corner.py: of lines (width, height), height a multiple of `WIDE`, the coefficients (0, 1), (1, 0) and
 * (1, 1) of the blocks at each step, into out (3, total). plan (steps, PLAN): blocks across, blocks down, output pixels of a block, place of
 * its weights. For each step `starts` and `parts` have its blocks across, then those down. `scratch` has twice `room` numbers, each for the largest
 * table. */
ROUTINE void lowest_coefficients(const float *restrict lines, int64_t width, int64_t height, const int64_t *restrict plan, int64_t steps,
                                 const int64_t *restrict starts, const int64_t *restrict parts, const float *restrict weights,
                                 float *restrict scratch, int64_t room, float *restrict out, int64_t total)
{
    (void)width;
    float *restrict turned = scratch + room;
    for (int64_t step = 0; step < steps; step++, plan += PLAN) {
        const int64_t across = plan[0], down = plan[1], reach = plan[2], columns = (across * LOW + WIDE - 1) / WIDE * WIDE;
        along(lines, height, starts, parts, across, reach, weights + plan[3], scratch);
        for (int64_t top = 0; top < columns; top += TILE) /* by tiles, which stay in the cache */
            for (int64_t y = 0; y < height; y++)
                for (int64_t x = top; x < top + TILE; x++)
                    turned[y * columns + x] = x < across * LOW ? scratch[x * height + y] : 0;
        along(turned, columns, starts + across, parts + across, down, reach, weights + plan[3], scratch);
        for (int64_t y = 0; y < down; y++) {
            const float *restrict mean = scratch + y * LOW * columns, *restrict slope = mean + columns;
            for (int64_t x = 0; x < across; x++) {
                out[x] = mean[x * LOW + 1];
                out[total + x] = slope[x * LOW];
                out[2 * total + x] = slope[x * LOW + 1];
            }
            out += across;
        }
        starts += across + down;
        parts += across + down;
    }
}
