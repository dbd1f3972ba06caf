/* Field selectors, split and unescaped as k8s.io/apimachinery/pkg/fields does it. */
#include "api/selector.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>

enum { FIELD_SELECTOR_MAX_TEXT = 64 * 1024 };

struct term {
    char *path; /* with '/' for '.': as json_at() wants it */
    char *value;
    bool negated;
};
struct field_selector {
    struct term *v;
    size_t n, cap;
};

void field_selector_free(struct field_selector *s) {
    if (!s) return;
    for (size_t i = 0; i < s->n; i++) {
        free(s->v[i].path);
        free(s->v[i].value);
    }
    free(s->v);
    free(s);
}
DEFINE_CLEANUP(struct field_selector *, field_selector, field_selector_free)

/* The next term, up to a comma that no backslash protects. */
static struct slice next_term(struct slice *rest) {
    size_t n = 0;
    while (n < rest->n && rest->p[n] != ',') n += rest->p[n] == '\\' && n + 1 < rest->n ? 2 : 1;
    struct slice term = slice_make(rest->p, n);
    *rest = n < rest->n ? slice_make(rest->p + n + 1, rest->n - n - 1) : slice_make(rest->p, 0);
    return term;
}

/* fields.UnescapeValue: \\ \, \= only, and no bare ',' or '='. NULL if it is not so. */
static char *unescape(struct slice s) {
    char *value = xmalloc(s.n + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.n; i++) {
        bool escape = s.p[i] == '\\';
        if (escape) i++;
        bool marked = i < s.n && (s.p[i] == '\\' || s.p[i] == ',' || s.p[i] == '=');
        if (escape != marked) {
            free(value);
            return NULL;
        }
        value[n++] = s.p[i];
    }
    value[n] = '\0';
    return value;
}

/* The first operator in the text splits it; "==" is tried before "=", so that no '=' stays at the value's
 * head. */
static int add_term(struct field_selector *s, struct slice text, struct err *err) {
    static const char *const ops[] = {"!=", "==", "="};
    int shown = (int)(text.n < 200 ? text.n : 200);
    for (size_t i = 0; i < text.n; i++) {
        struct slice rest = slice_make(text.p + i, text.n - i);
        for (size_t k = 0; k < ARRAY_LEN(ops); k++) {
            size_t n = strlen(ops[k]);
            if (!slice_starts(rest, slice_of(ops[k]))) continue;
            char *value = i ? unescape(slice_make(rest.p + n, rest.n - n)) : NULL;
            if (!value) {
                return err_set(err, ERR_CONFIG, -EINVAL,
                               "field selector \"%.*s\": needs a field's path, and '\\' before ',', '=' and "
                               "'\\' in its value",
                               shown, text.p);
            }
            struct term t = {.path = slice_dup(slice_make(text.p, i)), .value = value, .negated = k == 0};
            for (char *p = t.path; *p; p++) {
                if (*p == '.') *p = '/';
            }
            s->v = xgrow(s->v, &s->cap, s->n + 1, sizeof *s->v);
            s->v[s->n++] = t;
            return 0;
        }
    }
    return err_set(err, ERR_CONFIG, -EINVAL, "field selector \"%.*s\": expected one of =, ==, !=", shown,
                   text.p);
}

int field_selector_parse(struct slice text, struct field_selector **ret, struct err *err) {
    if (text.n > FIELD_SELECTOR_MAX_TEXT || slice_has(text, '\0')) {
        return err_set(err, ERR_CONFIG, -EINVAL, "field selector: at most %d bytes, without NUL",
                       FIELD_SELECTOR_MAX_TEXT);
    }
    CLEANUP(field_selector) struct field_selector *s = xcalloc(1, sizeof *s);
    for (struct slice rest = text; rest.n;) {
        struct slice term = next_term(&rest);
        int e = term.n ? add_term(s, term, err) : 0;
        if (e < 0) return e;
    }
    *ret = s;
    s = NULL;
    return 0;
}

/* The field as the API server shows it to selectors: text, whole numbers and booleans; "" for all else. */
static bool value_is(const cJSON *v, const char *want) {
    char number[32] = "";
    const char *have = "";
    if (cJSON_IsString(v)) have = v->valuestring;
    if (cJSON_IsBool(v)) have = cJSON_IsTrue(v) ? "true" : "false";
    if (cJSON_IsNumber(v) && v->valuedouble == trunc(v->valuedouble) && fabs(v->valuedouble) < 0x1p53) {
        (void)snprintf(number, sizeof number, "%.0f", v->valuedouble);
        have = number;
    }
    return strcmp(have, want) == 0;
}

bool field_selector_match(const struct field_selector *s, const cJSON *obj) {
    if (!s) return false;
    for (size_t i = 0; i < s->n; i++) {
        if (value_is(json_at(obj, s->v[i].path), s->v[i].value) == s->v[i].negated) return false;
    }
    return true;
}
