#include "routines.h"

#include <string.h>

static inline __attribute__((always_inline)) void luma_row(
    const uint8_t *rgb, int64_t step, int64_t channel, int64_t count, const float *weights, int64_t rounded, float *restrict out)
{
    const float red = weights[0], green = weights[1], blue = weights[2];
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *pixel = rgb + i * step;
        out[i] = red * pixel[0] + green * pixel[channel] + blue * pixel[2 * channel];
    }
    const float whole = rounded ? 12582912.0f : 0; /* 1.5 * 2^23: what is added to it is rounded to even */
    for (int64_t i = 0; i < count; i++)
        out[i] = out[i] + whole - whole - 128;
}

/* Luma minus 128 of `rows` of `count` pixels, `apart` numbers from each other in `rgb` and `out_apart` in `out`; their channels lie
 * `channel` apart: planes, or pixel by pixel where that is 1. */
ROUTINE void luma_rows(const uint8_t *rgb, int64_t rows, int64_t count, int64_t apart, int64_t channel, const float *weights, int64_t rounded,
                       float *out, int64_t out_apart)
{
    for (int64_t row = 0; row < rows; row++) {
        if (channel == 1)
            luma_row(rgb + row * apart, 3, 1, count, weights, rounded, out + row * out_apart);
        else
            luma_row(rgb + row * apart, 1, channel, count, weights, rounded, out + row * out_apart);
    }
}

enum { BLOCK = 8, BUSY = 48, ROWS = 4 }; /* the latter two as in cliqa/signal/jpeg/drawn.py */

static int64_t most_of_one_value(const uint8_t *block, int64_t apart)
{
    uint8_t counts[256] = {0}, most = 0;
    for (int64_t y = 0; y < BLOCK; y++)
        for (int64_t x = 0; x < BLOCK; x++) {
            const uint8_t count = ++counts[block[y * apart + x]];
            most = count > most ? count : most;
        }
    return most;
}

/* See `_looked_at` there, of one channel of a tile, whose pixels lie three bytes apart; it has at most 1024 columns.
 * Into found: pixels of every `ROWS`th row like their right neighbours; busy blocks of every so many rows of them; what of those has one
 * value, all together. */
ROUTINE void look_at_tile(const uint8_t *channel, int64_t height, int64_t width, int64_t every, int64_t *found)
{
    uint8_t rows[BLOCK * 1024];
    int64_t same = 0, busy = 0, total = 0;
    for (int64_t y = 0; y < height; y += ROWS)
        for (int64_t x = 0; x + 1 < width; x++)
            same += channel[(y * width + x) * 3] == channel[(y * width + x + 1) * 3];
    for (int64_t top = 0; top + BLOCK <= height; top += BLOCK * every) {
        for (int64_t i = 0; i < BLOCK * width; i++)
            rows[i] = channel[(top * width + i) * 3];
        uint8_t most[1024], least[1024];
        memcpy(most, rows, width);
        memcpy(least, rows, width);
        for (int64_t y = 1; y < BLOCK; y++)
            for (int64_t x = 0; x < width; x++) {
                const uint8_t value = rows[y * width + x];
                most[x] = value > most[x] ? value : most[x];
                least[x] = value < least[x] ? value : least[x];
            }
        for (int64_t left = 0; left + BLOCK <= width; left += BLOCK) {
            uint8_t high = most[left], low = least[left];
            for (int64_t x = left + 1; x < left + BLOCK; x++) {
                high = most[x] > high ? most[x] : high;
                low = least[x] < low ? least[x] : low;
            }
            if (high - low > BUSY) {
                busy++;
                total += most_of_one_value(rows + left, width);
            }
        }
    }
    found[0] = same;
    found[1] = busy;
    found[2] = total;
}
