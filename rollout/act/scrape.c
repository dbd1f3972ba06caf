/* One round of looks at the metrics pages of a target's pods. */
#include "act/scrape.h"
#include "act/metrics_endpoint.h"
#include "world/world.h"
#include <errno.h>

enum { AT_ONCE = 4 }; /* of one target */

struct one {
    struct scraping *s;
    const struct obs_pod *pod;
    struct metrics_endpoints places;
    size_t at; /* the place being tried */
    struct kube_op *op;
    struct promtext *text; /* of the page that is arriving */
    struct scrape_result *result;
};

struct scraping {
    struct kube *kube;
    struct scrape_slots *slots;
    bool proxy;
    int64_t timeout_ns;
    char *token, *no_token; /* NULL */
    struct prom_sum *errors, *total;
    struct one *one;
    struct scrape_result *results;
    size_t n, next;
    unsigned open;
    scrape_done done;
    void *ctx;
    struct timer *start; /* the first turn: no callback inside scrape_start() */
    struct list line;    /* in slots->waiting */
};

static void pump(struct scraping *s);

/* ---- how many at once, over all targets ---- */

void scrape_slots_init(struct scrape_slots *s, unsigned max) {
    s->max = max;
    s->used = 0;
    list_init(&s->waiting);
}

/* Whoever waits has a pod to ask, so each turn takes a slot at least, and none ends here. */
static void give_back(struct scrape_slots *slots, unsigned n) {
    slots->used -= n;
    while (slots->used < slots->max && !list_empty(&slots->waiting))
        pump(container_of(slots->waiting.next, struct scraping, line));
}

/* ---- one page ---- */

static bool worth_asking(const struct one *o) {
    return !o->pod->finished && o->places.n && (o->s->proxy || o->pod->ip);
}

static int on_piece(void *ctx, struct slice piece, struct err *err) {
    struct one *o = ctx;
    return promtext_feed(o->text, piece, err);
}

static void on_page(void *ctx, const struct err *err, struct slice raw);

static void ask(struct one *o) {
    static const struct kube_scrape_cb cb = {on_piece, on_page};
    struct scraping *s = o->s;
    const struct metrics_endpoint *pl = &o->places.v[o->at];
    cleanup_buf struct buf where = BUF(4096);
    struct kube_scrape spec = {.timeout_ns = s->timeout_ns};
    if (s->proxy) {
        metrics_endpoint_proxy_path(pl, o->pod, &where);
        spec.path = buf_str(&where);
    } else {
        metrics_endpoint_url(pl, o->pod, &where);
        spec.url = buf_str(&where);
        spec.tls_insecure = pl->insecure;
        if (pl->https) spec.token = slice_of(s->token);
    }
    o->text = promtext_new(s->errors, s->total);
    o->op = kube_scrape(s->kube, &spec, &cb, o);
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

static bool asked_for_a_token(const struct one *o, const struct err *err) {
    return err && (err->http == 401 || err->http == 403) && o->places.v[o->at].https && !o->s->proxy &&
           !o->s->token;
}

static void explain(struct err *err, const struct scraping *s) {
    struct err said = *err;
    err_set(err, said.kind, said.errnum, "%s; no token was sent: %s", said.msg,
            s->no_token ? s->no_token : "there is none");
    err->http = said.http;
}

static void on_page(void *ctx, const struct err *err, struct slice raw) {
    struct one *o = ctx;
    struct scraping *s = o->s;
    struct scrape_result r = {0};
    (void)raw;
    o->op = NULL;
    if (err)
        r.err = *err;
    else /* a page without the counters is read all the same: a standby has none */
        r.read = promtext_end(o->text, &r.page, &r.err) == 0;
    promtext_free(o->text);
    o->text = NULL;
    if (asked_for_a_token(o, err)) explain(&r.err, s);
    if (!r.read)
        err_wrap(&r.err, "metrics of pod %s at %s", o->pod->name, metrics_endpoint_text(&o->places.v[o->at]));
    keep(o, &r);
    bool found = r.read && r.page.v[PROM_TOTAL].present;
    if (!found && ++o->at < o->places.n) {
        ask(o);
        return;
    }
    s->open--;
    give_back(s->slots, 1); /* others first: we have just had our turn */
    pump(s);
}

/* Asks as many pods as may be asked at once; ends the round after the last one. */
static void pump(struct scraping *s) {
    struct scrape_slots *slots = s->slots;
    list_remove(&s->line);
    for (; s->next < s->n; s->next++) {
        struct one *o = &s->one[s->next];
        if (!worth_asking(o)) continue;
        if (s->open == AT_ONCE) return;
        if (slots->used >= slots->max) {
            list_push(&slots->waiting, &s->line);
            return;
        }
        s->open++;
        slots->used++;
        ask(o);
    }
    if (s->open == 0) s->done(s->ctx, s->results, s->n);
}

static void begin(void *ctx) {
    pump(ctx);
}

struct scraping *scrape_start(struct kube *k, const struct scrape_options *opt, const struct spec *spec,
                              const struct obs_pod *pods, size_t n, scrape_done done, void *ctx) {
    struct scraping *s = xcalloc(1, sizeof *s);
    *s = (struct scraping){.kube = k,
                           .slots = opt->slots,
                           .proxy = opt->proxy,
                           .timeout_ns = opt->timeout_ns,
                           .token = opt->token.n ? slice_dup(opt->token) : NULL,
                           .no_token = xstrdup_null(opt->no_token),
                           .n = n,
                           .done = done,
                           .ctx = ctx};
    list_init(&s->line);
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
        metrics_endpoints_of(spec, pods[i].scrape_hints, &s->one[i].places);
    }
    s->start = timer_new(kube_world(k), begin, s);
    timer_in(s->start, 0);
    return s;
}

void scrape_end(struct scraping *s) {
    if (!s) return;
    timer_free(s->start);
    list_remove(&s->line);
    for (size_t i = 0; i < s->n; i++) {
        kube_cancel(s->one[i].op);
        promtext_free(s->one[i].text);
    }
    give_back(s->slots, s->open);
    prom_sum_free(s->errors);
    prom_sum_free(s->total);
    free(s->token);
    free(s->no_token);
    free(s->one);
    free(s->results);
    free(s);
}
