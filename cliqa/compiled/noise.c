/* What `grain_noise` reads of a few tiles, block by block. */
#include <math.h>
#include <string.h>

#include "routines.h"

enum { SIDE = 8, SIZE = SIDE * SIDE, BANDS = 12 };

typedef float Row __attribute__((vector_size(4 * SIDE)));
typedef int16_t Words __attribute__((vector_size(2 * SIDE)));
#ifdef __clang__
#define CHOSEN(one, other, ...) __builtin_shufflevector(one, other, __VA_ARGS__)
#else
typedef int32_t Places __attribute__((vector_size(4 * SIDE)));
#define CHOSEN(one, other, ...) __builtin_shuffle(one, other, (Places){__VA_ARGS__})
#endif

/* The transform of a block (8 rows): `matrix` times it times the matrix turned over, `turned`. */
static inline __attribute__((always_inline)) void transformed(const Row *block, const float *matrix, const Row *turned, Row *out) {
    Row half[SIDE];
    for (int v = 0; v < SIDE; v++) {
        Row sum = matrix[SIDE * v] * block[0];
        for (int y = 1; y < SIDE; y++) sum += matrix[SIDE * v + y] * block[y];
        half[v] = sum;
    }
    for (int v = 0; v < SIDE; v++) {
        Row sum = half[v][0] * turned[0];
        for (int x = 1; x < SIDE; x++) sum += half[v][x] * turned[x];
        out[v] = sum;
    }
}

static inline __attribute__((always_inline)) void turn_over(const float *matrix, Row *turned) {
    for (int row = 0; row < SIDE; row++)
        for (int column = 0; column < SIDE; column++) turned[column][row] = matrix[SIDE * row + column];
}

/* Eight rows as eight columns, by three rounds of which each interleaves the upper with the lower half. */
static inline __attribute__((always_inline)) void flipped(Row *rows) {
    for (int round = 0; round < 3; round++) {
        Row out[SIDE];
        for (int pair = 0; pair < SIDE / 2; pair++) {
            out[2 * pair] = CHOSEN(rows[pair], rows[pair + 4], 0, 8, 1, 9, 2, 10, 3, 11);
            out[2 * pair + 1] = CHOSEN(rows[pair], rows[pair + 4], 4, 12, 5, 13, 6, 14, 7, 15);
        }
        memcpy(rows, out, sizeof out);
    }
}

/* Eight values, `apart` from each other, times `matrix`, a DCT, whose rows are even or odd in turn. */
static inline __attribute__((always_inline)) void dct(Row *values, int apart, const float *matrix) {
    Row sums[SIDE / 2], differences[SIDE / 2];
    for (int i = 0; i < SIDE / 2; i++) {
        sums[i] = values[apart * i] + values[apart * (SIDE - 1 - i)];
        differences[i] = values[apart * i] - values[apart * (SIDE - 1 - i)];
    }
    for (int v = 0; v < SIDE; v++) {
        const Row *from = v % 2 ? differences : sums;
        Row sum = matrix[SIDE * v] * from[0];
        for (int i = 1; i < SIDE / 2; i++) sum += matrix[SIDE * v + i] * from[i];
        values[apart * v] = sum;
    }
}

typedef struct {
    const int32_t *starts, *members; /* the members of all bands, one after the other; those of a band begin at its place in `starts` */
    const float *shares;             /* of a member in the mean of its band */
} Bands;

static inline __attribute__((always_inline)) void mean_of(const Row *values, const Bands *bands, int band, Row *mean) {
    Row sum = {0};
    for (int32_t place = bands->starts[band]; place < bands->starts[band + 1]; place++) sum += values[bands->members[place]];
    *mean = sum * bands->shares[band];
}

static const int PAIRS[3][2] = {{0, 1}, {0, 2}, {1, 2}}; /* of channels */

/* RGB tiles (count, 3, size, size), size a multiple of 4, as R + G + B, R - B and R - 2 G + B: planes (3, count, size, size); the sums of
   2 x 2 of these, and of 2 x 2 of those, `halved` and `quartered`; and luma by `weights` (3), not rounded: (count, size, size). */
