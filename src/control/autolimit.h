/* How many reconciles at once, when nobody said: additive increase, multiplicative decrease, as TCP finds its
 * window.
 *   - It starts at 4. While keys wait and all workers are busy, each success adds one worker until the first
 * sign of pressure (doubling with each round), and from then on one worker per round.
 *   - Pressure halves it, to no less than 1: the API server throttles (429), a request timed out, or the loop
 * itself was late by more than 50 ms. What comes within a second of it is the same pressure and does not
 * count again. Pure: the instants are arguments. */
#ifndef CONTROL_AUTOLIMIT_H
#define CONTROL_AUTOLIMIT_H
#include "base/time.h"

enum { AUTOLIMIT_START = 4 };
#define AUTOLIMIT_LAG_NS  (50 * NS_PER_MS)
#define AUTOLIMIT_COOL_NS NS_PER_S
struct autolimit {
    double limit;
    unsigned max;
    bool pressed; /* has been under pressure once */
    int64_t cool_until_ns;
};
void autolimit_init(struct autolimit *a, unsigned max);
unsigned autolimit_get(const struct autolimit *a); /* 1..max */
/* A reconcile ended well. saturated: all workers were busy and keys were waiting, so that more would have
 * helped. */
void autolimit_success(struct autolimit *a, bool saturated);
void autolimit_pressure(struct autolimit *a, int64_t now_ns);
void autolimit_lag(struct autolimit *a, int64_t lag_ns,
                   int64_t now_ns); /* how late the loop came back to us */
#endif
