#include "routines.h"

#include <math.h>
#include <string.h>

/* Natural logarithm of a positive normal number, to 2e-7 of it or of 1 (the polynomial of Cephes' logf), in few enough steps for many at once. */
static inline __attribute__((always_inline)) float logarithm(float value)
{
    int32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const int32_t exponent = (bits - 0x3f3504f3) >> 23; /* so that what is left lies between sqrt(1/2) and sqrt(2) */
    bits -= exponent * (1 << 23);
    float x;
    memcpy(&x, &bits, sizeof x);
    x -= 1;
    float y = 7.0376836292e-2f;
    y = y * x - 1.1514610310e-1f;
    y = y * x + 1.1676998740e-1f;
    y = y * x - 1.2420140846e-1f;
    y = y * x + 1.4249322787e-1f;
    y = y * x - 1.6668057665e-1f;
    y = y * x + 2.0000714765e-1f;
    y = y * x - 2.4999993993e-1f;
    y = y * x + 3.3333331174e-1f;
    y = y * x * x * x - 0.5f * x * x;
    return (float)exponent * 0.693147181f + (x + y);
}

static inline float limited(float value) { return value < 1e-6f ? 1e-6f : value > 1 - 1e-6f ? 1 - 1e-6f : value; }

enum { STEPS = 256 };

/* See `_masses` in cliqa/signal/jpeg/lattice.py: from histograms (rows, bins) and sums (rows, 2 * steps) the evidence (rows, steps) of steps
 * `step`, at most 256, of which bin `first` is the first at level 1; `logs` of 1 + the bins' values; `smooth` (rows), against which. */
ROUTINE void lattice_masses(const float *restrict histograms, int64_t rows, int64_t bins, const float *restrict sums, const float *restrict logs,
                            const float *restrict smooth, const float *restrict step, const int64_t *restrict first, int64_t steps,
                            float *restrict out)
{
    for (int64_t row = 0; row < rows; row++, histograms += bins, sums += 2 * steps, out += steps) {
        float zeros[STEPS], others[STEPS], tails[STEPS];
        double count = 0, tail = 0, all = 0, every = 0;
        for (int64_t bin = 0; bin < bins; bin++) {
            all += histograms[bin];
            every += histograms[bin] * logs[bin];
        }
        int64_t bin = 0;
        for (int64_t i = 0; i < steps; i++) {
            for (; bin < first[i] && bin < bins; bin++) {
                count += histograms[bin];
                tail += histograms[bin] * logs[bin];
            }
            zeros[i] = (float)count;
            others[i] = (float)(all - count);
            tails[i] = (float)(every - tail);
        }
        for (int64_t i = 0; i < steps; i++) {
            const float n0 = zeros[i], n1 = others[i], q = step[i], a = n0 + n1 + 2 * sums[steps + i], c = 2 * sums[steps + i] - n1;
            const float s = limited((sqrtf(n0 * n0 + 4 * a * c) - n0) / (2 * a > 1e-9f ? 2 * a : 1e-9f));
            const float together = n0 + n1 > 1 ? n0 + n1 : 1, share = limited(n1 / together);
            const float laplacian = n0 * logarithm(1 - s) + n1 * logarithm((1 - s * s) / 2) + c * logarithm(s);
            const float spike = n0 * logarithm(1 - share) + n1 * logarithm(share * q * (1 + q / 2) / 2) - 2 * tails[i];
            out[i] = (laplacian > spike ? laplacian : spike) + sums[i] - smooth[row];
        }
    }
}

enum { SIDE_BY_SIDE = 16 };

static inline __attribute__((always_inline)) void sums_of_tables(
    const float *restrict values, int64_t frequencies, int64_t steps, int64_t sigmas, const int64_t *restrict places, int64_t tables, float *restrict out)
{
    for (int64_t table = 0; table < tables; table++, places += frequencies, out += sigmas) {
        float sums[SIDE_BY_SIDE] = {0};
        for (int64_t frequency = 0; frequency < frequencies; frequency++) {
            const float *found = values + (frequency * steps + places[frequency]) * sigmas;
            for (int64_t i = 0; i < sigmas; i++)
                sums[i] += found[i];
        }
        memcpy(out, sums, sigmas * sizeof *out);
    }
}

/* See `_sums` in cliqa/signal/jpeg/phases.py: sums over the frequencies of values (frequencies, steps, sigmas), at most 16 sigmas, at the steps
 * that places (tables, frequencies) tell: out (tables, sigmas). */
ROUTINE void table_sums(const float *values, int64_t frequencies, int64_t steps, int64_t sigmas, const int64_t *places, int64_t tables, float *out)
{
    if (sigmas == 5) /* known numbers, which the compiler unrolls: of `COARSE` and of `FINE` */
        sums_of_tables(values, frequencies, steps, 5, places, tables, out);
    else if (sigmas == 8)
        sums_of_tables(values, frequencies, steps, 8, places, tables, out);
    else
        sums_of_tables(values, frequencies, steps, sigmas, places, tables, out);
}
