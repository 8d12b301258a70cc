/* What every routine shares. Arrays are C-contiguous, but for those `STRIDED`, whose strides are told; sizes are int64_t; nothing is allocated
 * that is not freed before the return. The prototypes are read by library.py: they alone say what a routine takes. */
#ifndef CLIQA_ROUTINES_H
#define CLIQA_ROUTINES_H

#include <stdint.h>

/* One machine code for processors with AVX2 and one for all others, the same numbers from both: no fused multiply-add.
   With ONE_CODE there is that for all alone, for tests. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && defined(__linux__) && !defined(ONE_CODE)
#define TWO_CODES
#define ROUTINE __attribute__((visibility("default"), target_clones("avx2", "default")))
#else
#define ROUTINE __attribute__((visibility("default")))
#endif
#define STRIDED

#endif
