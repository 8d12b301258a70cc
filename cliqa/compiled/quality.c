/* What goes into the encoder, what is read of its maps, and statistics of a picture's own pixels beside it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "routines.h"

enum { LANES = 16, TOGETHER = 1024 }; /* sums of one lane each, and how many values are added before they go to a longer number */

/* Bytes (pixels, 3) to values (3, pixels): those of the table (3, 256). */
ROUTINE void looked_up(const uint8_t *restrict bytes, int64_t pixels, const float *restrict table, float *restrict values) {
    for (int channel = 0; channel < 3; channel++)
        for (int64_t pixel = 0; pixel < pixels; pixel++)
            values[channel * pixels + pixel] = table[256 * channel + bytes[3 * pixel + channel]];
}

/* The sum of values less `level`, or with `square` that of their squares. */
static inline __attribute__((always_inline)) double sum_of(const float *restrict values, int64_t count, float level, int square) {
    double sum = 0;
    for (int64_t start = 0; start < count; start += TOGETHER) {
        const int64_t end = start + TOGETHER < count ? start + TOGETHER : count;
        float lanes[LANES] = {0};
        int64_t at = start;
        for (; at + LANES <= end; at += LANES)
            for (int lane = 0; lane < LANES; lane++) {
                const float value = values[at + lane] - level;
                lanes[lane] += square ? value * value : value;
            }
        for (; at < end; at++) {
            const float value = values[at] - level;
            lanes[0] += square ? value * value : value;
        }
        for (int lane = 0; lane < LANES; lane++) sum += lanes[lane];
    }
    return sum;
}

/* Of maps (channels, pixels) the mean of every channel, then its deviation: (2, channels). */
ROUTINE void channel_statistics(const float *restrict maps, int64_t channels, int64_t pixels, float *restrict found) {
    for (int64_t channel = 0; channel < channels; channel++) {
        const float *map = maps + channel * pixels;
        const float mean = (float)(sum_of(map, pixels, 0, 0) / pixels);
        found[channel] = mean;
        found[channels + channel] = sqrtf((float)(sum_of(map, pixels, mean, 1) / pixels) + 1e-6f);
    }
}

/* Of maps (channels, rows, columns) the mean of every channel, levels (channels), and of its values less that the sums, and those of
   squares, in whole cells of `side` x `side`: (channels, rows / side, columns / side). Returns 0, or 1 for no memory. */
ROUTINE int cell_sums(const float *restrict maps, int64_t channels, int64_t rows, int64_t columns, int64_t side, float *restrict levels,
                      float *restrict sums, float *restrict squares) {
    const int64_t high = rows / side, wide = columns / side;
    float *restrict down = malloc(2 * columns * sizeof(float)), *restrict down_squares = down + columns;
    if (!down) return 1;
    for (int64_t channel = 0; channel < channels; channel++) {
        const float *map = maps + channel * rows * columns;
        const float level = (float)(sum_of(map, rows * columns, 0, 0) / (rows * columns));
        levels[channel] = level;
        for (int64_t cell = 0; cell < high; cell++) {
            memset(down, 0, 2 * columns * sizeof(float));
            for (int64_t row = cell * side; row < (cell + 1) * side; row++)
                for (int64_t column = 0; column < columns; column++) {
                    const float value = map[row * columns + column] - level;
                    down[column] += value;
                    down_squares[column] += value * value;
                }
            for (int64_t place = 0; place < wide; place++) {
                float sum = 0, square = 0;
                for (int64_t column = place * side; column < (place + 1) * side; column++) {
                    sum += down[column];
                    square += down_squares[column];
                }
                *sums++ = sum;
                *squares++ = square;
            }
        }
    }
    free(down);
    return 0;
}

/* Of planes (count, height, width) the steps between neighbours, no larger than `limit`: their sums across, before each column but the
   first, (width - 1), and down, before each row but the first, (height - 1). */
ROUTINE void clipped_steps(const float *restrict planes, int64_t count, int64_t height, int64_t width, float limit, double *restrict across,
                           double *restrict down) {
    memset(across, 0, (width - 1) * sizeof(double));
    memset(down, 0, (height - 1) * sizeof(double));
    float sums[TOGETHER];
    for (int64_t plane = 0; plane < count; plane++)
        for (int64_t left = 0; left < width; left += TOGETHER) {
            const int64_t columns = left + TOGETHER < width ? TOGETHER : width - left, inner = left + columns < width ? columns : columns - 1;
            const float *from = planes + plane * height * width + left;
            memset(sums, 0, sizeof sums);
            for (int64_t row = 0; row < height; row++, from += width) {
                for (int64_t column = 0; column < inner; column++) {
                    const float step = fabsf(from[column + 1] - from[column]);
                    sums[column] += step < limit ? step : limit;
                }
                if (row + 1 == height) continue;
                float lanes[LANES] = {0};
                int64_t column = 0;
                for (; column + LANES <= columns; column += LANES)
                    for (int lane = 0; lane < LANES; lane++) {
                        const float step = fabsf(from[column + lane + width] - from[column + lane]);
                        lanes[lane] += step < limit ? step : limit;
                    }
                for (; column < columns; column++) {
                    const float step = fabsf(from[column + width] - from[column]);
                    lanes[0] += step < limit ? step : limit;
                }
                for (int lane = 0; lane < LANES; lane++) down[row] += lanes[lane];
            }
            for (int64_t column = 0; column < inner; column++) across[left + column] += sums[column];
        }
}

