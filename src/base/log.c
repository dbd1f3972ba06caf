/* Structured logs: filtering, and the two line formats. A line is written whole or not at all. */
#include "base/log.h"
#include "base/time.h"
#include "utf8.h"
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

const char *log_level_name(enum log_level level) {
    switch (level) {
    case LOG_DEBUG: return "debug";
    case LOG_INFO: return "info";
    case LOG_WARN: return "warn";
    case LOG_ERROR: return "error";
    }
    return "unknown";
}

/* UTC with microseconds; the civil calendar from days as in Howard Hinnant's "chrono-compatible low-level
 * date algorithms": eras of 400 years that begin in March. */
static void add_timestamp(struct buf *out, int64_t wall_ns) {
    const int64_t day_ns = 86400 * NS_PER_S;
    int64_t days = wall_ns / day_ns, rest = wall_ns % day_ns;
    if (rest < 0) {
        rest += day_ns;
        days--;
    }
    int64_t z = days + 719468, era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365,
            doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153, day = doy - (153 * mp + 2) / 5 + 1, month = mp < 10 ? mp + 3 : mp - 9;
    int64_t year = yoe + era * 400 + (month <= 2), sec = rest / NS_PER_S;
    buf_addf(out, "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", (int)year, (int)month, (int)day, (int)(sec / 3600),
             (int)(sec / 60 % 60), (int)(sec % 60), (int)(rest % NS_PER_S / NS_PER_US));
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
    if (!*cut) return s;
    size_t n = LOG_VALUE_MAX;
    while (n > 0 && ((unsigned char)s.p[n] & 0xc0) == 0x80) n--;
    return slice_make(s.p, n);
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
    buf_addf(out, "\",\"level\":\"%s\",\"msg\":", log_level_name(level));
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
        unsigned char c = (unsigned char)s.p[i];
        size_t len = utf8_len(slice_make(s.p + i, s.n - i));
        bool c1 =
            len == 2 && c == 0xc2 && (unsigned char)s.p[i + 1] < 0xa0; /* a terminal may act on U+0080..9F */
        if (c == '"' || c == '\\') {
            buf_addf(out, "\\%c", c);
        } else if (c == '\n' || c == '\t' || c == '\r') {
            buf_adds(out, c == '\n' ? "\\n" : c == '\t' ? "\\t" : "\\r");
        } else if (c < 0x20 || c == 0x7f || len == 0 || c1) {
            len = c1 ? 2 : 1;
            for (size_t k = 0; k < len; k++) buf_addf(out, "\\x%02x", (unsigned char)s.p[i + k]);
        } else {
            buf_add(out, slice_make(s.p + i, len));
        }
        i += len ? len : 1;
    }
    buf_adds(out, cut ? "...\"" : "\"");
}

/* The message is ours, but may quote others: no control character of it reaches a terminal. */
static void add_message(struct buf *out, struct slice msg) {
    bool cut;
    msg = capped(msg, &cut);
    for (size_t i = 0; i < msg.n; i++) {
        unsigned char c = (unsigned char)msg.p[i];
        buf_addc(out, c < 0x20 || c == 0x7f ? ' ' : (char)c);
    }
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
