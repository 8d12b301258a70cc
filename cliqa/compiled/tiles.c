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

/* Red, green and blue of the pixels, `step` bytes each in rows `apart`, where some rows and columns meet: out (down, across, 3). */
ROUTINE void pixels_at(const uint8_t *STRIDED pixels, int64_t apart, int64_t step, const int64_t *restrict rows, int64_t down,
                       const int64_t *restrict columns, int64_t across, uint8_t *restrict out) {
    for (int64_t y = 0; y < down; y++) {
        const uint8_t *row = pixels + rows[y] * apart;
        for (int64_t x = 0; x < across; x++, out += 3) {
            const uint8_t *pixel = row + columns[x] * step;
            out[0] = pixel[0];
            out[1] = pixel[1];
            out[2] = pixel[2];
        }
    }
}
