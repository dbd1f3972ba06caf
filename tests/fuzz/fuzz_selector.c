/* Label and field selectors: what is accepted says the same when written and read again. */
#include "fuzz.h"
#include "api/selector.h"

FUZZ(in) {
    static const char *const sets[] = {"{}", "{\"a\":\"b\"}", "{\"a\":\"7\",\"b/c\":\"\",\"in\":\"notin\"}",
                                       "{\"tier\":\"frontend\",\"n\":\"-5\",\"x\":\"y\"}"};
    struct err err = {0};
    struct selector *s = NULL, *again = NULL;
    struct field_selector *f = NULL;
    if (selector_parse(in, &s, &err) == 0) {
        cleanup_buf struct buf text = BUF(1 << 20), text2 = BUF(1 << 20);
        FUZZ_CHECK(selector_format(s, &text) == 0);
        FUZZ_CHECK(selector_parse(buf_slice(&text), &again, &err) == 0);
        FUZZ_CHECK(selector_format(again, &text2) == 0 && slice_eq(buf_slice(&text), buf_slice(&text2)));
        for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
            cleanup_json cJSON *labels = cJSON_Parse(sets[i]);
            FUZZ_CHECK(selector_match(s, labels) == selector_match(again, labels));
        }
    } else {
        FUZZ_CHECK(err.kind == ERR_CONFIG && err.msg[0]);
    }
    if (field_selector_parse(in, &f, &err) == 0) {
        cleanup_json cJSON *obj =
            cJSON_Parse("{\"metadata\":{\"name\":\"a\"},\"spec\":{\"n\":3,\"b\":true}}");
        (void)field_selector_match(f, obj);
    }
    selector_free(s);
    selector_free(again);
    field_selector_free(f);

    cleanup_json cJSON *spec = json_parse(in, NULL);
    if (spec && selector_from_spec(spec, &s, &err) == 0) {
        (void)selector_match(s, NULL);
        selector_free(s);
    }
}
