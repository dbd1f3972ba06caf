/* A pod's row as kubectl shows it: its state is read from phase, reason and the containers (printPod of
 * Kubernetes). */
#include "rest/render.h"
#include "api/meta.h"
#include <inttypes.h>
#include <stdio.h>

static bool condition_true(const cJSON *obj, const char *type) {
    const cJSON *c = obj_condition(obj, type);
    return c && !strcmp(json_str_or(c, "status", ""), "True");
}

/* The word for one container that does not run; false: it says nothing. */
static bool waiting_word(const cJSON *state, char ret[128]) {
    const cJSON *w = json_obj(state, "waiting"), *t = json_obj(state, "terminated");
    const char *reason = json_str_or(w ? w : t, "reason", "");
    if (!w && !t) return false;
    if (reason[0]) {
        snprintf(ret, 128, "%s", reason);
    } else if (t && json_i64(t, "signal", 0) != 0) {
        snprintf(ret, 128, "Signal:%" PRId64, json_i64(t, "signal", 0));
    } else if (t) {
        snprintf(ret, 128, "ExitCode:%" PRId64, json_i64(t, "exitCode", 0));
    } else {
        return false;
    }
    return true;
}

void printer_pod_cells(const struct sim *s, const cJSON *obj, struct buf *out) {
    const cJSON *st = json_obj(obj, "status"), *spec = json_obj(obj, "spec"),
                *meta = json_obj(obj, "metadata");
    const cJSON *list = json_arr(st, "containerStatuses");
    char word[128], ready_text[48];
    snprintf(word, sizeof word, "%s", json_str_or(st, "reason", json_str_or(st, "phase", "")));
    int64_t restarts = 0, ready = 0;
    bool running = false;
    /* From the last to the first, so that the first container's word is the one that stays. */
    for (int i = cJSON_GetArraySize(list) - 1; i >= 0; i--) {
        const cJSON *c = cJSON_GetArrayItem(list, i), *state = json_obj(c, "state");
        restarts += json_i64(c, "restartCount", 0);
        if (waiting_word(state, word)) continue;
        if (!json_bool(c, "ready", false) || !json_obj(state, "running")) continue;
        running = true;
        ready++;
    }
    if (!strcmp(word, "Completed") && running)
        snprintf(word, sizeof word, "%s", condition_true(obj, "Ready") ? "Running" : "NotReady");
    if (obj_deleting(obj)) {
        bool lost = !strcmp(json_str_or(st, "reason", ""), "NodeLost");
        snprintf(word, sizeof word, "%s", lost ? "Unknown" : "Terminating");
    }
    snprintf(ready_text, sizeof ready_text, "%" PRId64 "/%d", ready,
             cJSON_GetArraySize(json_arr(spec, "containers")));
    printer_cell_str(out, json_str_or(meta, "name", ""));
    printer_cell_str(out, ready_text);
    printer_cell_str(out, word);
    printer_cell_int(out, restarts);
    printer_cell_age(s, out, json_str(meta, "creationTimestamp"));
    printer_cell_str(out, json_str_or(st, "podIP", "<none>"));
    printer_cell_str(out, json_str_or(spec, "nodeName", "<none>"));
    printer_cell_str(out, json_str_or(st, "nominatedNodeName", "<none>"));
    printer_cell_str(out, "<none>");
}
