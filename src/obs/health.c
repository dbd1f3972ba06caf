/* /healthz and /readyz, answered as Kubernetes' own components answer them, but with the reason of a failure:
 * a reader of this port may read the logs as well, and a probe's event is where people look first. */
#include "admin_impl.h"
#include "base/utf8.h"

bool admin_run_check(const struct admin_check_entry *c, struct buf *why) {
    buf_clear(why);
    bool well = c->fn(c->ctx, why);
    cleanup_buf struct buf raw = *why;
    *why = BUF(ADMIN_WHY_CAP);
    utf8_add_safe(why, buf_slice(&raw));
    if (!well && !why->n) buf_adds(why, "no reason given");
    return well;
}

static bool has_flag(struct slice query, const char *name) {
    while (query.n) {
        struct slice item, key, value;
        slice_cut(query, '&', &item, &query);
        slice_cut(item, '=', &key, &value);
        if (slice_eqs(key, name)) return true;
    }
    return false;
}

static bool excluded(struct slice query, const char *check) {
    while (query.n) {
        struct slice item, key, value;
        slice_cut(query, '&', &item, &query);
        slice_cut(item, '=', &key, &value);
        if (slice_eqs(key, "exclude") && slice_eqs(value, check)) return true;
    }
    return false;
}

static bool known(const struct admin *a, bool readyz, struct slice name) {
    if (slice_eqs(name, "ping")) return true;
    for (size_t i = 0; i < a->nchecks; i++)
        if ((readyz || !a->checks[i].readyz_only) && slice_eqs(name, a->checks[i].name)) return true;
    return false;
}

static void warn_unknown(const struct admin *a, bool readyz, struct slice query, struct buf *out) {
    while (query.n) {
        struct slice item, key, value;
        slice_cut(query, '&', &item, &query);
        slice_cut(item, '=', &key, &value);
        if (!slice_eqs(key, "exclude") || known(a, readyz, value)) continue;
        buf_adds(out, "warn: some health checks cannot be excluded: no matches for ");
        buf_add_json(out, value);
        buf_addc(out, '\n');
    }
}

int health_write(struct admin *a, bool readyz, struct slice query, struct buf *out) {
    const char *name = readyz ? "readyz" : "healthz";
    cleanup_buf struct buf why = BUF(ADMIN_WHY_CAP);
    bool failed = false;
    buf_adds(out, excluded(query, "ping") ? "[+]ping excluded: ok\n" : "[+]ping ok\n");
    for (size_t i = 0; i < a->nchecks; i++) {
        const struct admin_check_entry *c = &a->checks[i];
        if (c->readyz_only && !readyz) continue;
        if (excluded(query, c->name)) {
            buf_addf(out, "[+]%s excluded: ok\n", c->name);
        } else if (admin_run_check(c, &why)) {
            buf_addf(out, "[+]%s ok\n", c->name);
        } else {
            buf_addf(out, "[-]%s failed: %s\n", c->name, buf_str(&why));
            if (!a->was_failing[readyz])
                LOG_EVENT(a->log, LOG_WARN, "HealthCheckFailed", "health check failed", LF_STR("probe", name),
                          LF_STR("check", c->name), LF_STR("reason", buf_str(&why)));
            failed = true;
        }
    }
    a->was_failing[readyz] = failed;
    warn_unknown(a, readyz, query, out);
    buf_addf(out, "%s check %s\n", name, failed ? "failed" : "passed");
    if (!failed && !has_flag(query, "verbose")) {
        buf_clear(out);
        buf_adds(out, "ok");
    }
    return failed ? 500 : 200;
}

int health_write_one(struct admin *a, bool readyz, struct slice name, struct buf *out) {
    cleanup_buf struct buf why = BUF(ADMIN_WHY_CAP);
    if (!known(a, readyz, name)) return 404;
    bool well = true;
    for (size_t i = 0; i < a->nchecks; i++)
        if (slice_eqs(name, a->checks[i].name) && (readyz || !a->checks[i].readyz_only))
            well = admin_run_check(&a->checks[i], &why);
    if (well) {
        buf_adds(out, "ok");
        return 200;
    }
    buf_addf(out, "internal server error: %s\n", buf_str(&why));
    return 500;
}
