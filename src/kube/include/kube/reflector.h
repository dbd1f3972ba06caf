/* When to list, when to watch, from which version, and when to wait: the state machine behind an informer.
 * Pure: what has happened goes in, reflector_next() says what to do.
 *
 * The first list is answered from the server's cache (resourceVersion 0), later ones are at least as new as
 * what was seen; where that version is gone (410) or not there yet ("too large resource version") the newest
 * is asked for. A list is streamed where the server can (WatchList: a watch that begins with what there is, and
 * says with a bookmark that this was all; it then goes on as the watch). Where it cannot, or does not come to its
 * end, the list is made in pages, which go on where they were cut; a streaming list is tried again an hour later
 * at the earliest. A page token that expires in the middle leads to one list without pages. A lost watch goes on
 * from the last event or bookmark without a list, unless the server says that the version is gone. */
#ifndef KUBE_REFLECTOR_H
#define KUBE_REFLECTOR_H
#include "base/err.h"
#include "base/time.h"

enum { REFLECTOR_PAGE = 500, REFLECTOR_RV_MAX = 128, REFLECTOR_TOKEN_MAX = 64 << 10 };

enum reflector_what {
    REFLECTOR_LIST,   /* a page of a list */
    REFLECTOR_STREAM, /* a watch */
    REFLECTOR_WAIT,
    REFLECTOR_PROBE,
    REFLECTOR_STREAM_LIST, /* a watch with sendInitialEvents=true and resourceVersionMatch=NotOlderThan */
};
/* What the reflectors of one server tell each other. Zeros at the start. */
struct reflector_peers {
    int64_t
        no_stream_list_ns; /* the server has refused one, or not understood it: none before this instant */
};
struct reflector_todo {
    enum reflector_what what;
    const char *rv; /* parameter resourceVersion; LIST, STREAM_LIST: "" for the newest */
    bool at_least;  /* LIST: with resourceVersionMatch=NotOlderThan */
    bool first;     /* LIST: its first page, STREAM_LIST: what was put by an unfinished one does not count */
    bool
        replace; /* LIST, STREAM_LIST: the server's history is another one: versions seen before mean nothing */
    const char *token;   /* LIST: parameter continue, or ""; PROBE: "", rv "" and limit 1 */
    unsigned limit;      /* LIST: parameter limit, 0: none */
    unsigned timeout_s;  /* STREAM, STREAM_LIST: parameter timeoutSeconds */
    int64_t deadline_ns; /* STREAM, STREAM_LIST: our own, for a server that has stopped; instant */
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
    struct reflector_peers *peers;
    int64_t no_stream_list_ns; /* our own: the last one did not come to its end */
    unsigned stream_list_fails;
    unsigned fails;  /* since a watch was well for a while */
    unsigned broken; /* times that something was missed, lately */
    int64_t wait_ns, began_ns, relist_ns, broken_ns;
};
void reflector_init(struct reflector *w, struct reflector_peers *peers /* borrowed; NULL: none */);
void reflector_free(struct reflector *w);

/* What to do now. Changes nothing but the begin of a watch; ret borrows from w. rnd: any random number. */
void reflector_next(struct reflector *w, int64_t now_ns, uint64_t rnd, struct reflector_todo *ret);

/* A page was put into the store. BEHIND: the list is older than what was seen, which no server answers unless it
 * was restored from a backup: the next list replaces all that is known. */
enum reflector_listed { REFLECTOR_MORE_PAGES, REFLECTOR_WHOLE, REFLECTOR_BEHIND };
enum reflector_listed reflector_listed(struct reflector *w, const char *rv, const char *token);
/* Of a streaming list: one of its objects was put. */
void reflector_item(struct reflector *w);
/* The bookmark that marks the end of a streaming list's objects: WHOLE, and the stream is a watch from now on;
 * or BEHIND, as above. */
enum reflector_listed reflector_marked(struct reflector *w, const char *rv);
/* A streaming list has ended before its mark: err->kind ERR_NONE: regularly; ERR_PROTOCOL: what came is no streaming
 * list; else why. As reflector_list_failed(). */
const char *reflector_stream_list_failed(struct reflector *w, int64_t now_ns, uint64_t rnd, struct err *err,
                                         bool *ret_trouble);
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
