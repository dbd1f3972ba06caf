/* handover-sim demo: the main job in half a minute, on the embedded API server, with two real instances of
 * handover. */
#include "commands.h"
#include "demo.h"
#include "obs/obs.h"
#include "sibling.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { OPT_KEEP = 0x2000, POLL_MS = 100, STOP_S = 5 };

static const struct argp_option options[] = {
    {"keep-logs", OPT_KEEP, NULL, 0, "Leave the instances' logs behind and say where", 1},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *st) {
    struct demo *d = st->input;
    switch (key) {
    case OPT_KEEP: d->keep_logs = true; return 0;
    case ARGP_KEY_ARG: argp_error(st, "\"%s\": demo takes options only", arg); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

/* ---- start ---- */

static int start_server(struct demo *d, struct err *err) {
    static const char *const scripts[] = {
        "{\"image\":\"example.com/"
        "widget:*\",\"startMs\":400,\"reconcilesPerSecond\":40,\"errorRate\":0.004,\"terminateMs\":200}",
        "{\"image\":\"example.com/"
        "widget:v3-bad\",\"startMs\":400,\"reconcilesPerSecond\":40,\"errorRate\":0.4,\"terminateMs\":200}",
    };
    struct sim_config cfg = {.seed = 1, .wall_ns = world_wall_ns(d->world.world)};
    int rc = sim_host_start(d->world.world, "127.0.0.1:0", &cfg, &d->host, err);
    for (size_t i = 0; rc == 0 && i < ARRAY_LEN(scripts); i++)
        rc = sim_script(sim_host_sim(d->host), slice_of(scripts[i]), err);
    return rc;
}

static int start_client(struct demo *d, struct err *err) {
    cleanup_free char *server = xasprintf("http://127.0.0.1:%d", sim_host_port(d->host));
    struct kube_config_spec spec = {.server = server};
    int rc = kube_config_load(d->world.world, &d->world.log, &spec, &d->config, err);
    if (rc) return rc;
    d->metrics = metrics_new(100);
    d->kube = kube_new(d->world.world, d->config, &d->world.log, d->metrics);
    return 0;
}

static int start_instance(struct demo *d, size_t i, struct err *err) {
    struct demo_instance *in = &d->instance[i];
    snprintf(in->name, sizeof in->name, "handover-%c", (char)('a' + i));
    cleanup_free char *server = xasprintf("--server=http://127.0.0.1:%d", sim_host_port(d->host));
    cleanup_free char *name = xasprintf("POD_NAME=%s", in->name);
    cleanup_free char *log = xasprintf("%s/%s.log", d->dir, in->name);
    const char *ns = "--lease-namespace=" DEMO_NS;
    const char *argv[] = {d->program,
                          "run",
                          server,
                          ns,
                          "--admin=none",
                          "--scrape-interval=250ms",
                          "--grace=10s",
                          "--logind=off",
                          "--log-format=json",
                          NULL};
    const char *env[] = {name, "POD_UID=", "KUBECONFIG=/dev/null", NULL};
    return child_start(&in->child, argv, env, log, err);
}

static void on_call(void *ctx, const struct err *err, struct slice raw) {
    struct demo *d = ctx;
    (void)raw;
    d->op = NULL;
    if (err) demo_fail(d, "to %s: %s", d->op_what, err->msg);
}

void demo_call(struct demo *d, const struct kube_spec *spec, const char *what) {
    d->op_what = what;
    d->op = kube_call(d->kube, spec, on_call, d);
}

/* ---- polling ---- */

static void on_pods(void *ctx, const struct err *err, struct slice raw);

static void list_pods(struct demo *d) {
    struct kube_spec spec = {.verb = KUBE_LIST,
                             .lane = LANE_CALL,
                             .ref = {.gvr = &gvr_pods, .ns = SL(DEMO_NS)},
                             .labels = SL("app=" DEMO_TARGET)};
    d->pods_op = kube_call(d->kube, &spec, on_pods, d);
}

static const char *tag_of(const cJSON *pod) {
    const cJSON *container = cJSON_GetArrayItem(json_at(pod, "spec/containers"), 0);
    const char *image = json_str_or(container, "image", ""), *colon = strrchr(image, ':');
    return colon ? colon + 1 : "";
}

static void count_pods(struct demo *d, const cJSON *list) {
    cleanup_buf struct buf text = BUF(sizeof d->pods_now - 1);
    const cJSON *pod;
    d->stable_pods = d->canary_pods = 0;
    cJSON_ArrayForEach(pod, json_arr(list, "items")) {
        if (obj_deleting(pod)) continue; /* on its way out since an earlier promotion */
        const char *track = json_str_or(json_at(pod, "metadata/labels"), "handover.dev/track", "");
        if (strcmp(track, "canary") == 0) {
            d->canary_pods++;
            continue;
        }
        const cJSON *status = cJSON_GetArrayItem(json_at(pod, "status/containerStatuses"), 0);
        bool same = d->stable_pods++ == 0 || strcmp(d->stable_tag, tag_of(pod)) == 0;
        snprintf(d->stable_tag, sizeof d->stable_tag, "%s", same ? tag_of(pod) : "several");
        buf_addf(&text, "%s/%lld ", obj_uid(pod) ? obj_uid(pod) : "",
                 (long long)json_i64(status, "restartCount", 0));
    }
    memcpy(d->pods_now, buf_str(&text), text.n + 1);
    if (d->canary_pods > d->canary_most) d->canary_most = d->canary_pods;
}

static void on_pods(void *ctx, const struct err *err, struct slice raw) {
    struct demo *d = ctx;
    d->pods_op = NULL;
    cleanup_json cJSON *list = err ? NULL : json_parse(raw, NULL);
    if (list) count_pods(d, list);
    demo_story_step(d, &d->poll_report);
    demo_draw(d, &d->poll_report);
    status_poll_end(d->poll);
    d->poll = NULL;
    if (!d->over) timer_in(d->poll_timer, POLL_MS * NS_PER_MS);
}

static void on_report(void *ctx, const struct err *err, struct status_report *b) {
    struct demo *d = ctx;
    if (err) {
        demo_fail(d, "%s", err->msg);
        return;
    }
    d->poll_report = *b; /* the poll's; valid until status_poll_end() */
    list_pods(d);
}

static void poll(void *ctx) {
    struct demo *d = ctx;
    d->poll = status_poll_start(d->kube, &d->status_spec, on_report, d);
}

static void poll_lease(void *ctx) {
    demo_lease_poll(ctx);
}

static void on_interrupt(void *ctx) {
    demo_fail(ctx, "interrupted");
}

/* ---- end ---- */

static void check_stopped(void *ctx) {
    struct demo *d = ctx;
    bool all = true;
    for (size_t i = 0; i < DEMO_INSTANCES; i++) all = child_ended(&d->instance[i].child) && all;
    if (all || world_mono_ns(d->world.world) > d->stopping_ns + STOP_S * NS_PER_S)
        loop_stop(d->world.loop);
    else
        timer_in(d->stop_timer, 10 * NS_PER_MS);
}

/* The instances release their lease on our server: it has to go on meanwhile. */
static void stop_instances(struct demo *d) {
    d->stopping_ns = world_mono_ns(d->world.world);
    d->stop_timer = timer_new(d->world.world, check_stopped, d);
    for (size_t i = 0; i < DEMO_INSTANCES; i++) child_signal(&d->instance[i].child, SIGTERM);
    timer_in(d->stop_timer, 0);
    loop_run(d->world.loop);
    timer_free(d->stop_timer);
    for (size_t i = 0; i < DEMO_INSTANCES; i++) child_kill(&d->instance[i].child);
}

static void clean_up(struct demo *d) {
    timer_stop(d->poll_timer);
    stop_instances(d);
    for (size_t i = 0; i < DEMO_INSTANCES; i++) {
        cleanup_free char *log = xasprintf("%s/%s.log", d->dir, d->instance[i].name);
        if (!d->keep_logs && !d->failed) unlink(log);
    }
    if (!d->keep_logs && !d->failed)
        rmdir(d->dir);
    else
        printf("The instances' logs are in %s\n", d->dir);
    status_poll_end(d->poll);
    kube_cancel(d->op);
    kube_cancel(d->pods_op);
    timer_free(d->poll_timer);
    timer_free(d->lease_timer);
    kube_free(d->kube);
    kube_config_free(d->config);
    metrics_free(d->metrics);
    sim_host_stop(d->host);
    free(d->program);
}

static int run_story(struct demo *d, struct err *err) {
    snprintf(d->dir, sizeof d->dir, "/tmp/handover-demo-XXXXXX");
    if (!mkdtemp(d->dir)) return err_set(err, ERR_CONFIG, -errno, "cannot make a folder for logs in /tmp");
    d->status_spec = (struct status_spec){.ns = DEMO_NS, .lease_ns = DEMO_NS, .lease_name = "handover"};
    int rc = sibling_find("handover", &d->program, err);
    if (rc == 0) rc = start_server(d, err);
    if (rc == 0) rc = start_client(d, err);
    if (rc) return rc;
    struct kube_spec ns = {
        .verb = KUBE_CREATE,
        .lane = LANE_CALL,
        .ref = {.gvr = &gvr_namespaces},
        .body = SL("{\"apiVersion\":\"v1\",\"kind\":\"Namespace\",\"metadata\":{\"name\":\"" DEMO_NS "\"}}")};
    demo_call(d, &ns, "create the namespace");
    for (size_t i = 0; rc == 0 && i < DEMO_INSTANCES; i++) rc = start_instance(d, i, err);
    if (rc) return rc;
    world_on_signal(d->world.world, SIGINT, on_interrupt, d);
    world_on_signal(d->world.world, SIGTERM, on_interrupt, d);
    if (d->style.colour) printf("\x1b[2J");
    timer_in(d->poll_timer, 0);
    loop_run(d->world.loop);
    return 0;
}

static int demo_main(int argc, char **argv) {
    struct argp argp = {options,
                        parse,
                        NULL,
                        "Runs the main job on an embedded API server: a good update is promoted, a bad one "
                        "rolled back, and the leader is "
                        "stopped in the middle of the third.",
                        NULL,
                        NULL,
                        NULL};
    struct demo d = {0};
    struct err err = {0};
    int bad = cli_parse(&argp, argc, argv, &d);
    if (bad) return bad;
    d.style = cli_style(stdout);
    d.style.height = 0; /* the frame is cut, not the report */
    cli_world_open(&d.world, CLI_LOG_TEXT, LOG_ERROR);
    d.start_ns = world_mono_ns(d.world.world);
    d.poll_timer = timer_new(d.world.world, poll, &d);
    d.lease_timer = timer_new(d.world.world, poll_lease, &d);
    if (run_story(&d, &err)) demo_fail(&d, "%s", err.msg);
    demo_summary(&d);
    clean_up(&d);
    cli_world_close(&d.world);
    return d.failed ? CLI_FAILED : CLI_OK;
}

const struct cli_command cli_demo_play = {"demo", "Watch the main job on an embedded API server", demo_main};
