/* The body: of a form that is known, and of deletes and evictions understood in full, since their dry run is a member of it. */
#include "gate_impl.h"
#include "eviction.h"
#include "base/json_raw.h"
#include "rehearse/wire.h"
#include <errno.h>
#include <strings.h>

enum { BODY_MAX = 3 << 20 }; /* the API server's own limit */

/* "application/json; charset=utf-8" is application/json; any other parameter is refused. */
static int form_of(struct gate_ctx *c, struct slice content_type, bool patch, enum gate_form *ret) {
    static const struct {
        const char *type;
        bool patch;
        enum gate_form form;
    } types[] = {{"application/json", false, GATE_JSON},
                 {"application/vnd.kubernetes.protobuf", false, GATE_PROTOBUF},
                 {"application/json-patch+json", true, GATE_PATCH_JSON},
                 {"application/merge-patch+json", true, GATE_PATCH_MERGE},
                 {"application/strategic-merge-patch+json", true, GATE_PATCH_STRATEGIC},
                 {"application/apply-patch+yaml", true, GATE_APPLY}};
    struct slice type, param;
    bool more = slice_cut(content_type, ';', &type, &param);
    param = slice_trim(param);
    bool plain = !more || (param.n == 13 && strncasecmp(param.p, "charset=utf-8", 13) == 0);
    for (size_t i = 0; plain && i < ARRAY_LEN(types); i++) {
        if (types[i].patch != patch || !slice_eqs(slice_trim(type), types[i].type)) continue;
        *ret = types[i].form;
        return 0;
    }
    return gate_refuse(c, 415, "the body's Content-Type is not one that is understood: %s",
                       patch ? "the patches of JSON, merge, strategic merge and apply (YAML) are"
                             : "application/json and application/vnd.kubernetes.protobuf are");
}

/* Protobuf becomes JSON, in c->object; JSON stays. */
static int as_json(struct gate_ctx *c, enum gate_form form, struct slice body, struct slice *ret) {
    *ret = body;
    if (form == GATE_JSON) return 0;
    int e = wire_to_json(body, &c->object, c->err);
    *ret = buf_slice(&c->object);
    return e;
}

static int delete_body(struct gate_ctx *c, enum gate_form form, struct slice body) {
    struct delete_options o = {0};
    struct gate_request *r = c->r;
    const char *problem = delete_options_problem(&c->in_query);
    if (problem) return gate_refuse(c, 400, "%s", problem);
    struct slice json = {0};
    if (body.n) {
        struct buf in_query = BUF(4096);
        delete_options_write(&in_query, &c->in_query, false, false);
        bool both = in_query.n > 0;
        buf_free(&in_query);
        /* The server does not look at the query then. */
        if (both) return gate_refuse(c, 400, "DeleteOptions are in the body and in the query");
        if (as_json(c, form, body, &json) < 0 || delete_options_read(json, &o, c->err) < 0) {
            *c->status = 400;
            return -EINVAL;
        }
        if (r->dry_run && !o.dry_run) {
            delete_options_free(&o);
            return gate_refuse(c, 400, "dryRun is in the query, but the body counts");
        }
        r->dry_run = o.dry_run;
    }
    int e = delete_options_write(&c->options, body.n ? &o : &c->in_query, false, false);
    delete_options_free(&o);
    r->delete_options = buf_slice(&c->options);
    r->form = GATE_NO_BODY;
    return e < 0 ? gate_refuse(c, 400, "DeleteOptions are too long") : 0;
}

static int eviction_body(struct gate_ctx *c, enum gate_form form, struct slice body) {
    struct gate_request *r = c->r;
    struct eviction v = {0};
    struct slice json = {0};
    if (as_json(c, form, body, &json) < 0 || eviction_read(json, r->ns, r->name, &v, c->err) < 0) {
        *c->status = 400;
        return -EINVAL;
    }
    r->dry_run = r->dry_run || v.options.dry_run;
    struct buf anew = BUF(BODY_MAX);
    int e = eviction_write(&anew, &v, false, false);
    if (e == 0) e = delete_options_write(&c->options, &v.options, false, false);
    eviction_free(&v);
    buf_free(&c->object);
    c->object = anew;
    r->delete_options = buf_slice(&c->options);
    r->body = buf_slice(&c->object);
    r->form = GATE_JSON;
    return e < 0 ? gate_refuse(c, 400, "the Eviction is too long") : 0;
}

int gate_body(struct gate_ctx *c, enum gate_method m, struct slice content_type, struct slice body) {
    struct gate_request *r = c->r;
    enum gate_form form = GATE_NO_BODY;
    if (body.n > BODY_MAX) return gate_refuse(c, 413, "the body is larger than %d bytes", BODY_MAX);
    if (m == METHOD_GET) return body.n ? gate_refuse(c, 400, "GET has no body") : 0;
    if (!body.n && m != METHOD_DELETE) return gate_refuse(c, 400, "the body is missing");
    if (!content_type.n) content_type = m == METHOD_PATCH ? SL("") : SL("application/json");
    if (body.n) {
        int e = form_of(c, content_type, m == METHOD_PATCH, &form);
        if (e < 0) return e;
    }
    if (m == METHOD_DELETE) return delete_body(c, form, body);
    if (form != GATE_PROTOBUF && form != GATE_APPLY && json_raw_check(body, c->err) < 0) {
        *c->status = 400;
        return err_wrap(c->err, "the body");
    }
    r->form = form;
    r->body = body;
    return slice_eqs(r->sub, "eviction") ? eviction_body(c, form, body) : 0;
}
