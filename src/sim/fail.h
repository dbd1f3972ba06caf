/* The reason why the embedded API server refuses: what goes into a metav1.Status. */
#ifndef SIM_FAIL_H
#define SIM_FAIL_H
#include "base/buf.h"
#include "base/err.h"

struct sim_type;
struct fail {
    int code;                  /* HTTP; 0: no failure */
    const char *reason;        /* a literal: "NotFound" */
    char *message;             /* owned */
    char *kind, *group, *name; /* details; owned, may be NULL */
    int retry_after_s;         /* -1: none; 0 in an empty struct means none as well */
    char *more;                /* continue token to go on with, for 410; owned */
    struct buf causes;         /* JSON elements, separated by ',' */
    struct buf text;           /* the same for the message */
    size_t ncauses;
};
void fail_init(struct fail *f);
void fail_free(struct fail *f);
#define cleanup_fail __attribute__((cleanup(fail_free)))

/* All return a negative errno. */
int fail_set(struct fail *f, int code, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
int fail_not_found(struct fail *f, const struct sim_type *t, const char *name);
int fail_exists(struct fail *f, const struct sim_type *t, const char *name);
int fail_conflict(struct fail *f, const struct sim_type *t, const char *name, const char *why);
int fail_forbidden(struct fail *f, const struct sim_type *t, const char *name, const char *why);
extern const char fail_modified[]; /* why of an optimistic lock that failed */

/* 422: causes are collected, then fail_invalid() says if there were any. reason: "FieldValueInvalid", ... */
void fail_cause(struct fail *f, const char *reason, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
int fail_invalid(struct fail *f, const struct sim_type *t, const char *name); /* 0 if there were no causes */
void fail_details(struct fail *f, const char *kind, const char *group, const char *name);

void fail_write(const struct fail *f, struct buf *out); /* the Status */
int fail_to_err(const struct fail *f, struct err *err); /* returns its errnum */
#endif
