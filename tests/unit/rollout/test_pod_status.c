/* What a Pod's status says of its version: which ends of containers are crashes, and what keeps it from running that comes from
 * outside. The texts are a kubelet's and a scheduler's. */
#include "read_pod.h"
#include "base/time.h"

#define AT (INT64_C(1795457793) * NS_PER_S) /* 2026-11-23T18:16:33Z */

#define ON_NODE  "'nodeName':'n'"
#define DELETED  ",'deletionTimestamp':'2026-11-23T18:16:33Z'"
#define AT_THAT  "'2026-11-23T18:16:33Z'"
#define ENDED(c) "'terminated':{'exitCode':" c ",'finishedAt':" AT_THAT "}"
#define RUNS     "'running':{'startedAt':" AT_THAT "}"
#define WAITS(r) "'waiting':{'reason':'" r "'}"
#define LOOPS    "'waiting':{'reason':'CrashLoopBackOff','message':'back-off 20s restarting failed container'}"

/* ---- ends ---- */

enum kind { APP, INIT, SIDECAR };
struct end {
    const char *what;
    enum kind kind;
    unsigned restarts;
    const char *now, *last; /* of the only container, m */
    unsigned crashes;
    bool loops;
    const char *crash; /* how the last crash is named; "": there is none */
};
static const struct end ends[] = {
    {"it fails", APP, 2, RUNS, ENDED("1,'reason':'Error'"), 2, false, "Error, exit code 1"},
    {"it fails again and again", APP, 3, LOOPS, ENDED("1,'reason':'Error'"), 3, true, "Error, exit code 1"},
    {"out of memory", APP, 1, RUNS, ENDED("137,'reason':'OOMKilled'"), 1, false, "OOMKilled, exit code 137"},
    {"a liveness or startup probe fails", APP, 2, RUNS, ENDED("137,'reason':'Error'"), 2, false,
     "Error, exit code 137"},
    {"the same, and it stops on SIGTERM, after its preStop hook", APP, 2, RUNS,
     ENDED("0,'reason':'Completed'"), 2, false, "Completed, exit code 0"},
    {"an operator ends well, which it is not meant to", APP, 4, LOOPS, ENDED("0,'reason':'Completed'"), 4,
     true, "Completed, exit code 0"},
    {"there is no such program", APP, 3, LOOPS, ENDED("128,'reason':'StartError'"), 3, true,
     "StartError, exit code 128"},
    {"its postStart hook fails", APP, 1, WAITS("PostStartHookError"), ENDED("137,'reason':'Error'"), 1, false,
     "Error, exit code 137"},
    {"nothing is known of the end", APP, 2, LOOPS, "", 2, true, ""},
    {"it is not started again yet", APP, 0, ENDED("1,'reason':'Error'"), "", 0, false, "Error, exit code 1"},
    {"the node was restarted", APP, 1, RUNS, ENDED("255,'reason':'Unknown'"), 0, false, ""},
    {"the runtime has lost it", APP, 1, RUNS, ENDED("137,'reason':'ContainerStatusUnknown'"), 0, false, ""},
    {"the same after two crashes", APP, 3, RUNS, ENDED("255,'reason':'Unknown'"), 2, false, ""},
    {"another container's restart rule restarts all", APP, 1, RUNS,
     ENDED("137,'reason':'RestartingAllContainers'"), 0, false, ""},
    {"an init container has done its work", INIT, 0, ENDED("0,'reason':'Completed'"), "", 0, false, ""},
    {"and did it again in a new sandbox", INIT, 2, ENDED("0,'reason':'Completed'"),
     ENDED("0,'reason':'Completed'"), 0, false, ""},
    {"an init container fails", INIT, 2, LOOPS, ENDED("1,'reason':'Error'"), 2, true, "Error, exit code 1"},
    {"a sidecar ends well", SIDECAR, 2, RUNS, ENDED("0,'reason':'Completed'"), 0, false, ""},
    {"again and again", SIDECAR, 40, LOOPS, ENDED("0,'reason':'Completed'"), 0, false, ""},
    {"a sidecar fails", SIDECAR, 2, RUNS, ENDED("1,'reason':'Error'"), 2, false, "Error, exit code 1"},
    {"again and again out of memory", SIDECAR, 5, LOOPS, ENDED("137,'reason':'OOMKilled'"), 5, true,
     "OOMKilled, exit code 137"},
};

