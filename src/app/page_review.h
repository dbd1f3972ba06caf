/* Who may read the page, as Kubernetes has it: the token is reviewed (TokenReview), then its user's right to get the
 * non-resource URL /page (SubjectAccessReview). What came out is kept for a short time, by the token's digest. */
#ifndef APP_PAGE_REVIEW_H
#define APP_PAGE_REVIEW_H
#include "kube/client.h"
#include "obs/obs.h"

enum {
    PAGE_REVIEWS_KEPT = 64,
    PAGE_REVIEWS_BURST = 20, /* at once; then so many a second: */
    PAGE_REVIEWS_RATE = 5,
    PAGE_TOKEN_MAX = 16 << 10, /* bytes */
    PAGE_ALLOWED_S = 30,       /* an answer is kept */
    PAGE_DENIED_S = 5,
};
struct page_reviews;
struct page_reviews *page_reviews_new(struct kube *k);
void page_reviews_free(struct page_reviews *p); /* no review is running; NULL is fine */
/* struct page_source.review and .cancel; ctx: the reviews */
struct page_review *page_review(void *ctx, struct slice token, page_answer fn, void *fn_ctx);
void page_review_cancel(struct page_review *r);
#endif
