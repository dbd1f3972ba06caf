/* Reviews of those who want to read the page; see page_review.h. */
#include "page_review.h"
#include "base/hash.h"
#include "base/log.h"

enum { BODY_CAP = 256 << 10, TIMEOUT_S = 10, DIGEST = 65 };
static const char not_known[] = "the API server does not know this token, or it has expired";
static const char not_allowed[] =
    "the token's user may not get the non-resource URL /page: bind the ClusterRole "
    "handover-page-reader to it";

struct kept {
    char digest[DIGEST]; /* of the token; "": free */
    int64_t until_ns;    /* boot */
    enum page_verdict verdict;
};
struct page_reviews {
    struct kube *kube;
    struct kept kept[PAGE_REVIEWS_KEPT];
    double tokens; /* of the bucket */
    int64_t filled_ns;
    bool reported; /* that reviews fail: once, until one succeeds */
};
struct page_review {
    struct page_reviews *all;
    char digest[DIGEST];
    page_answer fn;
    void *fn_ctx;
    struct kube_op *op;
    struct timer *later; /* an answer that is there already */
    enum page_verdict verdict;
    const char *why;
};

static int64_t boot(const struct page_reviews *p) {
    return world_boot_ns(kube_world(p->kube));
}

void page_review_cancel(struct page_review *r) {
    if (!r) return;
    kube_cancel(r->op);
    timer_free(r->later);
    free(r);
}

static void answer(struct page_review *r, enum page_verdict verdict, const char *why) {
    page_answer fn = r->fn;
    void *ctx = r->fn_ctx;
    r->op = NULL;
    page_review_cancel(r);
    fn(ctx, verdict, why);
}

static void on_later(void *ctx) {
    struct page_review *r = ctx;
    answer(r, r->verdict, r->why);
}

static void answer_later(struct page_review *r, enum page_verdict verdict, const char *why) {
    r->verdict = verdict;
    r->why = why;
    r->later = timer_new(kube_world(r->all->kube), on_later, r);
    timer_in(r->later, 0);
}

/* In the place of one that is over, else of the one that would be over first. */
static void keep(const struct page_review *r, enum page_verdict verdict) {
    struct page_reviews *p = r->all;
    struct kept *k = &p->kept[0];
    for (size_t i = 1; i < PAGE_REVIEWS_KEPT; i++)
        if (p->kept[i].until_ns < k->until_ns) k = &p->kept[i];
    memcpy(k->digest, r->digest, DIGEST);
    k->verdict = verdict;
    k->until_ns = boot(p) + (verdict == PAGE_ALLOWED ? PAGE_ALLOWED_S : PAGE_DENIED_S) * NS_PER_S;
}

static const struct kept *find(const struct page_reviews *p, const char *digest) {
    for (size_t i = 0; i < PAGE_REVIEWS_KEPT; i++)
        if (strcmp(p->kept[i].digest, digest) == 0 && p->kept[i].until_ns > boot(p)) return &p->kept[i];
    return NULL;
}

static void failed(struct page_review *r, const char *what, const struct err *err) {
    if (!r->all->reported)
        LOG_EVENT(kube_log(r->all->kube), LOG_WARN, "PageReviewFailed",
                  "who asks for the page cannot be reviewed", LF_STR("review", what), LF_ERR(err));
    r->all->reported = true;
    if (err->kind == ERR_FORBIDDEN)
        answer(r, PAGE_FAILED,
               "Handover may not create TokenReviews and SubjectAccessReviews: see "
               "deploy/manifests/16-page.yaml");
    else
        answer(r, PAGE_FAILED, "the API server does not answer whether this token may read the page");
}

static void review(struct page_review *r, const char *path, const struct buf *body, kube_done done) {
    struct kube_spec spec = {.verb = KUBE_CREATE,
                             .path = path,
                             .body = buf_slice(body),
                             .lane = LANE_CALL,
                             .timeout_ns = TIMEOUT_S * NS_PER_S,
                             .body_cap = BODY_CAP,
                             .unfenced = true /* nothing is changed, and standbys are asked, too */};
    r->op = kube_call(r->all->kube, &spec, done, r);
}

