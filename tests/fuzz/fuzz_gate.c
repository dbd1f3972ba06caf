/* A request from an operator: a line each for method, target, Content-Type and Accept, then the body. Whatever is made of one that is let
 * through writes nothing, by the second check and by what a server understands. */
#include "fuzz.h"
#include "rehearse/upstream.h"
#include "../unit/rehearse/server_view.h"

static void harmless(struct upstream *u) {
    struct slice method = slice_of(upstream_method(u)), type = slice_of(u->content_type);
    FUZZ_CHECK(upstream_writes_nothing(method, buf_slice(&u->target), type, buf_slice(&u->body)));
    FUZZ_CHECK(!server_view(method, buf_slice(&u->target), type, buf_slice(&u->body)));
    upstream_free(u);
}

static void made_of(const struct gate_request *r) {
    static const enum upstream_verb verbs[] = {[GATE_CREATE] = UPSTREAM_DRY_CREATE,
                                               [GATE_UPDATE] = UPSTREAM_DRY_UPDATE,
                                               [GATE_PATCH] = UPSTREAM_DRY_PATCH,
                                               [GATE_DELETE] = UPSTREAM_DRY_DELETE,
                                               [GATE_DELETE_COLLECTION] = UPSTREAM_DRY_DELETE};
    struct upstream u;
    bool deletes = r->kind >= GATE_DELETE;
    if (gate_mutates(r->kind)) {
        FUZZ_CHECK(upstream_read(r, &u) < 0);
        FUZZ_CHECK(upstream_dry_run(r, verbs[r->kind], r->name, r->sub, deletes ? GATE_JSON : r->form,
                                    deletes ? r->delete_options : r->body, &u) == 0);
    } else {
        FUZZ_CHECK(upstream_read(r, &u) == 0);
    }
    harmless(&u);
    if (upstream_get(r, &u) == 0) harmless(&u);
}

FUZZ(in) {
    static const char *const local[] = {"example.com"};
    const struct gate_groups groups = {.local = local, .n = 1};
    struct slice method, target, rest;
    struct gate_header h = {0};
    struct gate_request r;
    struct err err = {0};
    int status = 0;
    slice_cut(in, '\n', &method, &rest);
    slice_cut(rest, '\n', &target, &rest);
    slice_cut(rest, '\n', &h.content_type, &rest);
    slice_cut(rest, '\n', &h.accept, &rest);
    if (gate_parse(method, target, &h, rest, &groups, &r, &status, &err) == 0) {
        made_of(&r);
        gate_free(&r);
    } else {
        FUZZ_CHECK(status >= 400 && status <= 501 && err.msg[0]);
        FUZZ_CHECK((status == 501) == (err.kind == ERR_FENCED));
    }
}
