/* Instants as Kubernetes writes them, by arithmetic on the civil calendar: no tz database, no locale. */
#include "api/rfc3339.h"
#include "base/time.h"
#include <errno.h>
#include <stdio.h>

/* Exactly n digits off the front of *s, or -1. */
static int number(struct slice *s, size_t n) {
    if (s->n < n) return -1;
    int v = 0;
    for (size_t i = 0; i < n; i++) {
        if (s->p[i] < '0' || s->p[i] > '9') return -1;
        v = v * 10 + (s->p[i] - '0');
    }
    *s = slice_make(s->p + n, s->n - n);
    return v;
}

static bool sign(struct slice *s, char c) {
    if (!s->n || s->p[0] != c) return false;
    *s = slice_make(s->p + 1, s->n - 1);
    return true;
}

static int month_days(int y, int m) {
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
    return days[m - 1] + (m == 2 && leap);
}

/* ".123456789123": nanoseconds, further digits are cut; -1 without a digit. */
static int64_t fraction(struct slice *s) {
    int64_t ns = 0, unit = NS_PER_S / 10;
    bool any = false;
    while (s->n && s->p[0] >= '0' && s->p[0] <= '9') {
        ns += unit * (s->p[0] - '0');
        unit /= 10;
        any = true;
        *s = slice_make(s->p + 1, s->n - 1);
    }
    return any ? ns : -1;
}

/* "Z" or "+01:00", to the end: the seconds to subtract. Go, like RFC 3339, wants a capital Z. */
static int offset(struct slice s, int *ret) {
    if (sign(&s, 'Z')) {
        *ret = 0;
        return s.n ? -EINVAL : 0;
    }
    int dir = sign(&s, '+') ? 1 : sign(&s, '-') ? -1 : 0;
    int h = number(&s, 2), colon = sign(&s, ':'), m = number(&s, 2);
    if (!dir || h < 0 || h > 23 || !colon || m < 0 || m > 59 || s.n) return -EINVAL;
    *ret = dir * (h * 3600 + m * 60);
    return 0;
}

int rfc3339_parse(struct slice s, int64_t *ret_wall_ns) {
    int y = number(&s, 4), d1 = sign(&s, '-'), mo = number(&s, 2), d2 = sign(&s, '-'), d = number(&s, 2);
    bool t = sign(&s, 'T');
    int h = number(&s, 2), c1 = sign(&s, ':'), mi = number(&s, 2), c2 = sign(&s, ':'), sec = number(&s, 2);
    if (!d1 || !d2 || !t || !c1 || !c2 || y < 1970 || y > 2261 || mo < 1 || mo > 12 || d < 1 ||
        d > month_days(y, mo)) {
        return -EINVAL;
    }
    if (h < 0 || h > 23 || mi < 0 || mi > 59 || sec < 0 || sec > 59) return -EINVAL;
    int64_t ns = sign(&s, '.') ? fraction(&s) : 0;
    int off;
    if (ns < 0 || offset(s, &off) < 0) return -EINVAL;
    int64_t secs = time_days_of(y, mo, d) * 86400 + (int64_t)h * 3600 + (int64_t)mi * 60 + sec - off;
    if (secs < 0) return -EINVAL; /* an offset before the epoch; the upper end has room for one */
    *ret_wall_ns = secs * NS_PER_S + ns;
    return 0;
}

/* Instants before 1970 are written as 1970. */
static int whole_seconds(int64_t wall_ns, struct time_civil *t, char *ret, size_t size) {
    time_civil_of(wall_ns < 0 ? 0 : wall_ns, t);
    return snprintf(ret, size, "%04d-%02d-%02dT%02d:%02d:%02d", t->year, t->month, t->day, t->hour, t->minute,
                    t->second);
}

void rfc3339_seconds(int64_t wall_ns, char ret[32]) {
    struct time_civil t;
    int n = whole_seconds(wall_ns, &t, ret, 32);
    (void)snprintf(ret + n, 32 - (size_t)n, "Z");
}

void rfc3339_micro(int64_t wall_ns, char ret[40]) {
    struct time_civil t;
    int n = whole_seconds(wall_ns, &t, ret, 40);
    (void)snprintf(ret + n, 40 - (size_t)n, ".%06dZ", t.ns / (int)NS_PER_US);
}
