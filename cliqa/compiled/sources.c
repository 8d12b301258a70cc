#include "routines.h"

/* SOURCES: the hash of these files, given by the build. */
__attribute__((visibility("default"))) int64_t compiled_of(void);
__attribute__((visibility("default"))) int64_t compiled_of(void) { return SOURCES; }
