/* The choice of a slice's objects; see object_slice.h. */
#include "plan/object_slice.h"
#include "base/mem.h"

/* The place of an object in the order, never 0. */
static uint64_t place(const struct slice_object *o) {
    return (o->hash >> 1) | (o->first ? 0 : UINT64_C(1) << 63) | 1;
}

static bool in_slice(const struct slice_object *o, uint64_t target) {
    return o->owner != OWNER_STABLE && o->target == target;
}

/* One that is in the slice, or may come into it: what is being deleted is left to whose it is. */
static bool eligible(const struct slice_object *o, uint64_t target) {
    if (!o->selected) return false;
    return in_slice(o, target) || (o->owner == OWNER_STABLE && !o->never && !o->deleting);
}

static void swap(uint64_t *a, uint64_t *b) {
    uint64_t t = *a;
    *a = *b;
    *b = t;
}

/* The k-th smallest, from 0, by Hoare's partition; v is put into another order. */
static uint64_t kth(uint64_t *v, size_t n, size_t k) {
    size_t low = 0, high = n - 1;
    while (low < high) {
        uint64_t pivot = v[low + (high - low) / 2];
        size_t i = low, j = high;
        for (;;) {
            while (v[i] < pivot) i++;
            while (v[j] > pivot) j--;
            if (i >= j) break;
            swap(&v[i++], &v[j--]);
        }
        if (k <= j)
            high = j;
        else
            low = j + 1;
    }
    return v[k];
}

static void count_one(const struct slice_object *o, uint64_t target, struct slice_sum *s) {
    bool ours = in_slice(o, target);
    s->total += o->selected;
    s->others += o->selected && o->owner != OWNER_STABLE && !ours;
    s->moving += ours && o->owner == OWNER_NONE;
    s->canary += ours && o->owner == OWNER_CANARY;
    if (ours && o->owner == OWNER_NONE && o->since_ns > s->youngest_ns) s->youngest_ns = o->since_ns;
}

static bool wanted(const struct slice_object *o, const struct slice_sum *s, uint64_t target) {
    return eligible(o, target) && place(o) <= s->last;
}

void object_slice_sum(const struct slice_object *const *objects, size_t n, uint64_t target, unsigned percent,
                      struct slice_sum *ret) {
    struct slice_sum s = {.percent = percent};
    uint64_t *places = xcalloc(n ? n : 1, sizeof *places);
    size_t m = 0;
    for (size_t i = 0; i < n; i++) {
        count_one(objects[i], target, &s);
        if (eligible(objects[i], target)) places[m++] = place(objects[i]);
    }
    uint64_t share = ((uint64_t)s.total * percent + 99) / 100;
    s.wanted = (uint32_t)(share < m ? share : m);
    if (s.wanted) s.last = kth(places, m, s.wanted - 1);
    for (size_t i = 0; i < n && s.wanted; i++)
        s.take += objects[i]->owner == OWNER_STABLE && wanted(objects[i], &s, target);
    free(places);
    *ret = s;
}

bool object_slice_next(const struct slice_object *o, const struct slice_sum *sum, uint64_t target,
                       enum slice_order order, int64_t boot_ns, enum slice_owner *ret) {
    bool ours = in_slice(o, target), moving = ours && o->owner == OWNER_NONE;
    switch (order) {
    case ORDER_NONE:
    case ORDER_VERIFY: return false;
    case ORDER_TAKE:
        *ret = OWNER_NONE;
        return o->owner == OWNER_STABLE && sum->wanted && wanted(o, sum, target);
    case ORDER_PASS: *ret = OWNER_CANARY; return moving && boot_ns - o->since_ns >= SLICE_SETTLE_NS;
    case ORDER_UNTAKE: *ret = OWNER_STABLE; return moving;
    case ORDER_RETURN: *ret = OWNER_STABLE; return ours;
    }
    return false;
}
