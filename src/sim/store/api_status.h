/* The reason why the embedded API server refuses: what goes into a metav1.Status. */
#ifndef SIM_API_STATUS_H
#define SIM_API_STATUS_H
#include "base/buf.h"
#include "base/err.h"

struct sim_type;
struct api_status {
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
void api_status_init(struct api_status *f);
void api_status_free(struct api_status *f);
#define cleanup_api_status __attribute__((cleanup(api_status_free)))

/* All return a negative errno. */
int api_status_set(struct api_status *f, int code, const char *reason, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
int api_status_not_found(struct api_status *f, const struct sim_type *t, const char *name);
int api_status_exists(struct api_status *f, const struct sim_type *t, const char *name);
int api_status_conflict(struct api_status *f, const struct sim_type *t, const char *name, const char *why);
int api_status_forbidden(struct api_status *f, const struct sim_type *t, const char *name, const char *why);
extern const char api_status_modified[]; /* why of an optimistic lock that failed */

/* 422: causes are collected, then api_status_invalid() says if there were any. reason: "FieldValueInvalid", ... */
void api_status_cause(struct api_status *f, const char *reason, const char *field, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* 0 if there were no causes */
int api_status_invalid(struct api_status *f, const struct sim_type *t, const char *name);

void api_status_write(const struct api_status *f, struct buf *out); /* the Status */
int api_status_to_err(const struct api_status *f, struct err *err); /* returns its errnum */
#endif
