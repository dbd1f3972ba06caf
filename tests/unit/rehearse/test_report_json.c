/* A report as JSON and back: the same one, and nothing that is not one. */
#include "report_random.h"

static struct report *again(const struct report *r) {
    cleanup_free char *text = json_of(r);
    struct report *back = NULL;
    struct err e = {0};
    if (report_read(slice_of(text), &back, &e) < 0) fail_msg("%s: %s", e.msg, text);
    return back;
}

CASE(the_format) {
    cleanup_report struct report *r = report_new(NULL);
    add_written(r, "apps", "Deployment",
                "{'metadata':{'namespace':'shop','name':'web'},'spec':{'template':{'a':1}},'status':{'at':'"
                "2026-11-23T18:16:33Z'}}",
                "{'metadata':{'namespace':'shop','name':'web'},'spec':{'template':{'a':\"2\"}},'status':{'at'"
                ":'2026-11-23T18:16:34Z'}}",
                2, 1500000000);
    report_refusal(r, SL("POST pods/exec"), SL("needs a container"), 2);
    report_failure(r, SL("list pods"), SL("403 Forbidden: no"), 4);
    report_event(r, SL("Warning"), SL("Failed"), SL("it \x01 failed"), SL("Deployment"), SL("shop"),
                 SL("web"), 3);
    report_set_run(r, &(struct report_run){.from_ns = INT64_C(1795457893000000000),
                                           .to_ns = INT64_C(1795457953000000000),
                                           .reads = 5,
                                           .writes = 2,
                                           .failed = 4,
                                           .image = "op:v2"});
    cleanup_free char
        *text = json_of(r),
        *digest = digest_of(r),
        *want = xasprintf(
            "{'apiVersion':'handover.dev/v1','kind':'RehearsalReport','digest':'%s',"
            "'summary':'1 workload would restart (1 pod), 1 kind of request failed (forbidden), 1 kind of "
            "request could not be rehearsed',"
            "'counts':{'creates':0,'changes':1,'deletes':0,'restarts':1,'stops':0,'pods':1,'volumes':0,'"
            "namespaces':0,'"
            "crds':0,"
            "'custom':0,'rbac':0,'webhooks':0,'finalizers':0,'hot':0,'refused':1,'failed':1,'times':0},"
            "'run':{'from':'2026-11-23T18:18:13.000000Z','to':'2026-11-23T18:19:13.000000Z','reads':5,'"
            "writes':2,'conflicts':0,"
            "'refused':0,'failed':4,'image':'op:v2'},"
            "'objects':[{'change':'changed','group':'apps','version':'v1','resource':'things','kind':'"
            "Deployment','namespace':'shop',"
            "'name':'web','restart':{'group':'apps','kind':'Deployment','name':'web','pods':1},'writes':2,"
            "'firstWrite':'2026-11-23T18:18:13.000000Z','lastWrite':'2026-11-23T18:18:14.500000Z',"
            "'fields':[{'path':'spec.template.a','old':'1','new':'\\'2\\'','effect':'restart'},"
            "{'path':'status.at','old':'\\'2026-11-23T18:16:33Z\\'','new':'\\'2026-11-23T18:16:34Z\\'','"
            "volatile':true,'id':'%s'}]}],"
            "'refusals':[{'what':'POST pods/exec','why':'needs a container','count':2}],"
            "'failures':[{'what':'list pods','why':'403 Forbidden: no','count':4}],"
            "'events':[{'type':'Warning','reason':'Failed','message':'it \\u0001 "
            "failed','kind':'Deployment','namespace':'shop','name':'web','count':3}]}",
            digest, "ID");
    quoted(want);
    char *id = strstr(want, "\"ID\""), *got = strstr(text, "\"id\":\"");
    assert_non_null(got);
    memset(got + 6, 'x', 16); /* of a time: any one */
    cleanup_free char *full = xasprintf("%.*s\"xxxxxxxxxxxxxxxx\"%s", (int)(id - want), want, id + 4);
    assert_string_equal(text, full);
}

SEEDS_CASE(300, what_is_read_back_is_the_same) {
    struct rng r = {seed};
    cleanup_report struct report *report = random_report(&r), *back = again(report);
    cleanup_free char *one = json_of(report), *two = json_of(back);
    if (strcmp(one, two) != 0) fail_seed(seed, "%s\n%s", one, two);
    if (strstr(one, "hunter2")) fail_seed(seed, "a secret: %s", one);
    cleanup_free char *shown = text_of(report, 80), *shown_back = text_of(back, 80);
    assert_string_equal(shown, shown_back);
}