ROUTINE void opponents(const uint8_t *restrict tiles, int64_t count, int64_t size, const float *restrict weights, int16_t *restrict planes,
                       int16_t *restrict halved, int16_t *restrict quartered, float *restrict luma) {
    const int64_t pixels = size * size;
    for (int64_t tile = 0; tile < count; tile++) {
        const uint8_t *red = tiles + 3 * tile * pixels, *green = red + pixels, *blue = green + pixels;
        int16_t *grey = planes + tile * pixels, *second = grey + count * pixels, *third = second + count * pixels;
        float *light = luma + tile * pixels;
        for (int64_t i = 0; i < pixels; i++) {
            const int16_t r = red[i], g = green[i], b = blue[i];
            grey[i] = r + g + b;
            second[i] = r - b;
            third[i] = r - 2 * g + b;
            light[i] = r * weights[0] + g * weights[1] + b * weights[2];
        }
    }
    for (int scale = 1; scale <= 2; scale++) {
        const int16_t *from = scale == 1 ? planes : halved;
        int16_t *to = scale == 1 ? halved : quartered;
        const int64_t half = size / scale / 2;
        for (int64_t row = 0; row < 3 * count * half; row++, from += 4 * half, to += half)
            for (int64_t i = 0; i < half; i++) to[i] = from[2 * i] + from[2 * i + 1] + from[2 * half + 2 * i] + from[2 * half + 2 * i + 1];
    }
}

/* Of three planes (3, count, height, width), whole 8x8 blocks, in steps of `units` (3): DCT coefficients (3, blocks, 64) by `matrix` (8, 8);
   the means of their squares over the members of BANDS bands: energies (3, BANDS, blocks); and, unless they are NULL, those of their
   products, of `PAIRS`, as means of two, two and three bands: products (3, 3, blocks). Eight blocks are worked on side by side. */
ROUTINE void block_energies(const int16_t *planes, int64_t count, int64_t height, int64_t width, const float *units, const float *matrix,
                            const int32_t *starts, const int32_t *members, const float *shares, float *coefficients, float *energies,
                            float *products) {
    const int64_t wide = width / SIDE, blocks = count * (height / SIDE) * wide;
    const Bands bands = {starts, members, shares};
    for (int64_t group = 0; group < blocks; group += SIDE) {
        const int64_t many = group + SIDE <= blocks ? SIDE : blocks - group;
        Row found[3][SIZE], squares[SIZE];
        int64_t places[SIDE];
        for (int lane = 0; lane < SIDE; lane++) {
            const int64_t block = group + (lane < many ? lane : many - 1);
            places[lane] = block / wide * SIDE * width + block % wide * SIDE;
        }
        for (int channel = 0; channel < 3; channel++) {
            Row *values = found[channel];
            for (int row = 0; row < SIDE; row++) {
                for (int lane = 0; lane < SIDE; lane++) {
                    Words pixels;
                    memcpy(&pixels, planes + (channel * count * height + row) * width + places[lane], sizeof pixels);
                    values[SIDE * row + lane] = __builtin_convertvector(pixels, Row) * units[channel];
                }
                flipped(values + SIDE * row);
                dct(values + SIDE * row, 1, matrix);
            }
            for (int column = 0; column < SIDE; column++) dct(values + column, SIDE, matrix);
            for (int place = 0; place < SIZE; place++) squares[place] = values[place] * values[place];
            for (int band = 0; band < BANDS; band++) {
                Row mean;
                mean_of(squares, &bands, band, &mean);
                memcpy(energies + (channel * BANDS + band) * blocks + group, &mean, many * sizeof(float));
            }
        }
        for (int pair = 0; products && pair < 3; pair++) {
            const Row *one = found[PAIRS[pair][0]], *other = found[PAIRS[pair][1]];
            for (int place = 0; place < SIZE; place++) squares[place] = one[place] * other[place];
            Row rings[SIDE];
            for (int band = 1; band < SIDE; band++) mean_of(squares, &bands, band, rings + band);
            const Row means[3] = {(rings[1] + rings[2]) / 2, (rings[3] + rings[4]) / 2, (rings[5] + rings[6] + rings[7]) / 3};
            for (int part = 0; part < 3; part++) memcpy(products + (3 * pair + part) * blocks + group, means + part, many * sizeof(float));
        }
        for (int channel = 0; channel < 3; channel++)
            for (int row = 0; row < SIDE; row++) {
                flipped(found[channel] + SIDE * row);
                for (int lane = 0; lane < many; lane++)
                    memcpy(coefficients + (channel * blocks + group + lane) * SIZE + SIDE * row, found[channel] + SIDE * row + lane, sizeof(Row));
            }
    }
}

/* In how many 8x8 blocks of planes (count, height, width), which begin at the row and column `first`, each DCT coefficient is smaller than
   `limit`: counts (64). */
ROUTINE void small_coefficients(const float *planes, int64_t count, int64_t height, int64_t width, int64_t first, const float *matrix,
                                float limit, int32_t *restrict counts) {
    Row turned[SIDE];
    turn_over(matrix, turned);
    memset(counts, 0, SIZE * sizeof(int32_t));
    for (int64_t plane = 0; plane < count; plane++, planes += height * width)
        for (int64_t top = first; top + SIDE <= height; top += SIDE)
            for (int64_t left = first; left + SIDE <= width; left += SIDE) {
                Row pixels[SIDE], found[SIDE];
                for (int row = 0; row < SIDE; row++) memcpy(pixels + row, planes + (top + row) * width + left, sizeof(Row));
                transformed(pixels, matrix, turned, found);
                for (int row = 0; row < SIDE; row++)
                    for (int column = 0; column < SIDE; column++) counts[SIDE * row + column] += fabsf(found[row][column]) < limit;
            }
}

