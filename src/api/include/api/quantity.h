/* resource.Quantity: "64Mi", "1e3", "100m", "67108864". Exact comparison. */
#ifndef API_QUANTITY_H
#define API_QUANTITY_H
#include "base/slice.h"
bool quantity_valid(struct slice s);
/* The same amount? -EINVAL if either is no quantity. ret: -1, 0, 1. */
int quantity_cmp(struct slice a, struct slice b, int *ret);
#endif
