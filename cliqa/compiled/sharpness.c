#include <string.h>

#include "routines.h"

/* Squares of the gradient of bytes (height, width), their rows `step` bytes apart, or with `twice` the squares of these: sums down each
   column of `side` rows, (height / side, width). The last row and the last column have no neighbour beyond them. */
ROUTINE void steep_columns(const uint8_t *STRIDED restrict plane, int64_t step, int64_t height, int64_t width, int64_t side, int64_t twice,
                           float *restrict sums) {
    for (int64_t row = 0; row < height / side * side; row++) {
        const uint8_t *here = plane + row * step, *below = row + 1 < height ? here + step : here;
        float *to = sums + row / side * width;
        if (row % side == 0) memset(to, 0, width * sizeof(float));
        for (int64_t column = 0; column < width - 1; column++) {
            const int32_t down = below[column] - here[column], across = here[column + 1] - here[column];
            const float square = down * down + across * across;
            to[column] += twice ? square * square : square;
        }
        const float last = (below[width - 1] - here[width - 1]) * (below[width - 1] - here[width - 1]);
        to[width - 1] += twice ? last * last : last;
    }
}
