/* The page at /: what this process is, how it is, and what else can be read here. Plain HTML that loads
 * nothing. */
#include "admin_impl.h"
#include "base/time.h"

enum { SHOWN_MAX = 64 << 10 }; /* of a text page that is shown in place */

static const char style[] =
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "body{color:#222;background:#fff}"
    "h1{font-size:1.4rem;margin-bottom:0}h2{font-size:1.1rem;margin:1.6rem 0 .4rem}p{margin:.3rem 0}"
    "table{border-collapse:collapse}td{padding:.1rem 1.2rem .1rem 0;vertical-align:top}"
    "ul{margin:0;padding-left:1.2rem}"
    "pre{font:14px/1.45 ui-monospace,monospace;background:#f5f5f5;padding:.7rem;overflow-x:auto}"
    ".bad{color:#a40000;font-weight:600}.dim{color:#666}a{color:#0b5394}"
    "@media(prefers-color-scheme:dark){body{color:#ddd;background:#181818}pre{background:#242424}"
    ".bad{color:#ff8a80}.dim{color:#999}a{color:#8ab4f8}}";

static void add_html(struct buf *out, struct slice s) {
    for (size_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case '&': buf_adds(out, "&amp;"); break;
        case '<': buf_adds(out, "&lt;"); break;
        case '>': buf_adds(out, "&gt;"); break;
        case '"': buf_adds(out, "&quot;"); break;
        default: buf_addc(out, s.p[i]); break;
        }
    }
}

static void add_link(struct buf *out, const char *path) {
    buf_adds(out, "<li><a href=\"");
    add_html(out, slice_of(path));
    buf_adds(out, "\">");
    add_html(out, slice_of(path));
    buf_adds(out, "</a>");
}

static bool is_text(const struct admin_page_entry *p) {
    return slice_starts(slice_of(p->content_type), SL("text/plain"));
}

static void add_checks(struct admin *a, struct buf *out) {
    cleanup_buf struct buf why = BUF(ADMIN_WHY_CAP);
    if (!a->nchecks) return;
    buf_adds(out, "<h2>Checks</h2><table>");
    for (size_t i = 0; i < a->nchecks; i++) {
        const struct admin_check_entry *c = &a->checks[i];
        bool well = admin_run_check(c, &why);
        buf_adds(out, "<tr><td>");
        add_html(out, slice_of(c->name));
        buf_adds(out, well ? "<td>ok<td class=dim>" : "<td class=bad>failed<td>");
        add_html(out, well ? slice_of(c->readyz_only ? "readiness" : "") : buf_slice(&why));
    }
    buf_adds(out, "</table>");
}

static void add_texts(struct admin *a, struct buf *out) {
    for (size_t i = 0; i < a->npages; i++) {
        const struct admin_page_entry *p = &a->pages[i];
        if (!is_text(p)) continue;
        cleanup_buf struct buf text = BUF(ADMIN_PAGE_CAP);
        p->fn(p->ctx, &text);
        struct slice shown = buf_slice(&text);
        if (shown.n > SHOWN_MAX) shown.n = SHOWN_MAX;
        buf_adds(out, "<h2>");
        add_html(out, slice_of(p->path + (p->path[0] == '/')));
        buf_adds(out, "</h2><pre>");
        add_html(out, shown);
        buf_adds(out, shown.n < text.n ? "\n... the rest is on the page itself</pre>" : "</pre>");
    }
}

void page_write(struct admin *a, struct buf *out) {
    char up[32];
    duration_format((world_boot_ns(a->world) - a->started_ns) / NS_PER_S * NS_PER_S, up);
    buf_addf(
        out,
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content=\"width=device-width\">"
        "<title>Handover</title><style>%s</style><h1>Handover %s</h1><p class=dim>up %s",
        style, HANDOVER_VERSION, up);
    add_checks(a, out);
    add_texts(a, out);
    buf_adds(out, "<h2>Pages</h2><ul>");
    for (size_t i = 0; i < a->npages; i++) add_link(out, a->pages[i].path);
    add_link(out, "/metrics");
    add_link(out, "/healthz?verbose");
    add_link(out, "/readyz?verbose");
    buf_adds(out, "</ul></html>\n");
}
