/* A random schedule: an operator that writes in every way, others who change what is live, informers of several kinds that come and go. What is
 * true (what the operator wrote over what is live) is kept beside it, as numbers. Who runs it gives each step its randomness. */
#ifndef MODEL_SCHEDULE_H
#define MODEL_SCHEDULE_H
#include "model_truth.h"

static unsigned done[WHATS], refused[WHATS];

/* ---- the others ---- */
static inline cJSON *new_object(struct run *x, int res, const char *name, const char *generate,
                                const char *owner) {
    cJSON *v = cJSON_CreateObject();
    json_tree_set_str(v, "kind", res ? "Pod" : "Set");
    json_tree_set_str(v, "apiVersion", "apps/v1");
    cJSON *meta = json_tree_child(v, "metadata");
    if (name[0]) json_tree_set_str(meta, "name", name);
    if (generate[0]) json_tree_set_str(meta, "generateName", generate);
    json_tree_set_str(meta, "namespace", "ns");
    json_tree_set_str(json_tree_child(meta, "labels"), "l", rng_below(&x->r, 2) ? "red" : "blue");
    json_tree_set_num(json_tree_child(v, "spec"), "v", (double)rng_below(&x->r, 1000));
    if (owner[0]) {
        cJSON *list = cJSON_CreateArray(), *o = cJSON_CreateObject();
        json_tree_set_str(o, "uid", owner);
        json_tree_set(o, "controller", cJSON_CreateTrue());
        cJSON_AddItemToArray(list, o);
        json_tree_set(meta, "ownerReferences", list);
    }
    return v;
}

static inline void live_uid(struct run *x, char ret[48]) {
    const struct live *l = server_find(&x->s, 0, "a");
    ret[0] = '\0';
    if (l) snprintf(ret, 48, "%s", facts_of(slice_of(l->text)).uid);
}

static inline void pick(struct run *x, int *res, char name[64]) {
    *res = (int)rng_below(&x->r, 2);
    snprintf(name, 64, "%c", (char)((*res ? 'p' : 'a') + (int)rng_below(&x->r, 3)));
    if (*res && rng_below(&x->r, 2)) { /* one of those with a generated name */
        const struct want *w = &x->want[rng_below(&x->r, NWANT)];
        if (w->used && w->res == 1) memcpy(name, w->name, 64);
    }
}

static inline void others(struct run *x) {
    int res;
    char name[64], owner[48] = "";
    pick(x, &res, name);
    if (x->s.n + 8 >= NHISTORY) return;
    struct live *l = server_find(&x->s, res, name);
    const struct want *w = want_find(x, res, name);
    bool alone = w && !w->based;
    if (res && rng_below(&x->r, 4) == 0) {
        live_uid(x, owner);
        if (!owner[0] || x->ntwins == NOBJECTS || x->s.live[1][NOBJECTS - 8].text) return;
        cJSON *v = new_object(x, 1, "", "g-", owner);
        server_born(&x->s, v);
        cleanup_free char *its = xstrdup(json_str(meta_of(v), "name"));
        server_set(&x->s, 1, its, v);
        snprintf(x->twin[x->ntwins].owner, 48, "%s", owner);
        x->twin[x->ntwins++].rv = x->s.rv;
        return;
    }
    if (!l) {
        if (strlen(name) > 1) return;
        cJSON *v = new_object(x, res, name, "", "");
        server_born(&x->s, v);
        server_set(&x->s, res, name, v);
    } else if (rng_below(&x->r, 5) == 0) {
        server_set(&x->s, res, name, NULL);
    } else {
        cJSON *v = tree_of(l->text), *meta = json_tree_child(v, "metadata");
        switch (rng_below(&x->r, 4)) {
        case 0:
            json_tree_set_str(json_tree_child(meta, "labels"), "l", rng_below(&x->r, 2) ? "red" : "blue");
            break;
        case 1: json_tree_set_num(json_tree_child(v, "status"), "s", (double)rng_below(&x->r, 1000)); break;
        case 2: {
            cJSON *fin = cJSON_CreateArray();
            cJSON_AddItemToArray(fin, cJSON_CreateString("f"));
            json_tree_set(meta, "finalizers", rng_below(&x->r, 2) ? fin : (cJSON_Delete(fin), NULL));
            break;
        }
        default: json_tree_set_num(json_tree_child(v, "spec"), "v", (double)rng_below(&x->r, 1000));
        }
        server_set(&x->s, res, name, v);
    }
    if (alone)
        check(x, res,
              name); /* a live one came to a name that the overlay had: it has to be seen before it goes */
}

