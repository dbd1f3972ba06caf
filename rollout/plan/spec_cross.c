/* What annotations that are good by themselves have to be to each other. */
#include "plan/spec_value.h"
#include <errno.h>

void spec_cross_checks(struct spec *s, struct err *first) {
    if (!s->errors != !s->total) {
        const char *there = s->errors ? "errors" : "total", *missing = s->errors ? "total" : "errors";
        if (first->kind == ERR_NONE) {
            err_set(first, ERR_CONFIG, -EINVAL,
                    HANDOVER_PREFIX "%s: given without " HANDOVER_PREFIX "%s; allowed: both or neither",
                    there, missing);
        }
        s->metrics_ok = false;
    }
    if ((s->mode == MODE_OBJECTS) != (s->objects != NULL) && first->kind == ERR_NONE) {
        err_set(first, ERR_CONFIG, -EINVAL,
                s->objects ? HANDOVER_PREFIX "objects: given without " HANDOVER_PREFIX
                                             "mode: objects; allowed: in this mode only"
                           : HANDOVER_PREFIX
                    "objects: missing, which " HANDOVER_PREFIX
                    "mode: objects needs; allowed: RESOURCE.VERSION.GROUP such as widgets.v1.example.com");
    }
    if (spec_has_limits(s) && !s->rehearse_ns && first->kind == ERR_NONE)
        err_set(first, ERR_CONFIG, -EINVAL,
                HANDOVER_PREFIX "max-changes: given without " HANDOVER_PREFIX
                                "rehearse, which finds the changes out; allowed: with it only");
    if (s->min_soak_ns > s->soak_ns) {
        char min[32], soak[32];
        duration_format(s->min_soak_ns, min);
        duration_format(s->soak_ns, soak);
        if (first->kind == ERR_NONE)
            err_set(first, ERR_CONFIG, -EINVAL,
                    HANDOVER_PREFIX "min-soak: \"%s\" is longer than the " HANDOVER_PREFIX
                                    "soak; allowed: at most %s",
                    min, soak);
        s->min_soak_ns = s->soak_ns;
    }
    int64_t soaks = (int64_t)s->nsteps * s->soak_ns;
    if (s->deadline_ns <= soaks && first->kind == ERR_NONE) {
        char deadline[32], soak[32], total[32];
        duration_format(s->deadline_ns, deadline);
        duration_format(s->soak_ns, soak);
        duration_format(soaks, total);
        err_set(first, ERR_CONFIG, -EINVAL,
                HANDOVER_PREFIX "deadline: \"%s\" leaves no time for %zu step%s of " HANDOVER_PREFIX
                                "soak %s; allowed: more than %s",
                deadline, s->nsteps, s->nsteps == 1 ? "" : "s", soak, total);
    }
}
