/* metav1.ListOptions of a list or a watch, checked as apimachinery does. */
#ifndef SIM_LIST_OPTIONS_H
#define SIM_LIST_OPTIONS_H
#include "rest/rest.h"

struct list_options {
    uint64_t rv;      /* 0: absent or "0" */
    bool exact;       /* resourceVersionMatch=Exact */
    int64_t limit;    /* 0: none */
    const char *more; /* continue; NULL: none */
    /* Of a watch: */
    bool state, end_mark; /* begins with what there is, and then says so with a bookmark */
    bool bookmarks;
    int64_t timeout_s; /* 0: not given */
};
/* 400 and 422, in the words of the server that sim_config.release stands for. */
int list_options_read(struct call *c, bool watch, struct list_options *ret);
/* 504 with the cause ResourceVersionTooLarge */
int list_options_too_large(struct call *c, uint64_t rv);
#endif
