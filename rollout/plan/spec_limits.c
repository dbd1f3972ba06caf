/* The annotation `max-changes`: how much a new version may change, by kinds of what its rehearsal found. */
#include "plan/spec_hint.h"
#include "plan/spec_value.h"
#include <stdio.h>

static const char *kind_name(size_t i) {
    return i < REPORT_KINDS ? report_kind_name((enum report_kind)i) : NULL;
}

static bool wrong(struct slice item, struct slice kind, bool again, char why[256]) {
    cleanup_free char *shown = slice_dup_text(item, 60), *name = slice_dup_text(kind, 60);
    enum report_kind k;
    const char *meant = report_kind_parse(kind, &k) ? NULL : spec_hint_nearest(name, kind_name);
    if (again)
        snprintf(why, 256, "%s is there twice", name);
    else
        snprintf(why, 256, "read \"%s\"%s%s%s", shown, meant ? ": is " : "", meant ? meant : "",
                 meant ? " meant?" : "");
    return false;
}

bool spec_limits_value(struct slice v, uint64_t ret[REPORT_KINDS], char why[256]) {
    uint64_t max[REPORT_KINDS];
    for (int i = 0; i < REPORT_KINDS; i++) max[i] = SPEC_ANY;
    for (bool more = true; more;) {
        struct slice item, kind, number;
        enum report_kind k;
        uint64_t n;
        more = slice_cut(v, ',', &item, &v);
        item = slice_trim(item);
        bool two = slice_cut(item, '=', &kind, &number);
        kind = slice_trim(kind);
        bool known = report_kind_parse(kind, &k);
        if (!two || !known || !value_count(slice_trim(number), 0, INT32_MAX, &n))
            return wrong(item, kind, false, why);
        if (max[k] != SPEC_ANY) return wrong(item, kind, true, why);
        max[k] = n;
    }
    memcpy(ret, max, sizeof max);
    return true;
}

bool spec_has_limits(const struct spec *s) {
    for (int i = 0; i < REPORT_KINDS; i++)
        if (s->max_changes[i] != SPEC_ANY) return true;
    return false;
}
