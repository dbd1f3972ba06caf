/* The report for a person: what follows first, the most dangerous before the rest, then what would be left. */
#include "report_page.h"
#include <errno.h>

enum { NAMES = 10 }; /* of one consequence */

static void name(struct page *p, const char *group, const char *kind, const char *ns, const char *own) {
    if (group && group[0]) {
        page_add(p, group);
        page_add(p, "/");
    }
    page_add(p, kind);
    page_add(p, " ");
    if (ns[0]) {
        page_add(p, ns);
        page_add(p, "/");
    }
    page_add(p, own);
}

static void and_more(struct page *p, unsigned indent, uint64_t n, const char *one, const char *many) {
    if (!n) return;
    page_addf(p, "%*sand %llu more%s", (int)indent, "", (unsigned long long)n, n == 1 ? one : many);
    page_end(p, PAGE_DIM);
}

/* ---- consequences ---- */

static void heading(struct page *p, uint64_t n, const char *one, const char *many, enum page_colour colour) {
    page_addf(p, "  %llu %s", (unsigned long long)n, n == 1 ? one : many);
    page_end(p, colour);
}

static void held(struct page *p, enum restart_held h) {
    if (h == HELD_PAUSED) page_add(p, ", paused: not before it is resumed");
    if (h == HELD_ON_DELETE) page_add(p, ", OnDelete: each when it is deleted");
}

static void pods(struct page *p, const char *before, uint64_t n) {
    page_addf(p, "%s", before);
    report_some(&p->line, n, "pod", "pods");
}

/* Those that restart, or those that stop. */
static void workloads(struct page *p, const struct report *r, bool stop) {
    struct workload *v;
    struct report_pods all = report_pods(r);
    size_t n = report_workloads(r, &v), shown = 0;
    uint64_t count = stop ? all.stops : all.restarts;
    if (count) {
        page_addf(p, "  ");
        report_some(&p->line, count, "workload would ", "workloads would ");
        page_addf(p, "%s", stop ? all.how : "restart");
        pods(p, ", ", stop ? all.stopping : all.restarting);
        page_end(p, PAGE_RED);
    }
    for (size_t i = 0; i < n && shown < NAMES; i++) {
        if (!(stop ? v[i].stops : v[i].restarts)) continue;
        page_addf(p, "    ");
        name(p, NULL, v[i].kind, v[i].ns, v[i].name);
        if (stop && v[i].left) {
            page_addf(p, " (%lld of", (long long)v[i].stopping);
            pods(p, " ", (uint64_t)(v[i].stopping + v[i].left));
        } else {
            pods(p, " (", (uint64_t)(stop ? v[i].stopping : v[i].restarting));
        }
        if (!stop) held(p, v[i].held);
        page_add(p, ")");
        page_end(p, PAGE_PLAIN);
        shown++;
    }
    and_more(p, 4, count - shown, " workload", " workloads");
    free(v);
}

static void consequence(struct page *p, const struct report *r, enum report_kind k, const char *one,
                        const char *many, enum page_colour colour) {
    uint64_t all = report_count(r, k), shown = 0;
    if (!all) return;
    heading(p, all, one, many, colour);
    for (size_t i = 0; i < r->n && shown < NAMES; i++) {
        const struct row *row = r->row[i];
        if (!(row->kinds & 1U << k)) continue;
        page_addf(p, "    ");
        name(p, NULL, row->kind, row->ns, row->name);
        if (k == REPORT_HOT) page_addf(p, " (%u writes)", row->writes);
        page_end(p, PAGE_PLAIN);
        shown++;
    }
    and_more(p, 4, all - shown, "", "");
}

static void consequences(struct page *p, const struct report *r) {
    size_t before = p->out->n;
    page_end(p, PAGE_PLAIN);
    size_t start = p->out->n;
    static const struct {
        enum report_kind kind;
        const char *one, *many;
        enum page_colour colour;
    } rows[] = {{REPORT_VOLUMES, "volume or claim deleted", "volumes or claims deleted", PAGE_RED},
                {REPORT_NAMESPACES, "namespace deleted", "namespaces deleted", PAGE_RED},
                {REPORT_CRDS, "CustomResourceDefinition deleted, or with a version not served any more",
                 "CustomResourceDefinitions deleted, or with a version not served any more", PAGE_RED},
                {REPORT_CUSTOM, "custom resource deleted", "custom resources deleted", PAGE_RED},
                {REPORT_STOPS, NULL, NULL, PAGE_RED},
                {REPORT_RESTARTS, NULL, NULL, PAGE_RED},
                {REPORT_WEBHOOKS, "webhook configuration or admission policy touched",
                 "webhook configurations or admission policies touched", PAGE_YELLOW},
                {REPORT_RBAC, "role, binding or ServiceAccount touched",
                 "roles, bindings or ServiceAccounts touched", PAGE_YELLOW},
                {REPORT_FINALIZERS, "object loses a finalizer", "objects lose a finalizer", PAGE_YELLOW},
                {REPORT_HOT, "object is written again and again", "objects are written again and again",
                 PAGE_YELLOW}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (!rows[i].one)
            workloads(p, r, rows[i].kind == REPORT_STOPS);
        else
            consequence(p, r, rows[i].kind, rows[i].one, rows[i].many, rows[i].colour);
    }
    if (p->out->n == start && p->out->p)
        p->out->p[p->out->n = before] = '\0'; /* there are none, and no blank line */
}

/* ---- objects ---- */

static void notes(struct page *p, const struct row *row) {
    if (row->change == ROW_RECREATED) page_add(p, "  (deleted and made anew)");
    if (row->waits) page_add(p, "  (waits for its finalizers)");
    if (row->orphans) page_add(p, "  (what it owns stays)");
    if (row->differs) page_add(p, "  (differs from what the version in service would create)");
}

