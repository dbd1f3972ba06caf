/* What is about to leave: a line each for method, target and Content-Type, then the body. What the check lets through, a server takes as
 * something that writes nothing. */
#include "fuzz.h"
#include "rehearse/upstream.h"
#include "../unit/rehearse/server_view.h"

FUZZ(in) {
    struct slice method, target, type, rest;
    slice_cut(in, '\n', &method, &rest);
    slice_cut(rest, '\n', &target, &rest);
    slice_cut(rest, '\n', &type, &rest);
    if (upstream_writes_nothing(method, target, type, rest))
        FUZZ_CHECK(!server_view(method, target, type, rest));
}
