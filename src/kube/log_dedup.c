/* See log_dedup.h. */
#include "log_dedup.h"

static uint64_t hash_without_digits(const char *text) {
    uint64_t h = 0;
    for (const char *p = text; *p;) {
        size_t digits = strspn(p, "0123456789"), words = strcspn(p + digits, "0123456789");
        h = slice_hash(slice_make(p + digits, words), h + (digits > 0));
        p += digits + words;
    }
    return h ? h : 1;
}

unsigned log_dedup_due(struct log_dedup *s, const char *text) {
    uint64_t h = hash_without_digits(text);
    for (unsigned i = 0; i < LOG_DEDUP_KINDS; i++) {
        if (s->v[i].hash != h) continue;
        unsigned n = ++s->v[i].times;
        return n & (n - 1) ? 0 : n;
    }
    s->v[s->oldest].hash = h;
    s->v[s->oldest].times = 1;
    s->oldest = (s->oldest + 1) % LOG_DEDUP_KINDS;
    return 1;
}

bool log_dedup_reset(struct log_dedup *s) {
    bool any = s->v[0].times > 0;
    if (any) *s = (struct log_dedup){0};
    return any;
}
