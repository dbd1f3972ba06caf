/* Completes command lines; see complete.h. */
#include "complete.h"
#include "target_ref.h"
#include "base/time.h"
#include "commands.h"
#include "common.h"
#include "kube/list.h"
#include "observe/objects.h"
#include <stdio.h>
#include <string.h>

struct request {
    char **words; /* behind the command's name, the one that is completed last */
    int n;
    const char *word;
    bool files, targets, namespaces, contexts, run_options;
    char *before; /* "--context=", which stands before what is asked for; NULL: nothing */
};
struct find {
    const char *name;
    size_t n;
    int key; /* of a short option */
    const struct argp_option *found;
};

static void each_option(const struct argp *a, void (*fn)(void *ctx, const struct argp_option *o), void *ctx) {
    for (const struct argp_option *o = a->options; o && (o->name || o->key || o->doc || o->group); o++)
        fn(ctx, o);
    for (const struct argp_child *c = a->children; c && c->argp; c++) each_option(c->argp, fn, ctx);
}

static void propose(const struct request *r, const char *before, struct slice word, const char *what) {
    cleanup_free char *whole = xasprintf("%s%.*s", before, SLF(word));
    if (strncmp(whole, r->word, strlen(r->word)) != 0) return;
    printf("%s%s%s\n", whole, what ? "\t" : "", what ? what : "");
}

static void on_find(void *ctx, const struct argp_option *o) {
    struct find *f = ctx;
    bool is =
        f->key ? o->key == f->key : o->name && strlen(o->name) == f->n && !strncmp(o->name, f->name, f->n);
    if (is && !f->found) f->found = o;
}

/* The option that a word gives, NULL: none. ret_value: what stands behind '=' or a short option's letter, NULL: nothing. */
static const struct argp_option *option_of(const struct argp *a, const char *word, const char **ret_value) {
    struct find f = {0};
    *ret_value = NULL;
    if (word[0] != '-' || !word[1] || strcmp(word, "--") == 0) return NULL;
    if (word[1] == '-') {
        f.name = word + 2;
        f.n = strcspn(f.name, "=");
        if (f.name[f.n]) *ret_value = f.name + f.n + 1;
    } else {
        f.key = (unsigned char)word[1];
        if (word[2]) *ret_value = word + 2;
    }
    each_option(a, on_find, &f);
    return f.found;
}

static void on_option(void *ctx, const struct argp_option *o) {
    const struct request *r = ctx;
    if (o->name && !(o->flags & OPTION_HIDDEN)) propose(r, "--", slice_of(o->name), o->doc);
}

/* "json|yaml", "[KIND/]NAME", "FILE": each says what stands there. */
static void value(struct request *r, const char *before, struct slice like) {
    struct slice rest = like, one;
    if (slice_has(like, '|'))
        while (rest.n) {
            slice_cut(rest, '|', &one, &rest);
            propose(r, before, one, NULL);
        }
    r->files |= slice_eqs(like, "FILE");
    r->targets |= slice_starts(like, SL("KIND/"));
    r->namespaces |= slice_eqs(like, "NAMESPACE");
    r->run_options |= slice_eqs(like, "OPTION");
}

static void value_of(struct request *r, const char *before, const struct argp_option *o) {
    value(r, before, slice_of(o->arg));
    r->contexts |= o->name && strcmp(o->name, "context") == 0;
    r->before = xstrdup(before);
}

static void on_run_option(void *ctx, const struct argp_option *o) {
    const struct request *r = ctx;
    cleanup_free char *before = xasprintf("%s--", r->before);
    if (o->name && !(o->flags & OPTION_HIDDEN)) propose(r, before, slice_of(o->name), o->doc);
}

static void on_run(void *ctx, const struct argp *a) {
    each_option(a, on_run_option, ctx);
}

static void positional(struct request *r, const struct argp *a, int position) {
    struct slice rest, one = {0};
    slice_cut(slice_of(a->args_doc), '\n', &rest, &one);
    for (int i = 0; i <= position && rest.n; i++) slice_cut(rest, ' ', &one, &rest);
    while (one.n && one.p[0] == '[') one = slice_make(one.p + 1, one.n - 1);
    while (one.n && one.p[one.n - 1] == ']') one.n--;
    value(r, "", one);
}

static void on_command(void *ctx, const struct argp *a) {
    struct request *r = ctx;
    const struct argp_option *open = NULL; /* the word behind it is its value */
    const char *given;
    int position = 0;
    for (int i = 0; i + 1 < r->n; i++) {
        bool was_open = open;
        open = was_open ? NULL : option_of(a, r->words[i], &given);
        if (open && (given || !open->arg)) open = NULL;
        position += !was_open && r->words[i][0] != '-';
    }
    const struct argp_option *o = option_of(a, r->word, &given);
    if (open) {
        value_of(r, "", open);
    } else if (o && given && o->arg && o->name && r->word[1] == '-') {
        cleanup_free char *before = xasprintf("--%s=", o->name);
        value_of(r, before, o);
    } else if (r->word[0] == '-') {
        each_option(a, on_option, r);
    } else {
        positional(r, a, position);
    }
}

