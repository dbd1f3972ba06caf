/* Runs a fuzzer without libFuzzer: the corpus, then seeded mutations of it, until FUZZ_RUNS (20000) or
 * FUZZ_SECONDS (2) are over. FUZZ_SEED chooses others. An input that fails is written to crash-PROGRAM; a
 * file as argument is run once. */
#include "fuzz.h"
#include "base/mem.h"
#include "base/rand.h"
#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { INPUT_MAX = 8192 };

struct input {
    uint8_t *p;
    size_t n;
};

static struct input *corpus;
static size_t ncorpus, corpus_cap;

/* What is being run: read where the program dies. */
static struct {
    const uint8_t *p;
    size_t n;
    unsigned long long seed, run;
    const char *program;
} current;

extern void __sanitizer_set_death_callback(void (*)(void)) __attribute__((weak));

static void report(void) {
    char path[256];
    int n = snprintf(path, sizeof path, "crash-%s", current.program);
    if (n < 0 || (size_t)n >= sizeof path || !current.p) return;
    FILE *f = fopen(path, "wb");
    size_t put = f ? fwrite(current.p, 1, current.n, f) : 0;
    if (f && fclose(f) != 0) put = 0;
    fprintf(stderr, "%s: failed with FUZZ_SEED=%llu in run %llu; input of %zu bytes %s %s\n", current.program,
            current.seed, current.run, current.n, put == current.n ? "is in" : "could not be written to",
            path);
    current.p = NULL;
}

static void on_signal(int sig) {
    report();
    signal(sig, SIG_DFL);
    raise(sig);
}

static void run(const uint8_t *p, size_t n) {
    uint8_t *copy = xmalloc(n); /* of exactly this size, so that a read past the end is seen */
    if (n) memcpy(copy, p, n);
    current.p = copy;
    current.n = n;
    LLVMFuzzerTestOneInput(copy, n);
    current.p = NULL;
    free(copy);
}

static bool read_file(const char *path, struct input *ret) {
    FILE *f = fopen(path, "rb");
    if (!f) return false;
    ret->p = xmalloc(1 << 20);
    ret->n = fread(ret->p, 1, 1 << 20, f);
    fclose(f);
    return true;
}

static void add_corpus(struct input in) {
    corpus = xgrow(corpus, &corpus_cap, ncorpus + 1, sizeof *corpus);
    corpus[ncorpus++] = in;
}

static int by_name(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool load(const char *path) {
    struct stat st;
    if (stat(path, &st) < 0) return false;
    struct input in;
    if (!S_ISDIR(st.st_mode)) {
        if (read_file(path, &in)) add_corpus(in);
        return true;
    }
    struct dirent **names = NULL;
    int n = scandir(path, &names, NULL, by_name); /* sorted: the same runs everywhere */
    for (int i = 0; i < n; i++) {
        cleanup_free char *file = xasprintf("%s/%s", path, names[i]->d_name);
        if (names[i]->d_name[0] != '.' && read_file(file, &in)) add_corpus(in);
        free(names[i]);
    }
    free(names);
    return true;
}

static size_t insert(uint8_t *p, size_t n, size_t at, const uint8_t *what, size_t len) {
    if (len > INPUT_MAX - n) len = INPUT_MAX - n;
    memmove(p + at + len, p + at, n - at);
    memmove(p + at, what, len);
    return n + len;
}

/* One change; p has room for INPUT_MAX bytes. */
static size_t mutate(struct rng *r, uint8_t *p, size_t n) {
    static const char letters[] =
        "{}[]\"\":,\\/ \n0123456789-+.eEnulltruefalse$~()=!<>inKMGmh\x00\x7f\x80\xc3\xff";
    size_t at = rng_below(r, n + 1), len = rng_below(r, 16) + 1;
    if (len > n - at) len = n - at;
    uint8_t chunk[256];
    const uint64_t what = rng_below(r, 8);
    const uint8_t letter =
        (uint8_t)letters[rng_below(r, sizeof letters - 1)]; /* a byte that means something */
    switch (what) {
    case 0: /* a bit, a byte, a letter */
    case 1:
    case 2:
        if (at < n && what == 0) p[at] ^= (uint8_t)(1U << rng_below(r, 8));
        if (at < n && what > 0) p[at] = what == 1 ? (uint8_t)rng_next(r) : letter;
        return n;
    case 3: /* some less */ memmove(p + at, p + at + len, n - at - len); return n - len;
    case 4: /* a letter more */ return insert(p, n, at, &letter, 1);
    case 5: /* a piece again, elsewhere, once or often */
        if (len) memcpy(chunk, p + at, len);
        at = rng_below(r, n + 1);
        for (uint64_t k = rng_below(r, 8) ? 1 : 200; k > 0; k--) n = insert(p, n, at, chunk, len);
        return n;
    case 6: { /* a piece of another one */
        if (!ncorpus) return n;
        const struct input *o = &corpus[rng_below(r, ncorpus)];
        size_t from = rng_below(r, o->n + 1), take = rng_below(r, 64);
        if (take > o->n - from) take = o->n - from;
        if (take) memcpy(chunk, o->p + from, take);
        return insert(p, n, at, chunk, take);
    }
    default: /* the end off */ return rng_below(r, 4) ? n : at;
    }
}

static unsigned long long number(const char *name, unsigned long long def) {
    const char *s = getenv(name);
    return s && *s ? strtoull(s, NULL, 10) : def;
}

static int64_t now_ns(void) {
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int main(int argc, char **argv) {
    const char *slash = strrchr(argv[0], '/');
    current.program = slash ? slash + 1 : argv[0];
    current.seed = number("FUZZ_SEED", 1);
    unsigned long long runs = number("FUZZ_RUNS", 20000), seconds = number("FUZZ_SECONDS", 2);
    if (__sanitizer_set_death_callback) __sanitizer_set_death_callback(report);
    signal(SIGABRT, on_signal);
    bool mutations = true;
    for (int i = 1; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) == 0 && S_ISREG(st.st_mode)) mutations = false;
        if (!load(argv[i])) fprintf(stderr, "%s: no corpus at %s\n", current.program, argv[i]);
    }
    run(NULL, 0);
    for (size_t i = 0; i < ncorpus; i++) run(corpus[i].p, corpus[i].n);

    int64_t until = now_ns() + (int64_t)seconds * 1000000000;
    uint8_t *p = xmalloc(INPUT_MAX);
    for (current.run = 1; mutations && current.run <= runs; current.run++) {
        struct rng r = {current.seed * UINT64_C(0x9e3779b97f4a7c15) + current.run}; /* each run by itself */
        size_t n = 0;
        if (ncorpus) {
            const struct input *in = &corpus[rng_below(&r, ncorpus)];
            n = in->n < INPUT_MAX ? in->n : INPUT_MAX;
            memcpy(p, in->p, n);
        }
        for (uint64_t k = rng_below(&r, 6) + 1; k > 0; k--) n = mutate(&r, p, n);
        run(p, n);
        if (current.run % 64 == 0 && now_ns() > until) break;
    }
    printf("%zu files, %llu mutations\n", ncorpus,
           mutations ? (current.run <= runs ? current.run : runs) : 0);
    free(p);
    for (size_t i = 0; i < ncorpus; i++) free(corpus[i].p);
    free(corpus);
    return 0;
}