/* meta, container and status: members beside those that are always there. */
static void ends_as(const struct end *e, const char *meta, const char *container, const char *status) {
    bool init = e->kind != APP;
    cleanup_free char *spec =
        xasprintf(ON_NODE ",'%s':[{'name':'m'%s%s}]", init ? "initContainers" : "containers",
                  e->kind == SIDECAR ? ",'restartPolicy':'Always'" : "", container);
    cleanup_free char *now =
        xasprintf("'phase':'Running','%s':[{'name':'m','restartCount':%u,'state':{%s},'lastState':{%s}}]%s",
                  init ? "initContainerStatuses" : "containerStatuses", e->restarts, e->now, e->last, status);
    cleanup_free char *crash = *e->crash ? xasprintf("container m: %s", e->crash) : xstrdup("");
    struct obs_pod p = pod(meta, spec, now);
    if (p.restarts != e->restarts || p.crashes != e->crashes || p.loops != e->loops ||
        p.crashed_ns != (*e->crash ? AT : 0) || strcmp(p.crash ? p.crash : "", crash) != 0)
        fail_msg("%s: %u crashes of %u restarts, loops %d, at %lld: %s", e->what, p.crashes, p.restarts,
                 p.loops, (long long)p.crashed_ns, p.crash ? p.crash : "-");
    assert_true(p.oom_killed == (strstr(e->crash, "OOMKilled") != NULL));
    obs_pod_free(&p);
}

CASE(which_ends_are_crashes) {
    for (size_t i = 0; i < ARRAY_LEN(ends); i++) ends_as(&ends[i], "", "", "");
}

/* A resize in place of a container whose policy says so restarts it. The Pod's generation counts the changes of its spec. */
CASE(a_restart_for_a_resize_is_no_crash) {
    static const char restarts[] = ",'resizePolicy':[{'resourceName':'cpu','restartPolicy':'NotRequired'},"
                                   "{'resourceName':'memory','restartPolicy':'RestartContainer'}]",
                      keeps[] = ",'resizePolicy':[{'resourceName':'cpu','restartPolicy':'NotRequired'}]";
    static const struct {
        const char *meta, *policy, *status;
        struct end end;
    } v[] = {
        {",'generation':3",
         restarts,
         "",
         {"two resizes", APP, 2, RUNS, ENDED("137,'reason':'Error'"), 0, false, ""}},
        {",'generation':3",
         restarts,
         "",
         {"the second waits", APP, 2, LOOPS, ENDED("0,'reason':'Completed'"), 0, false, ""}},
        {",'generation':2",
         restarts,
         "",
         {"of a sidecar", SIDECAR, 1, RUNS, ENDED("143,'reason':'Error'"), 0, false, ""}},
        {",'generation':2",
         restarts,
         "",
         {"it crashes as well", APP, 3, LOOPS, ENDED("1,'reason':'Error'"), 2, true, "Error, exit code 1"}},
        {",'generation':3",
         keeps,
         "",
         {"a resize that restarts nothing", APP, 2, RUNS, ENDED("1,'reason':'Error'"), 2, false,
          "Error, exit code 1"}},
        {",'generation':1",
         restarts,
         "",
         {"there was none", APP, 2, RUNS, ENDED("1,'reason':'Error'"), 2, false, "Error, exit code 1"}},
        {"",
         restarts,
         ",'resize':'InProgress'",
         {"before Kubernetes 1.33", APP, 1, RUNS, ENDED("137,'reason':'Error'"), 0, false, ""}},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) ends_as(&v[i].end, v[i].meta, v[i].policy, v[i].status);
}

