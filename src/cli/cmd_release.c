/* handover release: a target, or all of them, without Handover again. */
#include "base/time.h"
#include "commands.h"
#include "target_ref.h"
#include "common.h"
#include "release.h"
#include "text.h"
#include <errno.h>

enum { OPT_TIMEOUT = 0x5000, OPT_FORCE, OPT_ALL, OPT_LEASE_NS, OPT_LEASE_NAME };

static const struct argp_option options[] = {
    {"all", OPT_ALL, NULL, 0, "Every target of the namespace, one after the other", 1},
    {"all-namespaces", 'A', NULL, 0, "With --all: of all namespaces", 1},
    {"force", OPT_FORCE, NULL, 0,
     "Also where that starts a version which is not in service: the Deployment is unpaused as it is", 1},
    {"timeout", OPT_TIMEOUT, "TIME", 0, "How long it is waited for until it is done (1m)", 1},
    {"lease-namespace", OPT_LEASE_NS, "NAMESPACE", 0,
     "Where Handover's Lease lives ($POD_NAMESPACE, else handover-system)", 2},
    {"lease-name", OPT_LEASE_NAME, "NAME", 0, "Handover's Lease (handover)", 2},
    {0},
};

struct names {
    char *ns, *name;
};
struct release_args {
    struct cli_kube kube_flags;
    struct release_spec spec;
    bool all, everywhere;
    struct cli_world world;
    struct cli_session session;
    struct status_poll *list;
    struct release_run *run;
    struct timer *next;
    struct names *target;
    size_t n, at;
    int code;
};

static error_t parse(int key, char *arg, struct argp_state *st) {
    struct release_args *a = st->input;
    switch (key) {
    case ARGP_KEY_INIT: st->child_inputs[0] = &a->kube_flags; return 0;
    case OPT_ALL: a->all = true; return 0;
    case 'A': a->everywhere = true; return 0;
    case OPT_FORCE: a->spec.force = true; return 0;
    case OPT_TIMEOUT:
        a->spec.timeout_ns = cli_duration(st, "timeout", arg, NS_PER_MS, 3600 * NS_PER_S);
        return 0;
    case OPT_LEASE_NS: a->spec.status.lease_ns = arg; return 0;
    case OPT_LEASE_NAME: a->spec.status.lease_name = arg; return 0;
    case ARGP_KEY_ARG:
        if (a->spec.status.name) argp_error(st, "\"%s\": release takes one target, or --all", arg);
        a->spec.status.name = cli_target(st, arg);
        return 0;
    case ARGP_KEY_END:
        if (!a->spec.status.name == !a->all) argp_error(st, "which target? NAME, or --all");
        if (a->everywhere && !a->all) argp_error(st, "--all-namespaces needs --all");
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void on_released(void *ctx, const struct err *err) {
    struct release_args *a = ctx;
    if (err)
        a->code = cli_fail(err);
    else
        printf("%s in namespace %s: released\n", target_ref(a->spec.status.name).text, a->spec.status.ns);
    fflush(stdout);
    a->at++;
    timer_in(a->next, 0);
}

static void next(void *ctx) {
    struct release_args *a = ctx;
    release_end(a->run);
    a->run = NULL;
    if (a->at == a->n) {
        loop_stop(a->world.loop);
        return;
    }
    a->spec.status.ns = a->target[a->at].ns;
    a->spec.status.name = a->target[a->at].name;
    a->run = release_start(a->session.kube, &a->spec, on_released, a);
}

static void add(struct release_args *a, const char *ns, const char *name) {
    a->target[a->n++] = (struct names){xstrdup(ns), xstrdup(name)};
}

static void on_list(void *ctx, const struct err *err, struct status_report *r) {
    struct release_args *a = ctx;
    if (err) {
        a->code = cli_fail(err);
        loop_stop(a->world.loop);
        return;
    }
    a->target = xcalloc(r->n + 1, sizeof *a->target);
    for (size_t i = 0; i < r->n; i++) add(a, r->rows[i].ns, r->rows[i].name);
    if (!r->n) printf("there is nothing to release\n");
    timer_in(a->next, 0);
}

static int run(struct release_args *a) {
    int bad = cli_session_open(&a->session, &a->world, &a->kube_flags);
    if (bad) return bad;
    a->spec.manager = a->session.manager;
    a->next = timer_new(a->world.world, next, a);
    struct status_spec all = a->spec.status;
    all.ns = a->everywhere ? NULL : a->session.ns;
    if (a->all) {
        a->list = status_poll_start(a->session.kube, &all, on_list, a);
    } else {
        a->target = xcalloc(1, sizeof *a->target);
        add(a, a->session.ns, a->spec.status.name);
        timer_in(a->next, 0);
    }
    loop_run(a->world.loop);
    release_end(a->run);
    status_poll_end(a->list);
    timer_free(a->next);
    for (size_t i = 0; i < a->n; i++) {
        free(a->target[i].ns);
        free(a->target[i].name);
    }
    free(a->target);
    cli_session_close(&a->session);
    return a->code;
}

static int release_main(int argc, char **argv) {
    struct argp_child children[] = {{&cli_kube_argp, 0, "Kubernetes", 10}, {0}};
    struct argp argp = {
        options,
        parse,
        "[KIND/]NAME\n--all [-A]",
        "Takes the annotation canary-percent away, and waits until Handover has given back what it changed.",
        children,
        NULL,
        NULL};
    struct release_args a = {.code = CLI_OK,
                             .spec = {.timeout_ns = 60 * NS_PER_S, .status = {.lease_name = "handover"}}};
    int bad = cli_parse(&argp, argc, argv, &a);
    if (bad) return bad;
    a.spec.status.lease_ns = cli_lease_namespace(a.spec.status.lease_ns);
    cli_world_open(&a.world, CLI_LOG_TEXT, LOG_ERROR);
    int code = run(&a);
    cli_world_close(&a.world);
    return code;
}

const struct cli_command cli_release = {"release", "Leave a target to itself again", release_main};
