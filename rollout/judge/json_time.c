/* Instants in JSON: RFC 3339 to the microsecond. */
#include "judge/json_time.h"
#include "api/rfc3339.h"

void json_time_add(struct buf *out, const char *key, int64_t wall_ns) {
    char text[40];
    if (wall_ns <= 0) return;
    rfc3339_micro(wall_ns, text);
    buf_addf(out, ",\"%s\":\"%s\"", key, text);
}

bool json_time_get(const cJSON *obj, const char *key, int64_t *ret) {
    const cJSON *v = json_get(obj, key);
    int64_t ns;
    if (!v) {
        *ret = 0;
        return true;
    }
    if (!cJSON_IsString(v) || rfc3339_parse(slice_of(v->valuestring), &ns) < 0) return false;
    *ret = ns;
    return true;
}
