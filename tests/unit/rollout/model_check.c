/* The checks of a target: a question is answered at the next pass, as the test says. */
#include "model.h"

void m_answer_checks(struct model *m, struct m_view *v) {
    static const char *const words[] = {"as it is", "as it was"};
    for (int k = 0; k < CHECKS; k++) {
        if (!m->edge.asking[k] || m->says[k] == CHECK_NOTHING) continue;
        const char *said = m->check_words ? m->check_words : words[m->asked_checks[k] % 2];
        v->check[k] = (struct check_answer){.of = m->edge.asking[k],
                                            .says = m->says[k],
                                            .message = (char *)(uintptr_t)said,
                                            .at_ns = m_now(m)};
        v->o.check[k] = &v->check[k];
        m->edge.asking[k] = 0;
    }
}

void m_ask_checks(struct model *m, const struct plan *p) {
    for (int k = 0; k < CHECKS; k++) {
        if (!p->ask[k] || p->ask[k] == m->edge.asking[k]) continue;
        m->edge.asking[k] = p->ask[k];
        m->asked_checks[k]++;
    }
}
