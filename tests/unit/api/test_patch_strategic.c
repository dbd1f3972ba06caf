/* Strategic merge patch: what k8s.io/apimachinery/pkg/util/strategicpatch makes of the same patches. */
#include "../case.h"
#include "patch_check.h"

#define GIVES(kind, doc, patch, want) patch_gives(STRATEGIC_PATCH, kind, doc, patch, want)
#define FAILS(kind, doc, patch, why)  patch_fails(STRATEGIC_PATCH, kind, doc, patch, why)
#define CONTAINERS(list)              POD("{'containers':[" list "]}")
#define FINALIZERS(list)              "{'metadata':{'finalizers':[" list "]}}"
#define POD(spec)                     "{'spec':" spec "}"
#define DEPLOYMENT(pod)               "{'spec':{'template':{'spec':" pod "}}}"

CASE(scalars_and_objects) {
    GIVES("ConfigMap", "{'data':{'a':'1','b':'2'}}", "{'data':{'a':'3','b':null,'c':'4'}}",
          "{'data':{'a':'3','c':'4'}}");
    GIVES("Deployment", "{'spec':{'replicas':1}}", "{'spec':{'paused':true,'x':null}}",
          "{'spec':{'replicas':1,'paused':true}}");
    GIVES("ConfigMap", "{}", "{'data':{'a':null,'b':{'c':null}}}",
          "{'data':{'b':{}}}");                                        /* no null is added */
    GIVES("ConfigMap", "{'a':'s'}", "{'a':{'b':1}}", "{'a':{'b':1}}"); /* another type: replaced */
    GIVES("ConfigMap", "{'a':{'b':1}}", "{'a':[1]}", "{'a':[1]}");
    FAILS("ConfigMap", "{}", "[]", "objects");
    FAILS("ConfigMap", "{}", "7", "objects");
}

CASE(lists_by_key) {
    /* Merged elements keep their place, new ones come where the patch has them: before those of the server.
     */
    GIVES("Deployment", DEPLOYMENT("{'containers':[{'name':'a','image':'1'},{'name':'b','image':'1'}]}"),
          DEPLOYMENT("{'containers':[{'name':'b','image':'2'},{'name':'c','image':'1','x':null}]}"),
          DEPLOYMENT(
              "{'containers':[{'name':'a','image':'1'},{'name':'b','image':'2'},{'name':'c','image':'1'}]}"));
    GIVES("Pod",
          POD("{'containers':[{'name':'a','env':[{'name':'X','value':'1'},{'name':'Y','value':'1'}],'ports':["
              "{'containerPort':80,'name':'h'}],'volumeMounts':[{'mountPath':'/"
              "a','name':'v'}],'args':['1','2']}]}"),
          POD("{'containers':[{'name':'a','env':[{'name':'Y','value':'2'}],'ports':[{'containerPort':80,'"
              "name':'i'}],'volumeMounts':[{'mountPath':'/a','readOnly':true}],'args':['3']}]}"),
          POD("{'containers':[{'name':'a','env':[{'name':'X','value':'1'},{'name':'Y','value':'2'}],'ports':["
              "{'containerPort':80,'name':'i'}],'volumeMounts':[{'mountPath':'/"
              "a','name':'v','readOnly':true}],'args':['3']}]}")); /* args have no merge strategy */
    GIVES("Pod",
          POD("{'tolerations':[{'key':'a'}],'hostAliases':[{'ip':'1','hostnames':['a']}],'"
              "topologySpreadConstraints':[{'topologyKey':'z','maxSkew':1}],'imagePullSecrets':[{'name':'s'}]"
              "}"),
          POD("{'tolerations':[{'key':'b'}],'hostAliases':[{'ip':'1','hostnames':['b']}],'"
              "topologySpreadConstraints':[{'topologyKey':'z','maxSkew':2}],'imagePullSecrets':[{'name':'t'}]"
              "}"),
          POD("{'tolerations':[{'key':'b'}],'hostAliases':[{'ip':'1','hostnames':['b']}],'"
              "topologySpreadConstraints':[{'topologyKey':'z','maxSkew':2}],'imagePullSecrets':[{'name':'t'},"
              "{'name':'s'}]}"));
    GIVES("Service", "{'spec':{'ports':[{'port':80,'name':'a'}]}}",
          "{'spec':{'ports':[{'port':80,'targetPort':8080}]}}",
          "{'spec':{'ports':[{'port':80,'name':'a','targetPort':8080}]}}");
    GIVES("Deployment", "{'status':{'conditions':[{'type':'A','status':'True'}]}}",
          "{'status':{'conditions':[{'type':'A','status':'False'},{'type':'B'}]}}",
          "{'status':{'conditions':[{'type':'A','status':'False'},{'type':'B'}]}}");
    GIVES("Lease", "{'metadata':{'ownerReferences':[{'uid':'1','name':'a'}]}}",
          "{'metadata':{'ownerReferences':[{'uid':'1','controller':false},{'uid':'2'}]}}",
          "{'metadata':{'ownerReferences':[{'uid':'1','name':'a','controller':false},{'uid':'2'}]}}");
    GIVES(
        "ServiceAccount", "{'secrets':[{'name':'a'}],'imagePullSecrets':[{'name':'a'}]}",
        "{'secrets':[{'name':'b'}],'imagePullSecrets':[{'name':'b'}]}",
        "{'secrets':[{'name':'b'},{'name':'a'}],'imagePullSecrets':[{'name':'b'}]}"); /* the latter is atomic there */
    GIVES("Event", "{'a':[{'name':'x'}]}", "{'a':[{'name':'y'}]}",
          "{'a':[{'name':'y'}]}"); /* unknown lists */
}

