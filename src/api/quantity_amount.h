/* The amount of a quantity, for the files of this folder. */
#ifndef API_QUANTITY_AMOUNT_H
#define API_QUANTITY_AMOUNT_H
#include "base/slice.h"

__extension__ typedef __int128 quantity_amount;

/* In units of 1e-9, exact. -EINVAL: no quantity; -ERANGE: finer or larger than that. */
int quantity_amount_of(struct slice s, quantity_amount *ret);
#endif
