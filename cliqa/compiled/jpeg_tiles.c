#include "routines.h"

#include <string.h>

enum { SOME = 256 };

/* Pixels of 3 or 4 bytes as one number each: only so are they taken apart many at once. The last one is read byte by byte, since it may lie
 * at the end of what can be read. */
static inline __attribute__((always_inline)) void whole_pixels(const uint8_t *rgb, int64_t step, int64_t count, uint32_t *restrict out)
{
    int64_t done = 0;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    for (; done + 1 < count; done++)
        memcpy(out + done, rgb + step * done, sizeof *out);
#endif
    for (; done < count; done++) {
        const uint8_t *pixel = rgb + step * done;
        out[done] = pixel[0] | (uint32_t)pixel[1] << 8 | (uint32_t)pixel[2] << 16;
    }
}

static inline __attribute__((always_inline)) void luma_row(
    const uint8_t *rgb, int64_t step, int64_t channel, int64_t count, const float *weights, int64_t rounded, float *restrict out)
{
    const float red = weights[0], green = weights[1], blue = weights[2];
    int64_t done = 0;
    if (step >= 3 && channel == 1)
        for (; done < count; done += SOME) {
            uint32_t pixels[SOME];
            const int64_t many = count - done < SOME ? count - done : SOME;
            whole_pixels(rgb + step * done, step, many, pixels);
            for (int64_t i = 0; i < many; i++)
                out[done + i] = red * (float)(int32_t)(pixels[i] & 255) + green * (float)(int32_t)(pixels[i] >> 8 & 255)
                                + blue * (float)(int32_t)(pixels[i] >> 16 & 255);
        }
    for (int64_t i = done; i < count; i++) {
        const uint8_t *pixel = rgb + i * step;
        out[i] = red * pixel[0] + green * pixel[channel] + blue * pixel[2 * channel];
    }
    const float whole = rounded ? 12582912.0f : 0; /* 1.5 * 2^23: what is added to it is rounded to even */
    for (int64_t i = 0; i < count; i++)
        out[i] = out[i] + whole - whole - 128;
}

/* Luma minus 128 of `rows` of `count` pixels, `apart` bytes from each other in `rgb` and `out_apart` numbers in `out`. Pixels lie `step`
 * bytes apart: 1 where a row has three planes, one after the other, else 3, 4 or, where some are left out, more. */
ROUTINE void luma_rows(const uint8_t *STRIDED rgb, int64_t rows, int64_t count, int64_t apart, int64_t step, const float *weights, int64_t rounded,
                       float *STRIDED out, int64_t out_apart)
{
    for (int64_t row = 0; row < rows; row++, rgb += apart, out += out_apart) {
        if (step == 1)
            luma_row(rgb, 1, count, count, weights, rounded, out);
        else if (step == 3)
            luma_row(rgb, 3, 1, count, weights, rounded, out);
        else if (step == 4)
            luma_row(rgb, 4, 1, count, weights, rounded, out);
        else
            luma_row(rgb, step, 1, count, weights, rounded, out);
    }
}

enum { ROW_MOST = 1024 };

/* The sums of luma minus 128 of such pixels, in rows of ROW_MOST at most, and of its squares: sums (2). */
ROUTINE void luma_sums(const uint8_t *STRIDED rgb, int64_t rows, int64_t count, int64_t apart, int64_t step, const float *weights, double *restrict sums)
{
    enum { LANES = 16 };
    float line[ROW_MOST + LANES];
    double sum = 0, square = 0;
    for (int64_t row = 0; row < rows; row++, rgb += apart) {
        float lanes[LANES] = {0}, squares[LANES] = {0};
        if (step == 3)
            luma_row(rgb, 3, 1, count, weights, 0, line);
        else
            luma_row(rgb, 4, 1, count, weights, 0, line);
        memset(line + count, 0, LANES * sizeof *line);
        for (int64_t start = 0; start < count; start += LANES)
            for (int lane = 0; lane < LANES; lane++) {
                lanes[lane] += line[start + lane];
                squares[lane] += line[start + lane] * line[start + lane];
            }
        for (int lane = 0; lane < LANES; lane++) {
            sum += lanes[lane];
            square += squares[lane];
        }
    }
    sums[0] = sum;
    sums[1] = square;
}

enum { BLOCK = 8, BUSY = 48, ROWS = 4 }; /* the latter two as in cliqa/signal/jpeg/drawn.py */

