#include <stdlib.h>
#include <string.h>

#include "routines.h"

static int commonest(const uint32_t *counts, int many) {
    int most = 0;
    for (int place = 1; place < many; place++)
        if (counts[place] > counts[most]) most = place;
    return most;
}

static int within(const uint8_t *pixel, const int *colour, int levels) {
    int inside = 1;
    for (int channel = 0; channel < 3; channel++) inside &= abs(pixel[channel] - colour[channel]) <= levels;
    return inside;
}

/* Looks for the most common colour of RGB (pixels, 3) that is no paper yet, and marks what is near it in paper (pixels,), where it is
   paper: it is `share` of all, and `even_share` of what lies within `near` levels lies within `even`. Returns 1, 0 for none, -1 for no
   memory. */
ROUTINE int paper_ground(const uint8_t *rgb, int64_t pixels, double share, int64_t near, int64_t even, double even_share, uint8_t *paper) {
    uint32_t *counts = calloc(1 << 15, sizeof(uint32_t)), fine[512] = {0};
    uint16_t *codes = malloc(pixels * sizeof(uint16_t));
    uint8_t *marks = malloc(pixels);
    int found = counts && codes && marks ? 0 : -1;
    if (found < 0) goto end;
    for (int64_t place = 0; place < pixels; place++) {
        const uint8_t *pixel = rgb + 3 * place;
        codes[place] = pixel[0] >> 3 << 10 | pixel[1] >> 3 << 5 | pixel[2] >> 3;
    }
    for (int64_t place = 0; place < pixels; place++) counts[codes[place]] += !paper[place];
    const int most = commonest(counts, 1 << 15);
    if (3.0 * counts[most] < share * pixels) goto end; /* an even colour may lie in two cells or more */
    for (int64_t place = 0; place < pixels; place++) {
        const uint8_t *pixel = rgb + 3 * place;
        if (codes[place] == most && !paper[place]) fine[(pixel[0] & 7) << 6 | (pixel[1] & 7) << 3 | (pixel[2] & 7)]++;
    }
    const int low = commonest(fine, 512);
    const int colour[3] = {(most >> 10 << 3) + (low >> 6), ((most >> 5 & 31) << 3) + (low >> 3 & 7), ((most & 31) << 3) + (low & 7)};
    int64_t many = 0, evenly = 0;
    for (int64_t place = 0; place < pixels; place++) {
        marks[place] = within(rgb + 3 * place, colour, (int)near);
        many += marks[place], evenly += within(rgb + 3 * place, colour, (int)even);
    }
    if ((double)many / pixels < share || evenly < even_share * many) goto end;
    for (int64_t place = 0; place < pixels; place++) paper[place] |= marks[place];
    found = 1;
end:
    free(counts), free(codes), free(marks);
    return found;
}
