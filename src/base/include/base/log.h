/* Structured logs: a message and fields to a sink. The logger is a pointer that everything is handed; NULL
 * drops all. Field values must never be secrets; a URL is logged without its query. */
#ifndef BASE_LOG_H
#define BASE_LOG_H
#include "base/buf.h"
#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };
enum log_type { LOG_T_STR, LOG_T_INT, LOG_T_NUM, LOG_T_DUR }; /* DUR: nanoseconds, shown in seconds */
struct log_field {
    const char *key;
    enum log_type type;
    struct slice s;
    int64_t i;
    double d;
};
struct log_sink {
    void (*write)(void *ctx, enum log_level level, int64_t wall_ns, const char *msg,
                  const struct log_field *f, size_t n);
    void *ctx;
};
struct log {
    struct log_sink sink;
    enum log_level min;
    int64_t (*wall_ns)(void *ctx); /* the clock is a parameter: simulated runs log simulated time */
    void *clock_ctx;
};

#define LF_STR(k, v)   ((struct log_field){.key = (k), .type = LOG_T_STR, .s = slice_of(v)})
#define LF_SLICE(k, v) ((struct log_field){.key = (k), .type = LOG_T_STR, .s = (v)})
#define LF_INT(k, v)   ((struct log_field){.key = (k), .type = LOG_T_INT, .i = (int64_t)(v)})
#define LF_NUM(k, v)   ((struct log_field){.key = (k), .type = LOG_T_NUM, .d = (v)})
#define LF_DUR(k, v)   ((struct log_field){.key = (k), .type = LOG_T_DUR, .i = (v)})
#define LF_ERR(e)      log_field_err(e)

/* The field "error"; e NULL or empty: an empty text. */
struct log_field log_field_err(const struct err *e);

void log_write(struct log *log, enum log_level level, const char *msg, const struct log_field *f, size_t n);
/* LOG_EVENT(log, LOG_INFO, "LeaseAcquired", "lease acquired", LF_INT("term", 3)): `event` is a stable id in
 * CamelCase that alerts and searches may rely on. Both texts are literals, or it does not compile: what
 * varies is a field. */
#define LOG_EVENT(log, level, event, msg, ...)                                                               \
    log_write((log), (level), "" msg, (const struct log_field[]){LF_STR("event", "" event), ##__VA_ARGS__},  \
              sizeof((const struct log_field[]){LF_STR("event", "" event), ##__VA_ARGS__}) /                 \
                  sizeof(struct log_field))

/* One line with its newline: {"ts":"...Z","level":"info","msg":"...",...} or "2026-.. INFO msg key=value". */
void log_format_json(struct buf *out, enum log_level, int64_t wall_ns, const char *msg,
                     const struct log_field *, size_t n);
void log_format_text(struct buf *out, enum log_level, int64_t wall_ns, const char *msg,
                     const struct log_field *, size_t n);
#endif
