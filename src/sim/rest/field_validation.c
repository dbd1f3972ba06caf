/* fieldValidation=Ignore|Warn|Strict, in the words of apimachinery's decoders. */
#include "rest/field_validation.h"
#include "store/fields.h"

enum level { FIELDS_IGNORE, FIELDS_WARN, FIELDS_STRICT };
/* Out of the query; the server's age says what it means not to ask. 422 */
static int read_level(struct call *c, enum level *ret) {
    const char *v = request_uri_param(&c->t, "fieldValidation");
    enum sim_release server = c->s->cfg.release;
    bool known = server == SIM_RELEASE_1_33 || server == SIM_RELEASE_1_37;
    *ret = known ? FIELDS_WARN : FIELDS_IGNORE;
    if (!known || !v || !v[0] || !strcmp(v, "Warn")) return 0;
    *ret = !strcmp(v, "Strict") ? FIELDS_STRICT : FIELDS_IGNORE;
    if (*ret == FIELDS_STRICT || !strcmp(v, "Ignore")) return 0;
    bool put = slice_eqs(c->req->method, "PUT"), patch = slice_eqs(c->req->method, "PATCH");
    const struct sim_type options = {"meta.k8s.io",
                                     "v1",
                                     "options",
                                     patch ? "PatchOptions" : put ? "UpdateOptions" : "CreateOptions",
                                     "",
                                     "",
                                     .custom = true};
    api_status_cause(&c->f, "FieldValueNotSupported", "fieldValidation",
                     "Unsupported value: \"%.80s\": supported values: \"\", \"Ignore\", \"Strict\", \"Warn\"",
                     v);
    return api_status_invalid(&c->f, &options, "");
}

static void each(const struct field_notes *n, void (*fn)(void *ctx, const char *what, const char *path),
                 void *ctx) {
    for (size_t i = 0; i < n->nunknown; i++) fn(ctx, "unknown", n->unknown[i]);
    for (size_t i = 0; i < n->ntwice; i++) fn(ctx, "duplicate", n->twice[i]);
}

static void warn(void *ctx, const char *what, const char *path) {
    cleanup_free char *text = xasprintf("%s field \"%s\"", what, path);
    exchange_warn(ctx, slice_of(text));
}

static void list(void *ctx, const char *what, const char *path) {
    struct buf *b = ctx;
    buf_addf(b, "%s%s field \"%s\"", b->n ? ", " : "", what, path);
}

/* True: refused, and all holds what to say. */
static int drop(struct call *c, cJSON *obj, bool *ret_refused, struct buf *all) {
    enum level level;
    int r = read_level(c, &level);
    *ret_refused = false;
    if (r < 0) return r;
    struct field_notes notes = {0};
    fields_drop(c->type, obj, level == FIELDS_IGNORE ? NULL : &notes);
    if (level == FIELDS_WARN) {
        each(&notes, warn, c->x);
        each(&c->twice, warn, c->x);
    } else if (level == FIELDS_STRICT) {
        each(&notes, list, all);
        each(&c->twice, list, all);
    }
    *ret_refused = all->n > 0;
    field_notes_free(&notes);
    return 0;
}

int field_validation_object(struct call *c, cJSON *obj) {
    struct buf all = BUF(64 << 10);
    bool refused;
    int r = drop(c, obj, &refused, &all);
    if (r == 0 && refused) {
        r = api_status_set(&c->f, 400, "BadRequest",
                           "%s in version \"%s\" cannot be handled as a %s: strict decoding error: %s",
                           c->type->kind, c->type->version, c->type->kind, buf_str(&all));
    }
    buf_free(&all);
    return r;
}

int field_validation_patched(struct call *c, cJSON *obj, const cJSON *patch) {
    static const struct sim_type nothing = {"", "v1", "", "", "", "", .custom = true};
    struct buf all = BUF(64 << 10), text = BUF((size_t)2 * SIM_MAX_BODY);
    bool refused;
    int r = drop(c, obj, &refused, &all);
    if (r == 0 && refused) {
        json_tree_print(patch, &text);
        api_status_cause(&c->f, "FieldValueInvalid", "patch",
                         "Invalid value: \"%.1000s\": strict decoding error: %s", buf_str(&text),
                         buf_str(&all));
        r = api_status_invalid(&c->f, &nothing, "");
    }
    buf_free(&text);
    buf_free(&all);
    return r;
}

int field_validation_applied(struct call *c, cJSON *config) {
    enum level level;
    int r = read_level(c, &level);
    struct field_notes notes = {0};
    char version[128];
    if (r == 0) fields_drop(c->type, config, &notes);
    if (r == 0 && notes.nunknown) {
        r = api_status_set(
            &c->f, 400, "BadRequest",
            "failed to create typed patch object (%s/%s; %s, Kind=%s): .%s: field not declared in schema",
            c->ns ? c->ns : "", c->name, type_api_version(c->type, version), c->type->kind, notes.unknown[0]);
    }
    field_notes_free(&notes);
    return r;
}
