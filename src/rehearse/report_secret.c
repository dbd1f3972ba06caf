/* What looks like a secret: by the name of a member, or by its text. A mistake to the one side hides a harmless value, to the other
 * it shows a password to who may read reports and not Secrets: so in doubt it is hidden. */
#include "report_impl.h"

/* In a name of which only letters and digits are left, in lower case. */
static const char *const words[] = {"password",   "passwd",    "passphrase", "token",      "secret",
                                    "apikey",     "accesskey", "privatekey", "credential", "encryptionkey",
                                    "signingkey", "sharedkey", "masterkey"};
static const char *const whole[] = {"auth", "authorization", "pass", "pwd", "pgpass"};
/* Behind one of the words: a name or a place of a secret, not the secret. */
static const char *const harmless[] = {"name", "names",   "ref",     "refs",   "namespace",  "path",
                                       "file", "seconds", "enabled", "policy", "expiration", "duration"};

static size_t normal(struct slice key, char *out, size_t max) {
    size_t n = 0;
    for (size_t i = 0; i < key.n && n < max; i++) {
        char c = key.p[i];
        if (c >= 'A' && c <= 'Z') c = (char)(c | 0x20);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out[n++] = c;
    }
    return n;
}

static bool contains(struct slice s, const char *word) {
    return s.n && memmem(s.p, s.n, word, strlen(word));
}

bool report_secret_name(struct slice key) {
    char text[256];
    struct slice s = slice_make(text, normal(key, text, sizeof text));
    for (size_t i = 0; i < ARRAY_LEN(whole); i++)
        if (slice_eqs(s, whole[i])) return true;
    if (slice_ends(s, SL("pwd"))) return true;
    /* Lists and objects that only refer to Secrets, or to tokens that are made. */
    if (slice_eqs(s, "imagepullsecrets") || slice_eqs(s, "serviceaccounttoken")) return false;
    for (size_t i = 0; i < ARRAY_LEN(harmless); i++)
        if (slice_ends(s, slice_of(harmless[i]))) return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (contains(s, words[i])) return true;
    return false;
}

enum hide report_hide(enum hide outer, struct slice key) {
    static const char *const shown[] = {"name",     "namespace",   "secretName", "kind", "apiVersion",
                                        "optional", "defaultMode", "mode",       "path", "items"};
    if (outer == HIDE_ALL || slice_eqs(key, "kubectl.kubernetes.io/last-applied-configuration"))
        return HIDE_ALL;
    if (outer == HIDE_NONE) return report_secret_name(key) ? HIDE_SOFT : HIDE_NONE;
    for (size_t i = 0; i < ARRAY_LEN(shown); i++)
        if (slice_eqs(key, shown[i])) return HIDE_NONE;
    return HIDE_SOFT;
}

/* ---- texts ---- */