enum { SMALL = 4, WIDE = SMALL * SIDE };

/* The same of 4x4 blocks, of which eight at least lie side by side: counts (16). Eight are worked on at once, the last ones of a row of
   blocks together with some that were counted before, which `fresh` leaves out. */
ROUTINE void small_coefficients_of_four(const float *planes, int64_t count, int64_t height, int64_t width, int64_t first, int64_t end,
                                        const float *matrix, float limit, int32_t *restrict counts) {
    memset(counts, 0, SMALL * SMALL * sizeof(int32_t));
    for (int64_t plane = 0; plane < count; plane++, planes += height * width)
        for (int64_t top = first; top + SMALL <= height - end; top += SMALL)
            for (int64_t next = first; next + SMALL <= width - end; next += WIDE) {
                const int64_t last = first + (width - end - first) / SMALL * SMALL - WIDE, left = next < last ? next : last;
                Row rows[SMALL][SMALL], found[SMALL][SMALL]; /* lines of pixels, then frequencies down, each in four parts of two blocks */
                for (int row = 0; row < SMALL; row++) memcpy(rows[row], planes + (top + row) * width + left, sizeof rows[row]);
                for (int v = 0; v < SMALL; v++)
                    for (int part = 0; part < SMALL; part++) {
                        Row sum = matrix[SMALL * v] * rows[0][part];
                        for (int row = 1; row < SMALL; row++) sum += matrix[SMALL * v + row] * rows[row][part];
                        found[v][part] = sum;
                    }
                for (int v = 0; v < SMALL; v += 2) { /* two lines of frequencies: turned over, a row holds four blocks of each */
                    flipped((Row *)found + SMALL * v);
                    for (int odd = 0; odd < 2; odd++)
                        for (int u = 0; u < SMALL; u++) {
                            const Row *values = (Row *)found + SMALL * (v + odd);
                            Row sum = matrix[SMALL * u] * values[0];
                            for (int x = 1; x < SMALL; x++) sum += matrix[SMALL * u + x] * values[x];
                            for (int lane = 0; lane < SIDE; lane++) {
                                const int fresh = left + SMALL * (2 * (lane % SMALL) + odd) >= next;
                                counts[SMALL * (v + lane / SMALL) + u] += (fabsf(sum[lane]) < limit) & fresh;
                            }
                        }
                }
            }
}

enum { REGION = 16 };

typedef uint8_t Bytes __attribute__((vector_size(REGION)));

/* Of grey tiles (count, size, size) by region of 16 x 16: the sum of the squares of what pixels exceed all four neighbours by, the largest
   of these, and the largest range of neighbours: squares, largest, spread (regions). Beyond an edge lie the pixels at the edge. */
ROUTINE void standing_out(const int16_t *restrict grey, int64_t count, int64_t size, float *restrict squares, int16_t *restrict largest,
                          int16_t *restrict spread) {
    const int64_t regions = size / REGION;
    for (int64_t tile = 0; tile < count; tile++, grey += size * size)
        for (int64_t region = 0; region < regions * regions; region++) {
            const int64_t top = region / regions * REGION, left = region % regions * REGION;
            int32_t sums[REGION] = {0};
            int16_t most[REGION] = {0}, wide[REGION] = {0}, line[REGION + 2];
            for (int64_t row = top; row < top + REGION; row++) {
                const int16_t *here = grey + row * size + left, *above = row ? here - size : here, *below = row + 1 < size ? here + size : here;
                memcpy(line + 1, here, REGION * sizeof *line);
                line[0] = left ? here[-1] : here[0];
                line[REGION + 1] = left + REGION < size ? here[REGION] : here[REGION - 1];
                for (int i = 0; i < REGION; i++) {
                    const int16_t one = above[i] > below[i] ? above[i] : below[i], two = above[i] < below[i] ? above[i] : below[i];
                    const int16_t three = line[i] > line[i + 2] ? line[i] : line[i + 2], four = line[i] < line[i + 2] ? line[i] : line[i + 2];
                    const int16_t high = one > three ? one : three, low = two < four ? two : four;
                    const int16_t over = here[i] - high, under = low - here[i], out = over > under ? over : under;
                    const int16_t size_of = out > 0 ? out : 0, range = high - low;
                    sums[i] += size_of * size_of;
                    most[i] = most[i] > size_of ? most[i] : size_of;
                    wide[i] = wide[i] > range ? wide[i] : range;
                }
            }
            float sum = 0;
            for (int i = 0; i < REGION; i++) {
                sum += sums[i];
                most[0] = most[0] > most[i] ? most[0] : most[i];
                wide[0] = wide[0] > wide[i] ? wide[0] : wide[i];
            }
            *squares++ = sum;
            *largest++ = most[0];
            *spread++ = wide[0];
        }
}

