/* Values as text: compact, in one order, without secrets. */
#include "api/rfc3339.h"
#include "base/json_raw.h"
#include "report_impl.h"

bool report_is_time(struct slice raw) {
    int64_t ns;
    return json_raw_type(raw) == JR_STRING && raw.n > 20 && raw.n < 60 &&
           rfc3339_parse(slice_make(raw.p + 1, raw.n - 2), &ns) == 0;
}

/* xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx: what the API server (of a dry run, too) names an object by. */
static bool is_uuid(struct slice text) {
    if (text.n != 36) return false;
    for (size_t i = 0; i < text.n; i++) {
        char c = (char)(text.p[i] | 0x20);
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? text.p[i] != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
    }
    return true;
}

static bool names_uid(struct slice key) {
    return slice_ends(key, SL("uid")) || slice_ends(key, SL("UID")) || slice_ends(key, SL("Uid"));
}

static void string(struct buf *out, struct slice raw, struct slice key, const struct shown *how) {
    size_t n;
    cleanup_free char *text = report_unescaped(raw, &n);
    struct slice s = slice_make(text, n);
    if (report_secret_text(s))
        buf_adds(out, REPORT_HIDDEN);
    else if (how->same && report_is_time(raw))
        buf_adds(out, "(time)");
    else if (how->same && names_uid(key) && is_uuid(s))
        buf_adds(out, "(uid)");
    else if (how->same && how->own && slice_eqs(s, how->own))
        buf_adds(out, "(name)");
    else
        buf_add_json(out, s);
}

/* {"name": "DB_PASSWORD", "value": ...}: the value is what the name says it is. */
static bool named_secret(const struct members *m) {
    for (size_t i = 0; i < m->n; i++) {
        bool names = slice_eqs(m->v[i].key, "name") || slice_eqs(m->v[i].key, "key");
        if (!names || json_raw_type(m->v[i].value) != JR_STRING) continue;
        if (report_secret_name(slice_make(m->v[i].value.p + 1, m->v[i].value.n - 2))) return true;
    }
    return false;
}

static void object(struct buf *out, struct slice value, const struct shown *how) {
    struct members m;
    report_members_of(value, &m);
    bool secret = named_secret(&m);
    buf_addc(out, '{');
    for (size_t i = 0; i < m.n; i++) {
        struct slice key = m.v[i].key;
        struct shown below = *how;
        below.hide = secret && slice_eqs(key, "value") ? HIDE_ALL : report_hide(how->hide, key);
        if (how->same && slice_ends(key, SL("esourceVersion"))) continue;
        if (out->n > 0 && out->p[out->n - 1] != '{') buf_addc(out, ',');
        buf_add_json(out, key);
        buf_addc(out, ':');
        report_value(out, m.v[i].value, key, &below);
    }
    buf_addc(out, '}');
    report_members_free(&m);
}

void report_value(struct buf *out, struct slice value, struct slice key, const struct shown *how) {
    enum json_raw_type t = json_raw_type(value);
    if (how->hide == HIDE_ALL || (how->hide == HIDE_SOFT && (t == JR_STRING || t == JR_NUMBER))) {
        buf_adds(out, REPORT_HIDDEN);
    } else if (t == JR_OBJECT) {
        object(out, value, how);
    } else if (t == JR_STRING) {
        string(out, value, key, how);
    } else if (t == JR_ARRAY) {
        struct json_raw_it it = json_raw_each(value);
        buf_addc(out, '[');
        while (json_raw_next(&it)) {
            if (out->p && out->p[out->n - 1] != '[') buf_addc(out, ',');
            report_value(out, it.value, key, how);
        }
        buf_addc(out, ']');
    } else if (t == JR_NUMBER && how->same) {
        (void)json_raw_number_canonical(value, out);
    } else {
        buf_add(out, value);
    }
}
