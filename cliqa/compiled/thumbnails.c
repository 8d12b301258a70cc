/* Pictures shrunk as Pillow shrinks them, bit for bit: by whole factors with `reduce`, by others with `resize` and its cubic filter. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "routines.h"

#ifdef TWO_CODES
#include <immintrin.h>
#define BY_PAIRS
#endif

#define ROWS 32 /* that are worked on side by side, and bytes of a row that are */
#define BITS 22 /* of a weight's fraction */
#define INLINE static inline __attribute__((always_inline))

typedef uint8_t Bytes __attribute__((vector_size(16)));
#ifdef __clang__
#define CHOSEN(one, other, ...) __builtin_shufflevector(one, other, __VA_ARGS__)
#else
#define CHOSEN(one, other, ...) __builtin_shuffle(one, other, (Bytes){__VA_ARGS__})
#endif

/* Turn 16 x 16 bytes over, by four rounds of which each interleaves the upper with the lower half. */
INLINE void turn16(const uint8_t *from, int64_t from_step, uint8_t *to, int64_t to_step) {
    Bytes block[2][16];
    for (int row = 0; row < 16; row++) memcpy(&block[0][row], from + row * from_step, 16);
    for (int round = 0; round < 4; round++)
        for (int pair = 0; pair < 8; pair++) {
            const Bytes upper = block[round % 2][pair], lower = block[round % 2][pair + 8];
            Bytes *out = &block[1 - round % 2][2 * pair];
            out[0] = CHOSEN(upper, lower, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
            out[1] = CHOSEN(upper, lower, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        }
    for (int row = 0; row < 16; row++) memcpy(to + row * to_step, &block[0][row], 16);
}

/* The same for ROWS x ROWS bytes. */
INLINE void turn(const uint8_t *from, int64_t from_step, uint8_t *to, int64_t to_step) {
    for (int row = 0; row < ROWS; row += 16)
        for (int place = 0; place < ROWS; place += 16)
            turn16(from + row * from_step + place, from_step, to + place * to_step + row, to_step);
}

/* Keys' cubic with a = -1/2. */
INLINE double cubic(double x) {
    x = fabs(x);
    if (x < 1.0) return (1.5 * x - 2.5) * x * x + 1.0;
    return x < 2.0 ? (((x - 5.0) * x + 8.0) * x - 4.0) * -0.5 : 0.0;
}

/* Of each of `count` pixels to be made of `have`, the first one that it is made of, how many, and their weights; `length` is what of
   `have` counts, which may end within the last one. Returns how many weights a pixel has room for; 0 for no memory. */
static int64_t weigh(int64_t have, float length, int64_t count, int64_t **places, int32_t **weights) {
    double scale = (double)length / count, wide = scale < 1.0 ? 1.0 : scale, support = 2.0 * wide;
    int64_t room = (int64_t)ceil(support) * 2 + 1;
    *places = malloc(2 * count * sizeof(int64_t));
    *weights = malloc(count * room * sizeof(int32_t));
    double *exact = malloc(room * sizeof(double));
    if (!*places || !*weights || !exact) room = 0;
    for (int64_t pixel = 0; room && pixel < count; pixel++) {
        double centre = (pixel + 0.5) * scale, total = 0.0;
        int64_t first = (int64_t)(centre - support + 0.5), last = (int64_t)(centre + support + 0.5);
        if (first < 0) first = 0;
        if (last > have) last = have;
        for (int64_t k = 0; k < last - first; k++) total += exact[k] = cubic((k + first - centre + 0.5) * (1.0 / wide));
        for (int64_t k = 0; k < last - first; k++) {
            double weight = (total != 0.0 ? exact[k] / total : exact[k]) * (1 << BITS);
            (*weights)[pixel * room + k] = (int32_t)(weight < 0 ? weight - 0.5 : weight + 0.5);
        }
        (*places)[2 * pixel] = first;
        (*places)[2 * pixel + 1] = last - first;
    }
    free(exact);
    return room;
}

/* ROWS sums of `count` weighted bytes that lie `step` apart, as bytes. */
INLINE void weighted(const uint8_t *restrict from, int64_t step, const int32_t *restrict weights, int64_t count, uint8_t *restrict to) {
    int32_t sums[ROWS];
    for (int lane = 0; lane < ROWS; lane++) sums[lane] = 1 << (BITS - 1);
    for (int64_t k = 0; k < count; k++)
        for (int lane = 0; lane < ROWS; lane++) sums[lane] += from[k * step + lane] * weights[k];
    for (int lane = 0; lane < ROWS; lane++) {
        const int32_t sum = sums[lane] >> BITS;
        to[lane] = sum < 0 ? 0 : sum > 255 ? 255 : sum;
    }
}

#ifdef BY_PAIRS /* the same with AVX2, which multiplies and adds two 16-bit numbers at once: 22 bits of a weight as 11 and 11 */
#define AVX2 __attribute__((target("avx2")))
enum { LOW = 11 };

typedef struct {
    __m256i high[4], low[4]; /* sums by the upper and by the lower bits of weights: of lanes 0-7, 8-15, 16-23, 24-31 */
} Sums;
#define ZEROS _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256(), _mm256_setzero_si256()

/* ROWS bytes and ROWS others, by turns and widened: pairs of lanes 0-7, 8-15, 16-23, 24-31. */
AVX2 static inline __attribute__((always_inline)) void paired(const uint8_t *one, const uint8_t *other, __m256i *pairs) {
    const __m256i first = _mm256_loadu_si256((const __m256i *)one), second = _mm256_loadu_si256((const __m256i *)other);
    const __m256i even = _mm256_unpacklo_epi8(first, second), odd = _mm256_unpackhi_epi8(first, second);
    pairs[0] = _mm256_cvtepu8_epi16(_mm256_castsi256_si128(even));
    pairs[1] = _mm256_cvtepu8_epi16(_mm256_castsi256_si128(odd));
    pairs[2] = _mm256_cvtepu8_epi16(_mm256_extracti128_si256(even, 1));
    pairs[3] = _mm256_cvtepu8_epi16(_mm256_extracti128_si256(odd, 1));
}

AVX2 static inline __attribute__((always_inline)) void add_pairs(Sums *sums, const __m256i *pairs, const int32_t *halves) {
    const __m256i high = _mm256_set1_epi32(halves[0]), low = _mm256_set1_epi32(halves[1]);
    for (int part = 0; part < 4; part++) {
        sums->high[part] = _mm256_add_epi32(sums->high[part], _mm256_madd_epi16(pairs[part], high));
        sums->low[part] = _mm256_add_epi32(sums->low[part], _mm256_madd_epi16(pairs[part], low));
    }
}

AVX2 static inline __attribute__((always_inline)) void rounded(const Sums *sums, uint8_t *to) {
    __m256i whole[4];
    for (int part = 0; part < 4; part++) {
        const __m256i sum = _mm256_add_epi32(_mm256_slli_epi32(sums->high[part], LOW), sums->low[part]);
        whole[part] = _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(1 << (BITS - 1))), BITS);
    }
    const __m256i one = _mm256_packs_epi32(whole[0], whole[1]), other = _mm256_packs_epi32(whole[2], whole[3]);
    const __m256i bytes = _mm256_packus_epi16(one, other); /* in fours, which packing leaves out of order */
    const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
    _mm256_storeu_si256((__m256i *)to, _mm256_permutevar8x32_epi32(bytes, order));
}

