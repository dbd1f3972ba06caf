/* kubeconfig files, and the credentials that a plugin prints: any bytes are either taken or refused with
 * words, and a merge with itself changes nothing. */
#include "fuzz.h"
#include "exec_plugin.h"
#include "kubeconfig.h"

FUZZ(text) {
    struct kubeconfig kc = {0};
    struct err err = {0};
    int r = kubeconfig_add(&kc, text, "/dir/file", &err);
    FUZZ_CHECK(r == 0 || (r < 0 && err.kind == ERR_CONFIG && err.msg[0]));
    FUZZ_CHECK(r == 0 || (!kc.nclusters && !kc.nusers && !kc.ncontexts && !kc.current));
    if (r == 0) {
        size_t had = kc.nclusters + kc.nusers + kc.ncontexts;
        FUZZ_CHECK(kubeconfig_add(&kc, text, "/other/file", &err) == 0);
        FUZZ_CHECK(kc.nclusters + kc.nusers + kc.ncontexts == had);
        for (size_t i = 0; i < kc.nusers; i++)
            FUZZ_CHECK(kc.users[i].name && strcmp(kc.users[i].file, "/dir/file") == 0);
    }
    kubeconfig_free(&kc);
    struct exec_cred cred;
    if (exec_cred_parse(text, "client.authentication.k8s.io/v1", "plugin", &cred, &err) == 0) {
        FUZZ_CHECK(cred.token[0] || (cred.cert[0] && cred.key[0]));
        exec_cred_free(&cred);
    }
}
