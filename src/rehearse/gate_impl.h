/* What the gate's files share. Inside of gate_parse(): slices are of the caller's texts or of the scratch buffer, whose memory does
 * not move; gate_parse() copies them at its end. */
#ifndef REHEARSE_GATE_IMPL_H
#define REHEARSE_GATE_IMPL_H
#include "rehearse/gate.h"
#include "delete_options.h"

struct gate_ctx {
    struct gate_request *r;
    const struct gate_groups *groups;
    struct buf scratch;         /* as large as the target: what is unescaped */
    struct buf path, query;     /* made for GATE_PASS */
    struct buf options, object; /* DeleteOptions, and a body made anew */
    struct delete_options in_query;
    int *status;
    struct err *err;
};
/* Returns negative. 501: what can not be rehearsed. */
#define gate_refuse(c, code, ...)                                                                            \
    (*(c)->status = (code), err_set((c)->err, (code) == 501 ? ERR_FENCED : ERR_REJECTED,                     \
                                    (code) == 501 ? -EPERM : -EINVAL, __VA_ARGS__))

enum gate_method { METHOD_GET, METHOD_POST, METHOD_PUT, METHOD_PATCH, METHOD_DELETE };

/* gate_path.c: fills group, version, resource, ns, name and sub of r, and sets what kind the method makes of it; of GATE_PASS: c->path. */
int gate_path(struct gate_ctx *c, enum gate_method m, struct slice path);
/* Unescapes once into c->scratch. Refuses what is not UTF-8 text without control characters. */
int gate_unescape(struct gate_ctx *c, struct slice s, struct slice *ret);

/* gate_query.c */
enum { GATE_PARAMS = 64 };
struct gate_query {
    struct {
        struct slice name, value;
        bool taken;
    } param[GATE_PARAMS];
    size_t n;
};
int gate_query(struct gate_ctx *c, struct slice query);

/* gate_body.c */
int gate_body(struct gate_ctx *c, enum gate_method m, struct slice content_type, struct slice body);

/* gate_accept.c: 406. */
int gate_accept(struct gate_ctx *c, struct slice accept);

/* gate_groups.c */
bool gate_group_local(const struct gate_groups *g, struct slice group);
bool gate_group_metrics(struct slice group); /* custom and external metrics: measures, no objects */
bool gate_is_review(struct slice group, struct slice resource, bool namespaced);
/* Is a write of this subresource one that the API server makes a dry run of? create: by POST. */
bool gate_sub_rehearsable(struct slice group, struct slice resource, struct slice sub, bool create);
/* Something beyond the API server's store is reached or given out, even by a GET. */
bool gate_sub_reaches_out(struct slice sub);
#endif