CASE(crashes_of_several_containers_add_up) {
    struct obs_pod p =
        pod("", ON_NODE ",'initContainers':[{'name':'s','restartPolicy':'Always'}]",
            "'initContainerStatuses':[{'name':'s','restartCount':7,'state':{" LOOPS "},'lastState':{" ENDED(
                "0") "}}],'containerStatuses':["
                     "{'name':'a','restartCount':1,'state':{" RUNS
                     "},'lastState':{" ENDED("1") "}},"
                                                  "{'name':'b','restartCount':2,'state':{" RUNS
                                                  "},'lastState':{" ENDED("2") "}}]");
    assert_true(p.restarts == 10 && p.crashes == 3 && !p.loops);
    obs_pod_free(&p);
}

/* Handover's own container in a rehearsal: whatever becomes of it is not the version's doing. */
#define SIDECAR_AS(state, rest)                                                                              \
    pod("",                                                                                                  \
        ON_NODE ",'initContainers':[{'name':'handover-rehearsal','restartPolicy':'Always'}],'containers':[{" \
                "'name':'m'}]",                                                                              \
        "'initContainerStatuses':[{'name':'handover-rehearsal','state':{" state "}" rest                     \
        "}],'containerStatuses':["                                                                           \
        "{'name':'m','state':{" WAITS("PodInitializing") "}}]")

CASE(the_container_of_a_rehearsal) {
    static const struct {
        const char *reason, *message;
        enum obs_cause cause;
    } v[] = {{"ErrImagePull", "code = NotFound", CAUSE_IMAGE},
             {"InvalidImageName", "x", CAUSE_IMAGE},
             {"CreateContainerConfigError", "container will run as root", CAUSE_NOT_STARTED},
             {"CrashLoopBackOff", "back-off", CAUSE_NOT_STARTED}};
    for (size_t i = 0; i < ARRAY_LEN(v); i++) {
        cleanup_free char *waits =
            xasprintf("'waiting':{'reason':'%s','message':'%s'}", v[i].reason, v[i].message);
        cleanup_free char *status =
            xasprintf("'initContainerStatuses':[{'name':'handover-rehearsal','restartCount':4,'state':{%s},'"
                      "lastState':{" ENDED("137,'reason':'OOMKilled'") "}}]",
                      waits);
        struct obs_pod p = pod(
            "", ON_NODE ",'initContainers':[{'name':'handover-rehearsal','restartPolicy':'Always'}]", status);
        assert_true(!p.no_image && p.cause == v[i].cause && !p.crashes && !p.restarts && !p.loops &&
                    !p.oom_killed);
        assert_true(p.sidecar_restarts == 4 && !p.sidecar);
        obs_pod_free(&p);
    }
    struct obs_pod runs = SIDECAR_AS(RUNS, ",'started':true"), starts = SIDECAR_AS(RUNS, ",'started':false");
    assert_true(runs.sidecar && !starts.sidecar);
    /* it runs, and of the version's own nothing does yet */
    assert_true(runs.cause == CAUSE_NOT_STARTED && !runs.started_ns);
    obs_pod_free(&runs);
    obs_pod_free(&starts);
}

/* ---- causes ---- */

enum { ABSENT = CAUSES }; /* no cause from outside: there is no such image */
#define NOT_READY                                                                                            \
    "'conditions':[{'type':'Ready','status':'False'},{'type':'ContainersReady','status':'False'}]"
#define CREATING(r, m)                                                                                       \
    NOT_READY ",'containerStatuses':[{'state':{'waiting':{'reason':'" r "','message':'" m "'}}}]"
#define TARGETED(r)                                                                                          \
    "{'type':'DisruptionTarget','status':'True','reason':'" r "','lastTransitionTime':" AT_THAT "}"

