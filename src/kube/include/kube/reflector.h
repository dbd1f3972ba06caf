/* When to list, when to watch, from which version, and when to wait: the state machine behind an informer.
 * Pure: what has happened goes in, reflector_next() says what to do.
 *
 * The first list is answered from the server's cache (resourceVersion 0), later ones are at least as new as
 * what was seen; where that version is gone (410) or not there yet ("too large resource version") the newest
 * is asked for. Lists come in pages; a page token that expires in the middle leads to one list without pages.
 * A lost watch goes on from the last event or bookmark without a list, unless the server says that the
 * version is gone. WatchList (sendInitialEvents) is not used: what it spares the server, it does not spare
 * us, since a list is parsed as it streams. */
#ifndef KUBE_REFLECTOR_H
#define KUBE_REFLECTOR_H
#include "base/err.h"
#include "base/time.h"

enum { REFLECTOR_PAGE = 500, REFLECTOR_RV_MAX = 128, REFLECTOR_TOKEN_MAX = 64 << 10 };

enum reflector_what { REFLECTOR_LIST, REFLECTOR_STREAM, REFLECTOR_WAIT, REFLECTOR_PROBE };
struct reflector_todo {
    enum reflector_what what;
    const char *rv;      /* parameter resourceVersion; LIST: "" for the newest */
    bool at_least;       /* LIST: with resourceVersionMatch=NotOlderThan */
    bool first;          /* LIST: its first page: what was put by an unfinished one does not count */
    bool replace;        /* LIST: the server's history is another one: versions seen before mean nothing */
    const char *token;   /* LIST: parameter continue, or ""; PROBE: "", rv "" and limit 1 */
    unsigned limit;      /* LIST: parameter limit, 0: none */
    unsigned timeout_s;  /* STREAM: parameter timeoutSeconds */
    int64_t deadline_ns; /* STREAM: our own, for a server that has stopped; instant */
    int64_t relist_ns;   /* STREAM: see reflector_relist_soon(); TIME_NEVER */
    int64_t until_ns;    /* WAIT */
    bool fresh;          /* on a new connection: the last request timed out */
};

struct reflector {
    /* private */
    enum { WS_LIST, WS_STREAM, WS_PROBE } phase;
    enum { FROM_CACHE, FROM_SEEN, FROM_NEWEST, FROM_NEWEST_WHOLE } from; /* the next list */
    char rv[REFLECTOR_RV_MAX];                                           /* the last version seen */
    char *token;                                                         /* of the next page, or NULL */
    bool fresh, replace, events /* of this stream */;
    unsigned fails;  /* since a watch was well for a while */
    unsigned broken; /* times that something was missed, lately */
    int64_t wait_ns, began_ns, relist_ns, broken_ns;
};
void reflector_init(struct reflector *w);
void reflector_free(struct reflector *w);

/* What to do now. Changes nothing but the begin of a watch; ret borrows from w. rnd: any random number. */
void reflector_next(struct reflector *w, int64_t now_ns, uint64_t rnd, struct reflector_todo *ret);

/* A page was put into the store. BEHIND: the list is older than what was seen, which no server answers unless it
 * was restored from a backup: the next list replaces all that is known. */
enum reflector_listed { REFLECTOR_MORE_PAGES, REFLECTOR_WHOLE, REFLECTOR_BEHIND };
enum reflector_listed reflector_listed(struct reflector *w, const char *rv, const char *token);
/* The version up to which list and watch have been seen; "" before the first list. */
const char *reflector_version(const struct reflector *w);
/* A list failed. *ret_trouble: worth a report. Returns why in a word for metrics, a literal. */
const char *reflector_list_failed(struct reflector *w, int64_t now_ns, uint64_t rnd, const struct err *err,
                                  bool *ret_trouble);
/* An event or a bookmark; rv "" is ignored. */
void reflector_event(struct reflector *w, const char *rv);
/* Something was missed (an event could not be read). The stream goes on; at the instant that is returned it is given
 * up, with reflector_relist(), for a list that finds it. */
int64_t reflector_relist_soon(struct reflector *w, int64_t now_ns, uint64_t rnd);
/* The stream has ended: err->kind ERR_NONE: regularly, else why (an ERROR event of the server included).
 * Fills err where a regular end came too soon. The rest as above. */
const char *reflector_ended(struct reflector *w, int64_t now_ns, uint64_t rnd, struct err *err,
                            bool *ret_trouble);
void reflector_relist(struct reflector *w);
/* The stream is given up since it may be that of a server which is behind (restored from a backup): it is silent, and a
 * server that waits for a version in the future is. A list of one object tells its version. */
void reflector_suspect(struct reflector *w);
/* The probe's answer. False: the server is behind, the next list replaces all that is known. */
bool reflector_probed(struct reflector *w, const char *rv);
#endif
