/* Who may read the page, against a scripted API server: what is asked, what is kept, and how often anybody may ask. */
#include "page_review.h"
#include "../kube/client_kit.h"

struct fixture {
    struct call *c;
    struct page_reviews *p;
    struct buf asked; /* path and body of each request */
    const char *token_answer, *access_answer;
    int status;
    enum page_verdict verdict;
    char why[256];
    unsigned answers, requests;
};
static const char known[] =
    "{\"status\":{\"authenticated\":true,\"user\":{\"username\":\"jane\",\"uid\":\"7\",\"groups\":[\"dev\"],"
    "\"extra\":{\"scope\":[\"a\"]}}}}";
static struct fixture *now; /* the one of the test that runs */

static void answer_all(struct fake *f, struct fake_req *r) {
    (void)f;
    const char *path = strstr(r->url, "/apis/");
    now->requests++;
    buf_addf(&now->asked, "%s %s %s\n", r->method, path ? path : r->url, buf_str(&r->body));
    fake_answer(r, now->status, strstr(r->url, "tokenreviews") ? now->token_answer : now->access_answer);
}

static void on_answer(void *ctx, enum page_verdict verdict, const char *why) {
    struct fixture *f = ctx;
    f->verdict = verdict;
    snprintf(f->why, sizeof f->why, "%s", why);
    f->answers++;
}

static bool never(void *ctx) {
    (void)ctx;
    return false;
}

static void prepare(struct fixture *f) {
    *f = (struct fixture){.c = setup("token: mine"),
                          .asked = BUF(1 << 20),
                          .token_answer = known,
                          .access_answer = "{\"status\":{\"allowed\":true}}",
                          .status = 201};
    now = f;
    kube_set_fence(f->c->k, (struct kube_fence){never, NULL}); /* a standby */
    f->c->f->on_request = answer_all;
    f->p = page_reviews_new(f->c->k);
}

static void finish(struct fixture *f) {
    page_reviews_free(f->p);
    buf_free(&f->asked);
    teardown(f->c);
}
#define REVIEW_CASE(name) CASE_WITH(struct fixture, f, prepare, finish, name)

static enum page_verdict verdict_on(struct fixture *f, const char *token) {
    unsigned before = f->answers;
    assert_non_null(page_review(f->p, slice_of(token), on_answer, f));
    assert_int_equal(f->answers, before); /* never inside the call */
    fake_run(f->c->f, NS_PER_S);
    assert_int_equal(f->answers, before + 1);
    return f->verdict;
}

REVIEW_CASE(the_token_is_reviewed_then_the_right_of_its_user) {
    assert_int_equal(verdict_on(f, "to\"k"), PAGE_ALLOWED);
    assert_string_equal(buf_str(&f->asked),
                        "POST /apis/authentication.k8s.io/v1/tokenreviews?fieldManager=handover "
                        "{\"apiVersion\":\"authentication.k8s.io/v1\",\"kind\":"
                        "\"TokenReview\",\"spec\":{\"token\":\"to\\\"k\"}}\n"
                        "POST /apis/authorization.k8s.io/v1/subjectaccessreviews?fieldManager=handover "
                        "{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":"
                        "\"SubjectAccessReview\",\"spec\":{\"user\":\"jane\",\"uid\":\"7\",\"groups\":["
                        "\"dev\"],\"extra\":{\"scope\":[\"a\"]},"
                        "\"nonResourceAttributes\":{\"path\":\"/page\",\"verb\":\"get\"}}}\n");
}

REVIEW_CASE(an_answer_is_kept_for_a_short_time) {
    assert_int_equal(verdict_on(f, "one"), PAGE_ALLOWED);
    assert_int_equal(verdict_on(f, "one"), PAGE_ALLOWED);
    assert_int_equal(f->requests, 2);
    f->access_answer = "{\"status\":{\"allowed\":false}}";
    assert_int_equal(verdict_on(f, "two"), PAGE_FORBIDDEN); /* by token, not by anything else */
    assert_non_null(strstr(f->why, "handover-page-reader"));
    fake_run(f->c->f, 30 * NS_PER_S);
    assert_int_equal(verdict_on(f, "one"), PAGE_FORBIDDEN);
    f->access_answer = "{\"status\":{\"allowed\":true}}";
    fake_run(f->c->f, 5 * NS_PER_S);
    assert_int_equal(verdict_on(f, "one"), PAGE_ALLOWED); /* a refusal is over sooner */
}

REVIEW_CASE(whom_nobody_knows_has_no_rights) {
    static const char *const answers[] = {
        "{\"status\":{\"authenticated\":false,\"user\":{\"username\":\"jane\"}}}",
        "{\"status\":{\"authenticated\":true}}", "{}", "[]",
        "{\"status\":{\"authenticated\":\"true\",\"user\":{\"username\":\"jane\"}}}"};
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        char token[2] = {(char)('a' + i), 0};
        f->token_answer = answers[i];
        assert_int_equal(verdict_on(f, token), PAGE_UNKNOWN);
    }
    assert_null(strstr(buf_str(&f->asked), "subjectaccess"));
    f->token_answer = known;
    f->access_answer = "{\"status\":{\"allowed\":\"true\"}}";
    assert_int_equal(verdict_on(f, "x"), PAGE_FORBIDDEN);
}

REVIEW_CASE(a_server_that_does_not_answer_lets_nobody_in) {
    f->token_answer = "no JSON";
    assert_int_equal(verdict_on(f, "a"), PAGE_FAILED);
    f->status = 403;
    f->token_answer = "{\"kind\":\"Status\",\"code\":403}";
    assert_int_equal(verdict_on(f, "a"), PAGE_FAILED); /* not kept */
    assert_non_null(strstr(f->why, "16-page.yaml"));
}

REVIEW_CASE(reviews_are_bounded) {
    cleanup_free char *long_one = xcalloc(1, PAGE_TOKEN_MAX + 2);
    memset(long_one, 'x', PAGE_TOKEN_MAX + 1);
    assert_int_equal(verdict_on(f, long_one), PAGE_UNKNOWN);
    assert_int_equal(f->requests, 0);
    unsigned busy = 0;
    for (int i = 0; i < 3 * PAGE_REVIEWS_BURST; i++) {
        char token[16];
        snprintf(token, sizeof token, "t%d", i);
        (void)page_review(f->p, slice_of(token), on_answer, f);
        fake_settle(f->c->f);
        busy += f->verdict == PAGE_BUSY;
    }
    assert_true(busy >= 2 * PAGE_REVIEWS_BURST - 2);
    fake_run(f->c->f, 2 * NS_PER_S);
    assert_int_equal(verdict_on(f, "later"), PAGE_ALLOWED);
}

REVIEW_CASE(a_reader_that_has_left_is_not_answered) {
    struct page_review *r = page_review(f->p, SL("t"), on_answer, f);
    page_review_cancel(r);
    assert_int_equal(verdict_on(f, "u"), PAGE_ALLOWED);
    r = page_review(f->p, SL("u"), on_answer, f); /* of one that is kept */
    page_review_cancel(r);
    page_review_cancel(NULL);
    fake_run(f->c->f, NS_PER_S);
    assert_int_equal(f->answers, 1);
}

CASES("app/page_review")
