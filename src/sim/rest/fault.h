/* Faults on demand; see sim_fault(). */
#ifndef SIM_FAULT_H
#define SIM_FAULT_H
#include "rest/exchange.h"

struct faults *faults_new(void);
void faults_free(struct faults *f);
int faults_add(struct sim *s, struct slice json, struct err *err);
/* The first fault that fits and fires fills ret; else it is left alone. */
void faults_match(struct sim *s, const struct sim_request *req, struct effect *ret);
#endif