/* The five-point Laplacian of a row's inner pixels. */
static inline __attribute__((always_inline)) float bend(const float *at, int64_t width) {
    return 4 * at[0] - at[-width] - at[width] - at[-1] - at[1];
}

/* Of planes (count, height, width) the sums of the squares of the Laplacian in cells of `side` x `side`, which begin at the second row and
   column: (count, (height - 2) / side, (width - 2) / side). Returns 0, or 1 for no memory. */
ROUTINE int laplacian_cells(const float *restrict planes, int64_t count, int64_t height, int64_t width, int64_t side, float *restrict sums) {
    const int64_t high = (height - 2) / side, wide = (width - 2) / side;
    float *restrict down = malloc(wide * side * sizeof(float));
    if (!down) return 1;
    for (int64_t plane = 0; plane < count; plane++, planes += height * width)
        for (int64_t cell = 0; cell < high; cell++) {
            memset(down, 0, wide * side * sizeof(float));
            for (int64_t row = cell * side + 1; row < (cell + 1) * side + 1; row++)
                for (int64_t column = 0; column < wide * side; column++) {
                    const float value = bend(planes + row * width + column + 1, width);
                    down[column] += value * value;
                }
            for (int64_t place = 0; place < wide; place++) {
                float sum = 0;
                for (int64_t column = place * side; column < (place + 1) * side; column++) sum += down[column];
                *sums++ = sum;
            }
        }
    free(down);
    return 0;
}

/* Of a plane (height, width), 3 x 3 at least: its variance and that of its Laplacian, found (2). */
ROUTINE void variances(const float *restrict plane, int64_t height, int64_t width, double *restrict found) {
    const int64_t count = height * width, inner = (height - 2) * (width - 2);
    const float mean = (float)(sum_of(plane, count, 0, 0) / count);
    found[0] = sum_of(plane, count, mean, 1) / count;
    double sum = 0, square = 0;
    float bends[TOGETHER];
    for (int64_t row = 1; row + 1 < height; row++)
        for (int64_t left = 1; left + 1 < width; left += TOGETHER) {
            const int64_t columns = left + TOGETHER < width - 1 ? TOGETHER : width - 1 - left;
            for (int64_t column = 0; column < columns; column++) bends[column] = bend(plane + row * width + left + column, width);
            sum += sum_of(bends, columns, 0, 0);
            square += sum_of(bends, columns, 0, 1);
        }
    found[1] = square / inner - (sum / inner) * (sum / inner);
}

enum { BINS = 1024 };

/* The value at a place (0 to count - 2) of the sorted values, finite ones, and the next one: found (2). Returns 0, or 1 for no memory. */
ROUTINE int neighbours_in_order(const float *restrict values, int64_t count, int64_t place, float *restrict found) {
    float low = values[0], high = values[0];
    for (int64_t i = 0; i < count; i++) {
        low = values[i] < low ? values[i] : low;
        high = values[i] > high ? values[i] : high;
    }
    const float scale = high > low ? BINS / (high - low) : 0;
    uint16_t *restrict bins = malloc(count * sizeof(uint16_t));
    float *restrict members = malloc(count * sizeof(float));
    if (!bins || !members) {
        free(bins), free(members);
        return 1;
    }
    for (int64_t i = 0; i < count; i++) {
        const int32_t bin = (int32_t)((values[i] - low) * scale);
        bins[i] = bin < BINS ? bin : BINS - 1;
    }
    uint32_t counts[BINS] = {0};
    for (int64_t i = 0; i < count; i++) counts[bins[i]]++;
    int64_t bin = 0, before = 0, many = 0;
    while (before + counts[bin] <= place) before += counts[bin++];
    float above = high; /* the least beyond the bin */
    for (int64_t i = 0; i < count; i++) {
        if (bins[i] == bin) members[many++] = values[i];
        above = bins[i] > bin && values[i] < above ? values[i] : above;
    }
    int64_t first = 0, last = many - 1, wanted = place - before;
    while (first < last) { /* quickselect */
        const float pivot = members[wanted];
        int64_t i = first, j = last;
        while (i <= j) {
            while (members[i] < pivot) i++;
            while (pivot < members[j]) j--;
            if (i <= j) {
                const float swapped = members[i];
                members[i++] = members[j];
                members[j--] = swapped;
            }
        }
        if (j < wanted) first = i;
        if (wanted < i) last = j;
    }
    found[0] = members[wanted];
    for (int64_t i = wanted + 1; i < many; i++) above = members[i] < above ? members[i] : above;
    found[1] = above;
    free(bins), free(members);
    return 0;
}
