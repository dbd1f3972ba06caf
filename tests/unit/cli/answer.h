/* Answers of the scripted API server as they are easy to write: ' stands for ", ` for the same in the text of a ConfigMap. */
#ifndef UNIT_CLI_ANSWER_H
#define UNIT_CLI_ANSWER_H
#include "kube/fake.h"
static inline void answer(struct fake_req *r, int status, const char *json) {
    cleanup_buf struct buf b = BUF(1 << 20);
    for (; *json; json++) {
        if (*json == '`') buf_addc(&b, '\\');
        buf_addc(&b, *json == '\'' || *json == '`' ? '"' : *json);
    }
    fake_answer(r, status, buf_str(&b));
}
#endif
