/* handover install: prints the manifests, or applies them. */
#include "commands.h"
#include "common.h"
#include "install.h"
#include "api/gvr.h"
#include <errno.h>

enum { OPT_DRY_RUN = 0x6000, OPT_FORCE, OPT_IMAGE, OPT_REPLICAS, OPT_ARG, OPT_KUBERNETES };

static const struct argp_option options[] = {
    {"dry-run", OPT_DRY_RUN, NULL, 0, "Prints what would be applied, as YAML, and changes nothing", 1},
    {"image", OPT_IMAGE, "IMAGE", 0, "Of the operator (" INSTALL_IMAGE ")", 1},
    {"replicas", OPT_REPLICAS, "N", 0, "Of the Deployment: one leads, the others stand by (2)", 1},
    {"arg", OPT_ARG, "OPTION", 0,
     "An option of `run`, for the Deployment's container: --arg=--page=off; again for each. Without any, "
     "those of the last install are kept; "
     "\"--arg=\" for none",
     1},
    {"kubernetes", OPT_KUBERNETES, "1.N", 0,
     "What is installed beside the base: as for this version, without asking the API server what it serves",
     1},
    {"force", OPT_FORCE, NULL, 0, "Also fields that another field manager has set otherwise", 1},
    {0},
};

struct install_args {
    struct cli_kube kube_flags;
    struct install_options opt;
    bool dry_run, force, args_given;
    size_t nargs;
    long minor; /* -1: ask */
    struct cli_world world;
    struct cli_session session;
    struct kube_op *op;
    size_t part, at, n;
    struct install_object *object;
    struct buf yaml;
    bool namespace_seen; /* and to be applied */
    int code;
};

static long minor_of(struct argp_state *st, const char *arg) {
    int64_t minor = -1;
    struct slice major, rest;
    bool two = slice_cut(slice_of(arg), '.', &major, &rest);
    if (!two || !slice_eqs(major, "1") || slice_i64(rest, &minor) < 0 || minor < 0 || minor > 999)
        argp_error(st, "--kubernetes: read \"%s\"; allowed is 1.N, as in 1.36", arg);
    return (long)minor;
}

static void add_arg(struct install_args *a, struct argp_state *st, const char *arg) {
    struct err err = {0};
    a->args_given = true;
    if (!a->opt.args) a->opt.args = xcalloc(INSTALL_MAX_ARGS + 1, sizeof *a->opt.args);
    if (!*arg) return;
    if (install_check_arg(arg, &err) < 0) argp_error(st, "--arg: read %s", err.msg);
    if (a->nargs == INSTALL_MAX_ARGS) argp_error(st, "--arg: at most %d are allowed", INSTALL_MAX_ARGS);
    a->opt.args[a->nargs++] = xstrdup(arg);
}

