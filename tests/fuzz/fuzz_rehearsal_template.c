/* Pod templates that are to be rehearsed: whatever is in them, no container but Handover's own has a projected token of the account or the
 * address of the API server, and what comes out is JSON. The input is a template, as an API server gives one: no key is there twice. */
#include "fuzz.h"
#include "base/json.h"
#include "base/json_raw.h"
#include "plan/rehearsal.h"

static bool has_twins(const cJSON *v) {
    for (const cJSON *a = v ? v->child : NULL; a; a = a->next) {
        if (has_twins(a)) return true;
        for (const cJSON *b = a->next; b && cJSON_IsObject(v); b = b->next)
            if (!strcmp(a->string, b->string)) return true;
    }
    return false;
}

static void is_ours(const cJSON *volume) {
    FUZZ_CHECK(!strcmp(json_str_or(volume, "name", ""), "handover-rehearsal-token"));
}

static void check_volumes(const cJSON *spec) {
    const cJSON *v, *s;
    int tokens = 0;
    cJSON_ArrayForEach(v, json_arr(spec, "volumes")) {
        FUZZ_CHECK(!cJSON_IsObject(json_get(v, "persistentVolumeClaim")));
        cJSON_ArrayForEach(s, json_arr(json_get(v, "projected"), "sources")) {
            if (!cJSON_IsObject(json_get(s, "serviceAccountToken"))) continue;
            is_ours(v);
            tokens++;
        }
    }
    FUZZ_CHECK(tokens == 1);
}

static void check_container(const cJSON *c) {
    const cJSON *e;
    int hosts = 0, accounts = 0;
    cJSON_ArrayForEach(e, json_arr(c, "env")) {
        if (strcmp(json_str_or(e, "name", ""), "KUBERNETES_SERVICE_HOST") != 0) continue;
        FUZZ_CHECK(!strcmp(json_str_or(e, "value", ""), "127.0.0.1"));
        hosts++;
    }
    cJSON_ArrayForEach(e, json_arr(c, "volumeMounts")) {
        FUZZ_CHECK(strcmp(json_str_or(e, "name", ""), "handover-rehearsal-token") != 0);
        accounts += !strcmp(json_str_or(e, "mountPath", ""), "/var/run/secrets/kubernetes.io/serviceaccount");
    }
    FUZZ_CHECK(hosts == 1 && accounts == 1);
}

static void check(const cJSON *pod) {
    const cJSON *spec = json_get(pod, "spec"), *init = json_arr(spec, "initContainers"), *c;
    FUZZ_CHECK(cJSON_GetArraySize(json_at(pod, "metadata/labels")) == 1);
    FUZZ_CHECK(cJSON_IsFalse(json_get(spec, "automountServiceAccountToken")));
    FUZZ_CHECK(init && !strcmp(json_str_or(init->child, "name", ""), REHEARSAL_SIDECAR));
    check_volumes(spec);
    for (c = init->child->next; c; c = c->next) check_container(c);
    cJSON_ArrayForEach(c, json_arr(spec, "containers")) check_container(c);
}

FUZZ(in) {
    struct err err = {0};
    cleanup_json cJSON *was = json_parse(in, NULL);
    cleanup_free char *text = slice_dup(in);
    cleanup_buf struct buf out = BUF(1 << 20);
    if (!was || strlen(text) != in.n || strstr(text, "handover-rehearsal") || has_twins(was)) return;
    if (json_raw_check(in, NULL) < 0) return;
    const struct rehearsal_pod p = {.of = REHEARSED_NEW,
                                    .hash = "abcdefghij",
                                    .tmpl = text,
                                    .claims = "[\"data\"]",
                                    .image = "handover:dev",
                                    .key = "0123456789abcdef0123456789abcdef"};
    if (rehearsal_template(&p, &out, &err) < 0) {
        FUZZ_CHECK(err.msg[0]);
        return;
    }
    FUZZ_CHECK(json_raw_check(buf_slice(&out), NULL) == 0);
    cleanup_json cJSON *pod = json_parse(buf_slice(&out), NULL);
    FUZZ_CHECK(pod);
    check(pod);
}