/* ---- the operator ---- */
static inline void op_free(struct op *p) {
    overlay_write_free(p->w);
    free(p->body);
    *p = (struct op){0};
}

static inline void put_want(struct run *x, const struct op *p, const char *name, struct facts f) {
    struct want *w = want_find(x, p->res, name);
    const struct want *was = &p->was;
    for (int i = 0; !w && i < NWANT; i++) w = x->want[i].used ? NULL : &x->want[i];
    assert_non_null(w);
    struct want now = {.res = p->res,
                       .used = true,
                       .f = f,
                       .based = p->live != 0,
                       .base = p->live,
                       .born = p->born,
                       .generated = p->generated};
    if (was->used && p->before.there == (p->step.status != 201)) { /* it stays what it was made of */
        now.based = was->based;
        now.base = was->base;
        now.born = was->born;
        now.generated = was->generated;
        memcpy(now.owner, was->owner, sizeof now.owner);
    } else {
        memcpy(now.owner, p->owner, sizeof now.owner);
    }
    snprintf(now.name, sizeof now.name, "%s", name);
    *w = now;
    if (!f.there && !now.based) w->used = false;
}

/* What is to come of it. */
static inline struct facts expected(const struct op *p, struct slice answer) {
    struct facts f =
        p->step.status == 201 ? (struct facts){0} : p->before; /* what was there may just have gone */
    switch (p->what) {
    case CREATE: {
        struct facts new = {.there = true, .v = p->v, .replicas = 1, .fin = p->fin};
        memcpy(new.l, p->label, sizeof new.l);
        memcpy(new.uid, facts_of(answer).uid, sizeof new.uid);
        return new;
    }
    case APPLY:
        if (!f.there) {
            f = (struct facts){.there = true, .replicas = 1};
            memcpy(f.uid, facts_of(answer).uid, sizeof f.uid);
        }
        f.v = p->v;
        break;
    case UPDATE:
    case REPLACE: /* of a text that may be old */
        memcpy(f.l, p->label, sizeof f.l);
        f.v = p->v;
        f.fin = p->sent.fin;
        f.replicas = p->sent.replicas;
        if (f.deleting && !f.fin) f.there = false;
        break;
    case MERGE:
    case OPS: f.v = p->v; break;
    case STATUS:
    case MERGE_STATUS: f.s = p->v; break;
    case RELABEL: memcpy(f.l, p->label, sizeof f.l); break;
    case RELEASE:
        f.fin = false;
        if (f.deleting) f.there = false;
        break;
    case SCALE:
    case SCALE_PATCH: f.replicas = p->v; break;
    default:
        if (f.fin) {
            f.deleting = true;
        } else {
            f.there = false;
        }
    }
    return f;
}

static inline void finish(struct run *x, struct op *p) {
    int status = p->step.status;
    LOG("op %ld (%d of %s%s) ends: %d %.*s\n", (long)(p - x->op), p->what, p->name,
        p->r.dry_run ? " dry" : "", status, SLF(p->step.body));
    bool ok = status == 200 || status == 201;
    if (!ok) {
        /* Nobody may set deletionTimestamp: it was that of an object which the live one has superseded since. */
        bool deletes = p->sent.deleting && !p->before.deleting,
             known = status == 409 || status == 404 || (status == 422 && (p->what == OPS || deletes));
        if (!known) fail_seed(x->seed, "op %d on %s: %d %.*s", p->what, p->name, status, SLF(p->step.body));
        refused[p->what]++;
        op_free(p);
        return;
    }
    done[p->what]++;
    struct facts f = expected(p, p->step.body);
    cleanup_free char *name = p->name[0] ? xstrdup(p->name) : member_of(p->step.body, "metadata/name");
    cleanup_free char *kind = member_of(p->step.body, "kind");
    if (strcmp(kind, "Scale") == 0) {
        assert_int_equal(facts_of(p->step.body).replicas, p->v);
    } else if (strcmp(kind, "Status") != 0 && f.there) {
        struct facts got = facts_of(p->step.body);
        same_facts(x, "answer", name, got, f);
    }
    bool dry = p->r.dry_run, gone = !f.there;
    struct facts before = p->before;
    int res = p->res;
    if (!dry) put_want(x, p, name, f);
    if (!dry && gone) memcpy(x->left[x->nleft++ % ARRAY_LEN(x->left)], before.uid, sizeof before.uid);
    op_free(p);
    check(x, res, name);
    for (int i = 0; !dry && gone && i < NWANT; i++) { /* what it owned, and only the overlay had */
        struct want *w = &x->want[i];
        if (w->used && !w->based && w->owner[0] && strcmp(w->owner, before.uid) == 0) w->used = false;
    }
}

