/* Residuals of resampling, and how often neighbouring ones go together: the loops of cliqa.signal.resampling. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "routines.h"

#define KINDS 6   /* of residuals, in the order of `spectra.RESIDUALS` */
#define LANES 256 /* columns that are worked on at once, with margins of 8 */

/* Sums by column of the sizes of the residuals of a plane (height, width), width >= 9, row after row: sums (KINDS, width), each as
   long as its residual. */
ROUTINE void residual_sums(const float *restrict plane, int64_t height, int64_t width, float *restrict sums) {
    float values[LANES + 8], first[LANES + 8], second[LANES + 8], fourth[LANES + 8], sixth[LANES + 8], third[LANES + 8];
    for (int64_t place = 0; place < KINDS * width; place++) sums[place] = 0.0f;
    for (int64_t left = 0; left < width - 1; left += LANES) {
        const int64_t have = width - left < LANES + 8 ? width - left : LANES + 8;
        float *restrict sum[KINDS];
        int64_t most[KINDS];
        static const int shorter[KINDS] = {1, 4, 4, 6, 8, 6};
        for (int kind = 0; kind < KINDS; kind++) {
            sum[kind] = sums + kind * width + left;
            most[kind] = width - left - shorter[kind];
            most[kind] = most[kind] < 0 ? 0 : most[kind] > LANES ? LANES : most[kind];
        }
        for (int place = 0; place < LANES + 8; place++) values[place] = 0.0f;
        for (int64_t row = 0; row < height; row++) {
            const float *from = plane + row * width + left;
            for (int64_t place = 0; place < have; place++) values[place] = from[place];
            for (int place = 0; place < LANES + 7; place++) first[place] = values[place + 1] - values[place];
            for (int place = 0; place < LANES + 6; place++) second[place] = first[place + 1] - first[place];
            for (int place = 0; place < LANES + 5; place++) third[place] = second[place + 1] - second[place];
            for (int place = 0; place < LANES + 4; place++) fourth[place] = third[place + 1] - third[place];
            for (int place = 0; place < LANES + 3; place++) third[place] = fourth[place + 1] - fourth[place];
            for (int place = 0; place < LANES + 2; place++) sixth[place] = third[place + 1] - third[place];
            for (int64_t place = 0; place < most[0]; place++) sum[0][place] += sqrtf(fabsf(first[place]));
            for (int64_t place = 0; place < most[1]; place++) sum[1][place] += sqrtf(fabsf(fourth[place]));
            for (int64_t place = 0; place < most[2]; place++) sum[2][place] += fabsf(fourth[place]);
            for (int64_t place = 0; place < most[3]; place++) sum[3][place] += fabsf(sixth[place]);
            for (int place = 0; place < LANES + 1; place++) second[place] = sixth[place + 1] + sixth[place];
            for (int64_t place = 0; place < most[4]; place++) sum[4][place] += fabsf(second[place + 1] + second[place]);
            for (int place = 0; place < LANES + 3; place++) second[place] = fourth[place + 1] + fourth[place];
            for (int64_t place = 0; place < most[5]; place++) sum[5][place] += fabsf(second[place + 1] + second[place]);
        }
    }
}

/* How often each triple of levels occurs in `tiles` parts of (rows, columns) residuals, whose lines are `line` and parts `part` apart:
   counts (tiles, levels^3) are added to. A level is how many of `limits`, `many` > 0 of them, a residual reaches on both sides of 0;
   the second and third of a triple lie `one` and `two` from the first. Returns 0, or 1 for no memory. */
ROUTINE int triple_counts(const int16_t *residuals, int64_t tiles, int64_t part, int64_t rows, int64_t columns, int64_t line, int64_t one,
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
