/* See spec_hint.h. */
#include "plan/spec_hint.h"
#include "plan/spec.h"

enum { LONGEST = 40, SHORT = 5, HINTS = 4, SHOWN = 60 };

/* What stands on a Deployment beside what spec_parse() reads. */
static const char *const written[] = {"status", "replicas", "held", "probe"};

static const char *known(size_t i) {
    return i < ARRAY_LEN(written) ? written[i] : spec_known(i - ARRAY_LEN(written));
}

static bool is_one_of(const char *name, const char *(*all)(size_t i)) {
    const char *one;
    for (size_t i = 0; (one = all(i)); i++)
        if (strcmp(one, name) == 0) return true;
    return false;
}

static unsigned least(unsigned a, unsigned b, unsigned c) {
    unsigned m = a < b ? a : b;
    return m < c ? m : c;
}

/* Letters that are missing, too many, others, or have changed places with their neighbour. */
static unsigned distance(const char *a, const char *b) {
    unsigned row[3][LONGEST + 1], *before = row[0], *last = row[1], *now = row[2];
    size_t n = strlen(a), m = strlen(b);
    for (size_t k = 0; k <= m; k++) last[k] = (unsigned)k;
    for (size_t i = 1; i <= n; i++) {
        now[0] = (unsigned)i;
        for (size_t k = 1; k <= m; k++) {
            bool same = a[i - 1] == b[k - 1];
            now[k] = least(now[k - 1] + 1, last[k] + 1, last[k - 1] + !same);
            bool turned = i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1];
            if (turned && before[k - 2] + 1 < now[k]) now[k] = before[k - 2] + 1;
        }
        unsigned *spare = before;
        before = last;
        last = now;
        now = spare;
    }
    return last[m];
}

const char *spec_hint_nearest(const char *name, const char *(*all)(size_t i)) {
    const char *one, *best = NULL;
    size_t n = strlen(name);
    unsigned least_far = n < SHORT ? 2 : 3; /* this far is another word */
    if (!n || n > LONGEST || is_one_of(name, all)) return NULL;
    for (size_t i = 0; (one = all(i)); i++) {
        if (strlen(one) > LONGEST) continue;
        unsigned far = distance(name, one);
        if (far >= least_far) continue;
        least_far = far;
        best = one;
    }
    return best;
}

bool spec_hint_add(const cJSON *annotations, bool others, struct buf *out) {
    size_t hints = 0, prefix = strlen(HANDOVER_PREFIX);
    for (const cJSON *a = annotations ? annotations->child : NULL; a && hints < HINTS; a = a->next) {
        if (strncmp(a->string, HANDOVER_PREFIX, prefix) != 0) continue;
        const char *name = a->string + prefix, *meant = spec_hint_nearest(name, known);
        if (is_one_of(name, known) || (!meant && !others)) continue;
        cleanup_free char *shown = slice_dup_text(slice_of(name), SHOWN);
        buf_addf(out, "%s" HANDOVER_PREFIX "%s is not known", hints++ ? "; " : "", shown);
        if (meant) buf_addf(out, ": is " HANDOVER_PREFIX "%s meant?", meant);
    }
    return hints > 0;
}
