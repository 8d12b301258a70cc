/* Residuals of resampling, and how often neighbouring ones go together: the loops of cliqa.signal.resampling. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "routines.h"

enum { KINDS = 7 };

/* Residuals of `spectra.RESIDUALS` of a plane (rows, width), width > 8, as roots of their sizes, squares or sizes: means over the rows, (7, width),
   of which the last 1, 4, 1, 2, 8, 6 and 6 mean nothing. Returns 0, or 1 for no memory. */
ROUTINE int residual_means(const float *restrict plane, int64_t rows, int64_t width, float *restrict means) {
    float *restrict line = calloc(4 * (width + 8), sizeof(float)); /* behind each the zeros that the last places read */
    if (!line) return 1;
    float *restrict first = line + width + 8, *restrict fourth = first + width + 8, *restrict sixth = fourth + width + 8;
    memset(means, 0, KINDS * width * sizeof(float));
    for (int64_t row = 0; row < rows; row++) {
        memcpy(line, plane + row * width, width * sizeof(float));
        for (int64_t x = 0; x < width; x++) {
            const float one = line[x + 1] - line[x], next = line[x + 2] - line[x + 1], two = next - one;
            first[x] = two;
            means[x] += sqrtf(fabsf(one));
            means[2 * width + x] += one * one;
            means[3 * width + x] += two * two;
        }
        for (int64_t x = 0; x < width; x++) {
            const float three = first[x + 1] - first[x], four = (first[x + 2] - first[x + 1]) - three;
            fourth[x] = four;
            means[width + x] += sqrtf(fabsf(four));
        }
        for (int64_t x = 0; x < width; x++) {
            const float five = fourth[x + 1] - fourth[x], six = (fourth[x + 2] - fourth[x + 1]) - five;
            const float both = (fourth[x + 2] + fourth[x + 1]) + (fourth[x + 1] + fourth[x]);
            sixth[x] = six;
            means[5 * width + x] += both * both;
            means[6 * width + x] += fabsf(six);
        }
        for (int64_t x = 0; x < width; x++) {
            const float both = (sixth[x + 2] + sixth[x + 1]) + (sixth[x + 1] + sixth[x]);
            means[4 * width + x] += both * both;
        }
    }
    for (int64_t x = 0; x < KINDS * width; x++) means[x] /= rows;
    free(line);
    return 0;
}

/* How many of `limits` each of some residuals reaches on both sides of 0. */
static inline __attribute__((always_inline)) void levels_of(const int16_t *restrict at, int64_t columns, const int16_t *restrict limits, int64_t many,
                                                            uint16_t *restrict levels) {
    memset(levels, 0, columns * sizeof(uint16_t));
    for (int64_t limit = 0; limit < many; limit++) {
        const int16_t above = limits[limit] - 1, below = -limits[limit];
        for (int64_t column = 0; column < columns; column++) levels[column] -= (uint16_t)-(at[column] > above) + (uint16_t)-(at[column] > below);
    }
}

/* How often each triple of levels occurs in `tiles` parts of (rows, columns) residuals, whose lines are `line` and parts `part` apart:
   counts (tiles, levels^3) are added to. A level is how many of `limits`, `many` > 0 of them, a residual reaches on both sides of 0;
   the second and third of a triple lie `one` and `two` from the first. Returns 0, or 1 for no memory. */
ROUTINE int triple_counts(const int16_t *STRIDED residuals, int64_t tiles, int64_t part, int64_t rows, int64_t columns, int64_t line, int64_t one,
                          int64_t two, const int16_t *limits, int64_t many, int64_t *counts) {
    const int64_t levels = 2 * many + 1, kinds = levels * levels * levels, wide = columns + 2;
    const uint16_t by = levels;
    const int along = one == 1 && two == 2, down = one == line && two == 2 * line;
    uint16_t *room = malloc(4 * wide * sizeof(uint16_t)), *numbers = room + 3 * wide;
    uint32_t *some = calloc(4 * kinds, sizeof(uint32_t)); /* four counts in turn: none waits for the one before it */
    const int failed = !room || !some;
    for (int64_t tile = 0; !failed && tile < tiles; tile++) {
        uint16_t *first = room, *second = room + wide, *third = room + 2 * wide;
        for (int64_t row = 0; row < rows; row++) {
            const int16_t *from = residuals + tile * part + row * line;
            if (along) { /* the others are the next ones of the same line */
                levels_of(from, wide, limits, many, first);
                second = first + 1, third = first + 2;
            } else {
                if (!down || row == 0) levels_of(from, columns, limits, many, first), levels_of(from + one, columns, limits, many, second);
                levels_of(from + two, columns, limits, many, third);
            }
            for (int64_t column = 0; column < columns; column++)
                numbers[column] = (uint16_t)((first[column] * by + second[column]) * by + third[column]);
            if (down) { /* the next line's first and second were this one's second and third */
                uint16_t *before = first;
                first = second, second = third, third = before;
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
    free(room), free(some);
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
