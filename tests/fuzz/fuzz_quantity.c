/* Quantities: an order on amounts, whatever the notation. The input is up to three quantities with ','
 * between. */
#include "fuzz.h"
#include "api/quantity.h"

FUZZ(in) {
    struct slice a, b, c, rest;
    slice_cut(in, ',', &a, &rest);
    slice_cut(rest, ',', &b, &c);
    int ab = 9, ba = 9, bc = 9, ac = 9;
    int r = quantity_cmp(a, b, &ab), q = quantity_cmp(b, a, &ba);
    FUZZ_CHECK(r == q);
    if (r < 0) {
        FUZZ_CHECK(ab == 9 && ba == 9);
        return;
    }
    FUZZ_CHECK(ab == -ba && ab >= -1 && ab <= 1);
    FUZZ_CHECK(quantity_cmp(a, a, &ac) == 0 && ac == 0);
    if (quantity_cmp(b, c, &bc) == 0 && quantity_cmp(a, c, &ac) == 0 && ab == bc) FUZZ_CHECK(ac == ab);
}
