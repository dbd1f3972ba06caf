/* metav1.DeleteOptions in JSON. */
#include "delete_options.h"
#include "base/json_raw.h"
#include "rehearse/version.h"
#include <errno.h>

static bool integer(struct slice s) {
    struct slice rest = s;
    slice_take(&rest, '-');
    size_t digits = slice_digits(&rest).n;
    return digits > 0 && digits <= 18 && !rest.n;
}

static bool is_null(struct slice v) {
    return json_raw_type(v) == JR_NULL;
}

const char *delete_options_problem(const struct delete_options *o) {
    struct slice live;
    unsigned change;
    if (o->grace.n && !integer(o->grace)) return "gracePeriodSeconds is no integer";
    if (o->orphan.n && !slice_eqs(o->orphan, "true") && !slice_eqs(o->orphan, "false"))
        return "orphanDependents is neither true nor false";
    if (o->propagation.n && !slice_eqs(o->propagation, "Orphan") &&
        !slice_eqs(o->propagation, "Background") && !slice_eqs(o->propagation, "Foreground"))
        return "propagationPolicy is none of Orphan, Background, Foreground";
    if (version_precondition(o->rv, &live, &change) < 0)
        return "preconditions.resourceVersion is no version of an object";
    return NULL;
}

/* A string, or null as absent. The slice is of o->text, which has room for all of them. */
static bool string(struct delete_options *o, struct slice v, struct slice *ret) {
    if (is_null(v)) return true;
    size_t before = o->text.n;
    if (json_raw_type(v) != JR_STRING || json_raw_unescape(v, &o->text) < 0) return false;
    *ret = slice_make(o->text.p + before, o->text.n - before);
    return !slice_has(*ret, '\0');
}

/* To demand "" of an object is to be refused: it is not the same as to demand nothing. */
static bool demand(struct delete_options *o, struct slice v, struct slice *ret) {
    return string(o, v, ret) && (ret->n || is_null(v));
}

static bool preconditions(struct delete_options *o, struct slice v) {
    struct json_raw_it it = json_raw_each(v);
    unsigned seen = 0;
    if (is_null(v)) return true;
    if (!it.object) return false;
    while (json_raw_next(&it)) {
        bool uid = slice_eqs(it.key, "\"uid\"");
        unsigned bit = uid ? 1 : 2;
        if (seen & bit || (!uid && !slice_eqs(it.key, "\"resourceVersion\""))) return false;
        seen |= bit;
        if (!demand(o, it.value, uid ? &o->uid : &o->rv)) return false;
    }
    return true;
}

static bool dry_run(struct delete_options *o, struct slice v) {
    if (is_null(v)) return true;
    struct json_raw_it it = json_raw_each(v);
    o->dry_run = json_raw_type(v) == JR_ARRAY && json_raw_next(&it) && slice_eqs(it.value, "\"All\"") &&
                 !json_raw_next(&it);
    return o->dry_run;
}

enum { KIND, API_VERSION, GRACE, PRECONDITIONS, PROPAGATION, ORPHAN, DRY_RUN, MEMBERS };
static const char *const names[MEMBERS] = {
    "\"kind\"",          "\"apiVersion\"",        "\"gracePeriodSeconds\"",
    "\"preconditions\"", "\"propagationPolicy\"", "\"orphanDependents\"",
    "\"dryRun\"",
};

static bool member(struct delete_options *o, int which, struct slice v) {
    struct slice text = {0};
    switch (which) {
    case KIND: return string(o, v, &text) && (!text.n || slice_eqs(text, "DeleteOptions"));
    case API_VERSION: return string(o, v, &text);
    case GRACE:
        if (!is_null(v)) o->grace = v;
        return true;
    case PRECONDITIONS: return preconditions(o, v);
    case PROPAGATION: return string(o, v, &o->propagation);
    case ORPHAN:
        if (!is_null(v)) o->orphan = v;
        return true;
    default: return dry_run(o, v);
    }
}

int delete_options_read(struct slice json, struct delete_options *ret, struct err *err) {
    struct delete_options o = {.text = BUF(json.n + 1)};
    struct json_raw_it it = json_raw_each(json);
    unsigned seen = 0;
    const char *problem = NULL;
    if (json_raw_check(json, err) < 0) return err_wrap(err, "DeleteOptions");
    if (!it.object) return err_set(err, ERR_REJECTED, -EINVAL, "DeleteOptions are no object");
    buf_add(&o.text, json); /* for its memory: unescaped strings are no longer */
    buf_clear(&o.text);
    while (!problem && json_raw_next(&it)) {
        int i = 0;
        while (i < MEMBERS && !slice_eqs(it.key, names[i])) i++;
        if (i == MEMBERS || seen & (1U << i)) {
            problem = "a member is not known, or is given twice";
        } else if (!member(&o, i, it.value)) {
            problem =
                i == DRY_RUN ? "[\"All\"] is the only dryRun that is allowed" : "a member is not of its type";
        }
        seen |= 1U << i;
    }
    if (!problem) problem = delete_options_problem(&o);
    if (problem) {
        delete_options_free(&o);
        return err_set(err, ERR_REJECTED, -EINVAL, "DeleteOptions: %s", problem);
    }
    *ret = o;
    return 0;
}

int delete_options_write(struct buf *out, const struct delete_options *o, bool live, bool dry) {
    struct slice rv = o->rv;
    unsigned change;
    bool none = !o->grace.n && !o->orphan.n && !o->propagation.n && !o->uid.n && !o->rv.n;
    if (none && !dry) return 0;
    if (live && version_precondition(o->rv, &rv, &change) < 0) return -EINVAL;
    buf_adds(out, "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\"");
    if (dry) buf_adds(out, ",\"dryRun\":[\"All\"]");
    if (o->grace.n) buf_addf(out, ",\"gracePeriodSeconds\":%.*s", SLF(o->grace));
    if (o->orphan.n) buf_addf(out, ",\"orphanDependents\":%.*s", SLF(o->orphan));
    if (o->propagation.n) buf_addf(out, ",\"propagationPolicy\":\"%.*s\"", SLF(o->propagation));
    if (o->uid.n || rv.n) {
        buf_adds(out, ",\"preconditions\":{");
        if (o->uid.n) {
            buf_adds(out, "\"uid\":");
            buf_add_json(out, o->uid);
        }
        if (rv.n) {
            buf_adds(out, o->uid.n ? ",\"resourceVersion\":" : "\"resourceVersion\":");
            buf_add_json(out, rv);
        }
        buf_addc(out, '}');
    }
    return buf_addc(out, '}');
}

void delete_options_free(struct delete_options *o) {
    buf_free(&o->text);
    *o = (struct delete_options){0};
}
