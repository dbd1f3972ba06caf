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

static bool dead(const char *status, const char *holder, const char **why) {
    char pod[4096];
    snprintf(pod, sizeof(pod),
             "{\"kind\":\"Pod\",\"metadata\":{\"name\":\"handover-6d5f-abcde\",\"namespace\":\"n\","
             "\"uid\":\"0f1e2d3c-0000-4000-8000-001122334455\"},\"status\":%s}",
             status);
    return certificate_proves_dead(slice_of(pod), slice_of(holder), why);
}

#define TERMINATED(code, reason, message)                                                                    \
    "{\"terminated\":{\"exitCode\":" code ",\"reason\":\"" reason "\",\"message\":\"" message "\"}}"
#define STATUS(state, last)                                                                                  \
    "{\"phase\":\"Running\",\"containerStatuses\":[{\"name\":\"c\",\"state\":" state ",\"lastState\":" last  \
    "}]}"

CASE(dead) {
    const char *why;
    /* SIGKILL, OOM kill, a graceful end, after a restart, a sidecar */
    assert_true(dead(STATUS(TERMINATED("137", "Error", ME), "{}"), ME, &why));
    assert_true(dead(STATUS(TERMINATED("137", "OOMKilled", ME), "{}"), ME, NULL));
    assert_true(dead(STATUS(TERMINATED("0", "Completed", ME), "{}"), ME, &why));
    assert_true(dead(STATUS("{\"running\":{}}", TERMINATED("137", "Error", ME)), ME, &why));
    assert_true(dead("{\"containerStatuses\":[{\"state\":{\"running\":{}}}],"
                     "\"initContainerStatuses\":[{\"state\":" TERMINATED("1", "Error", ME) "}]}",
                     ME, &why));
}

CASE(not_proven) {
    const char *why;
    assert_false(dead(STATUS(TERMINATED("255", "Unknown", ME), "{}"), ME, &why)); /* a lost shim */
    assert_non_null(strstr(why, "255"));
    assert_false(dead(STATUS(TERMINATED("137", "Error", ME), TERMINATED("255", "Unknown", ME)), ME, &why));
    assert_false(dead(
        STATUS(TERMINATED("137", "Error", "handover-6d5f-abcde_0f1e2d3c-0000-4000-8000-001122334455_ffff"),
               "{}"),
        ME, &why));
    assert_false(dead(STATUS(TERMINATED("137", "Error", ME "\\n"), "{}"), ME, &why));
    assert_false(dead(STATUS(TERMINATED("137", "Error", ""), "{}"), ME, &why));
    assert_false(dead(STATUS(TERMINATED("\"137\"", "Error", ME), "{}"), ME, &why));
    assert_false(dead(STATUS("{\"terminated\":{\"message\":\"" ME "\"}}", "{}"), ME, &why));
    assert_false(dead(STATUS("{\"waiting\":{\"reason\":\"CrashLoopBackOff\",\"message\":\"" ME "\"}}", "{}"),
                      ME, &why));
    /* phase, reason, deletion: an evicted pod, a node that is gone */
    assert_false(dead("{\"phase\":\"Failed\",\"reason\":\"Evicted\",\"message\":\"" ME "\"}", ME, &why));
    assert_false(dead("{\"phase\":\"Succeeded\"}", ME, &why));
    assert_false(
        dead(STATUS("{\"terminated\":{\"exitCode\":137,\"reason\":\"ContainerStatusUnknown\",\"message\":"
                    "\"The container could not be located when the pod was terminated\"}}",
                    "{}"),
             ME, &why));
    assert_false(dead("null", ME, &why));
    assert_false(dead("{\"containerStatuses\":7}", ME, &why));
}

CASE(another_pod) {
    const char *why;
#define OTHER "handover-6d5f-abcde_ffffffff-0000-4000-8000-001122334455_0123"
    assert_false(
        dead(STATUS(TERMINATED("137", "Error", OTHER), "{}"), OTHER, &why)); /* the same name, made anew */
    assert_string_equal(why, "another pod than the holder's");
    assert_false(
        dead(STATUS(TERMINATED("137", "Error", "x"), "{}"), "x", &why)); /* not our form of identity */
    assert_false(dead(STATUS(TERMINATED("137", "Error", "host__12"), "{}"), "host__12", &why)); /* no pod */
    assert_false(certificate_proves_dead(SL("{"), SL(ME), &why));
    assert_false(certificate_proves_dead(SL("{}"), SL(ME), &why));
    assert_false(certificate_proves_dead(SL("[]"), SL(ME), &why));
}

CASES("leader/certificate")