/* What the truth is when the server is asked. */
static inline void note(struct run *x, struct op *p) {
    p->born = x->s.rv;
    if (p->name[0]) {
        const struct live *l = server_find(&x->s, p->res, p->name);
        const struct want *was = valid(x, p->res, p->name);
        p->before = view(x, p->res, p->name);
        p->was = was ? *was : (struct want){0};
        p->live = l ? l->rv : 0;
    }
}

static inline void go_on(struct run *x, struct op *p) {
    struct buf out = BUF(1 << 20);
    int status = server_answer(&x->s, p->step.ask, &out);
    if (rng_below(&x->r, 60) == 0) { /* lost */
        status = 0;
        buf_clear(&out);
    }
    LOG("op %ld asks %s %s: %d %s\n", (long)(p - x->op), upstream_method(p->step.ask),
        buf_str(&p->step.ask->target), status, buf_str(&out));
    note(x, p);
    for (int i = 0; i < 3 && rng_below(&x->r, 3) == 0; i++) others(x); /* before the answer comes */
    overlay_write_feed(p->w, x->now, status, buf_slice(&out), &p->step);
    buf_free(&out);
    if (p->step.answered && p->step.status == 504) {
        op_free(p);
    } else if (p->step.answered) {
        finish(x, p);
    }
}

/* The object as the operator knows it: just read, or out of an informer that may lag. */
static inline char *known(struct run *x, int res, const char *name) {
    struct informer *in = &x->x[res ? 3 : 0];
    struct stored *it = store_find(&in->store, name);
    struct buf out = BUF(1 << 20);
    if (it && rng_below(&x->r, 3) == 0) return xstrdup(it->text);
    if (get(x, res, name, &out) != 200) buf_free(&out);
    return out.p ? buf_take(&out) : NULL;
}

