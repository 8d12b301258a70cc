#include "routines.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FACTORS = 8 }; /* of 1/256 to 256: so many multiply to a number that a float holds */

/* See `profiles` in cliqa/signal/jpeg/step_spectra.py: sums over the rows of luma, `stride` apart, of sqrt|first|, log of the relative step,
 * sqrt|second| and sqrt|fourth| differences, into sums (4, width), whose last few places mean nothing.
 * Logarithms are those of products, whose exponents are counted apart. Returns 0, or 1 where there is no memory. */
ROUTINE int64_t step_sums(const float *STRIDED restrict luma, int64_t stride, int64_t rows, int64_t width, double *restrict sums)
{
    const int64_t wide = width + 8;
    float *restrict line = calloc(wide * 5, sizeof *line);
    int32_t *restrict exponents = calloc(wide, sizeof *exponents);
    if (!line || !exponents) {
        free(line);
        free(exponents);
        return 1;
    }
    float *restrict first = line + wide, *restrict second = first + wide, *restrict fourth = second + wide;
    float *restrict product = fourth + wide;
    memset(sums, 0, 4 * width * sizeof *sums);
    for (int64_t x = 0; x < width; x++)
        product[x] = 1;
    for (int64_t top = 0; top < rows; top += FACTORS) {
        const int64_t bottom = top + FACTORS < rows ? top + FACTORS : rows;
        memset(first, 0, 3 * wide * sizeof *first);
        for (int64_t row = top; row < bottom; row++) {
            memcpy(line, luma + row * stride, width * sizeof *line);
            for (int64_t x = 0; x < width; x++) {
                const float a = line[x + 1] - line[x], b = line[x + 2] - line[x + 1], c = line[x + 3] - line[x + 2];
                const float d = line[x + 4] - line[x + 3], e = b - a, f = c - b, g = d - c;
                const float about = (fabsf(a) + fabsf(c)) * 0.5f + 1;
                first[x] += sqrtf(fabsf(a));
                second[x] += sqrtf(fabsf(e));
                fourth[x] += sqrtf(fabsf((g - f) - (f - e)));
                product[x] *= (fabsf(b) + 1) / about;
            }
        }
        for (int64_t x = 0; x < width; x++) {
            int32_t bits;
            memcpy(&bits, product + x, sizeof bits);
            exponents[x] += (bits >> 23) - 127;
            bits = (bits & 0x7fffff) | 0x3f800000;
            memcpy(product + x, &bits, sizeof bits);
            sums[x] += first[x];
            sums[2 * width + x] += second[x];
            sums[3 * width + x] += fourth[x];
        }
    }
    for (int64_t x = 0; x < width; x++)
        sums[width + x] = exponents[x] * M_LN2 + log(product[x]);
    free(line);
    free(exponents);
    return 0;
}

/* The value at a place (0 to count - 1) of the sorted values, which are moved about so that none before it is greater: quickselect. */
static double ranked(double *values, int64_t count, int64_t place)
{
    int64_t low = 0, high = count - 1;
    while (low < high) {
        const double pivot = values[place];
        int64_t i = low, j = high;
        while (i <= j) {
            while (values[i] < pivot)
                i++;
            while (pivot < values[j])
                j--;
            if (i <= j) {
                const double swapped = values[i];
                values[i++] = values[j];
                values[j--] = swapped;
            }
        }
        if (j < place)
            low = i;
        if (place < i)
            high = j;
    }
    return values[place];
}

/* Means of `values` over 2 * half + 1 places about each, mirrored at both ends; half < count. */
static void moving_mean(const double *restrict values, int64_t count, int64_t half, double *restrict means)
{
    double sum = values[0];
    for (int64_t i = 1; i <= half; i++)
        sum += 2 * values[i];
    for (int64_t i = 0; i < count; i++) {
        means[i] = sum / (2 * half + 1);
        const int64_t enters = i + half + 1, leaves = i - half;
        sum += values[enters < count ? enters : 2 * (count - 1) - enters] - values[leaves < 0 ? -leaves : leaves];
    }
}

enum { SMOOTH = 10, LATER = 8 }; /* see `_SMOOTH` and `LATER` in step_spectra.py */

/* See `_flat` there: a profile of more than `SMOOTH` values without its slow part, spikes and period, tapered. Returns 1 without memory. */
ROUTINE int64_t flat_profile(const double *restrict profile, const double *restrict taper, int64_t count, float *restrict out)
{
    double *restrict flat = calloc(2 * count, sizeof *flat), *restrict sizes = flat + count;
    if (!flat)
        return 1;
    moving_mean(profile, count, SMOOTH, flat);
    for (int64_t i = 0; i < count; i++) {
        flat[i] = profile[i] - flat[i];
        sizes[i] = fabs(flat[i]);
    }
    double middle = ranked(sizes, count, count / 2);
    if (count % 2 == 0) {
        double below = sizes[0];
        for (int64_t i = 1; i < count / 2; i++)
            below = sizes[i] > below ? sizes[i] : below;
        middle = (middle + below) / 2;
    }
    const double limit = 4 * middle + 1e-6;
    double means[LATER] = {0};
    for (int64_t i = 0; i < count; i++) {
        flat[i] = flat[i] > limit ? limit : flat[i] < -limit ? -limit : flat[i];
        means[i % LATER] += flat[i];
    }
    for (int64_t phase = 0; phase < LATER && phase < count; phase++)
        means[phase] /= (count - phase + LATER - 1) / LATER;
    for (int64_t i = 0; i < count; i++)
        out[i] = (float)((flat[i] - means[i % LATER]) * taper[i]);
    free(flat);
    return 0;
}
