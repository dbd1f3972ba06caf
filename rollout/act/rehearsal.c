/* Which Kubernetes, which image, which API groups; see rehearsal.h. */
#include "act/rehearsal.h"
#include "api/template.h"
#include "base/json.h"
#include "base/json_raw.h"
#include "plan/rehearsal.h"
#include <stdio.h>

#define AGAIN_NS                                                                                             \
    (10 * NS_PER_S) /* after a failure, and to see whether a server that is too old has become another one */

#define GROUPS_NS     (60 * NS_PER_S) /* so old may they be when a rehearsal begins */
#define SERVICES_PATH "/apis/apiregistration.k8s.io/v1/apiservices"
enum { GROUPS_MAX = 200, SERVICES_CAP = 16 << 20 };

enum question { ASKS_VERSION, ASKS_POD, ASKS_SERVICES, QUESTIONS };
struct rehearsals {
    struct kube *kube;
    struct rehearsals_options opt;
    world_fn changed;
    void *ctx;
    struct kube_op *op[QUESTIONS];
    int64_t again_ns[QUESTIONS]; /* boot: not asked before */
    int minor;
    char *image, *trouble, *groups;
    int64_t groups_ns; /* boot: groups were read then */
    bool stopped;
};

struct rehearsals *rehearsals_new(struct kube *k, const struct rehearsals_options *opt, world_fn changed,
                                  void *ctx) {
    struct rehearsals *r = xcalloc(1, sizeof *r);
    *r = (struct rehearsals){.kube = k, .opt = *opt, .changed = changed, .ctx = ctx, .minor = -1};
    r->image = xstrdup_null(opt->image);
    if (!opt->image && !opt->pod_ns)
        r->trouble = xstrdup(
            "this Handover runs in no pod, so that --rehearse-image=IMAGE has to name an image of it");
    return r;
}

void rehearsals_stop(struct rehearsals *r) {
    r->stopped = true;
    for (int q = 0; q < QUESTIONS; q++) {
        kube_cancel(r->op[q]);
        r->op[q] = NULL;
    }
}

void rehearsals_free(struct rehearsals *r) {
    if (!r) return;
    rehearsals_stop(r);
    free(r->image);
    free(r->trouble);
    free(r->groups);
    free(r);
}

static void later(struct rehearsals *r, enum question q) {
    r->op[q] = NULL;
    r->again_ns[q] = world_boot_ns(kube_world(r->kube)) + AGAIN_NS;
}

static void on_version(void *ctx, const struct err *err, struct slice raw) {
    struct rehearsals *r = ctx;
    later(r, ASKS_VERSION);
    cleanup_json cJSON *v = err ? NULL : json_parse(raw, NULL);
    struct slice text = slice_of(json_str(v, "minor")), digits = slice_digits(&text); /* "29+" */
    int64_t minor;
    if (strcmp(json_str_or(v, "major", ""), "1") != 0 || slice_i64(digits, &minor) < 0 || minor > 10000)
        return;
    if (r->minor == (int)minor) return;
    r->minor = (int)minor;
    r->changed(r->ctx);
}

char *rehearsals_image_of(struct slice pod) {
    struct slice list = {0}, best, v;
    cleanup_buf struct buf image = BUF(4096);
    if (!json_raw_at(pod, "spec/containers", &list) || !template_main_container(pod, &best)) return NULL;
    struct json_raw_it it = json_raw_each(list);
    while (json_raw_next(&it))
        if (json_raw_get(it.value, SL("name"), &v) && json_raw_string_is(v, SL("handover"))) best = it.value;
    if (!json_raw_get(best, SL("image"), &v) || json_raw_unescape(v, &image) < 0 || !image.n) return NULL;
    return buf_take(&image);
}

static void on_pod(void *ctx, const struct err *err, struct slice raw) {
    struct rehearsals *r = ctx;
    later(r, ASKS_POD);
    free(r->trouble);
    r->trouble = NULL;
    r->image = err ? NULL : rehearsals_image_of(raw);
    if (!r->image && (!err || !err_retryable(err)))
        r->trouble =
            xasprintf("the image of Handover is not known from its own pod %s/%s (%.200s); handover run "
                      "--rehearse-image=IMAGE names one",
                      r->opt.pod_ns, r->opt.pod_name, err ? err->msg : "it has no containers");
    if (r->image || r->trouble) r->changed(r->ctx);
}

/* Not one of Kubernetes' own, which the proxy knows. */
static bool is_foreign(const char *group) {
    size_t n = strlen(group), tail = strlen(".k8s.io");
    return strchr(group, '.') && (n < tail || strcmp(group + n - tail, ".k8s.io") != 0);
}

char *rehearsals_groups_of(struct slice services) {
    cleanup_buf struct buf out = BUF(64 << 10);
    cleanup_json cJSON *list = json_parse(services, NULL);
    const cJSON *item;
    size_t n = 0;
    cJSON_ArrayForEach(item, json_arr(list, "items")) {
        const cJSON *spec = json_obj(item, "spec");
        const char *group = json_str_or(spec, "group", "");
        cleanup_free char *line = xasprintf("%s\n", group);
        if (json_obj(spec, "service") || !is_foreign(group) || !name_is_dns_subdomain(slice_of(group)))
            continue;
        if (n == GROUPS_MAX || (out.n && strstr(buf_str(&out), line))) continue; /* another version of it */
        n++;
        buf_adds(&out, line);
    }
    return out.n ? buf_take(&out) : xstrdup("");
}

static void on_services(void *ctx, const struct err *err, struct slice raw) {
    struct rehearsals *r = ctx;
    later(r, ASKS_SERVICES);
    if (err && err_retryable(err)) return;
    free(r->groups);
    r->groups =
        err ? xstrdup("")
            : rehearsals_groups_of(raw); /* without the right: the proxy finds what the operator may see */
    r->groups_ns = world_boot_ns(kube_world(r->kube));
    r->changed(r->ctx);
}

static void ask(struct rehearsals *r, enum question q) {
    static const kube_done done[QUESTIONS] = {on_version, on_pod, on_services};
    struct kube_spec spec = {.verb = KUBE_GET, .lane = LANE_CALL};
    if (r->op[q] || world_boot_ns(kube_world(r->kube)) < r->again_ns[q]) return;
    if (q == ASKS_SERVICES) spec.body_cap = SERVICES_CAP;
    if (q != ASKS_POD)
        spec.path = q == ASKS_VERSION ? "/version" : SERVICES_PATH;
    else
        spec.ref = (struct kube_ref){
            .gvr = &gvr_pods, .ns = slice_of(r->opt.pod_ns), .name = slice_of(r->opt.pod_name)};
    r->op[q] = kube_call(r->kube, &spec, done[q], r);
}

void rehearsals_want(struct rehearsals *r) {
    if (r->stopped) return;
    if (r->minor < REHEARSAL_MINOR) ask(r, ASKS_VERSION);
    if (!r->image && r->opt.pod_ns) ask(r, ASKS_POD);
    if (!rehearsals_groups(r)) ask(r, ASKS_SERVICES);
}

const char *rehearsals_image(const struct rehearsals *r) {
    return r->image;
}

const char *rehearsals_groups(const struct rehearsals *r) {
    bool fresh = r->groups && world_boot_ns(kube_world(r->kube)) - r->groups_ns < GROUPS_NS;
    return fresh ? r->groups : NULL;
}

int rehearsals_minor(const struct rehearsals *r) {
    return r->minor;
}

const char *rehearsals_trouble(const struct rehearsals *r) {
    return r->trouble;
}
