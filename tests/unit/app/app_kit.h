/* What the tests of whole instances add to the stage: what an instance logs, and its pages. */
#ifndef TEST_APP_KIT_H
#define TEST_APP_KIT_H
#include "../case.h"
#include "../simworld/stage.h"

/* Instance i starts; its lines are kept. */
static UNUSED void keep_line(void *ctx, enum log_level level, int64_t t, const char *msg,
                             const struct log_field *f, size_t n) {
    log_format_text(ctx, level, t, msg, f, n);
}

static UNUSED void launch(struct stage *st, int i, struct buf *lines) {
    boot(st, i);
    st->in[i].log.sink = (struct log_sink){keep_line, lines};
    st->may_end = true;
}

static UNUSED void run_s(struct stage *st, int64_t s) {
    simworld_run(st->sw, s * NS_PER_S);
}

static UNUSED int count(const struct buf *lines, const char *text) {
    int n = 0;
    for (const char *p = buf_str(lines); (p = strstr(p, text)); p++) n++;
    return n;
}

/* The page is as expected: its status, and a text that is on it. */
static UNUSED void page(struct stage *st, int i, const char *path, int status, const char *text) {
    cleanup_free char *url = xasprintf("http://%s:8080%s", simworld_name(st->in[i].w), path);
    cleanup_buf struct buf b = BUF(1 << 20);
    int got = simworld_get(st->sw, url, &b);
    if (got != status || !strstr(buf_str(&b), text)) fail_msg("%s: %d %s", url, got, buf_str(&b));
}
#endif