static void object(struct page *p, const struct row *row) {
    static const char *const marks[] = {" ", "+", "~", "-", "±"};
    static const enum page_colour colours[] = {PAGE_PLAIN, PAGE_GREEN, PAGE_YELLOW, PAGE_RED, PAGE_RED};
    page_addf(p, "%s ", marks[row->change]);
    name(p, row->group, row->kind, row->ns, row->name);
    notes(p, row);
    page_end(p, colours[row->change]);
    uint64_t moving = 0;
    for (size_t i = 0; i < row->n; i++) {
        const struct field *f = &row->field[i];
        bool plain = row->change == ROW_CREATED && !f->from;
        moving += f->moves;
        if (!f->moves)
            page_change(p, f->path, plain ? NULL : f->from ? f->from : "(none)", f->to ? f->to : "(none)");
    }
    and_more(p, 4, row->more.fields, " field", " fields");
    if (moving) {
        page_addf(p, "    and %llu time%s or the like", (unsigned long long)moving, moving == 1 ? "" : "s");
        page_end(p, PAGE_DIM);
    }
}

static void objects(struct page *p, const struct report *r, size_t max) {
    uint64_t all = r->unlisted.objects - r->unlisted.times, shown = 0, times = report_times(r);
    for (size_t i = 0; i < r->n; i++)
        all += r->row[i]->change != ROW_NONE && !report_row_moves_only(r->row[i]);
    if (!all && !times) return;
    page_end(p, PAGE_PLAIN);
    for (size_t i = 0; i < r->n && shown < max; i++) {
        const struct row *row = r->row[i];
        if (row->change == ROW_NONE || report_row_moves_only(row)) continue;
        object(p, row);
        shown++;
    }
    and_more(p, 0, all - shown, " object", " objects");
    if (times) {
        page_addf(p, "%llu object%s in which only times or the like would change", (unsigned long long)times,
                  times == 1 ? "" : "s");
        page_end(p, PAGE_DIM);
    }
}

/* ---- what else there was ---- */

static void said(struct page *p, const struct said_list *l, const char *head) {
    page_end(p, PAGE_PLAIN);
    page_add(p, head);
    page_end(p, PAGE_YELLOW);
    for (size_t i = 0; i < l->n; i++) {
        page_addf(p, "  %llu x ", (unsigned long long)l->v[i].count);
        page_add(p, l->v[i].what);
        page_add(p, ": ");
        page_add(p, l->v[i].why);
        page_wrap(p, 6, PAGE_PLAIN);
    }
}

static void failures(struct page *p, const struct report *r) {
    if (report_count(r, REPORT_FAILED)) said(p, &r->failures, "Failed:");
    and_more(p, 2, r->run.unnamed, " request", " requests");
}

static void whole(struct page *p, const struct report *r) {
    if (!r->run.full) return;
    page_end(p, PAGE_PLAIN);
    page_add(p, "This is not the whole: the rehearsal reached a limit.");
    page_end(p, PAGE_RED);
}

static void warnings(struct page *p, const struct report *r) {
    bool any = false;
    for (size_t i = 0; i < r->nevents; i++) {
        const struct event *e = &r->event[i];
        if (strcmp(e->type, "Warning") != 0) continue;
        if (!any) {
            page_end(p, PAGE_PLAIN);
            page_add(p, "Warnings of the operator:");
            page_end(p, PAGE_YELLOW);
            any = true;
        }
        page_addf(p, "  %llu x ", (unsigned long long)e->count);
        page_add(p, e->reason);
        page_add(p, " ");
        name(p, NULL, e->kind, e->ns, e->name);
        page_add(p, ": ");
        page_add(p, e->message);
        page_wrap(p, 6, PAGE_PLAIN);
    }
}

/* What is in no row, and why. */
static void taken(struct page *p, const struct report *r) {
    static const char others[] = " that it wrote, changed elsewhere by others since and not written again";
    bool superseded = r->has_run && r->run.superseded;
    if (!r->taken_objects && !r->taken_fields && !r->taken_met && !superseded) return;
    page_end(p, PAGE_PLAIN);
    if (r->taken_objects || r->taken_fields) {
        page_add(p, "Without what the version in service would do as well: ");
        if (r->taken_objects) report_some(&p->line, r->taken_objects, "object", "objects");
        if (r->taken_objects && r->taken_fields) page_add(p, ", ");
        if (r->taken_fields) report_some(&p->line, r->taken_fields, "field", "fields");
        page_end(p, PAGE_DIM);
    }
    if (r->taken_met) {
        page_add(p, "Without what came about live, or others changed since: ");
        report_some(&p->line, r->taken_met, "object", "objects");
        page_end(p, PAGE_DIM);
    }
    if (superseded) {
        page_add(p, "Without ");
        report_some(&p->line, r->run.superseded, "object", "objects");
        page_add(p, others);
        page_end(p, PAGE_DIM);
    }
}

int report_text(const struct report *r, unsigned width, bool colour, size_t max_objects, struct buf *out) {
    struct page p = {.out = out, .width = width, .colour = colour, .line = BUF(1 << 20)};
    report_line(r, &p.line);
    page_wrap(&p, 2, PAGE_BOLD);
    consequences(&p, r);
    objects(&p, r, max_objects);
    failures(&p, r);
    if (r->refusals.n) said(&p, &r->refusals, "Could not be rehearsed:");
    whole(&p, r);
    warnings(&p, r);
    taken(&p, r);
    buf_free(&p.line);
    return out->full ? -ENOBUFS : 0;
}
