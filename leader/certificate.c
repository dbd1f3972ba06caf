/* Identities, and what the kubelet's record of an ended container proves about one. */
#include "leader/certificate.h"
#include "base/json_raw.h"
#include "api/gvr.h"
#include <errno.h>

static bool all(struct slice s, const char *also) {
    for (size_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!alnum && (!c || !strchr(also, c))) return false;
    }
    return true;
}

static int fields_check(struct slice pod, struct slice uid, struct slice nonce, struct err *err) {
    if (!name_is_dns_subdomain(pod))
        return err_set(err, ERR_PROTOCOL, -EINVAL, "identity: '%.*s' is no pod name", SLF(pod));
    if (uid.n >= sizeof(((struct identity *)0)->uid) || !all(uid, "-")) {
        return err_set(err, ERR_PROTOCOL, -EINVAL, "identity: '%.*s' is no UID", SLF(uid));
    }
    if (!nonce.n || nonce.n >= sizeof(((struct identity *)0)->nonce) || !all(nonce, "")) {
        return err_set(err, ERR_PROTOCOL, -EINVAL, "identity: '%.*s' is no nonce", SLF(nonce));
    }
    return 0;
}

int identity_format(const struct identity *id, char ret[IDENTITY_MAX]) {
    int r = fields_check(slice_of(id->pod), slice_of(id->uid), slice_of(id->nonce), NULL);
    if (r < 0) return r;
    struct buf b = BUF(IDENTITY_MAX - 1);
    buf_addf(&b, "%s_%s_%s", id->pod, id->uid, id->nonce);
    memcpy(ret, buf_str(&b), b.n + 1);
    buf_free(&b);
    return 0;
}

int identity_parse(struct slice text, struct identity *ret, struct err *err) {
    struct slice pod, uid, nonce, rest;
    if (text.n >= IDENTITY_MAX || !slice_cut(text, '_', &pod, &rest) || !slice_cut(rest, '_', &uid, &nonce)) {
        return err_set(err, ERR_PROTOCOL, -EINVAL, "identity: not of the form POD_UID_NONCE: %.*s",
                       SLF(text));
    }
    int r = fields_check(pod, uid, nonce, err);
    if (r < 0) return r;
    *ret = (struct identity){0};
    memcpy(ret->pod, pod.p, pod.n);
    if (uid.n) memcpy(ret->uid, uid.p, uid.n);
    memcpy(ret->nonce, nonce.p, nonce.n);
    return 0;
}

void identity_make(const char *pod, const char *uid, uint64_t rnd1, uint64_t rnd2, struct identity *ret) {
    static const char hex[] = "0123456789abcdef";
    *ret = (struct identity){0};
    size_t n = 0;
    for (; pod[n] && n + 1 < sizeof(ret->pod); n++) {
        char c = pod[n];
        if (c >= 'A' && c <= 'Z') c = (char)(c + ('a' - 'A'));
        ret->pod[n] = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' ? c : '-';
    }
    if (!name_is_dns_subdomain(slice_make(ret->pod, n))) memcpy(ret->pod, "unnamed", sizeof("unnamed"));
    for (n = 0; uid && uid[n] && n + 1 < sizeof(ret->uid); n++)
        ret->uid[n] = all(slice_make(uid + n, 1), "") ? uid[n] : '-';
    for (n = 0; n < 16; n++) {
        ret->nonce[n] = hex[(rnd1 >> (4 * n)) & 15];
        ret->nonce[n + 16] = hex[(rnd2 >> (4 * n)) & 15];
    }
}

/* ---- the certificate ---- */

enum proof { PROOF_NONE, PROOF_DEAD, PROOF_LOST_SHIM /* outweighs the other */ };

static enum proof terminated_proves(struct slice state, struct slice holder) {
    struct slice t, message, code;
    int64_t exit_code;
    if (!json_raw_get(state, SL("terminated"), &t) || json_raw_type(t) != JR_OBJECT) return PROOF_NONE;
    if (!json_raw_get(t, SL("message"), &message) || !json_raw_string_is(message, holder)) return PROOF_NONE;
    if (!json_raw_get(t, SL("exitCode"), &code) || json_raw_type(code) != JR_NUMBER ||
        slice_i64(code, &exit_code) < 0) {
        return PROOF_NONE;
    }
    return exit_code == 255 ? PROOF_LOST_SHIM : PROOF_DEAD;
}

static enum proof statuses_prove(struct slice status, const char *key, struct slice holder) {
    struct slice list, state;
    enum proof best = PROOF_NONE;
    if (!json_raw_get(status, slice_of(key), &list) || json_raw_type(list) != JR_ARRAY) return best;
    struct json_raw_it it = json_raw_each(list);
    while (json_raw_next(&it)) {
        static const char *const states[] = {"state", "lastState"};
        for (size_t i = 0; i < ARRAY_LEN(states); i++) {
            if (!json_raw_get(it.value, slice_of(states[i]), &state)) continue;
            enum proof p = terminated_proves(state, holder);
            if (p > best) best = p;
        }
    }
    return best;
}

static bool pod_is(struct slice pod, const struct identity *id) {
    struct slice name, uid;
    return json_raw_at(pod, "metadata/name", &name) && json_raw_string_is(name, slice_of(id->pod)) &&
           json_raw_at(pod, "metadata/uid", &uid) && json_raw_string_is(uid, slice_of(id->uid));
}

bool certificate_proves_dead(struct slice pod, struct slice holder, const char **why) {
    const char *unused;
    if (!why) why = &unused;
    struct identity id = {0};
    struct slice status;
    if (identity_parse(holder, &id, NULL) < 0 || !id.uid[0]) {
        *why = "the holder's identity names no pod";
        return false;
    }
    if (json_raw_check(pod, NULL) < 0) {
        *why = "the pod is no JSON";
        return false;
    }
    if (!pod_is(pod, &id)) {
        *why = "another pod than the holder's";
        return false;
    }
    *why = "no container has ended with the holder's identity as its message";
    if (!json_raw_get(pod, SL("status"), &status)) return false;
    enum proof best = PROOF_NONE;
    /* A sidecar of today's form is an init container. */
    static const char *const lists[] = {"containerStatuses", "initContainerStatuses"};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        enum proof p = statuses_prove(status, lists[i], holder);
        if (p > best) best = p;
    }
    if (best == PROOF_LOST_SHIM)
        *why = "exit code 255: the container's shim is lost, the process may be alive";
    if (best == PROOF_DEAD) *why = "the holder's container has ended";
    return best == PROOF_DEAD;
}
