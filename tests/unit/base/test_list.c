/* The intrusive list. */
#include "../case.h"
#include "base/list.h"

struct item {
    int n;
    struct list node;
};

CASE(order_and_removal) {
    struct list head;
    struct item v[5];
    list_init(&head);
    assert_true(list_empty(&head));
    for (int i = 0; i < 5; i++) {
        v[i].n = i;
        list_push(&head, &v[i].node);
    }
    list_remove(&v[2].node);
    list_remove(&v[2].node); /* safe to repeat */
    int want[] = {0, 1, 3, 4}, at = 0;
    list_each(it, &head) assert_int_equal(container_of(it, struct item, node)->n, want[at++]);
    assert_int_equal(at, 4);
    list_each_safe(it, next, &head) list_remove(it);
    assert_true(list_empty(&head));
}

CASES("base/list")
