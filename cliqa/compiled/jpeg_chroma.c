#include "routines.h"

#include <math.h>
#include <string.h>

/* See `_difference_sums` in cliqa/signal/jpeg/chroma.py: sums of |first| and |third| differences of planes (count, height, width), at most
 * 256 wide, across into first_x, third_x (width) and down into first_y, third_y (height), of which the last place or three mean nothing. */
ROUTINE void difference_sums(const float *restrict planes, int64_t count, int64_t height, int64_t width, double *restrict first_x,
                             double *restrict third_x, double *restrict first_y, double *restrict third_y)
{
    for (int64_t plane = 0; plane < count; plane++, planes += height * width) {
        float firsts[256] = {0}, thirds[256] = {0};
        for (int64_t y = 0; y < height; y++) {
            const float *a = planes + y * width;
            for (int64_t x = 0; x + 3 < width; x++) {
                const float one = a[x + 1] - a[x], two = a[x + 2] - a[x + 1], three = a[x + 3] - a[x + 2];
                firsts[x] += fabsf(one);
                thirds[x] += fabsf((three - two) - (two - one));
            }
            for (int64_t x = width - 3; x + 1 < width; x++)
                firsts[x] += fabsf(a[x + 1] - a[x]);
            const float *b = y + 1 < height ? a + width : a, *c = y + 3 < height ? b + width : b, *d = y + 3 < height ? c + width : b;
            float first = 0, third = 0;
#pragma omp simd reduction(+ : first, third)
            for (int64_t x = 0; x < width; x++) {
                const float one = b[x] - a[x], two = c[x] - b[x], three = d[x] - c[x];
                first += fabsf(one);
                third += fabsf((three - two) - (two - one));
            }
            first_y[y] += first;
            third_y[y] += third;
        }
        for (int64_t x = 0; x < width; x++) {
            first_x[x] += firsts[x];
            third_x[x] += thirds[x];
        }
    }
}

static inline float rounded(float value) { return value + 12582912.0f - 12582912.0f; } /* to even, for |value| < 2^22 */

/* See `integer_colour` there: of pixels of three planes how many are coloured, and how many of those are the RGB of whole Y, Cb, Cr. */
ROUTINE void integer_colours(const uint8_t *restrict red, const uint8_t *restrict green, const uint8_t *restrict blue, int64_t count,
                             const float *restrict weights, int64_t *restrict found)
{
    int32_t same = 0, coloured = 0;
    for (int64_t i = 0; i < count; i++) {
        const float r = red[i], g = green[i], b = blue[i];
        const float y = weights[0] * r + weights[1] * g + weights[2] * b, whole = rounded(y);
        const float cb = rounded((b - y) * (float)(1 / 1.772)), cr = rounded((r - y) * (float)(1 / 1.402));
        const int32_t exact = (rounded(whole + 1.402f * cr) == r) & (rounded(whole + 1.772f * cb) == b)
                              & (rounded(whole - 0.344136f * cb - 0.714136f * cr) == g);
        const int32_t colour = fabsf(r - g) + fabsf(b - g) > 4;
        same += exact & colour;
        coloured += colour;
    }
    found[0] += same;
    found[1] += coloured;
}
