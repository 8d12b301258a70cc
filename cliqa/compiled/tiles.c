#include "routines.h"

/* How many of the pixels (3, count) that are not `known` have each colour, but for the lowest three bits of red, green and blue:
   added to counts (32768). */
ROUTINE void colour_cells(const uint8_t *restrict channels, const uint8_t *restrict known, int64_t count, int32_t *restrict counts) {
    const uint8_t *red = channels, *green = red + count, *blue = green + count;
    uint16_t cells[256];
    for (int64_t start = 0; start < count; start += 256) {
        const int64_t many = count - start < 256 ? count - start : 256;
        for (int64_t i = 0; i < many; i++)
            cells[i] = (uint16_t)((red[start + i] >> 3) << 10 | (green[start + i] >> 3) << 5 | blue[start + i] >> 3);
        for (int64_t i = 0; i < many; i++) counts[cells[i]] += !known[start + i];
    }
}