CASE(list_errors) {
    FAILS("Pod", CONTAINERS("{'name':'a'}"), CONTAINERS("{'image':'x'}"), "merge key name");
    FAILS("Pod", CONTAINERS("{'name':'a'}"), CONTAINERS("'a'"), "not identical");
    FAILS("Pod", CONTAINERS("{'name':'a'}"), CONTAINERS("[]"), "lists of lists");
    FAILS("Pod", CONTAINERS("{'name':'a'}"), CONTAINERS("{'name':'a','$patch':'spam'}"), "delete or replace");
    FAILS("Pod", CONTAINERS("{'name':'a'}"), CONTAINERS("{'$patch':'delete'}"), "merge key name");
    FAILS("Pod", FINALIZERS("'a'"), FINALIZERS("{'x':1}"), "finalizers");
}

CASE(patch_directive) {
    static const char *const two = CONTAINERS("{'name':'a','image':'1'},{'name':'b'}");
    GIVES("Pod", two, CONTAINERS("{'name':'a','$patch':'delete'}"), CONTAINERS("{'name':'b'}"));
    GIVES("Pod", two, CONTAINERS("{'name':'x','$patch':'delete'},{'name':'c'}"),
          CONTAINERS("{'name':'c'},{'name':'a','image':'1'},{'name':'b'}"));
    GIVES("Pod", two, CONTAINERS("{'name':'a'},{'$patch':'replace'},{'name':'c'}"),
          CONTAINERS("{'name':'a'},{'name':'c'}"));
    GIVES("Pod", two, CONTAINERS("{'$patch':'replace'}"), CONTAINERS(""));
    GIVES("Deployment", "{'spec':{'selector':{'a':'b'},'replicas':1}}",
          "{'spec':{'selector':{'$patch':'replace','c':'d','e':null}}}",
          "{'spec':{'selector':{'c':'d'},'replicas':1}}");
    GIVES("Deployment", "{'spec':{'selector':{'a':'b'}}}",
          "{'spec':{'selector':{'$patch':'delete','c':'d'}}}", "{'spec':{'selector':{}}}");
    GIVES("Deployment", "{'spec':{}}",
          "{'spec':{'selector':{'$patch':'delete'},'x':{'y':[{'$patch':'delete'},{'z':null}]}}}",
          "{'spec':{'x':{'y':[{}]}}}"); /* directives are not stored */
    GIVES("Pod", "{'spec':{}}", CONTAINERS("{'name':'a','env':[{'name':'X','$patch':'delete'}]}"),
          CONTAINERS("{'name':'a','env':[]}"));
    FAILS("Deployment", "{'spec':{}}", "{'spec':{'$patch':'merge'}}",
          "replace or delete"); /* so does the server */
    FAILS("Deployment", "{'spec':{}}", "{'spec':{'$patch':7}}", "replace or delete");
}

CASE(element_order) {
    static const char *const abc = CONTAINERS("{'name':'a'},{'name':'b'},{'name':'c'}");
    GIVES("Pod", abc, POD("{'$setElementOrder/containers':[{'name':'c'},{'name':'a'},{'name':'b'}]}"),
          CONTAINERS("{'name':'c'},{'name':'a'},{'name':'b'}"));
    GIVES("Pod", abc,
          POD("{'$setElementOrder/"
              "containers':[{'name':'d'},{'name':'a'},{'name':'c'}],'containers':[{'name':'d'},{'name':'a','"
              "image':'2'},{'name':'b','$patch':'delete'}]}"),
          CONTAINERS("{'name':'d'},{'name':'a','image':'2'},{'name':'c'}"));
    /* b is the server's: it stays between what it stood between */
    GIVES("Pod", abc,
          POD("{'$setElementOrder/"
              "containers':[{'name':'a'},{'name':'c'}],'containers':[{'name':'c','image':'2'}]}"),
          CONTAINERS("{'name':'a'},{'name':'b'},{'name':'c','image':'2'}"));
    GIVES("Pod", FINALIZERS("'a','b','c'"),
          "{'metadata':{'$setElementOrder/finalizers':['d','c','a'],'$deleteFromPrimitiveList/"
          "finalizers':['b'],'finalizers':['d']}}",
          FINALIZERS("'d','c','a'"));
    GIVES("Pod", "{'spec':{}}",
          POD("{'$setElementOrder/containers':[{'name':'a'}],'containers':[{'name':'a','x':null}]}"),
          CONTAINERS("{'name':'a'}"));
    GIVES("Pod", "{'spec':{}}", POD("{'$setElementOrder/containers':[{'name':'a'}]}"), "{'spec':{}}");
    FAILS("Pod", abc,
          POD("{'$setElementOrder/"
              "containers':[{'name':'a'},{'name':'b'}],'containers':[{'name':'b'},{'name':'a'}]}"),
          "order");
    FAILS("Pod", abc, POD("{'$setElementOrder/containers':[{'name':'a'}],'containers':[{'name':'x'}]}"),
          "order");
    FAILS("Pod", abc, POD("{'$setElementOrder/containers':{}}"), "lists");
    FAILS("Pod", abc, POD("{'$setElementOrder/containers':[{'image':'a'}]}"), "merge key name");
}

