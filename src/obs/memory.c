/* Memory that is not in use goes back to the system. See obs/obs.h. */
#include "obs/obs.h"
#include <malloc.h>

void memory_frugal(void) {
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, 64 << 10); /* said once, it no longer grows with what is freed */
    (void)mallopt(M_TRIM_THRESHOLD, 256 << 10);
}

void memory_give_back(void) {
    (void)malloc_trim(0);
}