static char lower(char c) {
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Does the word begin at s, in any case, with '-', '_' or '.' anywhere inside? Its length, 0 if not. */
static size_t word_at(struct slice s, const char *word) {
    size_t i = 0;
    for (; *word; i++) {
        if (i == s.n) return 0;
        char c = lower(s.p[i]);
        if (c == *word)
            word++;
        else if (i == 0 || (c != '-' && c != '_' && c != '.'))
            return 0;
    }
    return i;
}

static size_t skip(struct slice s, size_t i, const char *set) {
    while (i < s.n && s.p[i] && strchr(set, s.p[i])) i++;
    return i;
}

/* Is it followed by a value: `: x`, `=x`, `": "x"`? One that is put in elsewhere, $(X) or ${X}, is none. */
static bool assigned(struct slice s) {
    size_t i = skip(s, 0, "s\"' \\");
    if (i == s.n || (s.p[i] != '=' && s.p[i] != ':')) return false;
    i = skip(s, i + 1, "\"' \\\t");
    if (i == s.n || s.p[i] == '\n' || s.p[i] == '\r') return false;
    return !(s.n - i > 1 && s.p[i] == '$' && (s.p[i + 1] == '(' || s.p[i + 1] == '{'));
}

/* scheme://user:password@host */
static bool has_userinfo(struct slice s) {
    for (size_t i = 0; i + 3 < s.n; i++) {
        if (memcmp(s.p + i, "://", 3) != 0) continue;
        bool colon = false;
        for (size_t j = i + 3; j < s.n && s.p[j] && !strchr("/ \t\r\n\"'", s.p[j]); j++) {
            if (s.p[j] == '@' && colon) return true;
            colon = colon || s.p[j] == ':';
        }
    }
    return false;
}

/* A JSON Web Token: base64 of `{"`, and a dot behind. */
static bool jwt_at(struct slice s) {
    if (s.n < 20 || memcmp(s.p, "eyJ", 3) != 0) return false;
    for (size_t i = 3; i < s.n && i < 1000; i++) { /* its header is short */
        char c = lower(s.p[i]);
        if (c == '.') return i > 10;
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')) return false;
    }
    return false;
}

/* A private key in PEM, or that in base64, wherever it begins. */
static bool has_key(struct slice s) {
    static const char *const marks[] = {"PRIVATE KEY-----", "UFJJVkFURSBLRV", "BSSVZBVEUgS0VZ",
                                        "QUklWQVRFIEtFW"};
    for (size_t i = 0; i < ARRAY_LEN(marks); i++)
        if (contains(s, marks[i])) return true;
    return false;
}

bool report_secret_text(struct slice text) {
    if (has_key(text) || has_userinfo(text)) return true;
    for (size_t i = 0; i < text.n; i++) {
        struct slice s = slice_make(text.p + i, text.n - i);
        if (jwt_at(s)) return true;
        if (!strchr("pPtTsSaAcCeEmMbB", *s.p) || !*s.p) continue;
        size_t n = word_at(s, "bearer ");
        if (n == 0) n = word_at(s, "basic ");
        if (n && s.n - n >= 12 && skip(slice_make(s.p + n, 12), 0, "abcdefghijklmnopqrstuvwxyz ") < 12)
            return true;
        for (size_t k = 0; k < ARRAY_LEN(words); k++) {
            n = word_at(s, words[k]);
            if (n && assigned(slice_make(s.p + n, s.n - n))) return true;
        }
    }
    return false;
}

/* ---- why a request failed ---- */

static struct slice before(struct slice s, size_t end, const char *border) {
    size_t start = end;
    while (start && !strchr(border, s.p[start - 1])) start--;
    return slice_make(s.p + start, end - start);
}

/* Of "... spec.auth.key: Invalid value: "x"": is what is quoted a secret by its path? */
static bool quotes_secret(struct slice s) {
    static const char value[] = " value: ";
    for (size_t i = 0; i + sizeof value - 1 <= s.n; i++) {
        if (memcmp(s.p + i, value, sizeof value - 1) != 0) continue;
        struct slice how = before(s, i, " "), path = {0};
        size_t n = i - how.n;
        if (n > 2) path = before(s, n - 2, " ");
        for (size_t end = path.n; end;) {
            struct slice segment = before(path, end, ".[]/");
            if (report_secret_name(segment)) return true;
            end = (size_t)(segment.p - path.p);
            end -= end > 0;
        }
    }
    return false;
}

/* Of a Secret nothing is quoted but what RBAC says, which has been asked for names alone. */
static bool of_secrets(struct slice what, struct slice why) {
    struct slice verb, resource;
    slice_cut(what, ' ', &verb, &resource);
    return slice_eqs(resource, "secrets") && !slice_starts(why, SL("403 ")) && !slice_starts(why, SL("404 "));
}

char *report_safe_why(struct slice what, struct slice why) {
    struct slice code, message;
    char *cut = slice_dup_text(why, REPORT_NAME);
    bool hidden = of_secrets(what, why) || quotes_secret(why);
    if (!hidden && !report_secret_text(why) && !report_secret_text(slice_of(cut))) return cut;
    free(cut);
    slice_cut(why, ':', &code, &message);
    cleanup_free char *text = slice_dup_text(code, REPORT_NAME);
    return xasprintf("%s: " REPORT_HIDDEN, report_secret_text(code) ? "" : text);
}
