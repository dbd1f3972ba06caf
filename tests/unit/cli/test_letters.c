/* Dead letters: read from the Lease and the ConfigMaps that it names, found by name, ordered. */
#include "answer.h"
#include "check.h"
#include "letters.h"
#include <errno.h>

#define LEASE_PATH "/leases/handover"

struct stage {
    struct fake *f;
    const char *lease, *part; /* answers; part NULL: there is none */
    struct buf out;
    struct err err;
    unsigned done, calls;
};

static void on_request(struct fake *f, struct fake_req *r) {
    struct stage *st = f->user;
    st->calls++;
    if (strstr(r->url, LEASE_PATH))
        fake_answer(r, 200, st->lease);
    else if (st->part)
        fake_answer(r, 200, st->part);
    else
        answer(r, 404, "{'kind':'Status','code':404,'message':'not found'}");
}

static void on_done(void *ctx, const struct err *err, const struct letters *l) {
    struct stage *st = ctx;
    st->done++;
    if (err) {
        st->err = *err;
        return;
    }
    for (size_t i = 0; i < l->n; i++)
        buf_addf(&st->out, "%s %s %u %s\n", l->v[i].controller, l->v[i].key, l->v[i].failures,
                 l->v[i].reason);
    buf_addf(&st->out, "holder %s rv %s orders %s%s%s", l->holder, l->rv, l->orders ? l->orders : "none",
             l->part_err.kind ? " problem " : "", l->part_err.kind ? l->part_err.msg : "");
}

static void look(struct stage *st) {
    struct err err = {0};
    struct kube_config *cfg;
    struct kube_config_spec config = {.server = "http://api.example:80"};
    st->f = fake_new();
    st->out = BUF(1 << 20);
    assert_int_equal(kube_config_load(st->f->a.w, &st->f->log, &config, &cfg, &err), 0);
    struct kube *k = kube_new(st->f->a.w, cfg, &st->f->log, NULL);
    st->f->on_request = on_request;
    st->f->user = st;
    struct letters_poll *p = letters_start(k, "handover-system", "handover", on_done, st);
    assert_int_equal(st->done, 0);
    fake_settle(st->f);
    assert_int_equal(st->done, 1);
    letters_end(p);
    kube_free(k);
    kube_config_free(cfg);
    fake_free(st->f);
}

/* The Lease with a checkpoint of two dead letters and so many other keys; a ConfigMap with its text, if it has one. */
static void lease_of(size_t keys, const char *orders, struct buf *lease, struct buf *part) {
    struct checkpoint_head head = {.term = 3, .by = "a", .at_wall_ns = 1000000000};
    struct checkpoint *c = checkpoint_new(&head);
    checkpoint_add(c, &(struct checkpoint_key){.kind = CHECKPOINT_DEAD,
                                               .controller = SL("rollout"),
                                               .key = SL("a/one"),
                                               .failures = 4,
                                               .at_wall_ns = 1000000000,
                                               .reason = SL("it is \"forbidden\"")});
    checkpoint_add(
        c, &(struct checkpoint_key){
               .kind = CHECKPOINT_DEAD, .controller = SL("other"), .key = SL("a/two"), .failures = 1});
    for (size_t i = 0; i < keys; i++) {
        char key[64];
        int n = snprintf(key, sizeof key, "%08zx%08zx/x", i * 2654435761u % 4294967291u, i);
        checkpoint_add(c, &(struct checkpoint_key){.kind = CHECKPOINT_QUEUED,
                                                   .controller = SL("rollout"),
                                                   .key = slice_make(key, (size_t)n)});
    }
    checkpoint_finish(c, false);
    buf_adds(lease, "{\"kind\":\"Lease\",\"metadata\":{\"resourceVersion\":\"9\",\"annotations\":{\"handover."
                    "dev/checkpoint\":");
    buf_add_json(lease, checkpoint_value(c));
    if (orders) {
        buf_adds(lease, ",\"handover.dev/orders\":");
        buf_add_json(lease, slice_of(orders));
    }
    buf_adds(lease, "}},\"spec\":{\"holderIdentity\":\"h\",\"leaseTransitions\":3}}");
    if (checkpoint_parts(c)) {
        buf_adds(part, "{\"data\":{\"checkpoint\":");
        buf_add_json(part, checkpoint_part(c, 0));
        buf_adds(part, "}}");
    }
    checkpoint_free(c);
}

#define TWO "rollout a/one 4 it is \"forbidden\"\nother a/two 1 \n"

