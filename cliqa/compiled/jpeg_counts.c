#include "routines.h"

#include <math.h>

enum { TOGETHER = 256 };

/* Histograms of values (rows, columns): each counts in the bin min(|value| * scale[row] + first[column], last[column]), rounded down, plus
 * base[column], of the row's own counts, `apart` from those of the row before. What is counted is added to what is there. */
ROUTINE void count_bins(const float *restrict values, int64_t rows, int64_t columns, const float *restrict scale, const float *restrict first,
                        const float *restrict last, const int32_t *restrict base, int64_t apart, int32_t *restrict counts)
{
    for (int64_t row = 0; row < rows; row++, values += columns, counts += apart) {
        const float by = scale[row];
        for (int64_t start = 0; start < columns; start += TOGETHER) {
            const int64_t count = columns - start < TOGETHER ? columns - start : TOGETHER;
            int32_t bins[TOGETHER];
            for (int64_t i = 0; i < count; i++) {
                const float place = fabsf(values[start + i]) * by + first[start + i], most = last[start + i];
                bins[i] = (int32_t)(place < most ? place : most) + base[start + i];
            }
            for (int64_t i = 0; i < count; i++)
                counts[bins[i]]++;
        }
    }
}
