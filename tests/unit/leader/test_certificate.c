#include "leader/certificate.h"
#include "../case.h"
#include "../each.h"

#define ME "handover-6d5f-abcde_0f1e2d3c-0000-4000-8000-001122334455_0123456789abcdef"

CASE(identity) {
    struct identity id, back;
    char text[IDENTITY_MAX];
    identity_make("handover-6d5f-abcde", "0f1e2d3c-0000-4000-8000-001122334455", 7, 8, &id);
    assert_int_equal(strlen(id.nonce), 32);
    assert_int_equal(identity_format(&id, text), 0);
    assert_int_equal(identity_parse(slice_of(text), &back, NULL), 0);
    assert_memory_equal(&id, &back, sizeof(id));
    /* outside a pod: a host name as it comes, no UID */
    identity_make("My_Laptop.local", NULL, 1, 2, &id);
    assert_string_equal(id.pod, "my-laptop.local");
    assert_int_equal(identity_format(&id, text), 0);
    assert_int_equal(identity_parse(slice_of(text), &back, NULL), 0);
    assert_string_equal(back.uid, "");
    identity_make("-", "a_b", 1, 2, &id);
    assert_string_equal(id.pod, "unnamed");
    assert_string_equal(id.uid, "a-b");
    char longest[600];
    memset(longest, 'a', sizeof(longest));
    longest[599] = '\0';
    identity_make(longest, longest, 1, 2, &id);
    assert_int_equal(strlen(id.pod), 253);
    assert_int_equal(identity_format(&id, text), 0);
}

CASE(foreign_identities) {
    static const char bad[] = "|pod|pod_uid|pod_uid_|_uid_n|Pod_uid_n|pod_u/d_n|pod_uid_n n|pod_uid_n_m|"
                              "ip-10-0-0-1_6e6a1d70-c9a1-11ee|pod_uid_0123456789abcdef0123456789abcdef0";
    struct identity id;
    struct err err;
    each_of(text, bad) {
        if (identity_parse(text, &id, &err) != -EINVAL) fail_msg("%.*s", SLF(text));
        assert_true(err.msg[0]);
    }
    struct identity wrong = {.pod = "Pod", .nonce = "1"};
    char text[IDENTITY_MAX];
    assert_int_equal(identity_format(&wrong, text), -EINVAL);
}

/* JSON with ' for ". */
static bool dead(const char *status, const char *holder, const char **why) {
    cleanup_free char *pod =
        quoted(xasprintf("{'kind':'Pod','metadata':{'name':'handover-6d5f-abcde','namespace':'n',"
                         "'uid':'0f1e2d3c-0000-4000-8000-001122334455'},'status':%s}",
                         status));
    return certificate_proves_dead(slice_of(pod), slice_of(holder), why);
}

#define TERMINATED(code, reason, message)                                                                    \
    "{'terminated':{'exitCode':" code ",'reason':'" reason "','message':'" message "'}}"
#define STATUS(state, last)                                                                                  \
    "{'phase':'Running','containerStatuses':[{'name':'c','state':" state ",'lastState':" last "}]}"

CASE(dead) {
    static const char *const proofs[] = {
        STATUS(TERMINATED("137", "Error", ME), "{}"),             /* SIGKILL */
        STATUS(TERMINATED("137", "OOMKilled", ME), "{}"),         /* OOM kill */
        STATUS(TERMINATED("0", "Completed", ME), "{}"),           /* a graceful end */
        STATUS("{'running':{}}", TERMINATED("137", "Error", ME)), /* after a restart */
        "{'containerStatuses':[{'state':{'running':{}}}],"        /* a sidecar */
        "'initContainerStatuses':[{'state':" TERMINATED("1", "Error", ME) "}]}",
    };
    const char *why = "";
    for (size_t i = 0; i < ARRAY_LEN(proofs); i++)
        if (!dead(proofs[i], ME, &why) || !dead(proofs[i], ME, NULL)) fail_msg("%s: %s", proofs[i], why);
}

CASE(not_proven) {
    const char *why;
    static const char *const statuses[] = {
        STATUS(TERMINATED("255", "Unknown", ME), "{}"), /* a lost shim */
        STATUS(TERMINATED("137", "Error", ME), TERMINATED("255", "Unknown", ME)),
        STATUS(TERMINATED("137", "Error", "handover-6d5f-abcde_0f1e2d3c-0000-4000-8000-001122334455_ffff"),
               "{}"),
        STATUS(TERMINATED("137", "Error", ME "\\n"), "{}"),
        STATUS(TERMINATED("137", "Error", ""), "{}"),
        STATUS(TERMINATED("'137'", "Error", ME), "{}"),
        STATUS("{'terminated':{'message':'" ME "'}}", "{}"),
        STATUS("{'waiting':{'reason':'CrashLoopBackOff','message':'" ME "'}}", "{}"),
        /* phase, reason, deletion: an evicted pod, a node that is gone */
        "{'phase':'Failed','reason':'Evicted','message':'" ME "'}",
        "{'phase':'Succeeded'}",
        STATUS(TERMINATED("137", "ContainerStatusUnknown",
                          "The container could not be located when the pod was terminated"),
               "{}"),
        "null",
        "{'containerStatuses':7}",
    };
    for (size_t i = 0; i < ARRAY_LEN(statuses); i++) {
        if (dead(statuses[i], ME, &why)) fail_msg("%s", statuses[i]);
        if (i == 0) assert_non_null(strstr(why, "255"));
    }
}

#define OTHER "handover-6d5f-abcde_ffffffff-0000-4000-8000-001122334455_0123"
CASE(another_pod) {
    const char *why;
    assert_false(
        dead(STATUS(TERMINATED("137", "Error", OTHER), "{}"), OTHER, &why)); /* the same name, made anew */
    assert_string_equal(why, "another pod than the holder's");
    assert_false(
        dead(STATUS(TERMINATED("137", "Error", "x"), "{}"), "x", &why)); /* not our form of identity */
    assert_false(dead(STATUS(TERMINATED("137", "Error", "host__12"), "{}"), "host__12", &why)); /* no pod */
    each_of(no_pod, "{|{}|[]") {
        assert_false(certificate_proves_dead(no_pod, SL(ME), &why));
    }
}

CASES("leader/certificate")