static void dead_letters_are_read(void **state) {
    (void)state;
    static const struct {
        size_t keys;
        const char *orders;
        bool part;
        unsigned calls;
        const char *out;
    } rows[] = {
        {0, NULL, false, 1, TWO "holder h rv 9 orders none"},
        {3, "[]", false, 1, TWO "holder h rv 9 orders []"},
        {20000, NULL, true, 2, TWO "holder h rv 9 orders none"},
        {20000, NULL, false, 2, "holder h rv 9 orders none problem "},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        cleanup_buf struct buf lease = BUF(4 << 20), part = BUF(4 << 20);
        lease_of(rows[i].keys, rows[i].orders, &lease, &part);
        struct stage st = {.lease = buf_str(&lease), .part = rows[i].part ? buf_str(&part) : NULL};
        look(&st);
        assert_int_equal(st.calls, rows[i].calls);
        if (strncmp(buf_str(&st.out), rows[i].out, strlen(rows[i].out)) != 0)
            fail_msg("%zu: %s", i, buf_str(&st.out));
        buf_free(&st.out);
    }
}

static void a_lease_that_says_nothing(void **state) {
    (void)state;
    struct stage st = {.lease = "{\"kind\":\"Lease\",\"metadata\":{\"resourceVersion\":\"9\"},\"spec\":{}}"};
    look(&st);
    assert_buf(st.out, "holder  rv 9 orders none");
    buf_free(&st.out);
    struct stage bad = {.lease = "{\"kind\":\"Lease\",\"metadata\":{\"resourceVersion\":\"9\","
                                 "\"annotations\":{\"handover.dev/checkpoint\":"
                                 "\"handover/1 term=\"}},\"spec\":{}}"};
    look(&bad);
    assert_true(bad.err.kind);
    buf_free(&bad.out);
}

static void they_are_found_by_name(void **state) {
    (void)state;
    struct letter v[] = {{.controller = (char[]){"rollout"}, .key = (char[]){"a/one"}},
                         {.controller = (char[]){"other"}, .key = (char[]){"a/one"}},
                         {.controller = (char[]){"other"}, .key = (char[]){"a/two"}}};
    struct letters l = {.v = v, .n = ARRAY_LEN(v)};
    assert_ptr_equal(letters_find(&l, "a/two"), &v[2]);
    assert_ptr_equal(letters_find(&l, "rollout/a/one"), &v[0]);
    assert_ptr_equal(letters_find(&l, "other/a/one"), &v[1]);
    assert_null(letters_find(&l, "a/one")); /* of which? */
    assert_null(letters_find(&l, "rollout/a/two"));
    assert_null(letters_find(&l, ""));
}

static void orders_are_added_to_those_that_stand(void **state) {
    (void)state;
    struct letter one = {.controller = (char[]){"rollout"}, .key = (char[]){"a/\"one"}};
    struct letters l = {.rv = (char[]){"9"}};
    const struct letters_order orders[] = {{"retry", "alice", &one}, {"drop", "", NULL}};
    struct err err = {0};
    cleanup_buf struct buf out = BUF(1 << 20);
    assert_int_equal(letters_patch(&l, orders, 2, &out, &err), 0);
#define HEAD "{\"metadata\":{\"resourceVersion\":\"9\",\"annotations\":{\"handover.dev/orders\":\""
#define OURS                                                                                                 \
    "{\\\"do\\\":\\\"retry\\\",\\\"controller\\\":\\\"rollout\\\",\\\"key\\\":\\\"a/"                        \
    "\\\\\\\"one\\\",\\\"by\\\":\\\"alice\\\"},{\\\"do\\\":\\\"drop\\\",\\\"by\\\":\\\"\\\"}"
    assert_buf(out, HEAD "[" OURS "]\"}}}");
    buf_clear(&out);
    l.orders = (char[]){"[{\"do\":\"drop\",\"key\":\"x\"}]"};
    assert_int_equal(letters_patch(&l, orders, 2, &out, &err), 0);
    assert_buf(out, HEAD "[{\\\"do\\\":\\\"drop\\\",\\\"key\\\":\\\"x\\\"}," OURS "]\"}}}");
    buf_clear(&out);
    l.orders = (char[]){"not a list"}; /* nothing that a leader would have understood */
    assert_int_equal(letters_patch(&l, orders, 2, &out, &err), 0);
    assert_buf(out, HEAD "[" OURS "]\"}}}");
    cleanup_free char *long_ = xcalloc(1, 70000);
    memset(long_, 'x', 69999);
    one.key = long_;
    assert_int_equal(letters_patch(&l, orders, 2, &out, &err), -E2BIG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(dead_letters_are_read),
        TEST(a_lease_that_says_nothing),
        TEST(they_are_found_by_name),
        TEST(orders_are_added_to_those_that_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
