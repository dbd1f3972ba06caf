/* One round of looks at the metrics pages of a target's pods. */
#include "scrape.h"
#include "place.h"
#include "world/world.h"
#include <errno.h>

enum { AT_ONCE = 4, PAGE_CAP = 4 << 20 }; /* together they bound what a target can make us hold */

struct one {
    struct scraping *s;
    const struct obs_pod *pod;
    struct places places;
    size_t at; /* the place being tried */
    struct kube_op *op;
    struct scrape_result *result;
};

struct scraping {
    struct kube *kube;
    struct scrape_options opt;
    struct prom_sum *errors, *total;
    struct one *one;
    struct scrape_result *results;
    size_t n, next, open;
    scrape_done done;
    void *ctx;
    struct timer *start; /* the first turn: no callback inside scrape_start() */
};

static void pump(struct scraping *s);

static bool worth_asking(const struct scraping *s, const struct obs_pod *pod) {
    return !pod->finished && (s->opt.proxy || pod->ip);
}

/* Reads a page that has arrived. A page without the counters is read all the same: a standby has none. */
static int read_page(const struct scraping *s, struct slice raw, struct prom_page *ret, struct err *err) {
    struct promtext *p = promtext_new(s->errors, s->total);
    int rc = promtext_feed(p, raw, err);
    if (rc == 0) rc = promtext_end(p, ret, err);
    promtext_free(p);
    return rc;
}

static void on_page(void *ctx, const struct err *err, struct slice raw);

static bool ask(struct one *o) {
    struct scraping *s = o->s;
    const struct place *pl = &o->places.v[o->at];
    cleanup_buf struct buf url = BUF(4096);
    if (s->opt.proxy) {
        place_proxy_path(pl, o->pod, &url);
        struct kube_spec spec = {.verb = KUBE_GET,
                                 .path = buf_str(&url),
                                 .lane = LANE_CALL,
                                 .timeout_ns = s->opt.timeout_ns,
                                 .body_cap = PAGE_CAP,
                                 .no_retry = true};
        o->op = kube_call(s->kube, &spec, on_page, o);
    } else {
        place_url(pl, o->pod, &url);
        o->op = kube_scrape(s->kube, buf_str(&url), pl->https ? s->opt.token : (struct slice){0},
                            pl->insecure, s->opt.timeout_ns, PAGE_CAP, on_page, o);
    }
    s->open++;
    return true;
}

/* Keeps the better of two results: a page with the counters, then any page, then the error that says most (a
 * refused connection only says that nobody listens there). */
static void keep(struct one *o, const struct scrape_result *r) {
    struct scrape_result *had = o->result;
    bool first = !had->read && had->err.kind == ERR_NONE;
    bool better = r->read ? (!had->read || r->page.v[PROM_TOTAL].present)
                          : (!had->read && had->err.errnum == -ECONNREFUSED);
    if (first || better) *had = *r;
}

static void on_page(void *ctx, const struct err *err, struct slice raw) {
    struct one *o = ctx;
    struct scraping *s = o->s;
    struct scrape_result r = {0};
    o->op = NULL;
    s->open--;
    if (err)
        r.err = *err;
    else
        r.read = read_page(s, raw, &r.page, &r.err) == 0;
    if (!r.read) err_wrap(&r.err, "metrics of pod %s at %s", o->pod->name, place_text(&o->places.v[o->at]));
    keep(o, &r);
    bool found = r.read && r.page.v[PROM_TOTAL].present;
    if (!found && ++o->at < o->places.n)
        ask(o);
    else
        pump(s);
}

static void pump(struct scraping *s) {
    for (; s->open < AT_ONCE && s->next < s->n; s->next++)
        if (worth_asking(s, s->one[s->next].pod) && s->one[s->next].places.n) ask(&s->one[s->next]);
    if (s->open == 0 && s->next == s->n) s->done(s->ctx, s->results, s->n);
}

static void begin(void *ctx) {
    pump(ctx);
}

struct scraping *scrape_start(struct kube *k, const struct scrape_options *opt, const struct spec *spec,
                              const struct obs_pod *pods, const cJSON *const *items, size_t n,
                              scrape_done done, void *ctx) {
    struct scraping *s = xcalloc(1, sizeof *s);
    *s = (struct scraping){.kube = k, .opt = *opt, .n = n, .done = done, .ctx = ctx};
    s->one = xcalloc(n ? n : 1, sizeof *s->one);
    s->results = xcalloc(n ? n : 1, sizeof *s->results);
    if (spec->errors && spec->total) { /* checked by spec_parse(); a failure here leaves the known runtimes */
        if (prom_sum_parse(slice_of(spec->errors), &s->errors, NULL) == 0 &&
            prom_sum_parse(slice_of(spec->total), &s->total, NULL)) {
            prom_sum_free(s->errors);
            s->errors = NULL;
        }
    }
    for (size_t i = 0; i < n; i++) {
        s->one[i] = (struct one){.s = s, .pod = &pods[i], .result = &s->results[i]};
        places_of(spec, items[i], &s->one[i].places);
    }
    s->start = timer_new(kube_world(k), begin, s);
    timer_in(s->start, 0);
    return s;
}

void scrape_end(struct scraping *s) {
    if (!s) return;
    timer_free(s->start);
    for (size_t i = 0; i < s->n; i++) kube_cancel(s->one[i].op);
    prom_sum_free(s->errors);
    prom_sum_free(s->total);
    free(s->one);
    free(s->results);
    free(s);
}