/* Each is a report but for one thing. */
CASE(what_is_no_report) {
#define HEAD   "{'apiVersion':'handover.dev/v1','kind':'RehearsalReport'"
#define OBJECT "'change':'created','kind':'K','name':'n'"
    static const struct {
        const char *json;
        int rc;
        const char *says;
    } rows[] = {
        {"", -EINVAL, "empty"},
        {"[]", -EINVAL, "no RehearsalReport"},
        {"{'apiVersion':'handover.dev/v2','kind':'RehearsalReport'}", -EINVAL, "no RehearsalReport"},
        {"{'apiVersion':'handover.dev/v1','kind':7}", -EINVAL, "RehearsalReport"},
        {HEAD, -EINVAL, "end inside"},
        {HEAD ",'objects':{}}", -EINVAL, "objects: of another type"},
        {HEAD ",'objects':[7]}", -EINVAL, "change: not known"},
        {HEAD ",'objects':[{'change':'created','kind':'K'}]}", -EINVAL, "name: missing"},
        {HEAD ",'objects':[{'change':'created','kind':'','name':'n'}]}", -EINVAL, "kind: missing"},
        {HEAD ",'objects':[{'change':'moved','kind':'K','name':'n'}]}", -EINVAL, "change: not known"},
        {HEAD ",'objects':[{" OBJECT ",'namespace':[]}]}", -EINVAL, "namespace: of another type"},
        {HEAD ",'objects':[{" OBJECT ",'owner':'a\\u0000b'}]}", -EINVAL, "owner: a NUL"},
        {HEAD ",'objects':[{" OBJECT ",'writes':-1}]}", -EINVAL, "writes: no such number"},
        {HEAD ",'objects':[{" OBJECT ",'writes':1e99}]}", -EINVAL, "writes: no such number"},
        {HEAD ",'objects':[{" OBJECT ",'writes':3000000000}]}", -EINVAL, "writes: no such number"},
        {HEAD ",'objects':[{" OBJECT ",'firstWrite':'soon'}]}", -EINVAL, "firstWrite: no time"},
        {HEAD ",'objects':[{" OBJECT ",'waitsForFinalizers':1}]}", -EINVAL,
         "waitsForFinalizers: of another type"},
        {HEAD ",'objects':[{" OBJECT ",'fields':[{'new':'1'}]}]}", -EINVAL, "path: missing"},
        {HEAD ",'objects':[{" OBJECT ",'fields':[{'path':'a','effect':'more'}]}]}", -EINVAL,
         "effect: not known"},
        {HEAD ",'objects':[{" OBJECT ",'fields':[{'path':'a','new':'1','id':'XXXXXXXXXXXXXXXX'}]}]}", -EINVAL,
         "id: not 16"},
        {HEAD ",'objects':[{" OBJECT ",'more':{'fields':3}}]}", -EINVAL, "id: not 16"},
        {HEAD ",'objects':[{" OBJECT ",'more':{'id':'0123456789abcdef'}}]}", -EINVAL, "more: none"},
        {HEAD ",'objects':[{" OBJECT ",'restart':{'kind':'K'}}]}", -EINVAL, "name: missing"},
        {HEAD ",'objects':[{" OBJECT ",'restart':{'kind':'K','name':'n','held':'x'}}]}", -EINVAL,
         "held: not known"},
        {HEAD ",'objects':[{" OBJECT ",'stop':{'left':3}}]}", -EINVAL, "stop: none"},
        {HEAD ",'unlisted':{'objects':3}}", -EINVAL, "sum: "},
        {HEAD ",'unlisted':{'sum':'0123456789abcdef0123456789abcdef'}}", -EINVAL, "objects: none"},
        {HEAD ",'run':{'reads':'7'}}", -EINVAL, "reads: of another type"},
        {HEAD ",'refusals':[{}]}", -EINVAL, "refusals: what: missing"},
        {HEAD ",'failures':[{}]}", -EINVAL, "failures: what: missing"},
        {HEAD ",'run':{'unnamed':-1}}", -EINVAL, "unnamed: no such number"},
        {HEAD ",'events':[{'count':-3}]}", -EINVAL, "count: no such number"},
        {HEAD ",'taken':{'fields':true}}", -EINVAL, "fields: of another type"},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        print_message("%s\n", rows[i].json);
        cleanup_free char *text = quoted(xstrdup(rows[i].json));
        struct report *r = NULL;
        struct err e = {0};
        assert_int_equal(report_read(slice_of(text), &r, &e), rows[i].rc);
        assert_null(r);
        assert_has(e.msg, rows[i].says);
    }
}

