/* What `status -w` shows, with or without an answer; see status_watch.h. Pure. */
#include "base/time.h"
#include "status_watch.h"
#include "text.h"

static void add_trouble(const char *err, int64_t asked_ns, int64_t since_ns, const struct table_style *style,
                        int64_t now, struct buf *out) {
    cleanup_buf struct buf line = BUF(8192);
    char took[32], age[32];
    status_age(now - asked_ns, took);
    buf_addf(&line, "no answer for %s", took);
    if (since_ns) {
        status_age(now - since_ns, age);
        buf_addf(&line, ", this is %s old", age);
    }
    if (*err) buf_addf(&line, ": %s", err);
    cleanup_free char *clean = text_cleaned(buf_str(&line), style->utf8);
    struct slice s = slice_of(clean);
    if (style->width) s = text_fit(s, style->width, false, style->utf8);
    buf_adds(out, style->colour ? "\x1b[31m" : "");
    buf_add(out, s);
    buf_adds(out, style->colour ? "\x1b[0m\n" : "\n");
}

void status_watch_frame(const struct status_report *r, const char *err, int64_t asked_ns, int64_t since_ns,
                        const struct table_style *style, int64_t now_wall_ns, struct buf *out) {
    struct table_style rest = *style;
    if (err) add_trouble(err, asked_ns, since_ns, style, now_wall_ns, out);
    if (err && rest.height > 1) rest.height--;
    if (r) status_text(r, &rest, now_wall_ns, out);
}
