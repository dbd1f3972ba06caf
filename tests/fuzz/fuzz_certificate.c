/* Pods and identities: any text, and never dead without the identity in it. */
#include "fuzz.h"
#include "leader/certificate.h"

#define ME "pod-1_0f1e_0123456789abcdef"

FUZZ(in) {
    struct slice holder, pod;
    const char *why = NULL;
    bool dead = certificate_proves_dead(in, SL(ME), &why);
    FUZZ_CHECK(why);
    if (dead) FUZZ_CHECK(memmem(in.p, in.n, "terminated", 10) || slice_has(in, '\\'));
    slice_cut(in, '\n', &holder, &pod);
    (void)certificate_proves_dead(pod, holder, NULL);
    struct identity id, again;
    char text[IDENTITY_MAX];
    if (identity_parse(in, &id, NULL) == 0) {
        FUZZ_CHECK(identity_format(&id, text) == 0 && slice_eqs(in, text));
        FUZZ_CHECK(identity_parse(slice_of(text), &again, NULL) == 0 && memcmp(&id, &again, sizeof(id)) == 0);
    }
}
