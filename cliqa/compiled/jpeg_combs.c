#include "routines.h"

#include <math.h>
#include <stdlib.h>

enum { PROFILES = 4, HARMONICS = 4, SLACKS = 5 }; /* see `WEIGHTS` and `SLACK` in cliqa/signal/jpeg/combs.py */

static inline float between(float value, float low, float high)
{
    value = value < low ? low : value;
    return value > high ? high : value;
}

/* See `_most_whole` there: most that the steps can score whose harmonics lie at `places` (HARMONICS, steps) of a spectrum (PROFILES, count). */
static inline __attribute__((always_inline)) void most(const float *restrict values, int64_t count, const int64_t *restrict places,
                                                       int64_t steps, const float *restrict weights, float low, float high,
                                                       float *restrict sums, float *restrict out)
{
    for (int64_t i = 0; i < HARMONICS * count; i++)
        sums[i] = 0;
    float *restrict sizes = sums + HARMONICS * count;
    for (int64_t profile = 0; profile < PROFILES; profile++, values += 2 * count) {
        for (int64_t i = 0; i < count; i++)
            sizes[i] = sqrtf(values[2 * i] * values[2 * i] + values[2 * i + 1] * values[2 * i + 1]);
        for (int64_t harmonic = 0; harmonic < HARMONICS; harmonic++) {
            const float weight = weights[profile * HARMONICS + harmonic];
            if (weight > 0)
                for (int64_t i = 0; i < count - 1; i++) {
                    const float larger = sizes[i] > sizes[i + 1] ? sizes[i] : sizes[i + 1];
                    sums[harmonic * count + i] += weight * (between(larger, low, high) - low);
                }
        }
    }
    for (int64_t step = 0; step < steps; step++) {
        out[step] = 0;
        for (int64_t harmonic = 0; harmonic < HARMONICS; harmonic++)
            out[step] += sums[harmonic * count + places[harmonic * steps + step]];
    }
}

/* See `whole_scores` of `harmonics` there: the score of one step where the first block starts at the edge. */
static inline float score(const float *restrict values, int64_t count, const double *restrict starts, double step,
                          const float *restrict weights, float low, float high)
{
    float sum = 0;
    for (int64_t harmonic = 0; harmonic < HARMONICS; harmonic++) {
        const double cycles = (harmonic + 1) * step / 8, part = cycles - floor(cycles), place = (part > 0.5 ? 1 - part : part) * 2 * (count - 1);
        const int64_t left = (int64_t)place < count - 2 ? (int64_t)place : count - 2;
        const float beyond = (float)(place - left);
        for (int64_t profile = 0; profile < PROFILES; profile++) {
            const float *restrict value = values + 2 * (profile * count + left);
            const float real = value[0] + (value[2] - value[0]) * beyond, imaginary = value[1] + (value[3] - value[1]) * beyond;
            const double turns = cycles * starts[profile];
            const float angle = (float)(turns - floor(turns)) * (float)(-2 * M_PI);
            const float turned = real * cosf(angle) - (part > 0.5 ? -imaginary : imaginary) * sinf(angle);
            sum += weights[profile * HARMONICS + harmonic] * (between(turned, low, high) - low);
        }
    }
    return sum;
}

/* See `_any_whole` there: whether the scores of any pair of steps, one across and one down, sum to more than `least`; -1 without memory.
 * Of each axis: the spectra (PROFILES, count), complex; `starts` of the profiles; `steps`, and the `places` (HARMONICS, steps) of their
 * harmonics. For each step across, `partners` are the numbers of those down, (steps across, SLACKS), and `some` those that there are. */
ROUTINE int64_t whole_beyond(const float *restrict values_x, const float *restrict values_y, int64_t count, const double *restrict starts_x,
                             const double *restrict starts_y, const double *restrict steps_x, int64_t across, const double *restrict steps_y,
                             int64_t down, const int64_t *restrict places_x, const int64_t *restrict places_y,
                             const int64_t *restrict partners, const uint8_t *restrict some, const float *restrict weights, float low,
                             float high, float least)
{
    float *restrict most_x = malloc((across + 2 * down + (HARMONICS + 1) * count) * sizeof *most_x);
    if (!most_x)
        return -1;
    float *restrict most_y = most_x + across, *restrict scores_y = most_y + down, *restrict sums = scores_y + down;
    most(values_x, count, places_x, across, weights, low, high, sums, most_x);
    most(values_y, count, places_y, down, weights, low, high, sums, most_y);
    for (int64_t y = 0; y < down; y++)
        scores_y[y] = NAN; /* of what was not asked */
    int64_t found = 0;
    for (int64_t x = 0; x < across && !found; x++, partners += SLACKS, some += SLACKS) {
        float score_x = NAN;
        for (int64_t i = 0; i < SLACKS && !found; i++) {
            const int64_t y = partners[i];
            if (!some[i] || !(most_x[x] + most_y[y] > least))
                continue;
            if (isnan(score_x))
                score_x = score(values_x, count, starts_x, steps_x[x], weights, low, high);
            if (!(score_x + most_y[y] > least))
                continue;
            if (isnan(scores_y[y]))
                scores_y[y] = score(values_y, count, starts_y, steps_y[y], weights, low, high);
            found = score_x + scores_y[y] > least;
        }
    }
    free(most_x);
    return found;
}

/* See `_most_cropped` there: most that free steps can score, whose harmonics lie at `places` (HARMONICS, steps) of the spectra `joined`,
 * complex, and so far beyond. */
ROUTINE void most_cropped(const float *restrict joined, const int64_t *restrict places, const float *restrict beyond, int64_t steps,
                          const float *restrict weights, float high, float *restrict out)
{
    for (int64_t step = 0; step < steps; step++)
        out[step] = 0;
    for (int64_t harmonic = 0; harmonic < HARMONICS; harmonic++, places += steps, beyond += steps)
        for (int64_t step = 0; step < steps; step++) {
            const float *restrict value = joined + 2 * places[step];
            const float real = value[0] + (value[2] - value[0]) * beyond[step], imaginary = value[1] + (value[3] - value[1]) * beyond[step];
            const float size = sqrtf(real * real + imaginary * imaginary);
            out[step] += weights[harmonic] * (size > high ? high : size);
        }
}
