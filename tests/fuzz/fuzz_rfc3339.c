/* Instants: what is read and written again is the same to the microsecond. */
#include "fuzz.h"
#include "api/rfc3339.h"

FUZZ(in) {
    int64_t ns = -1, again = -1;
    char text[40];
    if (rfc3339_parse(in, &ns) < 0) {
        FUZZ_CHECK(ns == -1);
        return;
    }
    FUZZ_CHECK(ns >= 0);
    rfc3339_micro(ns, text);
    if (strcmp(text, "2262") > 0) return; /* an offset took it into a year that we do not read */
    FUZZ_CHECK(rfc3339_parse(slice_of(text), &again) == 0 && again == ns - ns % 1000);
    rfc3339_seconds(ns, text);
    FUZZ_CHECK(rfc3339_parse(slice_of(text), &again) == 0 && again == ns - ns % 1000000000);
}
