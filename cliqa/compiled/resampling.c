/* Residuals of resampling, and how often neighbouring ones go together: the loops of cliqa.signal.resampling. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "routines.h"

/* Residuals of `spectra.RESIDUALS` of a plane (rows, width), width > 8, as roots of their sizes, squares or sizes: seven arrays one after
   the other, whose rows are shorter by 1, 4, 1, 2, 8, 6 and 6. Returns 0, or 1 for no memory. */
ROUTINE int residual_sizes(const float *restrict plane, int64_t rows, int64_t width, float *restrict sizes) {
    float *restrict one = malloc(width * sizeof(float)), *restrict two = malloc(width * sizeof(float));
    const int failed = !one || !two;
    float *restrict root = sizes, *restrict root4 = root + rows * (width - 1), *restrict square = root4 + rows * (width - 4);
    float *restrict square2 = square + rows * (width - 1), *restrict sum6 = square2 + rows * (width - 2), *restrict sum4 = sum6 + rows * (width - 8);
    float *restrict sixth = sum4 + rows * (width - 6);
    for (int64_t row = 0; !failed && row < rows; row++, root += width - 1, root4 += width - 4, square += width - 1) {
        const float *from = plane + row * width;
        for (int64_t x = 0; x < width - 1; x++) one[x] = from[x + 1] - from[x];
        for (int64_t x = 0; x < width - 1; x++) root[x] = sqrtf(fabsf(one[x]));
        for (int64_t x = 0; x < width - 1; x++) square[x] = one[x] * one[x];
        for (int64_t x = 0; x < width - 2; x++) two[x] = one[x + 1] - one[x];
        for (int64_t x = 0; x < width - 2; x++) square2[x] = two[x] * two[x];
        for (int64_t x = 0; x < width - 3; x++) one[x] = two[x + 1] - two[x];
        for (int64_t x = 0; x < width - 4; x++) two[x] = one[x + 1] - one[x];
        for (int64_t x = 0; x < width - 4; x++) root4[x] = sqrtf(fabsf(two[x]));
        for (int64_t x = 0; x < width - 5; x++) one[x] = two[x + 1] + two[x];
        for (int64_t x = 0; x < width - 6; x++) sum4[x] = (one[x + 1] + one[x]) * (one[x + 1] + one[x]);
        for (int64_t x = 0; x < width - 5; x++) one[x] = two[x + 1] - two[x];
        for (int64_t x = 0; x < width - 6; x++) two[x] = one[x + 1] - one[x];
        for (int64_t x = 0; x < width - 6; x++) sixth[x] = fabsf(two[x]);
        for (int64_t x = 0; x < width - 7; x++) one[x] = two[x + 1] + two[x];
        for (int64_t x = 0; x < width - 8; x++) sum6[x] = (one[x + 1] + one[x]) * (one[x + 1] + one[x]);
        square2 += width - 2, sum6 += width - 8, sum4 += width - 6, sixth += width - 6;
    }
    free(one), free(two);
    return failed;
}

/* How often each triple of levels occurs in `tiles` parts of (rows, columns) residuals, whose lines are `line` and parts `part` apart:
   counts (tiles, levels^3) are added to. A level is how many of `limits`, `many` > 0 of them, a residual reaches on both sides of 0;
   the second and third of a triple lie `one` and `two` from the first. Returns 0, or 1 for no memory. */
ROUTINE int triple_counts(const int16_t *STRIDED residuals, int64_t tiles, int64_t part, int64_t rows, int64_t columns, int64_t line, int64_t one,
                          int64_t two, const int16_t *limits, int64_t many, int64_t *counts) {
    const int64_t levels = 2 * many + 1, kinds = levels * levels * levels;
    uint16_t *numbers = malloc(columns * sizeof(uint16_t));
    uint32_t *some = calloc(4 * kinds, sizeof(uint32_t)); /* four counts in turn: none waits for the one before it */
    const int failed = !numbers || !some;
    for (int64_t tile = 0; !failed && tile < tiles; tile++) {
        for (int64_t row = 0; row < rows; row++) {
            const int16_t *from = residuals + tile * part + row * line;
            for (int member = 0; member < 3; member++) {
                const int16_t *restrict at = from + (member == 0 ? 0 : member == 1 ? one : two);
                for (int64_t column = 0; column < columns; column++) numbers[column] = member ? numbers[column] * (uint16_t)levels : 0;
                for (int64_t limit = 0; limit < many; limit++) {
                    const int16_t above = limits[limit] - 1, below = -limits[limit];
                    for (int64_t column = 0; column < columns; column++)
                        numbers[column] -= (uint16_t)-(at[column] > above) + (uint16_t)-(at[column] > below);
                }
            }
            int64_t column = 0;
            for (; column + 4 <= columns; column += 4)
                for (int turn = 0; turn < 4; turn++) some[turn * kinds + numbers[column + turn]]++;
            for (; column < columns; column++) some[numbers[column]]++;
        }
        for (int turn = 0; turn < 4; turn++)
            for (int64_t kind = 0; kind < kinds; kind++) counts[tile * kinds + kind] += some[turn * kinds + kind];
        memset(some, 0, 4 * kinds * sizeof(uint32_t));
    }
    free(numbers), free(some);
    return failed;
}

/* Of `count` planes (rows, columns), their values or with `sizes` those without sign, cut to low ... high: the sums of values and of
   squares, power (count, 2), and for each of `many` periods the sums of each phase of its lines and columns over whole periods, one
   after the other, phases (count, sum of period^2). Returns 0, or 1 for no memory. */
ROUTINE int phase_sums(const int16_t *planes, int64_t count, int64_t rows, int64_t columns, int64_t low, int64_t high, int64_t sizes,
                       const int64_t *periods, int64_t many, int64_t *power, int64_t *phases) {
    const int16_t least = low, most = high;
    int64_t room = 0;
    for (int64_t each = 0; each < many; each++) room += periods[each];
    int16_t *cut = malloc(columns * sizeof(int16_t));
    int32_t *lines = malloc(room * columns * sizeof(int32_t));
    const int failed = !cut || !lines;
    for (int64_t plane = 0; !failed && plane < count; plane++) {
        int64_t total = 0, squares = 0;
        memset(lines, 0, room * columns * sizeof(int32_t));
        for (int64_t row = 0; row < rows; row++) {
            const int16_t *from = planes + (plane * rows + row) * columns;
            int32_t sum = 0, square = 0, *first = lines;
            for (int64_t column = 0; column < columns; column++) {
                const int16_t size = from[column] < 0 ? -from[column] : from[column], value = sizes ? size : from[column];
                cut[column] = value < least ? least : value > most ? most : value;
            }
            for (int64_t column = 0; column < columns; column++) sum += cut[column], square += cut[column] * cut[column];
            total += sum, squares += square;
            for (int64_t each = 0; each < many; first += periods[each++] * columns) {
                int32_t *line = first + row % periods[each] * columns;
                if (row < rows / periods[each] * periods[each])
                    for (int64_t column = 0; column < columns; column++) line[column] += cut[column];
            }
        }
        power[2 * plane] = total, power[2 * plane + 1] = squares;
        const int32_t *line = lines;
        for (int64_t each = 0; each < many; each++)
            for (int64_t row = 0; row < periods[each]; row++, line += columns, phases += periods[each]) {
                for (int64_t phase = 0; phase < periods[each]; phase++) phases[phase] = 0;
                for (int64_t left = 0; left + periods[each] <= columns; left += periods[each])
                    for (int64_t phase = 0; phase < periods[each]; phase++) phases[phase] += line[left + phase];
            }
    }
    free(cut), free(lines);
    return failed;
}
