/* handover doctor: is everything there that Handover needs? A line each; exit code 1 where something fails. */
#include "commands.h"
#include "common.h"
#include "doctor.h"
#include "text.h"
#include <errno.h>

enum { OPT_LEASE_NS = 0x7000, OPT_LEASE_NAME, SHAPE = 1 };
#define FORMATS "json|yaml"

static const struct argp_option options[] = {
    {"output", 'o', FORMATS, 0, "The same for programs", 1},
    {"lease-namespace", OPT_LEASE_NS, "NAMESPACE", 0,
     "Where Handover's Lease lives ($POD_NAMESPACE, else handover-system)", 2},
    {"lease-name", OPT_LEASE_NAME, "NAME", 0, "Handover's Lease (handover)", 2},
    {0},
};

struct doctor_args {
    struct cli_kube kube_flags;
    struct doctor_spec spec;
    enum cli_output output;
    struct cli_world world;
    int code;
};

static error_t parse(int key, char *arg, struct argp_state *st) {
    struct doctor_args *a = st->input;
    switch (key) {
    case ARGP_KEY_INIT: st->child_inputs[0] = &a->kube_flags; return 0;
    case 'o': a->output = cli_output(st, FORMATS, arg); return 0;
    case OPT_LEASE_NS: a->spec.status.lease_ns = arg; return 0;
    case OPT_LEASE_NAME: a->spec.status.lease_name = arg; return 0;
    case ARGP_KEY_ARG:
        if (a->spec.status.name) argp_error(st, "\"%s\": doctor looks at one target, or at all", arg);
        a->spec.status.name = cli_target(st, arg);
        return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

static void write_json(const struct doctor_report *r, struct buf *out) {
    buf_addf(out, "{\"version\":%d,\"worst\":\"%s\",\"checks\":[", SHAPE, doctor_grade_name(doctor_worst(r)));
    for (size_t i = 0; i < r->n; i++) {
        const struct doctor_line *l = &r->v[i];
        buf_addf(out, "%s{\"result\":\"%s\",\"check\":\"%s\"", i ? "," : "", doctor_grade_name(l->grade),
                 l->what);
        status_json_field(out, "object", l->about);
        status_json_field(out, "text", l->text);
        buf_addc(out, '}');
    }
    buf_adds(out, "]}\n");
}

static void write_text(const struct doctor_report *r, struct buf *out) {
    static const char *const colours[] = {"\x1b[32m", "\x1b[33m", "\x1b[31m"};
    struct table_style style = cli_style(stdout);
    for (size_t i = 0; i < r->n; i++) {
        const struct doctor_line *l = &r->v[i];
        cleanup_free char *about = text_cleaned(l->about, style.utf8),
                          *text = text_cleaned(l->text, style.utf8);
        buf_addf(out, "%s%-4s%s  %s", style.colour ? colours[l->grade] : "", doctor_grade_name(l->grade),
                 style.colour ? "\x1b[0m" : "", l->what);
        if (*about) buf_addf(out, " %s", about);
        buf_addf(out, ": %s\n", text);
    }
}

static void on_done(void *ctx, const struct doctor_report *r) {
    struct doctor_args *a = ctx;
    cleanup_buf struct buf raw = BUF(16 << 20), out = BUF(16 << 20);
    loop_stop(a->world.loop);
    if (a->output) {
        write_json(r, &raw);
        status_json_clean(buf_slice(&raw), &out);
    } else {
        write_text(r, &out);
    }
    cli_print(a->output, buf_slice(&out));
    a->code = doctor_worst(r) == DOCTOR_FAIL ? CLI_FAILED : CLI_OK;
}

static int doctor_main(int argc, char **argv) {
    struct argp_child children[] = {{&cli_kube_argp, 0, "Kubernetes", 10}, {0}};
    struct argp argp = {options,
                        parse,
                        "[[KIND/]NAME]",
                        "Looks whether everything is there that `handover run` needs: rights, the API "
                        "server, the Lease, each target's "
                        "annotations and metrics. In all namespaces, or in that of -n. With --as it looks "
                        "with another user's rights: "
                        "system:serviceaccount:handover-system:handover.",
                        children,
                        NULL,
                        NULL};
    struct doctor_args a = {.code = CLI_FAILED, .spec = {.status = {.lease_name = "handover"}}};
    struct cli_session s;
    int bad = cli_parse(&argp, argc, argv, &a);
    if (bad) return bad;
    a.spec.status.lease_ns = cli_lease_namespace(a.spec.status.lease_ns);
    cli_world_open(&a.world, CLI_LOG_TEXT, LOG_ERROR);
    bad = cli_session_open(&s, &a.world, &a.kube_flags);
    if (!bad) {
        a.spec.status.ns = a.spec.status.name ? s.ns : a.kube_flags.namespace_;
        struct doctor *d = doctor_start(s.kube, &a.spec, on_done, &a);
        loop_run(a.world.loop);
        doctor_end(d);
        cli_session_close(&s);
    }
    cli_world_close(&a.world);
    return bad ? bad : a.code;
}

const struct cli_command cli_doctor = {"doctor", "Look whether everything is there that Handover needs",
                                       doctor_main};