static inline void start_op(struct run *x, struct op *p) {
    static const enum gate_kind kinds[] = {GATE_CREATE, GATE_UPDATE, GATE_UPDATE, GATE_UPDATE, GATE_PATCH,
                                           GATE_PATCH,  GATE_PATCH,  GATE_PATCH,  GATE_PATCH,  GATE_PATCH,
                                           GATE_UPDATE, GATE_PATCH,  GATE_DELETE, GATE_DELETE};
    *p = (struct op){
        .used = true, .what = (enum what)rng_below(&x->r, WHATS), .v = (int)rng_below(&x->r, 1000)};
    pick(x, &p->res, p->name);
    snprintf(p->label, sizeof p->label, "%s", rng_below(&x->r, 2) ? "red" : "blue");
    cleanup_free char *text = known(x, p->res, p->name);
    cleanup_json cJSON *v = text ? tree_of(text) : NULL;
    cleanup_free char *rv = text ? member_of(slice_of(text), "metadata/resourceVersion") : xstrdup("1000000");
    cleanup_free char *uid = text ? member_of(slice_of(text), "metadata/uid") : xstrdup("none");
    if (p->what == CREATE && p->res && rng_below(&x->r, 2)) {
        struct facts a = view(x, 0, "a");
        if (a.there) snprintf(p->owner, sizeof p->owner, "%s", a.uid);
        p->name[0] = '\0';
        p->generated = true;
    }
    if (p->what == CREATE || (p->what == APPLY && !v) || !v) {
        cJSON_Delete(v);
        v = new_object(x, p->res, p->name, p->generated ? "g-" : "", p->owner);
        p->fin = p->what == CREATE && rng_below(&x->r, 4) == 0;
        if (p->fin) {
            cJSON *fin = cJSON_CreateArray();
            cJSON_AddItemToArray(fin, cJSON_CreateString("f"));
            json_tree_set(json_tree_child(v, "metadata"), "finalizers", fin);
        }
    }
    cJSON *meta = json_tree_child(v, "metadata");
    p->r = ask(kinds[p->what], resources[p->res], p->what == CREATE ? "" : p->name);
    p->r.form = p->r.kind == GATE_PATCH    ? GATE_PATCH_MERGE
                : p->r.kind == GATE_DELETE ? GATE_NO_BODY
                                           : GATE_JSON;
    p->r.manager = SL("me");
    p->r.dry_run = rng_below(&x->r, 20) == 0;
    struct buf b = BUF(1 << 20);
    switch (p->what) {
    case CREATE:
    case UPDATE:
    case REPLACE:
        json_tree_set_num(json_tree_child(v, "spec"), "v", p->v);
        json_tree_set_str(json_tree_child(meta, "labels"), "l", p->label);
        if (p->what == REPLACE) json_tree_set(meta, "resourceVersion", NULL);
        json_tree_print(v, &b);
        break;
    case STATUS:
        json_tree_set_num(json_tree_child(v, "status"), "s", p->v);
        json_tree_set_num(json_tree_child(v, "spec"), "v", 7); /* not a status: left out */
        p->r.sub = SL("status");
        json_tree_print(v, &b);
        break;
    case MERGE: buf_addf(&b, "{\"spec\":{\"v\":%d}}", p->v); break;
    case OPS:
        p->r.form = GATE_PATCH_JSON;
        buf_addf(
            &b,
            "[{\"op\":\"test\",\"path\":\"/metadata/"
            "resourceVersion\",\"value\":\"%s\"},{\"op\":\"replace\",\"path\":\"/spec/v\",\"value\":%d}]",
            rv, p->v);
        break;
    case MERGE_STATUS:
        p->r.sub = SL("status");
        buf_addf(&b, "{\"status\":{\"s\":%d}}", p->v);
        break;
    case APPLY:
        p->r.form = GATE_APPLY;
        buf_addf(&b,
                 "{\"kind\":\"%s\",\"apiVersion\":\"apps/"
                 "v1\",\"metadata\":{\"name\":\"%s\",\"namespace\":\"ns\"},\"spec\":{\"v\":%d}}",
                 p->res ? "Pod" : "Set", p->name, p->v);
        break;
    case RELABEL: buf_addf(&b, "{\"metadata\":{\"labels\":{\"l\":\"%s\"}}}", p->label); break;
    case RELEASE: buf_adds(&b, "{\"metadata\":{\"finalizers\":null}}"); break;
    case SCALE:
    case SCALE_PATCH:
        p->r.sub = SL("scale");
        buf_addf(&b,
                 "{\"kind\":\"Scale\",\"apiVersion\":\"autoscaling/"
                 "v1\",\"metadata\":{\"name\":\"%s\"},\"spec\":{\"replicas\":%d}}",
                 p->name, p->v);
        break;
    case DELETE_IF:
        buf_addf(&b, "{\"preconditions\":{\"resourceVersion\":\"%s\",\"uid\":\"%s\"}}", rv, uid);
        break;
    default: break;
    }
    p->body = buf_take(&b);
    p->sent = facts_of(slice_of(p->body));
    p->r.body = slice_of(p->r.kind == GATE_DELETE ? "" : p->body);
    p->r.delete_options = slice_of(p->r.kind == GATE_DELETE ? p->body : "");
    note(x, p);
    p->w = overlay_write_begin(x->o, &p->r, x->now, &p->step);
    if (p->step.answered) finish(x, p);
}

