/* What follows from a row: which pods restart, what is lost, and what it counts as. */
#include "base/hash.h"
#include "base/json_raw.h"
#include "report_impl.h"

bool report_row_is(const struct row *row, const char *group, const char *kind) {
    return strcmp(row->group, group) == 0 && strcmp(row->kind, kind) == 0;
}

/* ---- from the objects ---- */

static struct slice at(struct slice obj, const char *path) {
    struct slice v = {0};
    return obj.n && json_raw_at(obj, path, &v) && json_raw_type(v) != JR_NULL ? v : (struct slice){0};
}

static char *text_at(struct slice obj, const char *path) {
    struct slice v = at(obj, path);
    if (json_raw_type(v) != JR_STRING || v.n < 3) return NULL;
    size_t n;
    cleanup_free char *all = report_unescaped(v, &n);
    return slice_dup_text(slice_make(all, n), REPORT_NAME);
}

static int64_t number_at(struct slice obj, const char *path, int64_t otherwise) {
    int64_t n = otherwise;
    struct slice v = at(obj, path);
    if (v.n && slice_i64(v, &n) < 0) return otherwise;
    return n < 0 ? 0 : n > INT32_MAX ? INT32_MAX : n;
}

static bool is_at(struct slice obj, const char *path, const char *text) {
    return json_raw_string_is(at(obj, path), slice_of(text));
}

/* The owner reference with controller: true. */
static struct slice controller_of(struct slice meta) {
    struct json_raw_it it = json_raw_each(at(meta, "ownerReferences"));
    while (json_raw_next(&it))
        if (slice_eqs(at(it.value, "controller"), "true")) return it.value;
    return (struct slice){0};
}

static char *group_of(struct slice owner) {
    cleanup_free char *version = text_at(owner, "apiVersion");
    char *slash = version ? strchr(version, '/') : NULL;
    return slash ? slice_dup(slice_make(version, (size_t)(slash - version))) : xstrdup("");
}

static void clear(struct restart *re) {
    free(re->kind);
    free(re->name);
    free(re->group);
    *re = (struct restart){0};
}

void report_row_calm(struct row *row) {
    row->change = ROW_NONE;
    clear(&row->restart);
    row->stop = (struct stop){0};
}

/* The pods of what controls them: of a Deployment's ReplicaSet, the Deployment's, whose name the ReplicaSet's begins with. */
static void pods_of_owner(struct row *row, struct slice obj, int64_t pods) {
    struct slice owner = controller_of(at(obj, "metadata"));
    struct restart *re = &row->restart;
    if (!owner.n || pods == 0) return;
    re->kind = text_at(owner, "kind");
    re->name = text_at(owner, "name");
    re->group = group_of(owner);
    re->pods = pods;
    if (!re->kind || !re->name) {
        clear(re);
        return;
    }
    cleanup_free char *hash = text_at(at(at(obj, "metadata"), "labels"), "pod-template-hash");
    struct slice name = slice_of(re->name), end = slice_of(hash);
    if (strcmp(re->kind, "ReplicaSet") == 0 && hash && name.n > end.n + 1 && slice_ends(name, end) &&
        name.p[name.n - end.n - 1] == '-') {
        re->name[name.n - end.n - 1] = '\0';
        free(re->kind);
        re->kind = xstrdup("Deployment");
    }
}

/* Does another template restart its pods? */
static bool is_workload(const struct row *row, struct slice spec) {
    static const char *const apps[] = {"Deployment", "StatefulSet", "DaemonSet"};
    if (strcmp(row->group, "apps") == 0) {
        for (size_t i = 0; i < ARRAY_LEN(apps); i++)
            if (strcmp(row->kind, apps[i]) == 0) return true;
        return false;
    }
    bool own = !row->group[0] || strcmp(row->group, "batch") == 0; /* ReplicationController, Job */
    return !own && at(spec, "template/spec/containers").n && at(spec, "replicas").n;
}

static int64_t pods_of(const struct row *row, struct slice live) {
    struct slice status = at(live, "status");
    if (report_row_is(row, "apps", "DaemonSet")) return number_at(status, "desiredNumberScheduled", 0);
    if (report_row_is(row, "batch", "Job")) return number_at(status, "active", 0);
    return number_at(at(live, "spec"), "replicas", 1);
}

static bool is_over(struct slice pod) {
    return is_at(at(pod, "status"), "phase", "Succeeded") || is_at(at(pod, "status"), "phase", "Failed");
}

/* Of a deleted object: do pods go that nothing of it makes again? Those of an owned pod or ReplicaSet come back as its owner's. */
static bool has_pods(const struct row *row, struct slice live) {
    bool owned = controller_of(at(live, "metadata")).n > 0;
    if (report_row_is(row, "", "Pod")) return !owned && !is_over(live);
    if (report_row_is(row, "apps", "ReplicaSet")) return !owned;
    return report_row_is(row, "", "ReplicationController") || report_row_is(row, "batch", "Job") ||
           is_workload(row, at(live, "spec"));
}