/* Members of a later version, and what says nothing, are no fault; what can be derived is not believed. */
CASE(what_is_a_report_all_the_same) {
    cleanup_free char *text = quoted(xstrdup(
        HEAD
        ",'later':[[{}]],'digest':'ffff','summary':'deletes all','counts':{'deletes':9},'objects':[{" OBJECT
        ",'later':1,'owner':null,"
        "'fields':[{'path':'a','new':'1','id':null}]},{'change':'deleted','change':'none','kind':'K','name':'"
        "n'}]}"));
    struct report *r = NULL;
    assert_int_equal(report_read(slice_of(text), &r, NULL), 0);
    expect_line(r, "1 object created");
    assert_int_equal(report_count(r, REPORT_DELETES), 0);
    report_free(r);
}

static char *many(const char *head, const char *one, size_t n, const char *tail) {
    struct buf b = BUF(512 << 20);
    buf_adds(&b, head);
    for (size_t i = 0; i < n; i++) {
        if (i) buf_addc(&b, ',');
        buf_adds(&b, one);
    }
    buf_adds(&b, tail);
    return quoted(buf_take(&b));
}

CASE(limits_of_what_is_read) {
    static const struct {
        const char *head, *one;
        size_t n;
        const char *tail;
        int rc;
        const char *says;
    } rows[] = {
        {HEAD ",'objects':[", "{" OBJECT "}", 50000, "]}", 0, ""},
        {HEAD ",'objects':[", "{" OBJECT "}", 50001, "]}", -EFBIG, "too many"},
        {HEAD ",'objects':[{" OBJECT ",'fields':[", "{'path':'a'}", 1000001, "]}]}", -EFBIG, "too many"},
        {HEAD ",'events':[", "{}", 1001, "]}", -EFBIG, "too many"},
        {HEAD ",'failures':[", "{'what':'a'}", 1001, "]}", -EFBIG, "too many"},
        {HEAD ",'refusals':[", "{'what':'a'}", 1001, "]}", -EFBIG, "too many"},
        {HEAD ",'later':[", "'0123456789012345678901234567890123456789'", 1600000, "]}", -EFBIG, "bytes"},
        {HEAD ",'objects':[{" OBJECT ",'owner':'", "0123456789012345", 4000, "'}]}", -EFBIG, "too long"}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        cleanup_free char *text = many(rows[i].head, rows[i].one, rows[i].n, rows[i].tail);
        struct report *r = NULL;
        struct err e = {0};
        print_message("%s\n", rows[i].head);
        assert_int_equal(report_read(slice_of(text), &r, &e), rows[i].rc);
        assert_has(e.msg, rows[i].says);
        report_free(r);
    }
}

/* The digest is what a person approves: it covers what would be left, and nothing else. */
CASE(the_digest) {
    static const struct {
        const char *live, *rehearsed;
        bool same;
    } rows[] = {
        {"{'spec':{'a':1,'b':1},'status':{'at':'2026-11-23T18:16:33Z'}}",
         "{'spec':{'a':2,'b':1},'status':{'at':'2026-11-24T18:16:33Z'}}", true}, /* itself */
        {"{'spec':{'a':9,'b':1}}", "{'spec':{'a':2.0,'b':1}}", true}, /* from another value, without a time */
        {"{'spec':{'a':1,'b':1}}", "{'spec':{'a':3,'b':1}}", false},
        {"{'spec':{'b':1}}", "{'spec':{'b':1}}", false},
        {"{'spec':{'a':1,'b':1}}", NULL, false},
        {NULL, "{'spec':{'a':2}}", false},
        {"{'spec':{'a':1}}", "{'spec':{'a':2,'b':null}}", true},
        {"{'spec':{'a':1,'b':1}}", "{'spec':{'a':2,'b':2}}", false},
    };
    cleanup_free char *first = NULL;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        cleanup_report struct report *r = report_new(NULL);
        add_written(r, "", "Thing", rows[i].live, rows[i].rehearsed, (unsigned)i, (int64_t)i);
        report_event(r, SL("Normal"), SL("Tick"), SL(""), SL(""), SL(""), SL(""), (unsigned)i);
        char *d = digest_of(r);
        assert_int_equal(strlen(d), 16);
        if (!first) {
            first = d;
            continue;
        }
        assert_int_equal(strcmp(first, d) == 0, rows[i].same);
        free(d);
    }
}

CASES("rehearse/report_json")