/* ---- targets and namespaces, from the API server; contexts, from the kubeconfig ---- */

struct targets {
    const struct request *r;
    const char *prefix; /* "sts/", "--namespace=" as it was typed; "" */
    struct loop *loop;
};

static int on_target(void *ctx, struct slice raw, cJSON **item, struct err *err) {
    const struct targets *t = ctx;
    const char *name = obj_name(*item);
    (void)raw;
    (void)err;
    if (!name || (!t->r->namespaces && !obs_opted_in(json_at(*item, "metadata/annotations")))) return 0;
    propose(t->r, t->prefix, slice_of(name), NULL);
    return 0;
}

static void on_restart(void *ctx) {
    (void)ctx;
}

static void on_done(void *ctx, const struct err *err,
                    const char *rv) { /* without an answer nothing is proposed */
    struct targets *t = ctx;
    (void)err;
    (void)rv;
    loop_stop(t->loop);
}

/* --context NAME and --context=NAME, -n NAME and -nNAME. */
static void flags_of(const struct request *r, struct cli_kube *ret) {
    static const struct argp_child children[] = {{&cli_kube_argp, 0, NULL, 0}, {0}};
    static const struct argp kube = {.children = children};
    for (int i = 0; i + 1 < r->n; i++) {
        const char *given;
        const struct argp_option *o = option_of(&kube, r->words[i], &given);
        if (!o || !o->arg) continue;
        const char *arg = given ? given : i + 2 < r->n ? r->words[++i] : NULL;
        if (!arg) continue;
        if (strcmp(o->name, "namespace") == 0) ret->namespace_ = arg;
        if (strcmp(o->name, "kubeconfig") == 0) ret->spec.kubeconfig = arg;
        if (strcmp(o->name, "context") == 0) ret->spec.context = arg;
        if (strcmp(o->name, "server") == 0) ret->spec.server = arg;
    }
}

static void propose_objects(const struct request *r, const struct gvr *gvr, const char *prefix) {
    static const struct kube_list_cb cb = {on_target, on_restart, on_done};
    struct cli_kube flags = {0};
    struct cli_world w;
    struct cli_session s;
    if (!freopen("/dev/null", "w", stderr)) return; /* nothing but proposals is of use */
    flags_of(r, &flags);
    cli_world_open(&w, CLI_LOG_TEXT, LOG_ERROR);
    if (cli_session_open(&s, &w, &flags) == CLI_OK) {
        struct targets t = {r, prefix, w.loop};
        struct kube_list_spec spec = {.gvr = gvr,
                                      .ns = gvr->namespaced ? slice_of(s.ns) : (struct slice){0},
                                      .metadata_only = true,
                                      .no_retry = true,
                                      .timeout_ns = 3 * NS_PER_S};
        kube_list(s.kube, &spec, &cb, &t);
        loop_run(w.loop);
        cli_session_close(&s);
    }
    cli_world_close(&w);
}

static void propose_targets(const struct request *r) {
    const char *slash = strchr(r->word, '/');
    const struct workload *kind = slash ? target_ref(r->word).kind : &workload_deployment;
    cleanup_free char *prefix = slice_dup(slice_make(r->word, slash ? (size_t)(slash + 1 - r->word) : 0));
    if (kind) propose_objects(r, kind->gvr, prefix);
}

static void on_context(void *ctx, const char *name) {
    const struct request *r = ctx;
    propose(r, r->before, slice_of(name), NULL);
}

static void propose_contexts(struct request *r) {
    struct cli_kube flags = {0};
    struct cli_world w;
    flags_of(r, &flags);
    cli_world_open(&w, CLI_LOG_TEXT, LOG_ERROR);
    kube_config_contexts(w.world, flags.spec.kubeconfig, on_context, r);
    cli_world_close(&w);
}

int complete_main(const struct cli_program *p, int argc, char **argv) {
    struct request r = {.words = argv + 2, .n = argc - 2, .word = argc > 1 ? argv[argc - 1] : ""};
    if (argc <= 2) {
        for (size_t i = 0; p->commands[i]; i++)
            propose(&r, "", slice_of(p->commands[i]->name), p->commands[i]->summary);
    } else {
        for (size_t i = 0; p->commands[i]; i++)
            if (strcmp(p->commands[i]->name, argv[1]) == 0) cli_describe(p->commands[i], on_command, &r);
    }
    if (r.run_options) cli_describe(&cli_run, on_run, &r);
    if (r.targets) propose_targets(&r);
    if (r.namespaces) propose_objects(&r, &gvr_namespaces, r.before ? r.before : "");
    if (r.contexts) propose_contexts(&r);
    free(r.before);
    printf(":%d\n", r.files ? 0 : 4);
    return CLI_OK;
}