/* The upper and the lower bits of weights, two pixels in a number, as `weigh` gives them of `count` pixels: of the pixels 0 and 1, 2 and 3
   and so on of the row, from the pair that holds the first one on; `room` / 2 + 1 for each. NULL for no memory. */
static int32_t *halved(const int64_t *places, const int32_t *weights, int64_t room, int64_t count) {
    const int64_t many = room / 2 + 1;
    uint32_t *halves = calloc(2 * many * count, sizeof(uint32_t));
    for (int64_t pixel = 0; halves && pixel < count; pixel++)
        for (int64_t k = 0; k < places[2 * pixel + 1]; k++) {
            const int64_t place = places[2 * pixel] % 2 + k, shift = place % 2 * 16;
            uint32_t *pair = halves + 2 * (many * pixel + place / 2);
            const int32_t weight = weights[room * pixel + k];
            pair[0] |= ((uint32_t)(weight >> LOW) & 0xffff) << shift;
            pair[1] |= ((uint32_t)weight & ((1 << LOW) - 1)) << shift;
        }
    return (int32_t *)halves;
}

/* `weighted` of `count` of `have` rows from `first` on, which lie `step` apart. */
AVX2 static void weighted_rows(const uint8_t *rows, int64_t step, int64_t have, int64_t first, int64_t count, const int32_t *halves, uint8_t *to) {
    Sums sums = {{ZEROS}, {ZEROS}};
    for (int64_t row = first / 2 * 2; row < first + count; row += 2, halves += 2) {
        __m256i pairs[4];
        paired(rows + row * step, rows + (row + 1 < have ? row + 1 : row) * step, pairs);
        add_pairs(&sums, pairs, halves);
    }
    rounded(&sums, to);
}

