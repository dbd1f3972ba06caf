/* What every command line has: -h, --no-color, our exit codes, formats of output; see common.h. */
#include "base/json_raw.h"
#include "common.h"
#include "yaml_print.h"
#include <errno.h>
#include <string.h>

enum { OPT_NO_COLOR = 0x1100 };

static const struct argp_option options[] = {
    {"no-color", OPT_NO_COLOR, NULL, 0, "Without colours, as with $NO_COLOR", 20},
    {NULL, 'h', NULL, OPTION_HIDDEN, NULL, 20},
    {0},
};
static bool no_colour;
static struct {
    void (*fn)(void *ctx, const struct argp *argp);
    void *ctx;
} describe;

static error_t parse(int key, char *arg, struct argp_state *st) {
    (void)arg;
    switch (key) {
    case ARGP_KEY_INIT: st->child_inputs[0] = st->input; return 0;
    case OPT_NO_COLOR: no_colour = true; return 0;
    case 'h': argp_state_help(st, stdout, ARGP_HELP_STD_HELP); return 0;
    default: return ARGP_ERR_UNKNOWN;
    }
}

bool cli_no_colour(void) {
    return no_colour;
}

int cli_parse(const struct argp *argp, int argc, char **argv, void *input) {
    struct argp_child child[] = {{argp, 0, NULL, 0}, {0}};
    const struct argp whole = {options, parse, argp->args_doc, argp->doc, child, NULL, NULL};
    struct argp inner = *argp;
    if (describe.fn) {
        describe.fn(describe.ctx, &whole);
        return CLI_USAGE;
    }
    inner.args_doc = inner.doc = NULL; /* the outer one says them */
    child[0].argp = &inner;
    argp_err_exit_status = CLI_USAGE;
    cleanup_free char *name = xasprintf("%s %s", program_invocation_short_name, argv[0]);
    char *was = argv[0];
    argv[0] = name;
    error_t r = argp_parse(&whole, argc, argv, 0, NULL, input);
    argv[0] = was;
    return r == 0 ? CLI_OK : CLI_USAGE;
}

void cli_describe(const struct cli_command *c, void (*fn)(void *ctx, const struct argp *argp), void *ctx) {
    cleanup_free char *name = xstrdup(c->name);
    char *argv[] = {name, NULL};
    describe.fn = fn;
    describe.ctx = ctx;
    c->main(1, argv);
    describe.fn = NULL;
}

enum cli_output cli_output(struct argp_state *st, const char *allowed, const char *arg) {
    static const char *const names[] = {"text", "json", "yaml", "wide", "name"};
    struct slice rest = slice_of(allowed), one;
    cleanup_buf struct buf list = BUF(200);
    while (rest.n) {
        slice_cut(rest, '|', &one, &rest);
        for (size_t i = 0; i < ARRAY_LEN(names); i++)
            if (slice_eqs(one, arg) && strcmp(names[i], arg) == 0) return (enum cli_output)i;
        buf_addf(&list, "%s%.*s", list.n ? ", " : "", SLF(one));
    }
    argp_error(st, "--output: read \"%s\"; allowed is %s", arg, buf_str(&list));
    return CLI_TEXT;
}

void cli_print(enum cli_output how, struct slice json) {
    cleanup_buf struct buf yaml = BUF(64 << 20);
    struct slice out = json;
    if (how == CLI_YAML && json_raw_check(json, NULL) == 0) {
        buf_adds(&yaml, "---\n");
        yaml_print(json, &yaml);
        out = buf_slice(&yaml);
    }
    fwrite(out.p, 1, out.n, stdout);
    fflush(stdout);
}
