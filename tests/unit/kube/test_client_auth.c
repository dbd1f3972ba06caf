/* The client and who it is: tokens that expire, exec plugins. */
#include "../case.h"
#include "client_kit.h"

/* ---- credentials ---- */

static const char *good; /* the token that is accepted */

static void accept_token(struct fake *f, struct fake_req *r) {
    (void)f;
    cleanup_free char *line = xasprintf("Authorization: Bearer %s", good);
    if (fake_has_header(r, line)) {
        fake_answer(r, 200, "{\"ok\":1}");
    } else {
        fake_answer(r, 401, STATUS(401, "Unauthorized", "Unauthorized"));
    }
}

#define AUTH_CASE(user, name) CASE_OF(struct call, c, setup(user), teardown, name)

AUTH_CASE("tokenFile: /k/token", token_is_refreshed_once) {
    struct kube_spec put = lease(KUBE_UPDATE);
    put.no_retry = true;
    c->f->on_request = accept_token;
    good = "tok2";
    fake_file(c->f, "/k/token", "tok2"); /* not looked at yet */
    ask(c, &put);
    ended(c, ERR_NONE, 2);
    /* the file has nothing better */
    good = "tok3";
    ask(c, &put);
    ended(c, ERR_AUTH, 3);
    assert_int_equal(c->err.http, 401);
    assert_has(c->err.msg, "update leases.coordination.k8s.io default/handover: 401 Unauthorized");
    assert_has(c->err.msg, "user \"u\" of /k/config, token file /k/token");
    assert_lacks(c->err.msg, "tok2");
    /* something better that is refused as well */
    fake_file(c->f, "/k/token", "tokX");
    ask(c, &put);
    ended(c, ERR_AUTH, 5);
}

static void accept_alice(struct fake *f, struct fake_req *r) {
    (void)f;
    bool foreign = !strstr(r->url, "/apis/"), acts = fake_has_header(r, "Impersonate-User: alice");
    fake_answer(r, acts == !foreign ? 200 : 403, "{\"ok\":1}");
}

/* Of the API server's requests each, and none that goes elsewhere. */
AUTH_CASE("token: t", acts_as_another_user) {
    struct kube_config_spec spec = {.kubeconfig = "/k/config", .as = "alice"};
    struct err e = {0};
    assert_string_equal(kube_config_user(c->c), "u");
    kube_free(c->k);
    kube_config_free(c->c);
    assert_int_equal(kube_config_load(c->f->a.w, &c->f->log, &spec, &c->c, &e), 0);
    assert_string_equal(kube_config_user(c->c), "alice");
    c->k = kube_new(c->f->a.w, c->c, &c->f->log, c->m);
    c->f->on_request = accept_alice;
    struct kube_spec get = lease(KUBE_GET);
    ask(c, &get);
    ended(c, ERR_NONE, 1);
    static const struct kube_scrape_cb cb = {.done = done};
    c->n = 0;
    c->op = kube_scrape(c->k, &(struct kube_scrape){.url = "http://10.0.0.1:8080/metrics"}, &cb, c);
    fake_settle(c->f);
    ended(c, ERR_NONE, 2);
}

/* {"alg":"none"}.{"exp":1700000000} */
AUTH_CASE("token: eyJhbGciOiJub25lIn0.eyJleHAiOjE3MDAwMDAwMDB9.sig", an_expired_token_says_so) {
    struct kube_spec get = lease(KUBE_GET);
    c->f->on_request = accept_token;
    good = "other";
    ask(c, &get);
    ended(c, ERR_AUTH, 1); /* the same again would not help */
    assert_has(c->err.msg, "the token says that it expired at 2023-11-14T22:13:20Z");
    assert_lacks(c->err.msg, "eyJ");
}

static int logins;

static void login(struct fake *f, struct fake_proc *p) {
    (void)f;
    cleanup_free char *out = xasprintf("{\"kind\":\"ExecCredential\",\"apiVersion\":\"client.authentication."
                                       "k8s.io/v1\",\"status\":{\"token\":\"login%d\"}}",
                                       ++logins);
    fake_exit(p, 0, out, "");
}

AUTH_CASE("exec: {apiVersion: client.authentication.k8s.io/v1, command: x, interactiveMode: Never}",
          exec_plugin) {
    struct kube_spec get = lease(KUBE_GET);
    logins = 0;
    c->f->on_spawn = login;
    c->f->on_request = accept_token;
    good = "login1";
    ask(c, &get);
    assert_true(c->n == 1 && c->err.kind == ERR_NONE);
    fake_run(c->f, 10 * NS_PER_S);
    good = "login2";
    ask(c, &get);
    assert_true(c->n == 1 && c->err.kind == ERR_NONE && logins == 2);
    /* cancelled while the plugin runs; then one that never ends */
    c->f->on_spawn = NULL;
    good = "login9";
    fake_run(c->f, 10 * NS_PER_S);
    ask(c, &get);
    kube_cancel(c->op);
    get.timeout_ns = 6 * NS_PER_S;
    get.no_retry = true;
    start(c, &get);
    fake_run(c->f, 7 * NS_PER_S);
    assert_true(c->n == 1 && c->err.kind == ERR_TIMEOUT && strstr(c->err.msg, "no credentials in time"));
}

CASES("kube/client_auth")
