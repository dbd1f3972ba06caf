/* A name server that hangs must not stop the loop: neither when its request is cancelled or meets its
 * deadline, nor at the end. This program's own getaddrinfo() stands in for libc's. */
#include "../case.h"
#include "kit.h"
#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool released;
static int asked, answered;

__attribute__((visibility("default"))) int getaddrinfo(const char *node, const char *service,
                                                       const struct addrinfo *hints, struct addrinfo **res) {
    (void)service, (void)hints;
    *res = NULL;
    if (strncmp(node, "hang", 4) != 0) return EAI_NONAME;
    pthread_mutex_lock(&lock);
    asked++;
    pthread_cond_broadcast(&changed);
    while (!released) pthread_cond_wait(&changed, &lock);
    answered++;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    return EAI_AGAIN;
}

static int count(const int *which) {
    pthread_mutex_lock(&lock);
    int n = *which;
    pthread_mutex_unlock(&lock);
    return n;
}

static void release(struct kit *k) {
    pthread_mutex_lock(&lock);
    released = true;
    pthread_cond_broadcast(&changed);
    while (answered < asked) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    kit_free(k);
}

static struct kit *hang(void) {
    released = false;
    asked = answered = 0;
    return kit_new();
}

/* A request that waits for its name. */
static void start(struct call *c, struct http_spec spec) {
    spec.lane = LANE_CALL;
    spec.method = "GET";
    spec.url = "http://hang.example/";
    int before = count(&asked);
    call_start(c, &spec);
    while (count(&asked) == before) kit_turns(c->k, 1);
}

#define DNS_CASE(name) CASE_OF(struct kit, k, hang(), release, name)

DNS_CASE(cancelling_does_not_wait) {
    CALL(c, k);
    start(&c, (struct http_spec){0});
    http_cancel(c.r);
    kit_turns(k, 10); /* would not come back */
    assert_int_equal(count(&answered), 0);
    assert_int_equal(c.ends, 0);
}

DNS_CASE(deadlines_do_not_wait) {
    for (int connect = 0; connect < 2; connect++) {
        CALL(c, k);
        int64_t ns = 20 * NS_PER_MS;
        start(&c, connect ? (struct http_spec){.connect_ns = ns} : (struct http_spec){.total_ns = ns});
        call_wait(&c);
        call_failed(&c, ERR_TIMEOUT, -EHOSTUNREACH);
        assert_int_equal(count(&answered), 0);
    }
}

DNS_CASE(uninstalling_does_not_wait) {
    CALL(c, k);
    start(&c, (struct http_spec){0});
    net_uninstall(k->n);
    k->n = NULL;
    assert_int_equal(count(&answered), 0);
}

CASES("net/dns")
