/* Times for people; see status_report.h. */
#include "status_report.h"
#include "base/time.h"
#include <stdio.h>

void status_span(int64_t ns, char ret[32]) {
    if (ns < 0) ns = 0;
    if (ns >= NS_PER_S)
        ns = ns / NS_PER_S * NS_PER_S;
    else
        ns = ns / NS_PER_MS * NS_PER_MS;
    duration_format(ns, ret);
}

void status_age(int64_t ns, char ret[32]) {
    static const struct {
        int64_t s;
        char unit;
    } units[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
    int64_t s = ns > 0 ? ns / NS_PER_S : 0;
    size_t i = 0;
    while (i + 1 < ARRAY_LEN(units) && s < units[i].s) i++;
    int n = snprintf(ret, 32, "%lld%c", (long long)(s / units[i].s), units[i].unit);
    if (i + 1 == ARRAY_LEN(units) || s >= 100 * units[0].s) return;
    int64_t rest = s % units[i].s / units[i + 1].s;
    if (rest) (void)snprintf(ret + n, 32 - (size_t)n, "%lld%c", (long long)rest, units[i + 1].unit);
}

void status_clock(int64_t at, int64_t now, char ret[80]) {
    struct time_civil c, today;
    char date[16] = "", span[32];
    time_civil_of(at, &c);
    time_civil_of(now, &today);
    if (c.day != today.day || c.month != today.month || c.year != today.year)
        (void)snprintf(date, sizeof date, "%04d-%02d-%02d ", c.year % 10000, c.month % 100, c.day % 100);
    status_span(at > now ? at - now : now - at, span);
    (void)snprintf(ret, 80, "%s%02d:%02d:%02dZ (%s%s%s)", date, c.hour % 100, c.minute % 100, c.second % 100,
                   at > now ? "in " : "", span, at > now ? "" : " ago");
}
