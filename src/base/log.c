/* Structured logs: filtering, and the two line formats. A line is written whole or not at all. */
#include "base/log.h"
#include "base/time.h"
#include "base/utf8.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>

enum { LOG_VALUE_MAX = 4096 }; /* bytes of one value; the rest is cut and says so */

struct log_field log_field_err(const struct err *e) {
    return (struct log_field){.key = "error", .type = LOG_T_STR, .s = slice_of(e ? e->msg : "")};
}

void log_write(struct log *log, enum log_level level, const char *msg, const struct log_field *f, size_t n) {
    if (!log || level < log->min || !log->sink.write) return;
    int64_t now = log->wall_ns ? log->wall_ns(log->clock_ctx) : 0;
    log->sink.write(log->sink.ctx, level, now, msg, f, n);
}

static const char *level_name(enum log_level level) {
    switch (level) {
    case LOG_DEBUG: return "debug";
    case LOG_INFO: return "info";
    case LOG_WARN: return "warn";
    case LOG_ERROR: return "error";
    }
    return "unknown";
}

static void add_timestamp(struct buf *out, int64_t wall_ns) {
    struct time_civil t;
    time_civil_of(wall_ns, &t);
    buf_addf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", t.year, t.month, t.day, t.hour, t.minute, t.second,
             t.ns / (int)NS_PER_US);
}

/* Seconds, exact: 0.0032 */
static void add_seconds(struct buf *out, int64_t ns) {
    uint64_t v = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    char text[40];
    int n = snprintf(text, sizeof text, "%s%llu.%09llu", ns < 0 ? "-" : "",
                     (unsigned long long)(v / 1000000000), (unsigned long long)(v % 1000000000));
    while (n > 0 && text[n - 1] == '0') n--;
    if (n > 0 && text[n - 1] == '.') n--;
    buf_add(out, slice_make(text, (size_t)n));
}

/* The shortest of the notations that read back as the same double. */
static void add_double(struct buf *out, double v) {
    char text[40];
    for (int prec = 6; prec <= 17; prec++) {
        if (snprintf(text, sizeof text, "%.*g", prec, v) > 0 && strtod(text, NULL) == v) break;
    }
    buf_adds(out, text);
}

/* At most LOG_VALUE_MAX bytes, cut between two characters. */
static struct slice capped(struct slice s, bool *cut) {
    *cut = s.n > LOG_VALUE_MAX;
    return utf8_cut(s, LOG_VALUE_MAX);
}

static void add_json_value(struct buf *out, struct slice s) {
    bool cut;
    s = capped(s, &cut);
    if (buf_add_json(out, s) == 0 && cut) {
        out->n--; /* inside the quotes */
        buf_adds(out, "...\"");
    }
}

static void drop_line(struct buf *out, size_t before) {
    if (!out->full) return;
    out->n = before;
    if (out->p) out->p[before] = '\0';
}

void log_format_json(struct buf *out, enum log_level level, int64_t wall_ns, const char *msg,
                     const struct log_field *f, size_t n) {
    size_t before = out->n;
    buf_adds(out, "{\"ts\":\"");
    add_timestamp(out, wall_ns);
    buf_addf(out, "\",\"level\":\"%s\",\"msg\":", level_name(level));
    add_json_value(out, slice_of(msg));
    for (size_t i = 0; i < n; i++) {
        buf_addc(out, ',');
        buf_add_json(out, slice_of(f[i].key));
        buf_addc(out, ':');
        switch (f[i].type) {
        case LOG_T_STR: add_json_value(out, f[i].s); break;
        case LOG_T_INT: buf_addf(out, "%lld", (long long)f[i].i); break;
        case LOG_T_DUR: add_seconds(out, f[i].i); break;
        case LOG_T_NUM:
            if (isfinite(f[i].d)) {
                add_double(out, f[i].d);
            } else { /* JSON has no word for it */
                buf_adds(out, isnan(f[i].d) ? "\"NaN\"" : f[i].d > 0 ? "\"+Inf\"" : "\"-Inf\"");
            }
            break;
        }
    }
    buf_adds(out, "}\n");
    drop_line(out, before);
}

/* Bare where it is one plain word, else quoted, so that a value can never look like another field or another
 * line. */
static void add_text_value(struct buf *out, struct slice s) {
    bool plain = s.n > 0;
    for (size_t i = 0; i < s.n && plain; i++) {
        unsigned char c = (unsigned char)s.p[i];
        plain = c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\';
    }
    bool cut;
    if (plain && s.n <= LOG_VALUE_MAX) {
        buf_add(out, s);
        return;
    }
    s = capped(s, &cut);
    buf_addc(out, '"');
    for (size_t i = 0; i < s.n && !out->full;) {
        if (s.p[i] == '"' || s.p[i] == '\\') buf_addc(out, '\\');
        i += utf8_add_safe_one(out, slice_make(s.p + i, s.n - i));
    }
    buf_adds(out, cut ? "...\"" : "\"");
}

/* The message is ours, but may quote others: no control character of it reaches a terminal. */
static void add_message(struct buf *out, struct slice msg) {
    bool cut;
    msg = capped(msg, &cut);
    utf8_add_safe(out, msg);
    if (cut) buf_adds(out, "...");
}

void log_format_text(struct buf *out, enum log_level level, int64_t wall_ns, const char *msg,
                     const struct log_field *f, size_t n) {
    static const char *const names[] = {"DEBUG", "INFO ", "WARN ", "ERROR"};
    size_t before = out->n;
    add_timestamp(out, wall_ns);
    buf_addf(out, " %s ", (size_t)level < ARRAY_LEN(names) ? names[level] : "?????");
    add_message(out, slice_of(msg));
    for (size_t i = 0; i < n; i++) {
        buf_addf(out, " %s=", f[i].key);
        switch (f[i].type) {
        case LOG_T_STR: add_text_value(out, f[i].s); break;
        case LOG_T_INT: buf_addf(out, "%lld", (long long)f[i].i); break;
        case LOG_T_NUM: add_double(out, f[i].d); break;
        case LOG_T_DUR:
            add_seconds(out, f[i].i);
            buf_addc(out, 's');
            break;
        }
    }
    buf_addc(out, '\n');
    drop_line(out, before);
}
