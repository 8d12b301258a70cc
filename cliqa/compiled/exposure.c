#include "routines.h"

/* Histograms of pixels, of `step` bytes each, which begin with red, green, blue: counts (6, 256) of red, green, blue, luma as Pillow
   rounds it, the brightest and the darkest channel. */
ROUTINE void tone_counts(const uint8_t *restrict rgb, int64_t pixels, int64_t step, int64_t *restrict counts) {
    uint32_t some[4][6 * 256] = {0}; /* four pixels in turn: none waits for a count of the one before it */
    for (int64_t place = 0; place < pixels; place++, rgb += step) {
        const int red = rgb[0], green = rgb[1], blue = rgb[2];
        const int more = red > green ? red : green, less = red > green ? green : red;
        uint32_t *to = some[place % 4];
        to[red]++;
        to[256 + green]++;
        to[512 + blue]++;
        to[768 + ((19595 * red + 38470 * green + 7471 * blue + 32768) >> 16)]++;
        to[1024 + (more > blue ? more : blue)]++;
        to[1280 + (less < blue ? less : blue)]++;
    }
    for (int place = 0; place < 6 * 256; place++)
        counts[place] = (int64_t)some[0][place] + some[1][place] + some[2][place] + some[3][place];
}