static error_t parse(int key, char *arg, struct argp_state *st) {
    struct install_args *a = st->input;
    struct err err = {0};
    switch (key) {
    case ARGP_KEY_INIT: st->child_inputs[0] = &a->kube_flags; return 0;
    case OPT_DRY_RUN: a->dry_run = true; return 0;
    case OPT_FORCE: a->force = true; return 0;
    case OPT_REPLICAS: a->opt.replicas = cli_number(st, "replicas", arg, 1, 100); return 0;
    case OPT_KUBERNETES: a->minor = minor_of(st, arg); return 0;
    case OPT_ARG: add_arg(a, st, arg); return 0;
    case OPT_IMAGE:
        a->opt.image = arg;
        if (install_check_image(arg, &err) < 0) argp_error(st, "--image: read %s", err.msg);
        return 0;
    case ARGP_KEY_ARG: argp_error(st, "\"%s\": install takes no name", arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void end(struct install_args *a, const struct err *err) {
    if (err) a->code = cli_fail(err);
    loop_stop(a->world.loop);
}

static void print(const struct install_args *a) {
    struct buf out = BUF(512 << 10);
    install_text(&a->opt, &out);
    cli_print(CLI_TEXT, buf_slice(&out));
    buf_free(&out);
}

/* ---- applying ---- */

static void apply_next(struct install_args *a);

static void on_applied(void *ctx, const struct err *err, struct slice raw) {
    struct install_args *a = ctx;
    (void)raw;
    a->op = NULL;
    if (err && err->kind == ERR_CONFLICT) {
        struct err e = {0};
        err_set(&e, ERR_CONFLICT, -EEXIST,
                "%s; another client has set it otherwise: --force sets it, or install it with that client",
                err->msg);
        end(a, &e);
        return;
    }
    if (err) {
        end(a, err);
        return;
    }
    printf("%s applied\n", a->object[a->at].what);
    fflush(stdout);
    a->at++;
    apply_next(a);
}

/* A namespace that is there already, and not made by this command, stays as it is: its labels are another's. */
static void on_namespace(void *ctx, const struct err *err, struct slice raw) {
    struct install_args *a = ctx;
    cleanup_json cJSON *obj = err ? NULL : json_parse(raw, NULL);
    a->op = NULL;
    if (err && err->kind != ERR_NOTFOUND) {
        end(a, err);
        return;
    }
    a->namespace_seen = true;
    if (!err && !install_made(obj)) {
        printf("%s is there already, and stays as it is\n", a->object[a->at].what);
        a->at++;
    }
    apply_next(a);
}

static void apply_next(struct install_args *a) {
    struct kube_spec s = {.lane = LANE_CALL, .manager = INSTALL_MANAGER};
    if (a->at == a->n) {
        printf("Handover is installed; it runs when `kubectl rollout status deployment/handover -n %s` ends, "
               "and "
               "`handover doctor` says what is missing\n",
               a->opt.ns);
        end(a, NULL);
        return;
    }
    const struct install_object *o = &a->object[a->at];
    if (o->is_namespace && !a->namespace_seen) {
        s.path = o->path;
        a->op = kube_call(a->session.kube, &s, on_namespace, a);
        return;
    }
    cleanup_free char *path = xasprintf("%s?force=%s", o->path, a->force ? "true" : "false");
    s.verb = KUBE_APPLY;
    s.path = path;
    s.body = o->text;
    a->op = kube_call(a->session.kube, &s, on_applied, a);
}

static void all_known(struct install_args *a) {
    struct err err = {0};
    if (a->dry_run) {
        print(a);
        end(a, NULL);
        return;
    }
    install_text(&a->opt, &a->yaml);
    if (install_objects(buf_slice(&a->yaml), &a->object, &a->n, &err) < 0)
        end(a, &err);
    else
        apply_next(a);
}

/* ---- what the API server has ---- */

static void on_deployment(void *ctx, const struct err *err, struct slice raw) {
    struct install_args *a = ctx;
    struct err e = {0};
    cleanup_json cJSON *obj = err ? NULL : json_parse(raw, NULL);
    a->op = NULL;
    if (err && err->kind != ERR_NOTFOUND) {
        end(a, err);
        return;
    }
    if (install_kept_args(obj, &a->opt.args, &e) < 0) {
        end(a, &e);
        return;
    }
    for (char **arg = a->opt.args; arg && *arg && !a->dry_run; arg++)
        printf("%s is kept, an argument of the last install (--arg gives others)\n", *arg);
    fflush(stdout);
    cli_run_check(a->opt.args);
    all_known(a);
}

static void parts_known(struct install_args *a) {
    if (a->args_given) {
        all_known(a);
        return;
    }
    struct kube_spec s = {
        .verb = KUBE_GET,
        .lane = LANE_CALL,
        .ref = {.gvr = &gvr_deployments, .ns = slice_of(a->opt.ns), .name = SL("handover")}};
    a->op = kube_call(a->session.kube, &s, on_deployment, a);
}

static void ask_next(struct install_args *a);

static void on_api(void *ctx, const struct err *err, struct slice raw) {
    struct install_args *a = ctx;
    const char *resource;
    a->op = NULL;
    if (err && err->kind != ERR_NOTFOUND) {
        end(a, err);
        return;
    }
    install_part_api((enum install_part)a->part, &resource);
    a->opt.part[a->part++] = !err && install_api_has(raw, resource);
    ask_next(a);
}

static void ask_next(struct install_args *a) {
    const char *resource;
    for (; a->part < INSTALL_PARTS; a->part++) {
        struct kube_spec s = {.path = install_part_api((enum install_part)a->part, &resource),
                              .lane = LANE_CALL};
        if (s.path) {
            a->op = kube_call(a->session.kube, &s, on_api, a);
            return;
        }
        a->opt.part[a->part] = true;
    }
    parts_known(a);
}

static void begin(void *ctx) {
    struct install_args *a = ctx;
    if (a->minor < 0)
        ask_next(a);
    else
        parts_known(a);
}

static int run(struct install_args *a) {
    int bad = cli_session_open(&a->session, &a->world, &a->kube_flags);
    if (bad) return bad;
    struct timer *start = timer_new(a->world.world, begin, a);
    timer_in(start, 0);
    loop_run(a->world.loop);
    kube_cancel(a->op);
    timer_free(start);
    install_objects_free(a->object, a->n);
    buf_free(&a->yaml);
    cli_session_close(&a->session);
    return a->code;
}

static int install_main(int argc, char **argv) {
    struct argp_child children[] = {{&cli_kube_argp, 0, "Kubernetes", 10}, {0}};
    struct argp argp = {options,
                        parse,
                        NULL,
                        "Applies the manifests of deploy/manifests, and what else the API server knows of "
                        "deploy/manifests/policy: the "
                        "PodDisruptionBudget, the FlowSchema, the policy that holds. In the namespace of -n "
                        "(handover-system), which is made.",
                        children,
                        NULL,
                        NULL};
    struct install_args a = {.code = CLI_OK,
                             .minor = -1,
                             .yaml = BUF(512 << 10),
                             .opt = {.image = INSTALL_IMAGE, .replicas = INSTALL_REPLICAS}};
    int bad = cli_parse(&argp, argc, argv, &a);
    if (bad) return bad;
    cli_run_check(a.opt.args);
    struct err err = {0};
    a.opt.ns = cli_lease_namespace(a.kube_flags.namespace_);
    if (install_check_namespace(a.opt.ns, &err) < 0) {
        cli_fail(&err);
        install_args_free(a.opt.args);
        return CLI_USAGE;
    }
    if (a.minor >= 0) install_parts_of(a.minor, a.opt.part);
    if (a.dry_run && a.minor >= 0) {
        print(&a);
        install_args_free(a.opt.args);
        return CLI_OK;
    }
    cli_world_open(&a.world, CLI_LOG_TEXT, LOG_ERROR);
    int code = run(&a);
    cli_world_close(&a.world);
    install_args_free(a.opt.args);
    return code;
}

const struct cli_command cli_install = {"install", "Install Handover, or print its manifests", install_main};
