/* Memory that is not in use goes back to the system. See obs/obs.h. */
#include "obs/obs.h"
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void memory_frugal(void) {
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, 64 << 10); /* said once, it no longer grows with what is freed */
    (void)mallopt(M_TRIM_THRESHOLD, 256 << 10);
}

/* A debugger writes its breakpoints into the code. */
static bool is_debugged(void) {
    char text[2048];
    int fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0) close(fd);
    if (n < 0) return true; /* not known: leave the code alone */
    text[n] = '\0';
    return strstr(text, "\nTracerPid:\t0\n") == NULL;
}

/* Segments of code only: nothing of ours writes there, so that their pages are the file's. */
static int forget_code(struct dl_phdr_info *object, size_t size, void *ctx) {
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    (void)size;
    (void)ctx;
    for (int i = 0; i < object->dlpi_phnum; i++) {
        const ElfW(Phdr) *h = &object->dlpi_phdr[i];
        if (h->p_type != PT_LOAD || !(h->p_flags & PF_X) || (h->p_flags & PF_W)) continue;
        uintptr_t from = (object->dlpi_addr + h->p_vaddr + page - 1) / page * page;
        uintptr_t to = (object->dlpi_addr + h->p_vaddr + h->p_memsz) / page * page;
        if (from < to) (void)madvise((void *)from, to - from, MADV_DONTNEED);
    }
    return 0;
}

void memory_give_back(void) {
    (void)malloc_trim(0);
    if (!is_debugged()) (void)dl_iterate_phdr(forget_code, NULL);
}
