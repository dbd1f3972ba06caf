/* What a report is made of, for the files of this library. */
#ifndef REHEARSE_REPORT_IMPL_H
#define REHEARSE_REPORT_IMPL_H
#include "base/buf.h"
#include "rehearse/report.h"

enum {
    REPORT_OBJECT_MAX = 8 << 20, /* bytes of one object's JSON; the API server stores 1.5 MiB */
    REPORT_VALUE_WORK = 64 << 20,
    REPORT_VALUE_MAX = 16 << 10,
    REPORT_BYTES = 16 << 20, /* of all rows; what is more is counted, not listed */
    REPORT_NAME = 512,       /* of a name, a path, a reason */
    REPORT_LINES = 1000      /* refusals, Events */
};
#define REPORT_HIDDEN "(hidden)"

enum row_change { ROW_NONE, ROW_CREATED, ROW_CHANGED, ROW_DELETED, ROW_RECREATED };
/* What a single field does beyond being another value. */
enum field_effect { EFFECT_NONE, EFFECT_RESTART, EFFECT_FINALIZER, EFFECT_UNSERVED, EFFECT_STOP, EFFECTS };
/* Why a new pod template restarts nothing now. */
enum restart_held { HELD_NOT, HELD_PAUSED, HELD_ON_DELETE };

struct field {
    char *path;
    char *from, *to; /* for a person: compact JSON, cut, without secrets; NULL: absent */
    char id[17];     /* of the whole new value, times and uids apart; "" if absent */
    bool moves;      /* a time, a version: not what anybody decided */
    enum field_effect effect;
};
/* What is past the limit of fields. */
struct more {
    uint64_t fields;
    unsigned effects; /* bits of 1 << enum field_effect */
    char id[17];
};
struct restart {
    char *group, *kind, *name; /* the workload whose pods these are; kind NULL: none */
    int64_t pods;
    enum restart_held held;
};
/* Pods of the row's own workload that do not come back. */
struct stop {
    int64_t pods, left; /* left: so many of them stay */
};
struct row {
    char *group, *version, *resource, *kind, *ns, *name;
    char *generate; /* metadata.generateName of what the API server named; NULL: it has a name of its own */
    char *owner;    /* "KIND/NAME" of its controller; NULL: none */
    enum row_change change;
    bool waits;   /* deleted, but its finalizers are waited for */
    bool met;     /* it came about live since */
    bool orphans; /* deleted, and what it owns stays */
    bool differs; /* the control makes it as well, with other content: fields are from its to ours */
    struct field *field;
    size_t n, cap;
    struct more more;
    struct restart restart;
    struct stop stop;
    unsigned writes;
    int64_t first_ns, last_ns;
    /* By report_row_seal(). */
    unsigned kinds; /* bits of 1 << enum report_kind */
    unsigned rank;  /* the most dangerous first */
    uint64_t sum[2];
    size_t bytes;
    bool taken; /* report_subtract() is about to free it */
};
struct said {
    char *what, *why;
    uint64_t count;
};
/* Refusals, or failures; sorted. */
struct said_list {
    struct said *v;
    size_t n, cap;
};
struct event {
    char *type, *reason, *message, *kind, *ns, *name;
    uint64_t count;
};
struct unlisted {
    uint64_t objects, times, counts[REPORT_KINDS], sum[2];
};
struct report {
    struct report_limits limits;
    struct row **row; /* sorted */
    size_t n, cap, bytes;
    struct unlisted unlisted;
    struct said_list refusals, failures;
    struct event *event;
    size_t nevents, events_cap;
    bool has_run;
    struct report_run run; /* image: run_image */
    char *run_image;
    uint64_t taken_objects, taken_fields, taken_others, taken_met; /* by report_subtract() */
};

/* ---- report.c ---- */
struct row *report_row_new(void);
void report_row_free(struct row *r);
void report_sort(struct report *r); /* after rows were changed in place; seals them */
int report_row_cmp(const void *a, const void *b);
void report_field_free(struct field *f);
void report_said_free(struct said *s);
void report_event_free(struct event *e);
void report_id(struct slice text, char ret[17]);
/* Texts of the enums, as they are in JSON. */
extern const char *const report_effect_names[EFFECTS];
extern const char *const report_held_names[3];

/* ---- report_line.c ---- */
/* "1 pod", "2 pods", "2 identities" */
void report_some(struct buf *out, uint64_t n, const char *one, const char *many);

/* ---- report_diff.c ---- */
/* What differs, added to the row's fields; its change, restart and the like are known. live may be empty. */
void report_diff(struct row *row, const struct report_limits *limits, struct slice live,
                 struct slice rehearsed);

/* ---- report_consequences.c ---- */
/* From the objects: change, waits, generate, owner, restart, stop. */
void report_row_facts(struct row *row, struct slice live, struct slice rehearsed);
/* From the row alone: kinds, rank, sum, bytes. */
void report_row_seal(struct row *row);
void report_row_calm(struct row *row);             /* it is the same in the end, and does nothing */
bool report_row_moves_only(const struct row *row); /* changed, but only in times and the like */
bool report_row_is(const struct row *row, const char *group, const char *kind);
/* ---- report_restarts.c ---- */
/* The workloads whose pods would restart, or stop, each once. free(); the strings are the rows'. */
struct workload {
    const char *group, *kind, *ns, *name;
    bool restarts, stops;
    int64_t restarting, stopping, left; /* pods; left: of what shrinks */
    enum restart_held held;             /* why none restarts */
};
size_t report_workloads(const struct report *r, struct workload **ret);
/* In all: how many workloads, how many pods of them. */
struct report_pods {
    uint64_t restarts, stops, restarting, stopping;
    const char *how; /* "stop", "shrink", or "stop or shrink": those that stop */
};
struct report_pods report_pods(const struct report *r);
uint64_t report_times(const struct report *r); /* objects of which only times and the like move */

/* ---- report_members.c ---- */
struct member {
    struct slice key; /* unescaped */
    struct slice value;
    char *owned;
    size_t index;
};
struct members {
    struct member *v;
    size_t n, cap;
};
/* An object's members, without those that are null, sorted by key, of duplicates the last; a list's elements in their order with empty keys. */
void report_members_of(struct slice value, struct members *ret);
void report_members_free(struct members *m);
/* Of both lists the elements, keyed by what tells them apart, sorted by that key. False: nothing does. */
bool report_list_keys(struct slice field, struct slice a, struct slice b, struct members *ret_a,
                      struct members *ret_b);
/* A raw string's text; free(). */
char *report_unescaped(struct slice raw, size_t *ret_n);

/* ---- report_secret.c ---- */
enum hide {
    HIDE_NONE,
    HIDE_SOFT, /* below a member whose name looks like a secret's */
    HIDE_ALL   /* whatever it is */
};
/* How a member below something hidden (or not) is to be treated. */
enum hide report_hide(enum hide outer, struct slice key);
bool report_secret_name(struct slice key);
bool report_secret_text(struct slice text);
/* Why a request failed, "422 Invalid: MESSAGE"; of what: an API server's message may quote what it was given. free() */
char *report_safe_why(struct slice what, struct slice why);

/* ---- report_value.c ---- */
struct shown {
    enum hide hide;
    const char *own; /* a generated name; NULL: none */
    bool same;       /* for comparison: times, uids and the generated name are one and the same */
};
/* The value as compact JSON, members sorted, secrets replaced. key: that of the value, for uids. */
void report_value(struct buf *out, struct slice value, struct slice key, const struct shown *how);
bool report_is_time(struct slice raw);
#endif
