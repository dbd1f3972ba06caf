/* States of the past: any page of any version that is known, at the cost of the page. */
#include "../client.h"
#include "base/rand.h"
#include "store/core.h"
#include <errno.h>

enum { NAMES = 40, STEPS = 400, VERSIONS = 64 };

struct state { /* which of the names were there at a version, with which value */
    uint64_t rv;
    int value[NAMES]; /* 0: not there */
};

static struct resource_table *table(struct sim *s) {
    return resource_table_of(s, type_find(s, "", "configmaps"));
}

static bool count_visits(void *ctx, const struct json_doc *d) {
    (void)d;
    ++*(size_t *)ctx;
    return true;
}

/* Page by page, `max` at a time: what there is and what is said to follow. */
static void check_pages(struct sim *s, const struct state *want, size_t max, bool count) {
    int next = 0;
    size_t left = 0;
    char after[8] = "";
    for (int i = 0; i < NAMES; i++) left += want->value[i] != 0;
    do {
        size_t visits = 0;
        const struct history_range range = {.ns = "default",
                                            .after_ns = *after ? "default" : NULL,
                                            .after_name = *after ? after : NULL,
                                            .keep = count_visits,
                                            .ctx = &visits,
                                            .max = max,
                                            .count = count};
        struct history_snapshot p;
        assert_int_equal(history_snapshot_take(s, table(s), want->rv, &range, &p), 0);
        for (size_t i = 0; i < p.n; i++) {
            while (!want->value[next]) next++;
            snprintf(after, sizeof after, "c%02d", next);
            assert_string_equal(p.v[i]->name, after);
            char value[16];
            snprintf(value, sizeof value, "\"v%d\"", want->value[next++]);
            assert_non_null(strstr(p.v[i]->text, value));
        }
        left -= p.n;
        assert_int_equal(p.more, count ? left : left > 0);
        assert_int_equal(visits, p.n + p.more); /* nothing before the page is looked at, or long after it */
        history_snapshot_free(&p);
    } while (left > 0);
}

SIM_TEST(pages_of_every_version) {
    struct rng rng = {.s = 11};
    static struct state past[VERSIONS];
    struct state now = {0};
    run(s, "POST", "/api/v1/namespaces", "{'metadata':{'name':'aa'}}", 201);
    run(s, "POST", "/api/v1/namespaces", "{'metadata':{'name':'zz'}}", 201);
    run(s, "POST", "/api/v1/namespaces/aa/configmaps", "{'metadata':{'name':'z'}}", 201);
    run(s, "POST", "/api/v1/namespaces/zz/configmaps", "{'metadata':{'name':'a'}}", 201);
    for (int i = 0; i < STEPS; i++) {
        int k = (int)(rng_next(&rng) % NAMES);
        cleanup_free char *path = xasprintf(CMS "/c%02d", k);
        cleanup_free char *body = xasprintf("{'metadata':{'name':'c%02d'},'data':{'k':'v%d'}}", k, i + 1);
        bool remove = now.value[k] && rng_next(&rng) % 2;
        if (!now.value[k])
            run(s, "POST", CMS, body, 201);
        else
            run(s, remove ? "DELETE" : "PUT", path, remove ? NULL : body, 200);
        now.value[k] = remove ? 0 : i + 1;
        now.rv = s->rv;
        past[i % VERSIONS] = now;
    }
    for (int i = 0; i < VERSIONS; i++) {
        check_pages(s, &past[i], 1 + (size_t)i % 7, false);
        check_pages(s, &past[i], 1 + (size_t)i % 7, true);
    }
    sim_compact(s);
    struct history_snapshot p;
    assert_int_equal(history_snapshot_take(s, table(s), now.rv - 1, &(struct history_range){0}, &p), -ESTALE);
}

/* All pages of a list together look at each object a bounded number of times, however small they are. */
SIM_TEST(a_list_in_pages_costs_what_it_holds) {
    enum { OBJECTS = 2000, PAGE = 20 };
    for (int i = 0; i < OBJECTS; i++) {
        cleanup_free char *body = xasprintf("{'metadata':{'name':'c%04d'}}", i);
        run(s, "POST", CMS, body, 201);
    }
    static const char *const queries[] = {"", "&labelSelector=!x", "&fieldSelector=metadata.name!%3Dx"};
    for (size_t q = 0; q < ARRAY_LEN(queries); q++) {
        cleanup_free char *more = xstrdup("");
        size_t n = 0, pages = 0;
        s->list_steps = 0;
        do {
            cleanup_free char *target =
                xasprintf(CMS "?limit=%d%s%s%s", PAGE, queries[q], *more ? "&continue=" : "", more);
            cJSON *list = ask(s, "GET", target, NULL, NULL);
            n += (size_t)cJSON_GetArraySize(json_arr(list, "items"));
            pages++;
            free(more);
            more = xstrdup(json_str_or(json_obj(list, "metadata"), "continue", ""));
            /* the controllers do not stand still meanwhile */
            run(s, "PATCH", CMS "/c0000", pages % 2 ? "{'data':{'k':'1'}}" : "{'data':{'k':'2'}}", 200);
        } while (*more);
        assert_int_equal(n, OBJECTS);
        assert_int_equal(pages, OBJECTS / PAGE);
        assert_in_range(s->list_steps, OBJECTS, 3 * OBJECTS + 2 * pages);
    }
}
