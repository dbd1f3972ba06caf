/* What the outside may see of us: the admin port, log sinks, the service manager. The host's logind is in
 * obs/inhibit.h. */
#ifndef OBS_OBS_H
#define OBS_OBS_H
#include "base/log.h"
#include "base/metrics.h"
#include "world/http_server.h"

/* ---- admin port: /metrics (gzip if asked), /healthz, /readyz (each check by name with ?verbose), and the page at / ---- */
struct admin;
int admin_start(struct world *w, const char *addr, struct metrics *m, struct log *log, struct admin **ret,
                struct err *err);
void admin_stop(struct admin *a);
int admin_port(const struct admin *a);
/* check: true is well; otherwise fills why. readyz: part of /readyz only, else of both. name: a literal. */
void admin_check(struct admin *a, const char *name, bool readyz_only,
                 bool (*check)(void *ctx, struct buf *why), void *ctx);
/* A further page, which those may read who may read the page; content is written by fn. path: a literal, e.g. "/status.json". */
void admin_page(struct admin *a, const char *path, const char *content_type,
                void (*fn)(void *ctx, struct buf *out), void *ctx);

/* ---- the page: files that say nothing, and a stream of what the process shows (docs/reference/page.md) ---- */
enum page_mode {
    PAGE_OFF,
    PAGE_OPEN, /* who reaches the port: of requests whose Host is an address or localhost, so that no web site can ask in
                    the name of its visitor (DNS rebinding) */
    PAGE_REVIEW, /* whom the source's review lets in, by a bearer token */
};
enum page_verdict { PAGE_ALLOWED, PAGE_UNKNOWN, PAGE_FORBIDDEN, PAGE_BUSY, PAGE_FAILED };
/* why: for the reader, one line. */
typedef void (*page_answer)(void *ctx, enum page_verdict v, const char *why);
struct page_items;
struct page_review;
struct page_source {
    /* All that there is to see, each second while somebody looks: page_item() for each. */
    void (*items)(void *ctx, struct page_items *to);
    void (*unseen)(void *ctx); /* nobody looks any more */
    /* May the bearer of this token read it? Exactly one answer, never inside this call, unless it is cancelled. Of PAGE_REVIEW. */
    struct page_review *(*review)(void *review_ctx, struct slice token, page_answer fn, void *fn_ctx);
    void (*cancel)(struct page_review *r);
    void *ctx, *review_ctx;
};
/* json: one value without line breaks. Copied. */
void page_item(struct page_items *to, const char *key, struct slice json);
/* Once; without it there is no page. The source is copied, what its ctx are must live as long as a. */
void admin_show(struct admin *a, enum page_mode mode, const struct page_source *src);

/* ---- log sinks: lines on a file descriptor, or journald's native protocol with fields ---- */
enum log_style { LOG_STYLE_TEXT, LOG_STYLE_JSON, LOG_STYLE_JOURNAL };
struct log_sink log_sink_fd(int fd, enum log_style style); /* TEXT or JSON; nothing to free */
bool log_under_journal(struct world *w, int fd); /* JOURNAL_STREAM says that fd goes to the journal */
struct log_sink log_sink_journal(void);

/* ---- service manager; silent no-ops without one, or with one that takes nothing. status: one line for
 * people ---- */
bool notify_wanted(void); /* there is one */
/* extend_ns: EXTEND_TIMEOUT_USEC, how long from now the next word may take; 0: the manager's own limit holds.
 */
void notify_starting(const char *status, int64_t extend_ns);
void notify_ready(const char *status);
void notify_status(const char *status);
void notify_stopping(const char *status, int64_t extend_ns); /* may be said again, with another time */
void notify_watchdog(void);
int64_t
notify_watchdog_ns(void); /* WatchdogSec: how long at most between two notify_watchdog(); 0: not wanted */

/* Feeds the manager's watchdog by a timer of the loop, four times in WatchdogSec: a loop that makes no
 * progress for three quarters of that time is ended for sure, one that only pauses is not. NULL where no
 * watchdog is wanted. */
struct watchdog;
struct watchdog *watchdog_start(struct world *w);
void watchdog_stop(struct watchdog *d); /* NULL is fine */

/* ---- memory, for a process that runs for months and is idle most of the time ---- */
/* One arena, and large blocks go back to the system when they are freed. Once, at the start. */
void memory_frugal(void);
/* Pages of the heap without a block in use go back to the system: glibc keeps those below the last block for ever, and
 * a day's work leaves many. Takes about a millisecond. */
void memory_give_back(void);

/* ---- process metrics (process_resident_memory_bytes, process_cpu_seconds_total, process_open_fds,
 *      process_start_time_seconds), what of the memory is its own (handover_memory_*_bytes), handover_build_info{version} ---- */
void process_metrics(struct metrics *m);
/* Raises the limit of open files to the hard one; an error in the log says if that is not enough. */
void process_raise_files(struct log *log);
#endif
