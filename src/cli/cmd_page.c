/* handover page: how a browser gets to the leader's page, as commands to type. */
#include "commands.h"
#include "common.h"
#include "page_way.h"
#include "base/json.h"
#include "leader/certificate.h"
#include <errno.h>

enum { OPT_LEASE_NS = 0x6200, OPT_LEASE_NAME };

static const struct argp_option options[] = {
    {"lease-namespace", OPT_LEASE_NS, "NAMESPACE", 0,
     "Where Handover's Lease lives ($POD_NAMESPACE, else handover-system)", 2},
    {"lease-name", OPT_LEASE_NAME, "NAME", 0, "Handover's Lease (handover)", 2},
    {0},
};

struct page_args {
    struct cli_kube kube_flags;
    const char *lease_ns, *lease_name;
    struct cli_world world;
    struct cli_session session;
    struct kube_op *op;
    struct identity leader;
    int code;
};

static error_t parse(int key, char *arg, struct argp_state *st) {
    struct page_args *a = st->input;
    switch (key) {
    case ARGP_KEY_INIT: st->child_inputs[0] = &a->kube_flags; return 0;
    case OPT_LEASE_NS: a->lease_ns = arg; return 0;
    case OPT_LEASE_NAME: a->lease_name = arg; return 0;
    case ARGP_KEY_ARG: argp_error(st, "\"%s\": page takes no name", arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void end(struct page_args *a, const struct err *err) {
    if (err) a->code = cli_fail(err);
    loop_stop(a->world.loop);
}

static void on_pod(void *ctx, const struct err *err, struct slice raw) {
    struct page_args *a = ctx;
    struct err e = {0};
    cleanup_json cJSON *pod = err ? NULL : json_parse(raw, &e);
    a->op = NULL;
    if (err && err->kind == ERR_NOTFOUND)
        err_set(&e, ERR_NOTFOUND, -ENOENT,
                "the leader is %s, which is no pod in namespace %s: its page is on the admin port (--admin) "
                "of its "
                "host, on the loopback unless it says otherwise",
                a->leader.pod, a->lease_ns);
    else if (err)
        e = *err;
    if (!pod) {
        end(a, &e);
        return;
    }
    const struct page_way way = {.ns = a->lease_ns,
                                 .pod = a->leader.pod,
                                 .port = page_way_port(pod),
                                 .kubeconfig = a->kube_flags.spec.kubeconfig,
                                 .context = a->kube_flags.spec.context,
                                 .server = a->kube_flags.spec.server};
    cleanup_buf struct buf out = BUF(64 << 10);
    page_way_text(&way, &out);
    cli_print(CLI_TEXT, buf_slice(&out));
    end(a, NULL);
}

static void on_lease(void *ctx, const struct err *err, struct slice raw) {
    struct page_args *a = ctx;
    struct err e = {0};
    cleanup_json cJSON *lease = err ? NULL : json_parse(raw, &e);
    a->op = NULL;
    const char *holder = json_str_or(json_obj(lease, "spec"), "holderIdentity", "");
    if (err)
        e = *err;
    else if (lease && !*holder)
        err_set(&e, ERR_NOTFOUND, -ENOENT, "Lease %s/%s: nobody leads, so nobody has the page", a->lease_ns,
                a->lease_name);
    else if (lease)
        (void)identity_parse(slice_of(holder), &a->leader, &e);
    if (e.kind) {
        end(a, &e);
        return;
    }
    struct kube_spec s = {
        .lane = LANE_CALL,
        .ref = {.gvr = &gvr_pods, .ns = slice_of(a->lease_ns), .name = slice_of(a->leader.pod)}};
    a->op = kube_call(a->session.kube, &s, on_pod, a);
}

static int run(struct page_args *a) {
    int bad = cli_session_open(&a->session, &a->world, &a->kube_flags);
    if (bad) return bad;
    struct kube_spec s = {
        .lane = LANE_CALL,
        .no_retry = true,
        .ref = {.gvr = &gvr_leases, .ns = slice_of(a->lease_ns), .name = slice_of(a->lease_name)}};
    a->op = kube_call(a->session.kube, &s, on_lease, a);
    loop_run(a->world.loop);
    kube_cancel(a->op);
    cli_session_close(&a->session);
    return a->code;
}

static int page_main(int argc, char **argv) {
    struct argp_child children[] = {{&cli_kube_argp, 0, "Kubernetes", 10}, {0}};
    struct argp argp = {
        options,
        parse,
        NULL,
        "Finds the leader's pod and prints the commands by which a browser on this machine gets to its page.",
        children,
        NULL,
        NULL};
    struct page_args a = {.code = CLI_OK, .lease_name = "handover"};
    int bad = cli_parse(&argp, argc, argv, &a);
    if (bad) return bad;
    if (!a.lease_ns) a.lease_ns = a.kube_flags.namespace_;
    a.lease_ns = cli_lease_namespace(a.lease_ns);
    cli_world_open(&a.world, CLI_LOG_TEXT, LOG_ERROR);
    int code = run(&a);
    cli_world_close(&a.world);
    return code;
}

const struct cli_command cli_page = {"page", "The way to the leader's page", page_main};