static void set_stop(struct row *row, struct slice live, struct slice rehearsed) {
    struct stop *s = &row->stop;
    bool job = report_row_is(row, "batch", "Job");
    bool kept =
        row->orphans && (job || row->change == ROW_DELETED); /* what is made anew takes its pods over */
    if (row->change == ROW_CREATED || kept || !has_pods(row, live)) return;
    int64_t pods = pods_of(row, live), left = pods;
    if (row->change == ROW_DELETED || (job && row->change == ROW_RECREATED))
        left = 0;
    else if (job)
        left = slice_eqs(at(at(rehearsed, "spec"), "suspend"), "true") ? 0 : pods;
    else if (!report_row_is(row, "apps", "DaemonSet"))
        left = number_at(at(rehearsed, "spec"), "replicas", pods);
    if (left < pods) *s = (struct stop){pods - left, left};
}

static void workload(struct row *row, struct slice live, struct slice rehearsed) {
    struct slice was = at(live, "spec"), is = at(rehearsed, "spec");
    struct restart *re = &row->restart;
    if (!is_workload(row, was)) return;
    *re = (struct restart){
        .group = xstrdup(row->group), .kind = xstrdup(row->kind), .name = xstrdup(row->name)};
    re->pods = pods_of(row, live) - row->stop.pods;
    if (row->change == ROW_RECREATED && !row->orphans) return;
    if (slice_eqs(at(is, "paused"), "true"))
        re->held = HELD_PAUSED;
    else if (is_at(is, "updateStrategy/type", "OnDelete"))
        re->held = HELD_ON_DELETE;
    if (re->held) re->pods = 0;
    int64_t kept = number_at(is, "updateStrategy/rollingUpdate/partition", 0);
    if (strcmp(row->kind, "StatefulSet") == 0) re->pods = kept < re->pods ? re->pods - kept : 0;
}

static void set_change(struct row *row, struct slice live, struct slice rehearsed) {
    if (!live.n || !rehearsed.n) {
        row->change = live.n ? ROW_DELETED : ROW_CREATED;
        return;
    }
    struct slice was = at(live, "metadata"), is = at(rehearsed, "metadata");
    cleanup_free char *a = text_at(was, "uid"), *b = text_at(is, "uid");
    row->change = ROW_CHANGED;
    if (a && b && strcmp(a, b) != 0) row->change = ROW_RECREATED;
    if (at(is, "deletionTimestamp").n && !at(was, "deletionTimestamp").n) {
        row->change = ROW_DELETED;
        row->waits = true;
    }
}

void report_row_facts(struct row *row, struct slice live, struct slice rehearsed) {
    struct slice obj = rehearsed.n ? rehearsed : live, meta = at(obj, "metadata");
    set_change(row, live, rehearsed);
    row->generate = text_at(meta, "generateName");
    struct slice owner = controller_of(meta);
    if (owner.n) {
        cleanup_free char *kind = text_at(owner, "kind"), *name = text_at(owner, "name");
        if (kind && name) row->owner = xasprintf("%s/%s", kind, name);
    }
    set_stop(row, live, rehearsed);
    bool gone = row->change == ROW_DELETED || row->change == ROW_RECREATED;
    if (report_row_is(row, "", "Pod")) {
        if (gone && !is_over(live)) pods_of_owner(row, live, 1);
    } else if (report_row_is(row, "apps", "ReplicaSet")) {
        if (gone) pods_of_owner(row, live, number_at(at(live, "spec"), "replicas", 1));
    } else if (row->change == ROW_CHANGED || row->change == ROW_RECREATED) {
        workload(row, live, rehearsed);
    }
}

/* ---- from the row ---- */

static unsigned effects(const struct row *row) {
    unsigned bits = row->more.effects;
    for (size_t i = 0; i < row->n; i++) bits |= 1U << row->field[i].effect;
    return bits;
}

static bool differs(const struct row *row) {
    for (size_t i = 0; i < row->n; i++)
        if (!row->field[i].moves) return true;
    return row->more.fields > 0;
}

bool report_row_moves_only(const struct row *row) {
    return !row->met && row->change == ROW_CHANGED && row->n > 0 && !differs(row);
}

/* Groups that Kubernetes itself serves: without a dot, and these. */
static bool is_custom(const struct row *row) {
    static const char *const own[] = {"admissionregistration",
                                      "apiextensions",
                                      "authentication",
                                      "authorization",
                                      "certificates",
                                      "coordination",
                                      "discovery",
                                      "events",
                                      "flowcontrol.apiserver",
                                      "internal.apiserver",
                                      "metrics",
                                      "custom.metrics",
                                      "external.metrics",
                                      "networking",
                                      "node",
                                      "rbac.authorization",
                                      "resource",
                                      "scheduling",
                                      "storage",
                                      "storagemigration"};
    struct slice group = slice_of(row->group);
    if (!slice_has(group, '.')) return false;
    if (strcmp(row->group, "apiregistration.k8s.io") == 0) return false;
    if (!slice_ends(group, SL(".k8s.io"))) return true;
    group.n -= SL(".k8s.io").n;
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        if (slice_eqs(group, own[i])) return false;
    return true;
}