struct cause {
    const char *what, *status;
    int cause;
    const char *text; /* "": whatever it is */
};
static const struct cause causes[] = {
    {"it runs", "'conditions':[{'type':'Ready','status':'True'}],'containerStatuses':[{'state':{" RUNS "}}]",
     0, ""},
    {"it is not ready", NOT_READY ",'containerStatuses':[{'state':{" RUNS "}}]", 0, ""},
    {"it crashes", NOT_READY ",'containerStatuses':[{'restartCount':1,'state':{" LOOPS "}}]", 0, ""},
    {"the kubelet is at it", CREATING("ContainerCreating", ""), CAUSE_NOT_STARTED,
     "ContainerCreating: the kubelet has not started it yet"},
    {"the kubelet has not looked at it", NOT_READY, CAUSE_NOT_STARTED, ""},
    {"a volume is not mounted",
     "'conditions':[{'type':'PodReadyToStartContainers','status':'False'}],'containerStatuses':[{'state':"
     "{" WAITS("ContainerCreating") "}}]",
     CAUSE_NOT_STARTED, "ContainerCreating: its volumes or its network are not ready yet"},
    {"an image is pulled after the init container's work",
     "'initContainerStatuses':[{'state':{" ENDED("0") "}}],'containerStatuses':[{'state':{" WAITS(
         "PodInitializing") "}}]",
     CAUSE_NOT_STARTED, ""},
    {"an init container works",
     "'initContainerStatuses':[{'state':{" RUNS
     "}}],'containerStatuses':[{'state':{" WAITS("PodInitializing") "}}]",
     0, ""},
    {"an init container has failed",
     "'initContainerStatuses':[{'state':{" ENDED("1") "}}],'containerStatuses':[{'state':{" WAITS(
         "PodInitializing") "}}]",
     0, ""},
    {"a ConfigMap is missing", CREATING("CreateContainerConfigError", "configmap \\'settings\\' not found"),
     CAUSE_NOT_STARTED, "configmap \"settings\" not found"},
    {"a Secret lacks a key", CREATING("CreateContainerConfigError", "no key token in Secret ns/s"),
     CAUSE_NOT_STARTED, "no key token in Secret ns/s"},
    {"its user is root",
     CREATING("CreateContainerConfigError", "container has runAsNonRoot and image will run as root"), 0, ""},
    {"no command", CREATING("CreateContainerError", "no command specified"), 0, ""},
    {"the runtime does not answer", CREATING("CreateContainerError", "context deadline exceeded"),
     CAUSE_NOT_STARTED, ""},
    {"the node's disk is full", CREATING("CreateContainerError", "mkdir /x: no space left on device"),
     CAUSE_NOT_STARTED, ""},
    {"its program cannot be run", CREATING("RunContainerError", "exec: /op: no such file"), 0, ""},
    {"no such image: containerd",
     CREATING("ErrImagePull", "rpc error: code = NotFound desc = failed to pull and unpack image"), ABSENT,
     ""},
    {"the same while the kubelet backs off, 1.31 and later",
     CREATING("ImagePullBackOff",
              "Back-off pulling image x: ErrImagePull: rpc error: code = NotFound desc = x"),
     ABSENT, ""},
    {"no such image: Docker", CREATING("ErrImagePull", "manifest for op:v9 not found: manifest unknown"),
     ABSENT, ""},
    {"its name is none", CREATING("InvalidImageName", "could not parse image reference"), ABSENT, ""},
    {"never pulled and not there", CREATING("ErrImageNeverPull", "not present"), ABSENT, ""},
    {"the registry does not answer",
     CREATING("ErrImagePull", "dial tcp 10.0.0.9:443: connect: connection refused"), CAUSE_IMAGE,
     "dial tcp 10.0.0.9:443: connect: connection refused"},
    {"the same while the kubelet backs off",
     CREATING("ImagePullBackOff",
              "Back-off pulling image x: ErrImagePull: dial tcp 10.0.0.9:443: connect: connection refused"),
     CAUSE_IMAGE, "dial tcp 10.0.0.9:443: connect: connection refused"},
    {"no such registry", CREATING("ErrImagePull", "dial tcp: lookup r.example.com: no such host"),
     CAUSE_IMAGE, ""},
    {"it wants another login", CREATING("ErrImagePull", "401 Unauthorized"), CAUSE_IMAGE, ""},
    {"it is overloaded", CREATING("ErrImagePull", "429 Too Many Requests: toomanyrequests"), CAUSE_IMAGE, ""},
    {"no credential helper",
     CREATING("ErrImagePull", "docker-credential-x: executable file not found in $PATH: not found"),
     CAUSE_IMAGE, ""},
    {"no pull secret", CREATING("ErrImagePull", "secrets \\'pull\\' not found: not found"), CAUSE_IMAGE, ""},
    {"the kubelet does not say why", CREATING("ImagePullBackOff", "Back-off pulling image"), CAUSE_IMAGE, ""},
    {"a policy refuses its signature", CREATING("SignatureValidationFailed", "no signature"), CAUSE_IMAGE,
     ""},
    {"evicted, 1.20", "'phase':'Failed','reason':'Evicted','message':'The node was low on resource: memory.'",
     CAUSE_DISRUPTED, "Evicted: The node was low on resource: memory."},
    {"evicted, 1.37: it has stopped well",
     "'phase':'Succeeded','reason':'Evicted','message':'Usage of EmptyDir volume exceeds the "
     "limit','conditions':[" TARGETED("TerminationByKubelet") "]",
     CAUSE_DISRUPTED, "Evicted: Usage of EmptyDir volume exceeds the limit"},
    {"its node is tainted", "'conditions':[" TARGETED("DeletionByTaintManager") "]", CAUSE_DISRUPTED,
     "DeletionByTaintManager"},
    {"evicted by the API", "'conditions':[" TARGETED("EvictionByEvictionAPI") "]", CAUSE_DISRUPTED, ""},
    {"spared after all",
     "'conditions':[{'type':'DisruptionTarget','status':'False'}],'containerStatuses':[{'state':{" RUNS "}}]",
     0, ""},
    {"its node does not take it", "'phase':'Failed','reason':'OutOfcpu','message':'Node has too little'",
     CAUSE_DISRUPTED, "OutOfcpu: Node has too little"},
    {"its node shuts down", "'phase':'Failed','reason':'Terminated'", CAUSE_DISRUPTED, "Terminated"},
    {"it has failed by its containers' own restart rules",
     "'phase':'Failed','containerStatuses':[{'state':{" ENDED("3") "}}]", 0, ""},
    {"its node does not answer",
     "'conditions':[{'type':'Ready','status':'False'},{'type':'ContainersReady','status':'True'}],"
     "'containerStatuses':[{'state':{" RUNS "}}]",
     CAUSE_DISRUPTED, ""},
};

