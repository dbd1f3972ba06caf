/* Two templates, field by field. */
#include "../case.h"
#include "template_diff.h"

/* "PATH: FROM -> TO" a line; ' stands for ". */
static char *diff_of(const char *from, const char *to) {
    cleanup_free char *a = xstrdup(from), *b = xstrdup(to);
    for (char *p = a; *p; p++) *p = *p == '\'' ? '"' : *p;
    for (char *p = b; *p; p++) *p = *p == '\'' ? '"' : *p;
    struct template_diff d;
    struct buf out = BUF(1 << 16);
    template_diff(slice_of(a), slice_of(b), &d);
    for (size_t i = 0; i < d.n; i++)
        buf_addf(&out, "%s: %s -> %s\n", d.change[i].path, d.change[i].from ? d.change[i].from : "(none)",
                 d.change[i].to ? d.change[i].to : "(none)");
    if (d.more) buf_addf(&out, "%zu more\n", d.more);
    template_diff_free(&d);
    char *text = buf_take(&out);
    for (char *p = text; p && *p; p++) *p = *p == '"' ? '\'' : *p;
    return text ? text : xstrdup("");
}

static const struct {
    const char *from, *to, *says;
} cases[] = {
    {"{}", "{}", ""},
    {"{'spec':{'containers':[{'name':'c','image':'w:v1'}]}}",
     "{'spec':{'containers':[{'name':'c','image':'w:v2'}]}}", "spec.containers[c].image: 'w:v1' -> 'w:v2'\n"},
    /* by name, wherever it stands */
    {"{'c':[{'name':'a','x':1},{'name':'b','x':2}]}",
     "{'c':[{'name':'b','x':2},{'name':'a','x':3},{'name':'d'}]}",
     "c[a].x: 1 -> 3\nc[d]: (none) -> {'name':'d'}\n"},
    {"{'c':[{'name':'a'}]}", "{'c':[]}", "c[a]: {'name':'a'} -> (none)\n"},
    /* by place, where they have none */
    {"{'args':['--a','--b']}", "{'args':['--a','--c','--d']}",
     "args[1]: '--b' -> '--c'\nargs[2]: (none) -> '--d'\n"},
    {"{'metadata':{'annotations':{'a.b/c':'1'}}}", "{'metadata':{'annotations':{'a.b/c':'2'}}}",
     "metadata.annotations['a.b/c']: '1' -> '2'\n"},
    /* what is the same */
    {"{'metadata':{'creationTimestamp':null,'labels':{'pod-template-hash':'x','app':'op'}}}",
     "{'metadata':{'labels':{'app':'op'}}}", ""},
    {"{'a':1,'b':1.0}", "{'b':1e0,'a':1.00}", ""},
    {"{'labels':{'pod-template-hash':'x'}}", "{}", "labels: {'pod-template-hash':'x'} -> (none)\n"},
    {"{'a':{'b':1}}", "{'a':'b'}", "a: {'b':1} -> 'b'\n"},
    {"{'a':true}", "{'a':null}", "a: true -> (none)\n"},
};

CASE(each_field_that_differs) {
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_free char *says = diff_of(cases[i].from, cases[i].to);
        if (strcmp(says, cases[i].says) != 0) print_error("%s %s\n", cases[i].from, cases[i].to);
        assert_string_equal(says, cases[i].says);
    }
}

/* A template of any size and depth is shown in so many lines of so many bytes. */
CASE(it_is_bounded) {
    cleanup_buf struct buf from = BUF(4 << 20), to = BUF(4 << 20);
    struct template_diff d;
    buf_adds(&from, "{\"deep\":");
    for (int i = 0; i < 900; i++) buf_adds(&from, "[");
    buf_adds(&from, "1");
    for (int i = 0; i < 900; i++) buf_adds(&from, "]");
    for (int i = 0; i < 5000; i++) buf_addf(&from, ",\"k%d\":[{\"name\":\"%d\"}]", i, i);
    buf_adds(&from, "}");
    for (const char *p = buf_str(&from); *p; p++) buf_addc(&to, *p == '1' ? '2' : *p);
    template_diff(buf_slice(&from), buf_slice(&to), &d);
    assert_int_equal(d.n, TEMPLATE_DIFF_MAX);
    assert_true(d.more > 1000);
    for (size_t i = 0; i < d.n; i++) {
        assert_true(!d.change[i].from || strlen(d.change[i].from) <= TEMPLATE_DIFF_VALUE);
        assert_true(strlen(d.change[i].path) < 400);
    }
    template_diff_free(&d);
}

CASES("cli/template_diff")
