/* Failures in the words of k8s.io/apimachinery/pkg/api/errors: clients match on them, people search for
 * them. */
#include "store/api_status.h"
#include "store/store.h"
#include "store/core.h"
#include <errno.h>
#include <stdio.h>

const char api_status_modified[] =
    "the object has been modified; please apply your changes to the latest version and try again";

enum { FAIL_MAX_TEXT = 64 << 10, FAIL_MAX_CAUSES = 64 };

void api_status_init(struct api_status *f) {
    *f = (struct api_status){.causes = BUF(FAIL_MAX_TEXT), .text = BUF(FAIL_MAX_TEXT)};
}

void api_status_free(struct api_status *f) {
    if (!f) return;
    free(f->message);
    free(f->kind);
    free(f->group);
    free(f->name);
    free(f->more);
    buf_free(&f->causes);
    buf_free(&f->text);
    api_status_init(f);
}

static int errno_of(int code) {
    switch (code) {
    case 401:
    case 403: return -EACCES;
    case 404: return -ENOENT;
    case 409: return -EEXIST;
    case 410: return -ESTALE;
    case 429: return -EAGAIN;
    case 504: return -ETIMEDOUT;
    default: return code >= 500 ? -EREMOTEIO : -EINVAL;
    }
}

int api_status_set(struct api_status *f, int code, const char *reason, const char *fmt, ...) {
    struct buf msg = BUF(FAIL_MAX_TEXT);
    va_list ap;
    va_start(ap, fmt);
    buf_addv(&msg, fmt, ap);
    va_end(ap);
    f->code = code;
    f->reason = reason;
    free(f->message);
    f->message = buf_take(&msg);
    return errno_of(code);
}

static void details(struct api_status *f, const char *kind, const char *group, const char *name) {
    free(f->kind);
    free(f->group);
    free(f->name);
    f->kind = xstrdup_null(kind);
    f->group = xstrdup_null(group);
    f->name = xstrdup_null(name);
}

int api_status_not_found(struct api_status *f, const struct sim_type *t, const char *name) {
    char res[160];
    details(f, t->resource, t->group, name);
    return api_status_set(f, 404, "NotFound", "%s \"%s\" not found", type_resource_group(t, res), name);
}

int api_status_exists(struct api_status *f, const struct sim_type *t, const char *name) {
    char res[160];
    details(f, t->resource, t->group, name);
    return api_status_set(f, 409, "AlreadyExists", "%s \"%s\" already exists", type_resource_group(t, res),
                          name);
}

int api_status_conflict(struct api_status *f, const struct sim_type *t, const char *name, const char *why) {
    char res[160];
    details(f, t->resource, t->group, name);
    return api_status_set(f, 409, "Conflict", "Operation cannot be fulfilled on %s \"%s\": %s",
                          type_resource_group(t, res), name, why);
}

int api_status_forbidden(struct api_status *f, const struct sim_type *t, const char *name, const char *why) {
    char res[160];
    details(f, t->resource, t->group, name);
    return api_status_set(f, 403, "Forbidden", "%s \"%s\" is forbidden: %s", type_resource_group(t, res),
                          name, why);
}

void api_status_cause(struct api_status *f, const char *reason, const char *field, const char *fmt, ...) {
    if (f->ncauses >= FAIL_MAX_CAUSES) return;
    struct buf msg = BUF(FAIL_MAX_TEXT);
    va_list ap;
    va_start(ap, fmt);
    buf_addv(&msg, fmt, ap);
    va_end(ap);
    if (f->ncauses++) {
        buf_addc(&f->causes, ',');
        buf_adds(&f->text, ", ");
    }
    buf_addf(&f->causes, "{\"reason\":\"%s\",\"message\":", reason);
    buf_add_json(&f->causes, buf_slice(&msg));
    if (field[0]) {
        buf_adds(&f->causes, ",\"field\":");
        buf_add_json(&f->causes, slice_of(field));
        buf_addf(&f->text, "%s: ", field);
    }
    buf_addc(&f->causes, '}');
    buf_add(&f->text, buf_slice(&msg));
    buf_free(&msg);
}

int api_status_invalid(struct api_status *f, const struct sim_type *t, const char *name) {
    if (!f->ncauses) return 0;
    char kind[160];
    details(f, t->kind, t->group, name);
    return api_status_set(f, 422, "Invalid", "%s \"%s\" is invalid: %s%s%s", type_kind_group(t, kind),
                          name ? name : "", f->ncauses > 1 ? "[" : "", buf_str(&f->text),
                          f->ncauses > 1 ? "]" : "");
}

static void member(struct buf *out, bool *first, const char *key, const char *value) {
    if (!value || !value[0]) return;
    buf_addf(out, "%s\"%s\":", *first ? "" : ",", key);
    buf_add_json(out, slice_of(value));
    *first = false;
}

void api_status_write(const struct api_status *f, struct buf *out) {
    buf_adds(out, "{\"kind\":\"Status\",\"apiVersion\":\"v1\",\"metadata\":{");
    bool first = true;
    member(out, &first, "continue", f->more);
    buf_adds(out, "},\"status\":\"Failure\",\"message\":");
    buf_add_json(out, slice_of(f->message ? f->message : ""));
    first = false;
    member(out, &first, "reason", f->reason);
    bool any = (f->kind && f->kind[0]) || (f->name && f->name[0]) || f->ncauses || f->retry_after_s > 0;
    if (any) {
        buf_adds(out, ",\"details\":{");
        first = true;
        member(out, &first, "name", f->name);
        member(out, &first, "group", f->group);
        member(out, &first, "kind", f->kind);
        if (f->ncauses) {
            buf_addf(out, "%s\"causes\":[", first ? "" : ",");
            buf_add(out, buf_slice(&f->causes));
            buf_addc(out, ']');
            first = false;
        }
        if (f->retry_after_s > 0)
            buf_addf(out, "%s\"retryAfterSeconds\":%d", first ? "" : ",", f->retry_after_s);
        buf_addc(out, '}');
    }
    buf_addf(out, ",\"code\":%d}", f->code);
}

static enum err_kind kind_of(int code) {
    switch (code) {
    case 401: return ERR_AUTH;
    case 403: return ERR_FORBIDDEN;
    case 404: return ERR_NOTFOUND;
    case 409: return ERR_CONFLICT;
    case 410: return ERR_GONE;
    case 429: return ERR_THROTTLED;
    case 504: return ERR_TIMEOUT;
    default: return code >= 500 ? ERR_SERVER : ERR_REJECTED;
    }
}

int api_status_to_err(const struct api_status *f, struct err *err) {
    int r = err_set(err, kind_of(f->code), errno_of(f->code), "%s", f->message ? f->message : "");
    if (err) {
        err->http = f->code;
        err->retry_after_ms = f->retry_after_s > 0 ? (int64_t)f->retry_after_s * 1000 : 0;
    }
    return r;
}