static void caused(const struct cause *v, const char *meta, const char *spec) {
    struct obs_pod p = pod(meta, spec, v->status);
    bool absent = v->cause == ABSENT;
    if (p.cause != (absent ? CAUSE_NONE : (enum obs_cause)v->cause) || p.no_image != absent ||
        (*v->text && strcmp(p.trouble ? p.trouble : "", v->text) != 0))
        fail_msg("%s: cause %d, no image %d: %s", v->what, p.cause, p.no_image, p.trouble ? p.trouble : "-");
    assert_true(p.cause == CAUSE_NONE || p.trouble); /* named in any case */
    obs_pod_free(&p);
}

CASE(what_keeps_a_pod_from_running) {
    for (size_t i = 0; i < ARRAY_LEN(causes); i++) caused(&causes[i], "", ON_NODE);
}

/* Programs put what went wrong at the end of a message; neither that nor a character is cut in two. */
CASE(a_long_text_keeps_its_beginning_and_its_end) {
    for (int n = 60; n < 70; n++) {
        char fill[400] = "", status[1000], head[20], tail[30];
        for (int i = 0; i < n; i++) strcat(fill, "ä€");
        snprintf(status, sizeof status, CREATING("ErrImagePull", "failed to pull %s: connection refused"),
                 fill);
        struct obs_pod p = pod("", ON_NODE, status);
        size_t len = strlen(p.trouble);
        snprintf(head, sizeof head, "%.15s", p.trouble);
        snprintf(tail, sizeof tail, "%s", p.trouble + len - 20);
        assert_string_equal(head, "failed to pull ");
        assert_string_equal(tail, ": connection refused");
        assert_true(len <= 300 && len > 290);
        assert_null(strchr(p.trouble, '?'));
        assert_non_null(strstr(p.trouble, " [...] "));
        obs_pod_free(&p);
    }
}

