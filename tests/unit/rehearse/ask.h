/* A request as a test writes it, through the gate. */
#ifndef UNIT_REHEARSE_ASK_H
#define UNIT_REHEARSE_ASK_H
#include "../case.h"
#include "rehearse/upstream.h"

static const char *const ask_local[] = {"example.com"};
static const struct gate_groups ask_groups = {.local = ask_local, .n = 1};

struct asked {
    int e, status;
    struct gate_request r;
    struct err err;
};

static inline struct asked ask_with(const char *method, struct slice target, struct gate_header h,
                                    struct slice body) {
    struct asked a = {0};
    a.e = gate_parse(slice_of(method), target, &h, body, &ask_groups, &a.r, &a.status, &a.err);
    return a;
}

/* In JSON, of a patch a merge patch. */
static inline struct asked ask(const char *method, const char *target, const char *body) {
    struct gate_header h = {0};
    if (body[0])
        h.content_type =
            strcmp(method, "PATCH") ? SL("application/json") : SL("application/merge-patch+json");
    return ask_with(method, slice_of(target), h, slice_of(body));
}
#endif
