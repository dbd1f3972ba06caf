/* handover uninstall: takes away what `handover install` has applied, and what Handover has made for itself. */
#include "base/time.h"
#include "commands.h"
#include "common.h"
#include "install.h"
#include "target_ref.h"
#include <errno.h>

enum { OPT_FORCE = 0x6100, OPT_TIMEOUT };
#define POLL_NS (250 * NS_PER_MS)

static const struct argp_option options[] = {
    {"force", OPT_FORCE, NULL, 0,
     "Also while there are targets: what is paused stays paused, what is on trial stays so", 1},
    {"timeout", OPT_TIMEOUT, "TIME", 0, "How long the end of Handover's pods is waited for (2m)", 1},
    {0},
};

struct uninstall_args {
    struct cli_kube kube_flags;
    const char *ns;
    bool force;
    int64_t timeout_ns, until_ns;
    struct cli_world world;
    struct cli_session session;
    struct status_poll *list;
    struct kube_op *op;
    struct timer *timer;
    struct buf yaml;
    struct install_object *object;
    size_t n, at;                /* at: of objects that are left; the last ones first */
    size_t rest;                 /* of Handover's own: the Lease, then the parts of its checkpoint */
    bool waiting, any, own_done; /* any: something of this installation was deleted */
    size_t left;
    int code;
};

