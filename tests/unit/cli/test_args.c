/* The programs from outside: each subcommand's options, what is said of a wrong one, exit codes. */
#include "../case.h"
#include <sys/wait.h>
#include <unistd.h>

enum { OK, FAILED, USAGE };

/* line: the program's name and its arguments, between blanks. */
static int run(const char *line, struct buf *out) {
    char text[512], *argv[16], *save = NULL, path[4096];
    int argc = 0, fds[2], status;
    (void)snprintf(text, sizeof text, "%s", line);
    for (char *a = strtok_r(text, " ", &save); a; a = strtok_r(NULL, " ", &save)) argv[argc++] = a;
    argv[argc] = NULL;
    (void)snprintf(path, sizeof path, "%s/%s", getenv("PROGRAMS"), argv[0]);
    assert_int_equal(pipe(fds), 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(fds[1], STDOUT_FILENO);
        dup2(fds[1], STDERR_FILENO);
        close(fds[0]);
        close(fds[1]);
        setenv("KUBECONFIG", "/dev/null", 1);
        execv(path, argv);
        _exit(127);
    }
    close(fds[1]);
    char chunk[4096];
    for (ssize_t n; (n = read(fds[0], chunk, sizeof chunk)) > 0;) buf_add(out, slice_make(chunk, (size_t)n));
    close(fds[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static const struct {
    const char *line;
    int code;
    const char *says; /* NULL: nothing at all */
} cases[] = {
    {"handover", USAGE, "Usage: handover COMMAND"},
    {"handover help", OK, "  status    "},
    {"handover --help", OK, "  run       "},
    {"handover -h", OK, "Usage: handover COMMAND"},
    {"handover version", OK, "handover " HANDOVER_VERSION "\n"},
    {"handover --version", OK, "handover " HANDOVER_VERSION "\n"},
    {"handover version 2", USAGE, "\"2\": version takes no arguments"},
    {"handover rnu", USAGE, "handover: there is no command \"rnu\""},
    /* run */
    {"handover run --help", OK, "--lease-duration=TIME"},
    {"handover run now", USAGE, "\"now\": run takes options only"},
    {"handover run --no-such-flag", USAGE, "--no-such-flag"},
    /* rehearse */
    {"handover rehearse --help", OK, "[-- PROGRAM [ARGUMENT...]]"},
    {"handover rehearse -h", OK, "-n, --namespace=NAMESPACE  The namespace of the kubeconfig, or the"},
    {"handover rehearse --allow-group=", USAGE,
     "--allow-group: read \"\"; allowed is the name of an API group"},
    {"handover rehearse --allow-group=Metrics", USAGE, "--allow-group: read \"Metrics\"; allowed is"},
    {"handover rehearse --allow-group=metrics.example.com -o yaml", USAGE, "--output"},
    {"handover rehearse -o yaml", USAGE, "--output: read \"yaml\"; allowed is json, text"},
    {"handover rehearse --for=0s", USAGE, "--for: read \"0s\"; allowed is a duration"},
    {"handover rehearse --quiet-for=2h", USAGE, "--quiet-for: read \"2h\"; allowed is"},
    {"handover rehearse --sidecar=/x -- true", USAGE, "--sidecar: the operator is another container"},
    {"handover rehearse --report=:0", USAGE, "--report needs --sidecar=FOLDER"},
    {"handover rehearse --server=http://127.0.0.1:1 -- true --help", FAILED,
     "asking the API server what it serves"},
    {"handover rehearse --server=http://127.0.0.1:1 --control=/nonexistent -- true", FAILED,
     "--control /nonexistent: "},
    {"handover run --lease-duration", USAGE, "'--lease-duration' requires an argument"},
    {"handover run --lease-duration=soon", USAGE,
     "--lease-duration: read \"soon\"; allowed is a duration such as 500ms, 10s, 1h30m, from 1s to 1h"},
    {"handover run --lease-duration=999ms", USAGE, "from 1s to 1h"},
    {"handover run --lease-duration=61m", USAGE, "from 1s to 1h"},
    {"handover run --renew-deadline=0", USAGE, "--renew-deadline: read \"0\"; allowed is"},
    {"handover run --retry-period=-1s", USAGE, "--retry-period: read \"-1s\"; allowed is"},
    {"handover run --grace=25h", USAGE, "--grace: read \"25h\"; allowed is"},
    {"handover run --scrape-interval=99ms", USAGE, "--scrape-interval: read \"99ms\"; allowed is"},
    {"handover run --workers=0", USAGE, "--workers: read \"0\"; allowed is a whole number from 1 to 1000"},
    {"handover run --workers=1001", USAGE, "--workers: read \"1001\"; allowed is"},
    {"handover run --workers=two", USAGE, "--workers: read \"two\"; allowed is"},
    {"handover run --page=all", USAGE, "--page: read \"all\"; allowed is one of off, open, kubernetes"},
    {"handover run --notify=mailto:x", USAGE, "--notify: read \"mailto:x\"; allowed is http://"},
    {"handover run --notify-ca=x", USAGE, "--notify-secret-file and --notify-ca need --notify=URL"},
    {"handover run --check-hosts=a,*", USAGE,
     "--check-hosts: read \"*\"; allowed is a list of HOST, HOST:PORT and *.SUFFIX, with http:// before"},
    {"handover run --check-hosts=", USAGE, "--check-hosts: read \"\"; allowed is"},
    {"handover run --check-ca=x", USAGE, "--check-ca needs --check-hosts=LIST"},
    {"handover run --logind=maybe", USAGE, "--logind: read \"maybe\"; allowed is one of off, auto, on"},
    {"handover run --log-format=xml", USAGE,
     "--log-format: read \"xml\"; allowed is one of auto, text, json, journal"},
    {"handover run --log-level=loud", USAGE,
     "--log-level: read \"loud\"; allowed is one of debug, info, warn, error"},
    {"handover run --log-level=", USAGE, "--log-level: read \"\"; allowed is one of"},
    {"handover run --prometheus=prom:9090", USAGE,
     "--prometheus: read \"prom:9090\"; allowed is http://HOST[:PORT][/PREFIX] or https://..., without user "
     "and query"},
    {"handover run --prometheus=http://a:b@c", USAGE, "--prometheus: read"},
    {"handover run --prometheus=http://a/?b", USAGE, "--prometheus: read"},
    {"handover run --prometheus-own-queries=on", USAGE, "need --prometheus=URL"},
    {"handover run --prometheus=http://a --prometheus-token=/t", USAGE,
     "need a --prometheus=URL with https, read \"http://a\""},
    {"handover run --prometheus=https://a --prometheus-own-queries=maybe", USAGE,
     "--prometheus-own-queries: read \"maybe\"; allowed is one of off, on"},
    {"handover diff", USAGE, "which target?"},
    {"handover diff a b", USAGE, "\"b\": diff takes one target"},
    {"handover diff -o wide a", USAGE, "--output: read \"wide\"; allowed is text, json, yaml"},
    {"handover diff --server=http://127.0.0.1:1 -o text a", FAILED, "127.0.0.1:1"},
    {"handover approve", USAGE, "which target?"},
    {"handover approve --digest=00000000000000AA a", USAGE,
     "--digest: read \"00000000000000AA\"; allowed are 16 hex digits, as `handover diff` shows them"},
    {"handover approve --digest=00aa a", USAGE, "--digest: read \"00aa\""},
    {"handover approve --server=http://127.0.0.1:1 --digest=00000000000000aa a", FAILED, "127.0.0.1:1"},
    {"handover abort --digest=00000000000000aa a", USAGE, "--digest"},
    {"handover abort -o text a", USAGE, "--output: read \"text\"; allowed is json, yaml"},
    {"handover judge --query=up", USAGE, "need --from-prometheus=URL"},
    {"handover judge --max-error-rate=auto", USAGE, "which a file does not tell"},
    {"handover judge --from-prometheus=prom:9090", USAGE, "--from-prometheus: read \"prom:9090\""},
    {"handover judge --from-prometheus=http://a --query=up", USAGE,
     "needs --query, --canary, --start and --end"},
    {"handover judge --from-prometheus=http://a --start=yesterday", USAGE,
     "--start: read \"yesterday\"; allowed is a time such as 2026-11-28T10:00:00Z"},
    {"handover judge --from-prometheus=http://a --query=up --canary=b --start=2026-11-28T10:00:00Z "
     "--end=2026-11-28T09:00:00Z",
     USAGE, "at most 10000 steps of --step"},
    {"handover judge --from-prometheus=http://a --prometheus-token=/t --query=up --canary=b "
     "--start=2026-11-28T10:00:00Z --end=2026-11-28T11:00:00Z",
     USAGE, "need an https:// URL"},
    {"handover judge --from-prometheus=http://127.0.0.1:1 --query=up --canary=b "
     "--start=2026-11-28T10:00:00Z --end=2026-11-28T11:00:00Z",
     FAILED, "http://127.0.0.1:1/api/v1/query_range: "},
    {"handover run --kubeconfig=/nonexistent --logind=off", USAGE, "/nonexistent"},
    {"handover run --server=ftp://a --logind=off", USAGE, "ftp://a"},
    {"handover run --server=http://127.0.0.1:1 --logind=off --lease-duration=2s --renew-deadline=3s", USAGE,
     "renew"},
    /* sim and demo start handover-sim with what they were given */
    {"handover sim --seed=x", USAGE, "--seed: read \"x\"; allowed is a whole number from 0 to 1000000000"},
    {"handover demo twice", USAGE, "\"twice\": demo takes options only"},
    {"handover-sim", USAGE, "Usage: handover-sim COMMAND"},
    {"handover-sim run", USAGE, "handover-sim: there is no command \"run\""},
    {"handover-sim version", OK, "handover-sim " HANDOVER_VERSION "\n"},
    {"handover-sim serve --help", OK, "--listen=ADDRESS"},
    {"handover-sim serve here", USAGE, "\"here\": serve takes options only"},
    {"handover-sim serve --seed=-1", USAGE, "--seed: read \"-1\"; allowed is"},
    {"handover-sim serve --kubernetes=1.21", USAGE,
     "--kubernetes: read \"1.21\"; allowed are 1.18, 1.20, 1.33, 1.37"},
    {"handover-sim serve --listen=nowhere", FAILED, "handover-sim: --listen=nowhere: "},
    {"handover-sim serve --listen=127.0.0.1:0 --script={}x", FAILED, "handover-sim: --script={}x: "},
    {"handover-sim serve --listen=127.0.0.1:0 --load=/nonexistent", FAILED,
     "handover-sim: --load=/nonexistent: "},
    {"handover-sim demo --keep-log=1", USAGE, "doesn't allow an argument"},
    /* completion: a shell's proposals, and kubectl's */
    {"handover completion", USAGE, "for which shell? bash, zsh or fish"},
    {"handover completion tcsh", USAGE, "\"tcsh\": allowed is one of bash, zsh, fish"},
    {"handover completion bash", OK, "complete -F _handover handover"},
    {"handover completion zsh", OK, "#compdef handover"},
    {"handover completion fish", OK, "complete -c handover"},
    {"handover __complete sta", OK, "status\tShow every target and what happens to it\n:4\n"},
    {"handover __complete zz", OK, ":4\n"},
    {"handover __complete status --ou", OK, "--output\tjson, yaml"},
    {"handover __complete status --output=y", OK, "--output=yaml\n:4\n"},
    {"handover __complete status -o n", OK, "name\n:4\n"},
    {"handover __complete deadletter r", OK, "retry\n:4\n"},
    {"handover __complete diff -o t", OK, "text\n:4\n"},
    {"handover __complete approve --d", OK, "--digest\tThat report and no other"},
    {"handover __complete completion f", OK, "fish\n:4\n"},
    {"handover __complete install --arg=--check-h", OK, "--arg=--check-hosts\tHosts that targets may name"},
    {"handover __complete install --arg --log-l", OK, "--log-level\tdebug, info, warn, error (info)\n:4\n"},
    {"handover __complete judge x", OK, ":0\n"},
    {"handover __complete status --kubeconfig x", OK, ":0\n"},
    {"handover __complete explain --server=http://127.0.0.1:1 x", OK, ":4\n"},
    /* history, release, deadletter */
    {"handover history", USAGE, "which target? `handover status` lists them"},
    {"handover history op -o wide", USAGE, "--output: read \"wide\"; allowed is json, yaml"},
    {"handover release", USAGE, "which target? NAME, or --all"},
    {"handover release op --all", USAGE, "which target? NAME, or --all"},
    {"handover release op -A", USAGE, "--all-namespaces needs --all"},
    {"handover install --dry-run --kubernetes=1.20", OK, "\n        image: handover:dev\n"},
    {"handover install --kubernetes=2.0", USAGE, "--kubernetes: read \"2.0\"; allowed is 1.N, as in 1.36"},
    {"handover install --image=", USAGE, "--image: read \"\"; allowed is the name of an image"},
    {"handover install --dry-run --kubernetes=1.20 --arg=--page=off --arg --log-level=debug", OK,
     "        - \"--page=off\"\n        - \"--log-level=debug\"\n        env:"},
    {"handover install --arg=page=off", USAGE,
     "--arg: read \"page=off\"; allowed is an option of `handover run`"},
    {"handover install --arg=--page=of", USAGE,
     "--page: read \"of\"; allowed is one of off, open, kubernetes"},
    {"handover install --arg=--pages=off", USAGE, "run: unrecognized option '--pages=off'"},
    {"handover install --arg=--check-ca=x", USAGE, "--check-ca needs --check-hosts=LIST"},
    {"handover install --replicas=0", USAGE, "--replicas: read \"0\"; allowed is"},
    {"handover install --dry-run -n a}", USAGE, "namespace \"a}\"; allowed are at most 63 of a-z, 0-9"},
    {"handover uninstall --namespace=A", USAGE, "namespace \"A\"; allowed are"},
    {"handover install now", USAGE, "\"now\": install takes no name"},
    {"handover uninstall --timeout=0", USAGE, "--timeout: read \"0\"; allowed is"},
    {"handover page now", USAGE, "\"now\": page takes no name"},
    {"handover uninstall all", USAGE, "\"all\": uninstall takes no name"},
    {"handover release --help", OK, "or:  handover release [OPTION...] --all [-A]"},
    {"handover deadletter", USAGE, "list, retry or drop?"},
    {"handover deadletter burn", USAGE, "\"burn\": allowed is one of list, retry, drop"},
    {"handover deadletter list a/b", USAGE, "list takes no keys"},
    {"handover deadletter retry", USAGE, "which ones? `handover deadletter list` has their keys; or --all"},
    {"handover deadletter drop a/b --all", USAGE, "which ones?"},
    {"handover deadletter drop --all -o json", USAGE, "--output is for list"},
    {"handover deadletter list --server=http://127.0.0.1:1", FAILED, "Connection refused"},
    {"handover history op --server=http://127.0.0.1:1", FAILED, "Connection refused"},
    {"handover release op --server=http://127.0.0.1:1", FAILED, "Connection refused"},
    /* judge */
    {"handover judge --help", OK, "--max-error-rate=RATE"},
    {"handover judge --max-error-rate=5", USAGE,
     "--max-error-rate: read \"5\"; allowed is a rate above 0 and below 1, or a percentage such as 5%"},
    {"handover judge --max-error-rate=100%", USAGE, "--max-error-rate: read \"100%\"; allowed is"},
    {"handover judge --max-regression=0.5", USAGE, "--max-regression: read \"0.5\"; allowed is"},
    {"handover judge --gamma=2", USAGE, "--gamma: read \"2\"; allowed is auto, or a number"},
    {"handover judge --alpha=0", USAGE, "--alpha: read \"0\"; allowed is a chance"},
    {"handover judge --beta=x", USAGE, "--beta: read \"x\"; allowed is a chance"},
    {"handover judge --soak=0", USAGE, "--soak: read \"0\"; allowed is a whole number"},
    {"handover judge --deadline=-1", USAGE, "--deadline: read \"-1\"; allowed is a whole number"},
    {"handover judge -o xml", USAGE, "--output: read \"xml\"; allowed is json"},
    {"handover judge a b", USAGE, "\"b\": judge reads one file"},
    {"handover judge /nonexistent", FAILED, "handover: /nonexistent: No such file or directory"},
    {"handover judge /dev/null", OK, ""},
    /* status */
    {"handover abort", USAGE, "which target? `handover status` lists them"},
    {"handover pause op op2", USAGE, "\"op2\": pause takes one target"},
    {"handover retry svc/op", USAGE, "\"svc/op\": allowed is the name of a Deployment"},
    {"handover promote op --timeout=soon", USAGE, "--timeout: read \"soon\"; allowed is a duration"},
    {"handover resume --help", OK, "--timeout=TIME"},
    {"handover abort op --server=http://127.0.0.1:1", FAILED, "127.0.0.1:1"},
    {"handover explain", USAGE, "which target? `handover status` lists them"},
    {"handover explain --help", OK, "--output=json|yaml"},
    {"handover explain pod/op", USAGE,
     "\"pod/op\": allowed is the name of a Deployment or StatefulSet, NAME, deployment/NAME or "
     "statefulset/NAME"},
    {"handover explain Op", USAGE, "\"Op\": allowed is the name of a Deployment"},
    {"handover explain op op2", USAGE, "\"op2\": explain takes one target"},
    {"handover explain op -o wide", USAGE, "--output: read \"wide\"; allowed is json, yaml"},
    {"handover explain -h", OK, "-n, --namespace=NAMESPACE"},
    {"handover explain deployment/op --server=http://127.0.0.1:1", FAILED, "127.0.0.1:1"},
    {"handover status --help", OK, "--output=json|yaml|wide|name"},
    {"handover get -h", OK, "Usage: handover get [OPTION...] [[KIND/]NAME]"},
    {"handover version -h", OK, "Usage: handover version"},
    {"handover judge -h", OK, "--no-color"},
    {"handover status -A op", USAGE, "a target by name is looked for in one namespace, not with -A"},
    {"handover status pod/op", USAGE, "\"pod/op\": allowed is the name of a Deployment"},
    {"handover status op op2", USAGE, "\"op2\": status takes one target, or none for all"},
    {"handover status --wait", USAGE, "--wait needs the name of a target"},
    {"handover status op --wait -w", USAGE, "--wait and --watch exclude each other"},
    {"handover status op --timeout=1m", USAGE, "--timeout needs --wait"},
    {"handover status op --wait --timeout=0", USAGE, "--timeout: read \"0\"; allowed is"},
    {"handover status op --wait --server=http://127.0.0.1:1", FAILED, "Connection refused"},
    {"handover status -o xml", USAGE, "--output: read \"xml\"; allowed is json, yaml, wide, name"},
    {"handover status --output=", USAGE, "--output: read \"\"; allowed is json, yaml, wide, name"},
    {"handover status --watch=5", USAGE, "'--watch' doesn't allow an argument"},
    {"handover status --context=nowhere", FAILED, "nowhere"},
    {"handover status --kubeconfig=/nonexistent", FAILED, "handover: "},
    {"handover status --server=http://127.0.0.1:1", FAILED, "Connection refused"},
    {"handover status --server=http://127.0.0.1:1 -o json", FAILED, "Connection refused"},
};

CASE(every_command_line_ends_as_documented) {
    int bad = 0;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        cleanup_buf struct buf out = BUF(1 << 20);
        int code = run(cases[i].line, &out);
        if (code == cases[i].code && strstr(buf_str(&out), cases[i].says)) continue;
        print_error("%s\n  ended with %d, want %d with \"%s\":\n%s\n", cases[i].line, code, cases[i].code,
                    cases[i].says, buf_str(&out));
        bad++;
    }
    assert_int_equal(bad, 0);
}

CASES("cli/args")
