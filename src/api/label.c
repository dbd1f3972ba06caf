/* Label keys and values: k8s.io/apimachinery/pkg/util/validation, IsQualifiedName and IsValidLabelValue. */
#include "api/label.h"
#include "api/gvr.h"

static bool alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* ([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9], at most 63 */
static bool name_ok(struct slice s) {
    if (!s.n || s.n > 63 || !alnum(s.p[0]) || !alnum(s.p[s.n - 1])) return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!alnum(c) && c != '-' && c != '_' && c != '.') return false;
    }
    return true;
}

const char *label_key_problem(struct slice key) {
    struct slice prefix, name;
    if (!slice_cut(key, '/', &prefix, &name)) {
        name = key;
    } else if (!name_is_dns_subdomain(prefix)) {
        return "the prefix before '/' must be a lower case DNS name of at most 253 characters";
    }
    if (name_ok(name)) return NULL;
    return "must be 1 to 63 letters, digits, '-', '_' or '.', beginning and ending with a letter or digit, "
           "after an optional "
           "DNS name and one '/'";
}

const char *label_value_problem(struct slice value) {
    if (!value.n || name_ok(value)) return NULL;
    return "must be empty, or 1 to 63 letters, digits, '-', '_' or '.', beginning and ending with a letter "
           "or digit";
}