CASE(primitive_lists) {
    GIVES("Pod", FINALIZERS("'a','b'"), FINALIZERS("'c','a'"), FINALIZERS("'c','a','b'"));
    GIVES("Pod", FINALIZERS("'a','b','a'"), "{'metadata':{'$deleteFromPrimitiveList/finalizers':['a','x']}}",
          FINALIZERS("'b'"));
    GIVES("Pod", "{'metadata':{}}", "{'metadata':{'$deleteFromPrimitiveList/finalizers':['a']}}",
          "{'metadata':{}}");
    GIVES("Pod", "{'metadata':{}}", FINALIZERS("'a',null"), FINALIZERS("'a',null"));
    FAILS("Pod", FINALIZERS("'a'"), "{'metadata':{'$deleteFromPrimitiveList/finalizers':'a'}}", "list");
}

CASE(retained_keys) {
    /* "Use strategic merge patch to update a Deployment using the retainKeys strategy", kubernetes.io */
    GIVES("Deployment", "{'spec':{'strategy':{'type':'RollingUpdate','rollingUpdate':{'maxSurge':1}}}}",
          "{'spec':{'strategy':{'$retainKeys':['type'],'type':'Recreate'}}}",
          "{'spec':{'strategy':{'type':'Recreate'}}}");
    GIVES("Pod", POD("{'volumes':[{'name':'v','emptyDir':{}},{'name':'w','emptyDir':{}}]}"),
          POD("{'volumes':[{'name':'v','$retainKeys':['name','configMap'],'configMap':{'name':'c'}}]}"),
          POD("{'volumes':[{'name':'v','configMap':{'name':'c'}},{'name':'w','emptyDir':{}}]}"));
    GIVES("Deployment", "{'spec':{}}", "{'spec':{'strategy':{'$retainKeys':['type'],'type':'Recreate'}}}",
          "{'spec':{'strategy':{'type':'Recreate'}}}");
    FAILS("Deployment", "{'spec':{'strategy':{'type':'x'}}}",
          "{'spec':{'strategy':{'$retainKeys':['type'],'other':1}}}", "must name all");
    FAILS("Deployment", "{'spec':{'strategy':{'type':'x'}}}", "{'spec':{'strategy':{'$retainKeys':'type'}}}",
          "list");
}

/* What kubectl sends for "kubectl set image" and after "kubectl apply" of a changed manifest. */
CASE(as_kubectl_sends_it) {
    GIVES("Deployment",
          "{'metadata':{'name':'w','annotations':{'kubectl.kubernetes.io/"
          "last-applied-configuration':'old'}},'spec':{'paused':true,'template':{'spec':{'containers':[{'"
          "name':'m','image':'i:1','env':[{'name':'A','value':'1'},{'name':'B','value':'2'}],'resources':{},'"
          "imagePullPolicy':'Always'}],'dnsPolicy':'ClusterFirst'}}}}",
          "{'metadata':{'annotations':{'kubectl.kubernetes.io/"
          "last-applied-configuration':'new'}},'spec':{'template':{'spec':{'$setElementOrder/"
          "containers':[{'name':'m'}],'containers':[{'$setElementOrder/"
          "env':[{'name':'B'}],'env':[{'$patch':'delete','name':'A'}],'image':'i:2','name':'m'}]}}}}",
          "{'metadata':{'name':'w','annotations':{'kubectl.kubernetes.io/"
          "last-applied-configuration':'new'}},'spec':{'paused':true,'template':{'spec':{'containers':[{'"
          "name':'m','image':'i:2','env':[{'name':'B','value':'2'}],'resources':{},'imagePullPolicy':'Always'"
          "}],'dnsPolicy':'ClusterFirst'}}}}");
}

CASES("api/patch_strategic")
