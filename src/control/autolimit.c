/* The worker limit that adapts. */
#include "autolimit.h"

void autolimit_init(struct autolimit *a, unsigned max) {
    if (max < 1) max = 1;
    *a = (struct autolimit){
        .limit = max < AUTOLIMIT_START ? max : AUTOLIMIT_START, .max = max, .cool_until_ns = INT64_MIN};
}

unsigned autolimit_get(const struct autolimit *a) {
    return (unsigned)a->limit;
}

void autolimit_success(struct autolimit *a, bool saturated) {
    if (!saturated) return;
    a->limit += a->pressed ? 1 / a->limit : 1;
    if (a->limit > a->max) a->limit = a->max;
}

void autolimit_pressure(struct autolimit *a, int64_t now_ns) {
    if (now_ns < a->cool_until_ns) return;
    a->cool_until_ns = now_ns + AUTOLIMIT_COOL_NS;
    a->pressed = true;
    a->limit /= 2;
    if (a->limit < 1) a->limit = 1;
}

void autolimit_lag(struct autolimit *a, int64_t lag_ns, int64_t now_ns) {
    if (lag_ns > AUTOLIMIT_LAG_NS) autolimit_pressure(a, now_ns);
}