/* The pixels of a row that are weighed together again and again, two by two: `turned` (3 * width, ROWS) to pairs (3 * (width / 2), 4). */
AVX2 static void pair_pixels(const uint8_t *turned, int64_t width, __m256i *pairs) {
    for (int64_t pixel = 0; pixel < width; pixel += 2)
        for (int64_t channel = 0; channel < 3; channel++) {
            const uint8_t *one = turned + (3 * pixel + channel) * ROWS;
            paired(one, pixel + 1 < width ? one + 3 * ROWS : one, pairs + 4 * (3 * (pixel / 2) + channel));
        }
}

/* `weighted` of `count` pixels from `first` on, out of such pairs of one channel. */
AVX2 static void weighted_pairs(const __m256i *pairs, int64_t first, int64_t count, const int32_t *halves, uint8_t *to) {
    Sums sums = {{ZEROS}, {ZEROS}};
    for (int64_t pair = first / 2; 2 * pair < first + count; pair++, halves += 2) add_pairs(&sums, pairs + 12 * pair, halves);
    rounded(&sums, to);
}
#endif

/* RGB (height >= ROWS, width, 3), its rows `step` bytes apart, to (high, wide, 3); `down` and `across` are what counts of height and
   width. Returns 0, or 1 for no memory. */
ROUTINE int shrink_cubic(const uint8_t *STRIDED pixels, int64_t step, int64_t height, int64_t width, float down, float across, uint8_t *shrunk,
                         int64_t high, int64_t wide) {
    const int64_t line = (3 * wide + ROWS - 1) / ROWS * ROWS;
    int64_t *x = NULL, *y = NULL;
    int32_t *x_weights = NULL, *y_weights = NULL;
    const int64_t x_room = weigh(width, across, wide, &x, &x_weights), y_room = weigh(height, down, high, &y, &y_weights);
    uint8_t *turned = malloc((3 * width + ROWS) * ROWS), *narrow = malloc(line * ROWS), *narrowed = malloc(line * height);
    const int failed = !x_room || !y_room || !turned || !narrow || !narrowed;
    uint8_t rest[ROWS * ROWS] = {0};
#ifdef BY_PAIRS
    const int can = !failed && __builtin_cpu_supports("avx2");
    int32_t *x_halves = can ? halved(x, x_weights, x_room, wide) : NULL, *y_halves = can ? halved(y, y_weights, y_room, high) : NULL;
    __m256i *pairs = x_halves && y_halves ? aligned_alloc(32, (width + 1) / 2 * 3 * 4 * 32) : NULL;
#endif
    for (int64_t row = 0; !failed && row < height; row += ROWS) {
        const int64_t top = row + ROWS <= height ? row : height - ROWS;
        for (int64_t place = 0; place < 3 * width; place += ROWS) {
            const int64_t left = 3 * width - place;
            const uint8_t *from = pixels + top * step + place;
            for (int lane = 0; left < ROWS && lane < ROWS; lane++) memcpy(rest + lane * ROWS, from + lane * step, left);
            if (left < ROWS) turn(rest, ROWS, turned + place * ROWS, ROWS);
            else turn(from, step, turned + place * ROWS, ROWS);
        }
#ifdef BY_PAIRS
        if (pairs) pair_pixels(turned, width, pairs);
#endif
        for (int64_t place = 0; place < 3 * wide; place++) {
            const int64_t pixel = place / 3, first = 3 * x[2 * pixel] + place % 3;
#ifdef BY_PAIRS
            if (pairs) weighted_pairs(pairs + 4 * (place % 3), x[2 * pixel], x[2 * pixel + 1], x_halves + pixel * (x_room / 2 + 1) * 2, narrow + place * ROWS);
            else
#endif
                weighted(turned + first * ROWS, 3 * ROWS, x_weights + pixel * x_room, x[2 * pixel + 1], narrow + place * ROWS);
        }
        for (int64_t place = 0; place < line; place += ROWS) turn(narrow + place * ROWS, ROWS, narrowed + top * line + place, line);
    }
    for (int64_t row = 0; !failed && row < high; row++) {
        const uint8_t *from = narrowed + y[2 * row] * line;
        for (int64_t place = 0; place < line; place += ROWS)
#ifdef BY_PAIRS
            if (pairs) weighted_rows(narrowed + place, line, height, y[2 * row], y[2 * row + 1], y_halves + row * (y_room / 2 + 1) * 2, narrow + place);
            else
#endif
                weighted(from + place, line, y_weights + row * y_room, y[2 * row + 1], narrow + place);
        memcpy(shrunk + row * 3 * wide, narrow, 3 * wide);
    }
#ifdef BY_PAIRS
    free(pairs), free(x_halves), free(y_halves);
#endif
    free(x), free(y), free(x_weights), free(y_weights), free(turned), free(narrow), free(narrowed);
    return failed;
}