/* More than ten, and more than one a second. */
static bool is_hot(const struct row *row) {
    int64_t took = row->last_ns > row->first_ns ? row->last_ns - row->first_ns : 0;
    return row->writes > 10 && (int64_t)(row->writes - 1) > took / 1000000000;
}

static bool restarts(const struct row *row) {
    if (!row->restart.kind) return false;
    bool its_template = row->change == ROW_CHANGED || (row->change == ROW_RECREATED && row->orphans);
    return !its_template || (effects(row) & 1U << EFFECT_RESTART);
}

static bool stops(const struct row *row) {
    if (!row->stop.pods) return false;
    return row->change != ROW_CHANGED || (effects(row) & 1U << EFFECT_STOP);
}

static unsigned lost(const struct row *row) {
    unsigned bits = 1U << REPORT_DELETES;
    if (report_row_is(row, "", "PersistentVolumeClaim") || report_row_is(row, "", "PersistentVolume"))
        bits |= 1U << REPORT_VOLUMES;
    if (report_row_is(row, "", "Namespace")) bits |= 1U << REPORT_NAMESPACES;
    if (report_row_is(row, "apiextensions.k8s.io", "CustomResourceDefinition")) bits |= 1U << REPORT_CRDS;
    if (is_custom(row)) bits |= 1U << REPORT_CUSTOM;
    return bits;
}

static unsigned kinds(const struct row *row) {
    unsigned bits = 0, does = effects(row);
    bool changed = row->change == ROW_CHANGED && differs(row);
    if (is_hot(row)) bits |= 1U << REPORT_HOT;
    if (row->met) return bits;
    if (row->change == ROW_CREATED) bits |= 1U << REPORT_CREATES;
    if (changed) bits |= 1U << REPORT_CHANGES;
    if (row->change == ROW_DELETED || row->change == ROW_RECREATED) bits |= lost(row);
    if (restarts(row)) bits |= 1U << REPORT_RESTARTS;
    if (stops(row)) bits |= 1U << REPORT_STOPS;
    if (does & 1U << EFFECT_FINALIZER) bits |= 1U << REPORT_FINALIZERS;
    if (does & 1U << EFFECT_UNSERVED) bits |= 1U << REPORT_CRDS;
    if (bits &&
        (strcmp(row->group, "rbac.authorization.k8s.io") == 0 || report_row_is(row, "", "ServiceAccount")))
        bits |= 1U << REPORT_RBAC;
    if (bits && strcmp(row->group, "admissionregistration.k8s.io") == 0) bits |= 1U << REPORT_WEBHOOKS;
    return bits;
}

static unsigned rank(const struct row *row) {
    static const enum report_kind order[] = {
        REPORT_VOLUMES, REPORT_NAMESPACES, REPORT_CRDS,     REPORT_CUSTOM, REPORT_STOPS,
        REPORT_DELETES, REPORT_RESTARTS,   REPORT_WEBHOOKS, REPORT_RBAC,   REPORT_FINALIZERS,
        REPORT_CHANGES, REPORT_CREATES,    REPORT_HOT};
    for (unsigned i = 0; i < ARRAY_LEN(order); i++)
        if (row->kinds & 1U << order[i]) return i;
    return ARRAY_LEN(order);
}

static size_t length(const char *s) {
    return s ? strlen(s) + 1 : 0;
}

static void add_line(struct buf *b, const char *text) {
    buf_add(b, slice_make(text, strlen(text) + 1)); /* with its NUL: nothing can be taken for a border */
}

static uint64_t word(const char *hex) {
    uint64_t v = 0;
    for (size_t i = 0; i < 16; i++) v = v << 4 | (uint64_t)(hex[i] <= '9' ? hex[i] - '0' : hex[i] - 'a' + 10);
    return v;
}

/* What would be left, as two words that are added over all rows: the order of the rows does not matter, and any of them may go. */
static void add_up(struct row *row) {
    cleanup_buf struct buf b = BUF(REPORT_VALUE_WORK);
    buf_addc(&b, (char)('0' + row->change));
    add_line(&b, row->group);
    add_line(&b, row->kind);
    add_line(&b, row->ns);
    add_line(&b, row->generate && row->change == ROW_CREATED ? row->generate : row->name);
    for (size_t i = 0; i < row->n; i++) {
        if (row->field[i].moves) continue;
        add_line(&b, row->field[i].path);
        add_line(&b, row->field[i].id);
    }
    buf_addf(&b, "%llu %s", (unsigned long long)row->more.fields, row->more.id);
    char hex[65];
    sha256_hex(buf_slice(&b), hex);
    row->sum[0] = word(hex);
    row->sum[1] = word(hex + 16);
}

void report_row_seal(struct row *row) {
    row->kinds = kinds(row);
    row->rank = rank(row);
    row->sum[0] = row->sum[1] = 0;
    if (row->kinds & ~(1U << REPORT_HOT)) add_up(row);
    row->bytes = sizeof *row + row->cap * sizeof *row->field;
    for (size_t i = 0; i < row->n; i++)
        row->bytes += length(row->field[i].path) + length(row->field[i].from) + length(row->field[i].to);
}