/* Of RGB tiles (count, 3, size, size) by region of 16 x 16: how many samples are below 2 and above 253: counts (2, regions of all tiles). */
ROUTINE void clipped_samples(const uint8_t *restrict tiles, int64_t count, int64_t size, int32_t *restrict counts) {
    const int64_t side = size / REGION, regions = count * side * side;
    for (int64_t region = 0; region < regions; region++) {
        const int64_t tile = region / (side * side), top = region / side % side * REGION, left = region % side * REGION;
        Bytes low = {0}, high = {0}; /* at most 48 each */
        for (int64_t row = 0; row < 3 * REGION; row++) {
            Bytes pixels;
            memcpy(&pixels, tiles + ((3 * tile + row / REGION) * size + top + row % REGION) * size + left, sizeof pixels);
            low -= (Bytes)(pixels < 2);
            high -= (Bytes)(pixels > 253);
        }
        int32_t lows = 0, highs = 0;
        for (int i = 0; i < REGION; i++) lows += low[i], highs += high[i];
        counts[region] = lows, counts[regions + region] = highs;
    }
}

enum { LARGEST = 8 * 3 * 255 }; /* of a Laplacian of R + G + B */

/* Of grey tiles R + G + B (count, size, size): the sums of their rows and of their columns, (2, count, size); and how often the
   Laplacian has each size, at every third of the inner pixels of a row: counts (LARGEST + 1), to which it is added. */
ROUTINE void grey_lines(const int16_t *restrict grey, int64_t count, int64_t size, int32_t *restrict lines, int32_t *restrict counts) {
    int32_t *rows = lines, *columns = lines + count * size;
    memset(lines, 0, 2 * count * size * sizeof(int32_t));
    for (int64_t tile = 0; tile < count; tile++, rows += size, columns += size)
        for (int64_t row = 0; row < size; row++, grey += size) {
            int32_t sum = 0;
            for (int64_t column = 0; column < size; column++) {
                sum += grey[column];
                columns[column] += grey[column];
            }
            rows[row] = sum;
            if (row == 0 || row + 1 == size) continue;
            for (int64_t column = 1; column < size - 1; column += 3) {
                const int32_t bend = 4 * grey[column] - grey[column - size] - grey[column + size] - grey[column - 1] - grey[column + 1];
                counts[bend < 0 ? -bend : bend]++;
            }
        }
}

/* How often each byte occurs in one of three channels of tiles (count, 3, pixels): counts (256), to which it is added. */
ROUTINE void channel_counts(const uint8_t *restrict tiles, int64_t count, int64_t pixels, int64_t channel, int32_t *restrict counts) {
    uint32_t some[4][256] = {0}; /* in turn: none waits for a count of the one before it */
    for (int64_t tile = 0; tile < count; tile++) {
        const uint8_t *from = tiles + (3 * tile + channel) * pixels;
        for (int64_t i = 0; i < pixels; i++) some[i % 4][from[i]]++;
    }
    for (int level = 0; level < 256; level++) counts[level] += some[0][level] + some[1][level] + some[2][level] + some[3][level];
}

enum { TILES = 64, TOGETHER = 64 };

/* Of spectra (count, values, 2), of 64 at most, the powers times `scale` that have each of `many` ranks, which rise, among all spectra:
   powers (many, values). */
ROUTINE void ranked_powers(const float *restrict spectra, int64_t count, int64_t values, float scale, const int64_t *ranks, int64_t many,
                           float *restrict powers) {
    float rows[TILES][TOGETHER];
    for (int64_t start = 0; start < values; start += TOGETHER) {
        const int64_t columns = values - start < TOGETHER ? values - start : TOGETHER;
        for (int64_t row = 0; row < count; row++) {
            const float *from = spectra + 2 * (row * values + start);
            for (int64_t i = 0; i < columns; i++) rows[row][i] = (from[2 * i] * from[2 * i] + from[2 * i + 1] * from[2 * i + 1]) * scale;
        }
        int64_t wanted = 0;
        for (int64_t rank = 0; wanted < many; rank++) { /* the least of the rest sinks to its place */
            for (int64_t above = count - 1; above > rank; above--)
                for (int64_t i = 0; i < columns; i++) {
                    const float one = rows[above - 1][i], other = rows[above][i];
                    rows[above - 1][i] = one < other ? one : other;
                    rows[above][i] = one < other ? other : one;
                }
            for (; wanted < many && ranks[wanted] == rank; wanted++) memcpy(powers + wanted * values + start, rows[rank], columns * sizeof(float));
        }
    }
}