/* Sums of `count` bytes, as their mean. */
INLINE void mean(const uint16_t *restrict sums, uint32_t count, uint8_t *restrict means, int64_t places) {
    const uint32_t inverse = (uint32_t)((float)(1 << 30) * 4.0f / (float)(256 * count));
    for (int64_t place = 0; place < places; place++) means[place] = ((sums[place] + count / 2) * inverse) >> 24;
}

/* Pixels (height, width, 1 or 3 channels), their rows `step` bytes apart, to means of `down` x `across` of them, fewer at the right and lower
   edge. Returns 0, or 1 for no memory. */
ROUTINE int shrink_whole(const uint8_t *STRIDED pixels, int64_t step, int64_t height, int64_t width, int64_t channels, int64_t down,
                         int64_t across, uint8_t *shrunk) {
    const int64_t wide = (width + across - 1) / across, whole = width / across, line = channels * width;
    uint16_t *sums = malloc(line * sizeof(uint16_t)), *joined = malloc(line * sizeof(uint16_t));
    uint8_t *means = malloc(line + 4);
    const int failed = !sums || !joined || !means;
    for (int64_t top = 0; !failed && top < height; top += down) {
        const int64_t rows = top + down <= height ? down : height - top;
        const uint8_t *from = pixels + top * step;
        uint8_t *to = shrunk + top / down * channels * wide;
        for (int64_t place = 0; place < line; place++) sums[place] = from[place];
        for (int64_t row = 1; row < rows; row++)
            for (int64_t place = 0; place < line; place++) sums[place] += from[row * step + place];
        memcpy(joined, sums, line * sizeof(uint16_t));
        for (int64_t column = 1; column < across; column++)
            for (int64_t place = 0; place < line - column * channels; place++) joined[place] += sums[place + column * channels];
        mean(joined, rows * across, means, whole * across * channels);
        if (whole < wide) mean(joined + whole * across * channels, rows * (width - whole * across), means + whole * across * channels, channels);
        if (channels == 3) { /* four bytes at once: the fourth is written again, or lies beyond the row's end and is not */
            for (int64_t pixel = 0; pixel < wide - 1; pixel++) memcpy(to + 3 * pixel, means + 3 * pixel * across, 4);
            memcpy(to + 3 * (wide - 1), means + 3 * (wide - 1) * across, 3);
        } else
            for (int64_t pixel = 0; pixel < wide; pixel++) to[pixel] = means[pixel * across];
    }
    free(sums), free(joined), free(means);
    return failed;
}

/* The luma of RGB (height, width, 3), its rows `step` bytes apart, as Pillow rounds it. Returns 0. */
ROUTINE int grey_levels(const uint8_t *STRIDED restrict pixels, int64_t step, int64_t height, int64_t width, uint8_t *restrict grey) {
    for (int64_t row = 0; row < height; row++)
        for (int64_t place = 0; place < width; place++) {
            const uint8_t *pixel = pixels + row * step + 3 * place;
            grey[row * width + place] = (19595 * pixel[0] + 38470 * pixel[1] + 7471 * pixel[2] + 32768) >> 16;
        }
    return 0;
}
