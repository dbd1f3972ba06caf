/* Checks of a target's own, which a step that has passed waits for: the annotations check (a URL) and check-query (a condition for
 * Prometheus). What is asked, who may be asked, what an answer says. Pure. docs/reference/annotations.md has the format. */
#ifndef ROLLOUT_CHECK_H
#define ROLLOUT_CHECK_H
#include "api/url.h"
#include "base/err.h"
#include "plan/state.h"

enum { CHECK_FORMAT = 1, CHECK_MAX_ANSWER = 4096, CHECK_MAX_WORDS = 200 };

struct check_answer {
    uint64_t of; /* the question */
    enum check_says says;
    char *message; /* NULL: none */
    int64_t at_ns; /* wall clock */
};
/* What identifies a question: this text of the annotation, in this step of this rollout. Never 0. */
uint64_t check_question(const struct state *s, const char *text);
/* When an answer that is no pass is followed by another question: from a thirtieth of the soak, 10 s at most, twice as long each time up
 * to thirty times that. */
int64_t check_backoff_ns(int64_t soak_ns, uint32_t asked);
/* What a URL is sent, as JSON. */
void check_request(const struct obs_target *t, const struct state *s, const struct spec *spec,
                   int64_t now_wall_ns, struct buf *out);
/* The body of an answer of 200. -EPROTO (ERR_PROTOCOL): it is none, and says nothing. ret_message: one safe line, cut; free(). */
int check_answer_read(struct slice body, enum check_says *ret, char **ret_message, struct err *err);

/* A URL of an annotation: http or https, with a plain name or an address as its host, no user, no fragment, nothing that two programs
 * could read in two ways. ret's slices are of text; why: what is wrong. -EINVAL. */
int check_url_read(struct slice text, struct url *ret, char why[256]);
/* SCHEME://HOST:PORT/PATH, in small letters up to the path: what is sent is what was looked at. */
void check_url_write(const struct url *u, struct buf *out);
/* A list of hosts that may be asked: HOST[:PORT], *.SUFFIX[:PORT], by comma; https, unless http:// stands before it. ERR_CONFIG: which
 * entry, what is allowed. */
int check_hosts_check(struct slice list, struct err *err);
bool check_hosts_allow(struct slice list, const struct url *u);
#endif