static error_t parse(int key, char *arg, struct argp_state *st) {
    struct uninstall_args *a = st->input;
    switch (key) {
    case ARGP_KEY_INIT: st->child_inputs[0] = &a->kube_flags; return 0;
    case OPT_FORCE: a->force = true; return 0;
    case OPT_TIMEOUT: a->timeout_ns = cli_duration(st, "timeout", arg, NS_PER_MS, 3600 * NS_PER_S); return 0;
    case ARGP_KEY_ARG: argp_error(st, "\"%s\": uninstall takes no name", arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void end(struct uninstall_args *a, const struct err *err) {
    if (err) a->code = cli_fail(err);
    loop_stop(a->world.loop);
}

static void look(void *ctx);

static void next(struct uninstall_args *a) {
    a->waiting = false;
    a->at--;
    timer_in(a->timer, 0);
}

/* ---- Handover's own ---- */

static void delete_own(struct uninstall_args *a);

static void on_own(void *ctx, const struct err *err, struct slice raw) {
    struct uninstall_args *a = ctx;
    (void)raw;
    a->op = NULL;
    if (err && err->kind != ERR_NOTFOUND) {
        end(a, err);
        return;
    }
    a->rest--;
    delete_own(a);
}

static void delete_own(struct uninstall_args *a) {
    if (!a->rest) {
        a->own_done = true;
        timer_in(a->timer, 0);
        return;
    }
    cleanup_free char *path =
        a->rest == 2
            ? xasprintf("/apis/coordination.k8s.io/v1/namespaces/%s/leases/handover", a->ns)
            : xasprintf("/api/v1/namespaces/%s/configmaps?labelSelector=handover.dev%%2Fcheckpoint%%3Dpart",
                        a->ns);
    struct kube_spec s = {.verb = KUBE_DELETE, .lane = LANE_CALL, .path = path};
    a->op = kube_call(a->session.kube, &s, on_own, a);
}

/* ---- what install has applied ---- */

static void on_deleted(void *ctx, const struct err *err, struct slice raw) {
    struct uninstall_args *a = ctx;
    const struct install_object *o = &a->object[a->at - 1];
    (void)raw;
    a->op = NULL;
    if (err && err->kind != ERR_NOTFOUND) {
        end(a, err);
        return;
    }
    printf("%s deleted\n", o->what);
    fflush(stdout);
    a->any = true;
    if (!o->is_deployment && !o->is_namespace) {
        next(a);
        return;
    }
    a->waiting = true; /* its pods drain, for which they need their rights */
    a->until_ns = world_boot_ns(a->world.world) + a->timeout_ns;
    timer_in(a->timer, POLL_NS);
}

static void delete_it(struct uninstall_args *a, const cJSON *obj) {
    const struct install_object *o = &a->object[a->at - 1];
    cleanup_buf struct buf body = BUF(4096);
    buf_addf(&body,
             "{\"apiVersion\":\"v1\",\"kind\":\"DeleteOptions\",\"propagationPolicy\":\"%s\","
             "\"preconditions\":{\"uid\":",
             o->is_deployment ? "Foreground" : "Background");
    buf_add_json(&body, slice_of(json_str_or(json_obj(obj, "metadata"), "uid", "")));
    buf_adds(&body, "}}");
    struct kube_spec s = {.verb = KUBE_DELETE, .lane = LANE_CALL, .path = o->path, .body = buf_slice(&body)};
    a->op = kube_call(a->session.kube, &s, on_deleted, a);
}

static void on_object(void *ctx, const struct err *err, struct slice raw) {
    struct uninstall_args *a = ctx;
    const struct install_object *o = &a->object[a->at - 1];
    cleanup_json cJSON *obj = err ? NULL : json_parse(raw, NULL);
    a->op = NULL;
    if (err && err->kind == ERR_NOTFOUND) {
        next(a);
    } else if (err) {
        end(a, err);
    } else if (a->waiting && world_boot_ns(a->world.world) < a->until_ns) {
        timer_in(a->timer, POLL_NS);
    } else if (a->waiting) {
        struct err e = {0};
        err_set(&e, ERR_TIMEOUT, -ETIMEDOUT,
                "%s is being deleted, and is not gone yet: the same command goes on with the rest", o->what);
        end(a, &e);
    } else if (!install_made(obj)) {
        printf("%s stays: `handover install` has not applied it\n", o->what);
        a->left += !o->is_namespace;
        next(a);
    } else {
        delete_it(a, obj);
    }
}

static void look(void *ctx) {
    struct uninstall_args *a = ctx;
    if (!a->at) {
        struct err e = {0};
        if (a->left)
            err_set(
                &e, ERR_CONFIG, -EPERM,
                "%zu objects stay: take them away as they were installed (kubectl delete -f, helm uninstall)",
                a->left);
        end(a, a->left ? &e : NULL);
        return;
    }
    if (a->at == 1 && a->any && !a->own_done) { /* the namespace is left, which may stay */
        a->rest = 2;
        delete_own(a);
        return;
    }
    struct kube_spec s = {.lane = LANE_CALL, .path = a->object[a->at - 1].path};
    a->op = kube_call(a->session.kube, &s, on_object, a);
}

/* ---- targets ---- */

static void on_list(void *ctx, const struct err *err, struct status_report *r) {
    struct uninstall_args *a = ctx;
    struct err e = {0};
    if (err) {
        end(a, err);
        return;
    }
    for (size_t i = 0; i < r->n; i++)
        fprintf(stderr, "%s in namespace %s is a target\n", target_ref(r->rows[i].name).text, r->rows[i].ns);
    if (r->n && !a->force) {
        err_set(&e, ERR_CONFIG, -EBUSY,
                "nothing is uninstalled while there are targets: `handover release --all -A` gives them back "
                "first; or --force");
        end(a, &e);
        return;
    }
    timer_in(a->timer, 0);
}

static int run(struct uninstall_args *a) {
    struct err err = {0};
    struct install_options all = {.ns = a->ns, .image = INSTALL_IMAGE, .replicas = INSTALL_REPLICAS};
    install_parts_of(999, all.part);
    install_text(&all, &a->yaml);
    if (install_objects(buf_slice(&a->yaml), &a->object, &a->n, &err) < 0) return cli_fail(&err);
    a->at = a->n;
    int bad = cli_session_open(&a->session, &a->world, &a->kube_flags);
    if (!bad) {
        const struct status_spec everything = {.lease_ns = a->ns, .lease_name = "handover"};
        a->timer = timer_new(a->world.world, look, a);
        a->list = status_poll_start(a->session.kube, &everything, on_list, a);
        loop_run(a->world.loop);
        kube_cancel(a->op);
        status_poll_end(a->list);
        timer_free(a->timer);
        cli_session_close(&a->session);
    }
    return bad ? bad : a->code;
}

static int uninstall_main(int argc, char **argv) {
    struct argp_child children[] = {{&cli_kube_argp, 0, "Kubernetes", 10}, {0}};
    struct argp argp = {
        options,
        parse,
        NULL,
        "Deletes what `handover install` has applied, Handover's Lease and its checkpoints, and the "
        "namespace of -n (handover-system) with all that is in it, if install has made that. Refused "
        "while there are targets.",
        children,
        NULL,
        NULL};
    struct uninstall_args a = {.code = CLI_OK, .timeout_ns = 120 * NS_PER_S, .yaml = BUF(512 << 10)};
    int bad = cli_parse(&argp, argc, argv, &a);
    if (bad) return bad;
    struct err err = {0};
    a.ns = cli_lease_namespace(a.kube_flags.namespace_);
    if (install_check_namespace(a.ns, &err) < 0) {
        cli_fail(&err);
        return CLI_USAGE;
    }
    cli_world_open(&a.world, CLI_LOG_TEXT, LOG_ERROR);
    int code = run(&a);
    install_objects_free(a.object, a.n);
    buf_free(&a.yaml);
    cli_world_close(&a.world);
    return code;
}

const struct cli_command cli_uninstall = {"uninstall", "Take away what install has applied", uninstall_main};