static inline __attribute__((always_inline)) void one_channel(const uint8_t *pixels, int64_t step, int64_t count, uint8_t *restrict out)
{
    if (step == 3) /* known to the compiler, which takes many at once then */
        for (int64_t i = 0; i < count; i++)
            out[i] = pixels[3 * i];
    else if (step == 4)
        for (int64_t i = 0; i < count; i++)
            out[i] = pixels[4 * i];
    else
        for (int64_t i = 0; i < count; i++)
            out[i] = pixels[step * i];
}

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

/* See `_look` there, of one channel of a tile, whose pixels and rows lie so many bytes apart; it has at most 1024 columns.
 * Into found: pixels of every `ROWS`th row like their right neighbours; busy blocks of every so many rows of them; what of those has one
 * value, all together. */
ROUTINE void look_at_tile(const uint8_t *STRIDED channel, int64_t height, int64_t width, int64_t step, int64_t apart, int64_t every, int64_t *found)
{
    uint8_t rows[BLOCK * 1024];
    int64_t same = 0, busy = 0, total = 0;
    for (int64_t y = 0; y < height; y += ROWS) {
        one_channel(channel + y * apart, step, width, rows);
        int32_t equal = 0;
        for (int64_t x = 0; x + 1 < width; x++)
            equal += rows[x] == rows[x + 1];
        same += equal;
    }
    for (int64_t top = 0; top + BLOCK <= height; top += BLOCK * every) {
        for (int64_t y = 0; y < BLOCK; y++)
            one_channel(channel + (top + y) * apart, step, width, rows + y * width);
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

/* Pixels, `step` bytes apart in rows `apart`, channel by channel: out (3, height, width). */
ROUTINE void planes_of(const uint8_t *STRIDED pixels, int64_t height, int64_t width, int64_t step, int64_t apart, uint8_t *restrict out)
{
    for (int64_t y = 0; y < height; y++, out += width)
        for (int64_t channel = 0; channel < 3; channel++) /* inside, so that a row is fetched once */
            one_channel(pixels + channel + y * apart, step, width, out + channel * height * width);
}

/* See `tile_detail` in cliqa/images/patches.py: of tiles of up to `SOME` pixels a side, of `step` bytes each in rows `apart`, the sums (3) and
 * sums of squares (3) of the channels, of every `every`th pixel and row: (rows, columns, 6). */
ROUTINE void tile_sums(const uint8_t *STRIDED pixels, int64_t rows, int64_t columns, int64_t side, int64_t apart, int64_t step, int64_t every,
                       int64_t *restrict out)
{
    const int64_t count = side / every;
    memset(out, 0, rows * columns * 6 * sizeof *out);
    for (int64_t y = every / 2; y < rows * side; y += every) /* row by row, as they lie in memory */
        for (int64_t column = 0; column < columns; column++) {
            uint32_t some[SOME], sums[6] = {0};
            whole_pixels(pixels + y * apart + (column * side + every / 2) * step, every * step, count, some);
            for (int64_t i = 0; i < count; i++) {
                const uint32_t red = some[i] & 255, green = some[i] >> 8 & 255, blue = some[i] >> 16 & 255;
                sums[0] += red;
                sums[1] += green;
                sums[2] += blue;
                sums[3] += red * red;
                sums[4] += green * green;
                sums[5] += blue * blue;
            }
            for (int64_t i = 0; i < 6; i++)
                out[(y / side * columns + column) * 6 + i] += sums[i];
        }
}

enum { PLACES = BLOCK * BLOCK, LONGEST = 256 };

/* What a row's values, mirrored alike about the middle of each `BLOCK`, sum up to by the first half of an even cosine, from each on. */
static inline __attribute__((always_inline)) void even_cosine(const float *values, int64_t apart, const float *cosine, int64_t count, float *restrict out)
{
    for (int64_t x = 0; x < count; x++)
        out[x] = (values[x] + values[x + 7 * apart]) * cosine[0] + (values[x + apart] + values[x + 6 * apart]) * cosine[1]
                 + (values[x + 2 * apart] + values[x + 5 * apart]) * cosine[2] + (values[x + 3 * apart] + values[x + 4 * apart]) * cosine[3];
}

/* See `near_zeros` in cliqa/signal/jpeg/parts.py: of each of some planes, `apart` numbers from each other with rows `stride` apart, how many of
 * the coefficients (v, u) of the pairs are less than `zero`, at each offset: (count, 64). `dct` is the matrix; the frequencies are even
 * and those with the same u follow each other. The sides are at most `LONGEST`. */
ROUTINE void near_zeros(const float *STRIDED planes, int64_t count, int64_t height, int64_t width, int64_t apart, int64_t stride, const float *dct,
                        const int64_t *pairs, int64_t pair_count, float zero, int64_t *restrict found)
{
    const int64_t rows = (height - 7) / BLOCK * BLOCK, columns = (width - 7) / BLOCK * BLOCK;
    static _Thread_local float across[LONGEST * LONGEST];
    for (int64_t plane = 0; plane < count; plane++, planes += apart, found += PLACES) {
        int32_t counts[BLOCK][LONGEST] = {{0}};
        for (int64_t pair = 0; pair < pair_count; pair++) {
            const int64_t v = pairs[2 * pair], u = pairs[2 * pair + 1];
            if (!pair || u != pairs[2 * pair - 1])
                for (int64_t y = 0; y < rows + 7; y++)
                    even_cosine(planes + y * stride, 1, dct + BLOCK * u, columns, across + y * columns);
            for (int64_t y = 0; y < rows; y++) {
                float values[LONGEST];
                even_cosine(across + y * columns, columns, dct + BLOCK * v, columns, values);
                int32_t *restrict row = counts[y % BLOCK];
                for (int64_t x = 0; x < columns; x++)
                    row[x] += __builtin_fabsf(values[x]) < zero;
            }
        }
        for (int64_t place = 0; place < PLACES; place++) {
            found[place] = 0;
            for (int64_t x = place % BLOCK; x < columns; x += BLOCK)
                found[place] += counts[place / BLOCK][x];
        }
    }
}

/* Of each whole block, on the grid that starts at column x, row y, of tiles rgb (count, 3, height, width), at most 1024 wide, with luma
 * (count, height, width): 1 where its luma is not constant, plus 2 where a channel has a pixel at 0 or 255. */
ROUTINE void block_kinds(const uint8_t *restrict rgb, const float *restrict luma, int64_t count, int64_t height, int64_t width, int64_t x, int64_t y,
                         uint8_t *restrict kinds)
{
    const int64_t rows = (height - y) / BLOCK, columns = (width - x) / BLOCK, whole = height * width, used = columns * BLOCK;
    for (int64_t tile = 0; tile < count; tile++, rgb += 3 * whole, luma += whole)
        for (int64_t row = 0; row < rows; row++, kinds += columns) {
            int32_t varied[1024] = {0};
            uint8_t clipped[1024] = {0};
            const int64_t start = (y + row * BLOCK) * width + x;
            for (int64_t line = 0; line < BLOCK; line++) {
                for (int64_t i = 0; i < used; i++)
                    varied[i] |= luma[start + line * width + i] != luma[start + i];
                for (int64_t channel = 0; channel < 3; channel++) {
                    const uint8_t *restrict pixels = rgb + channel * whole + start + line * width;
                    for (int64_t i = 0; i < used; i++)
                        clipped[i] |= (uint8_t)(pixels[i] - 1) >= 254; /* 0 wraps round to 255 */
                }
            }
            for (int64_t column = 0; column < columns; column++) {
                uint8_t kind = 0;
                for (int64_t i = column * BLOCK; i < (column + 1) * BLOCK; i++)
                    kind |= varied[i] | (luma[start + i] != luma[start + column * BLOCK]) | (clipped[i] << 1);
                kinds[column] = kind;
            }
        }
}

/* Some of the blocks of luma that `block_kinds` goes through, by their numbers: out (chosen, 64). */
ROUTINE void cut_blocks(const float *luma, int64_t height, int64_t width, int64_t x, int64_t y, const int64_t *numbers, int64_t chosen, float *out)
{
    const int64_t rows = (height - y) / BLOCK, columns = (width - x) / BLOCK;
    for (int64_t i = 0; i < chosen; i++) {
        const int64_t tile = numbers[i] / (rows * columns), row = numbers[i] / columns % rows, column = numbers[i] % columns;
        const float *block = luma + (tile * height + y + row * BLOCK) * width + x + column * BLOCK;
        for (int64_t line = 0; line < BLOCK; line++, out += BLOCK)
            memcpy(out, block + line * width, BLOCK * sizeof *out);
    }
}
