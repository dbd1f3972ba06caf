/* Durations in Go's notation (time.ParseDuration), exact to the nanosecond, and the civil calendar. */
#include "base/time.h"
#include <errno.h>
#include <stdio.h>

__extension__ typedef __int128 wide;

static const struct {
    const char *name;
    int64_t ns;
} units[] = {{"ns", 1},         {"us", NS_PER_US}, {"\xc2\xb5s", NS_PER_US}, {"\xce\xbcs", NS_PER_US},
             {"ms", NS_PER_MS}, {"s", NS_PER_S},   {"m", 60 * NS_PER_S},     {"h", 3600 * NS_PER_S}};

static bool digit(struct slice s) {
    return s.n && s.p[0] >= '0' && s.p[0] <= '9';
}

static void skip(struct slice *s, size_t n) {
    s->p += n;
    s->n -= n;
}

/* One "1.5h" off the front of *s, added to *sum. */
static int one_term(struct slice *s, int64_t *sum) {
    int64_t whole = 0, frac = 0, scale = 1;
    bool digits = false, over = false;
    for (; digit(*s); skip(s, 1), digits = true) {
        over = over || __builtin_mul_overflow(whole, 10, &whole) ||
               __builtin_add_overflow(whole, s->p[0] - '0', &whole);
    }
    if (s->n && s->p[0] == '.') {
        for (skip(s, 1); digit(*s); skip(s, 1), digits = true) {
            if (scale > INT64_MAX / 100) continue; /* below any nanosecond of the largest unit */
            frac = frac * 10 + (s->p[0] - '0');
            scale *= 10;
        }
    }
    size_t n = 0;
    while (n < s->n && s->p[n] != '.' && (s->p[n] < '0' || s->p[n] > '9')) n++;
    struct slice unit = slice_make(s->p, n);
    for (size_t i = 0; digits && i < ARRAY_LEN(units); i++) {
        if (!slice_eqs(unit, units[i].name)) continue;
        skip(s, n);
        wide part = (wide)frac * units[i].ns / scale;
        if (over || __builtin_mul_overflow(whole, units[i].ns, &whole) ||
            __builtin_add_overflow(whole, (int64_t)part, &whole) ||
            __builtin_add_overflow(*sum, whole, sum)) {
            return -ERANGE;
        }
        return 0;
    }
    return -EINVAL;
}

int duration_parse(struct slice s, int64_t *ret_ns) {
    if (s.n && s.p[0] == '+') skip(&s, 1);
    if (slice_eqs(s, "0")) {
        *ret_ns = 0;
        return 0;
    }
    if (!s.n) return -EINVAL;
    int64_t sum = 0;
    int worst = 0; /* "99999999999h!" is no duration rather than a large one */
    while (s.n) {
        int r = one_term(&s, &sum);
        if (r == -EINVAL) return r;
        if (r < 0) worst = r;
    }
    if (worst == 0) *ret_ns = sum;
    return worst;
}

/* v units of 10^digits parts each, without trailing zeros: 1500, 3 -> "1.5". */
static size_t decimal(char *p, size_t size, uint64_t v, int digits) {
    uint64_t scale = 1;
    for (int i = 0; i < digits; i++) scale *= 10;
    size_t n = (size_t)snprintf(p, size, "%llu", (unsigned long long)(v / scale));
    uint64_t frac = v % scale;
    if (!frac) return n;
    n += (size_t)snprintf(p + n, size - n, ".%0*llu", digits, (unsigned long long)frac);
    while (p[n - 1] == '0') p[--n] = '\0';
    return n;
}

void duration_format(int64_t ns, char ret[32]) {
    char *p = ret, *end = ret + 32;
    uint64_t v = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    *p = '\0';
    if (ns < 0) *p++ = '-';
    if (v < (uint64_t)NS_PER_S && v > 0) {
        const char *unit = v < (uint64_t)NS_PER_US ? "ns" : v < (uint64_t)NS_PER_MS ? "us" : "ms";
        p += decimal(p, (size_t)(end - p), v, v < (uint64_t)NS_PER_US ? 0 : v < (uint64_t)NS_PER_MS ? 3 : 6);
        (void)snprintf(p, (size_t)(end - p), "%s", unit);
        return;
    }
    const uint64_t minute = 60 * (uint64_t)NS_PER_S, hour = 60 * minute;
    if (v >= hour) p += snprintf(p, (size_t)(end - p), "%lluh", (unsigned long long)(v / hour));
    v %= hour;
    if (v >= minute) p += snprintf(p, (size_t)(end - p), "%llum", (unsigned long long)(v / minute));
    v %= minute;
    if (v || p == ret || p[-1] == '-') {
        p += decimal(p, (size_t)(end - p), v, 9);
        (void)snprintf(p, (size_t)(end - p), "s");
    }
}

/* Eras of 400 years that begin in March: Howard Hinnant, "chrono-compatible low-level date algorithms". */
int64_t time_days_of(int year, int month, int day) {
    int64_t y = year - (month <= 2), era = (y >= 0 ? y : y - 399) / 400, yoe = y - era * 400;
    int64_t doy = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

void time_civil_of(int64_t wall_ns, struct time_civil *ret) {
    const int64_t day_ns = 86400 * NS_PER_S;
    int64_t days = wall_ns / day_ns, rest = wall_ns % day_ns;
    if (rest < 0) {
        rest += day_ns;
        days--;
    }
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365,
            doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153, month = mp < 10 ? mp + 3 : mp - 9, sec = rest / NS_PER_S;
    *ret = (struct time_civil){.year = (int)(yoe + era * 400 + (month <= 2)),
                               .month = (int)month,
                               .day = (int)(doy - (153 * mp + 2) / 5 + 1),
                               .hour = (int)(sec / 3600),
                               .minute = (int)(sec / 60 % 60),
                               .second = (int)(sec % 60),
                               .ns = (int)(rest % NS_PER_S)};
}