/* ---- the schedule ---- */
static inline void step(struct run *x) {
    struct rng *r = &x->r;
    struct informer *in = &x->x[rng_below(r, NINFORMERS)];
    x->now += (int64_t)rng_below(r, SECOND / 4);
    switch (rng_below(r, 20)) {
    case 0:
    case 1: others(x); break;
    case 2:
        if (rng_below(r, 4) == 0) informer_cut(in);
        break;
    case 3:
        if (in->state == WATCHING && !in->more && in->pos == x->s.n && in->w) bookmark(in, x->s.rv, false);
        break;
    case 4:
        if (rng_below(r, 40) == 0) x->s.compacted = x->s.rv - rng_below(r, 3);
        break;
    case 5:
    case 6:
    case 7:
    case 8: {
        struct op *p = &x->op[rng_below(r, NOPS)];
        if (p->used) {
            go_on(x, p);
        } else {
            start_op(x, p);
        }
        break;
    }
    default: informer_step(&x->s, in, x->o);
    }
}

static inline void compare(struct run *x, int res, const char *name) {
    struct buf out = BUF(1 << 20);
    bool there = get(x, res, name, &out) == 200;
    for (int i = 0; i < NINFORMERS; i++) {
        struct informer *in = &x->x[i];
        if (in->res != res) continue;
        struct stored *it = store_find(&in->store, name);
        bool want = there && selected(in, buf_str(&out));
        if (!it != !want)
            fail_seed(x->seed, "informer %d %s %s: %s", i, it ? "has" : "lacks", name,
                      it ? it->text : buf_str(&out));
        cleanup_free char *rv = member_of(buf_slice(&out), "metadata/resourceVersion");
        if (it && (in->partial ? strcmp(rv, it->rv) != 0 : strcmp(it->text, buf_str(&out)) != 0))
            fail_seed(x->seed, "informer %d has of %s %s, not %s", i, name, it->text, buf_str(&out));
    }
    buf_free(&out);
}

static inline void each_name(struct run *x, void (*fn)(struct run *x, int res, const char *name)) {
    for (int res = 0; res < 2; res++) {
        for (int i = 0; i < NOBJECTS; i++) {
            if (x->s.live[res][i].text) fn(x, res, x->s.live[res][i].name);
        }
    }
    for (int i = 0; i < NWANT; i++) {
        if (!x->want[i].used) continue;
        cleanup_free char *name = xstrdup(x->want[i].name);
        fn(x, x->want[i].res, name);
    }
    for (int i = 0; i < NINFORMERS; i++) {
        for (int k = x->x[i].store.n - 1; k >= 0; k--) {
            cleanup_free char *name = xstrdup(x->x[i].store.v[k].name);
            fn(x, x->x[i].res, name);
        }
    }
}

static inline void settle(struct run *x) {
    for (int i = 0; i < NOPS; i++) {
        while (x->op[i].used) go_on(x, &x->op[i]);
    }
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < NINFORMERS; i++) informer_settle(&x->s, &x->x[i], x->o);
        each_name(x, check);
    }
    for (int i = 0; i < NINFORMERS; i++) informer_settle(&x->s, &x->x[i], x->o);
    each_name(x, compare);
}

/* room: bytes; 0: as it comes */
static inline void run_begin(struct run *x, uint64_t seed, size_t room) {
    memset(x, 0, sizeof *x);
    memset(given_, 0, sizeof given_);
    ngiven = 0;
    x->r.s = x->seed = seed;
    x->now = SECOND;
    x->s = (struct server){.r = &x->r, .rv = 100, .uids = 1};
    x->o = overlay_new(&(struct overlay_limits){.bytes = room}, seed);
    static const struct informer kinds[NINFORMERS] = {
        {.res = 0},
        {.res = 0, .labels = "l=red"},
        {.res = 0, .fields = "metadata.name=a", .streaming = true},
        {.res = 1, .streaming = true},
        {.res = 1, .labels = "l=red"},
        {.res = 1, .labels = "l=blue", .streaming = true},
        {.res = 1, .partial = true}};
    for (int i = 0; i < NINFORMERS; i++) {
        x->x[i] = kinds[i];
        x->x[i].id = i;
        x->x[i].seed = seed;
    }
    for (int i = 0; i < 6; i++) others(x);
}

static inline void run_end(struct run *x) {
    for (int i = 0; i < NINFORMERS; i++) informer_free(&x->x[i]);
    for (int i = 0; i < NOPS; i++) op_free(&x->op[i]);
    overlay_free(x->o);
    server_free(&x->s);
}
#endif