CASE(a_pod_that_is_deleted_is_disrupted_only_where_that_is_said) {
    static const struct cause v[] = {
        {"scaled away, and it has stopped well", "'phase':'Succeeded'", 0, ""},
        {"preempted",
         "'phase':'Running','conditions':[{'type':'DisruptionTarget','status':'True','reason':'"
         "PreemptionByScheduler',"
         "'message':'preempting to accommodate a higher priority pod'}]",
         CAUSE_DISRUPTED, "PreemptionByScheduler: preempting to accommodate a higher priority pod"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) caused(&v[i], DELETED, ON_NODE);
}

CASE(what_the_scheduler_says) {
    static const struct cause v[] = {
        {"no room",
         "'conditions':[{'type':'PodScheduled','status':'False','reason':'Unschedulable','message':"
         "'0/3 nodes are available: 3 Insufficient memory.'}]",
         CAUSE_UNSCHEDULABLE, "0/3 nodes are available: 3 Insufficient memory."},
        {"gated",
         "'conditions':[{'type':'PodScheduled','status':'False','reason':'SchedulingGated','message':"
         "'Scheduling is blocked due to non-empty scheduling gates'}]",
         CAUSE_UNSCHEDULABLE, "Scheduling is blocked due to non-empty scheduling gates"},
        {"its error", "'conditions':[{'type':'PodScheduled','status':'False','reason':'SchedulerError'}]",
         CAUSE_UNSCHEDULABLE, "SchedulerError"},
        {"nothing", "'phase':'Pending'", CAUSE_UNSCHEDULABLE, "the scheduler has not looked at it yet"},
    };
    for (size_t i = 0; i < ARRAY_LEN(v); i++) caused(&v[i], "", "");
}

CASE(when_it_was_started_and_when_it_was_ended) {
    struct obs_pod p =
        pod("", ON_NODE,
            "'initContainerStatuses':[{'state':{'running':{'startedAt':'2026-11-23T18:16:30Z'}}}],"
            "'containerStatuses':[{'state':{" RUNS "}},"
            "{'restartCount':2,'state':{'running':{'startedAt':'2026-11-23T19:00:00Z'}}}]");
    assert_int_equal(p.started_ns, AT); /* a container that was started again says nothing of that */
    obs_pod_free(&p);
    p = pod("", ON_NODE,
            "'phase':'Failed','reason':'Evicted','conditions':[" TARGETED("TerminationByKubelet") "]");
    assert_int_equal(p.ended_ns, AT);
    obs_pod_free(&p);
    p = pod(
        "", ON_NODE,
        "'phase':'Failed','reason':'Evicted','containerStatuses':[{'name':'m','state':{" ENDED("137") "}}]");
    assert_int_equal(p.ended_ns, AT);
    struct obs_pod copy;
    obs_pod_copy(&p, &copy);
    obs_pod_free(&p);
    assert_true(copy.cause == CAUSE_DISRUPTED && copy.finished);
    assert_string_equal(copy.crash, "container m: ended, exit code 137");
    obs_pod_free(&copy);
}

CASES("rollout/pod_status")