static void on_access(void *ctx, const struct err *err, struct slice raw) {
    struct page_review *r = ctx;
    struct err bad = {0};
    cleanup_json cJSON *doc = err ? NULL : json_parse(raw, &bad);
    if (!doc) {
        failed(r, "SubjectAccessReview", err ? err : &bad);
        return;
    }
    bool allowed = json_bool(json_obj(doc, "status"), "allowed", false);
    r->all->reported = false;
    keep(r, allowed ? PAGE_ALLOWED : PAGE_FORBIDDEN);
    answer(r, allowed ? PAGE_ALLOWED : PAGE_FORBIDDEN, not_allowed);
}

static void add(struct buf *out, const char *key, const cJSON *v) {
    if (!v) return;
    cleanup_free char *text = json_print(v);
    buf_addf(out, "\"%s\":%s,", key, text);
}

static void on_token(void *ctx, const struct err *err, struct slice raw) {
    struct page_review *r = ctx;
    struct err bad = {0};
    cleanup_json cJSON *doc = err ? NULL : json_parse(raw, &bad);
    r->op = NULL;
    if (!doc) {
        failed(r, "TokenReview", err ? err : &bad);
        return;
    }
    const cJSON *status = json_obj(doc, "status"), *user = json_obj(status, "user");
    if (!json_bool(status, "authenticated", false) || !json_str_or(user, "username", "")[0]) {
        keep(r, PAGE_UNKNOWN);
        answer(r, PAGE_UNKNOWN, not_known);
        return;
    }
    cleanup_buf struct buf body = BUF(BODY_CAP);
    buf_adds(&body,
             "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SubjectAccessReview\",\"spec\":{");
    add(&body, "user", json_get(user, "username"));
    add(&body, "uid", json_get(user, "uid"));
    add(&body, "groups", json_get(user, "groups"));
    add(&body, "extra", json_get(user, "extra"));
    buf_adds(&body, "\"nonResourceAttributes\":{\"path\":\"/page\",\"verb\":\"get\"}}}");
    review(r, "/apis/authorization.k8s.io/v1/subjectaccessreviews", &body, on_access);
}

/* Reviews that anybody can cause must not use up what the API server gives Handover. */
static bool take_one(struct page_reviews *p) {
    int64_t now = boot(p);
    p->tokens += (double)(now - p->filled_ns) / (double)NS_PER_S * PAGE_REVIEWS_RATE;
    if (p->tokens > PAGE_REVIEWS_BURST) p->tokens = PAGE_REVIEWS_BURST;
    p->filled_ns = now;
    if (p->tokens < 1) return false;
    p->tokens -= 1;
    return true;
}

struct page_review *page_review(void *ctx, struct slice token, page_answer fn, void *fn_ctx) {
    struct page_reviews *p = ctx;
    struct page_review *r = xcalloc(1, sizeof *r);
    *r = (struct page_review){.all = p, .fn = fn, .fn_ctx = fn_ctx};
    sha256_hex(token, r->digest);
    const struct kept *k = find(p, r->digest);
    if (k) {
        answer_later(r, k->verdict, k->verdict == PAGE_UNKNOWN ? not_known : not_allowed);
    } else if (token.n > PAGE_TOKEN_MAX) {
        answer_later(r, PAGE_UNKNOWN, not_known);
    } else if (!take_one(p)) {
        answer_later(r, PAGE_BUSY, "too many tokens are being reviewed; try again in a few seconds");
    } else {
        cleanup_buf struct buf body = BUF(BODY_CAP);
        buf_adds(
            &body,
            "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":\"TokenReview\",\"spec\":{\"token\":");
        buf_add_json(&body, token);
        buf_adds(&body, "}}");
        review(r, "/apis/authentication.k8s.io/v1/tokenreviews", &body, on_token);
    }
    return r;
}

struct page_reviews *page_reviews_new(struct kube *k) {
    struct page_reviews *p = xcalloc(1, sizeof *p);
    p->kube = k;
    p->tokens = PAGE_REVIEWS_BURST;
    p->filled_ns = boot(p);
    return p;
}

void page_reviews_free(struct page_reviews *p) {
    free(p);
}
