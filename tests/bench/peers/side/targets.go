package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// How often each looks at the canary's errors in a round; Flagger does not do it more often than this.
var look = map[string]time.Duration{"handover": 5 * time.Second, "argo": 5 * time.Second, "flagger": 10 * time.Second}

func objects(group, version, resource string) dynamic.ResourceInterface {
	return any_object.Resource(schema.GroupVersionResource{Group: group, Version: version, Resource: resource}).Namespace(where)
}

// The object that has the template
func targets(who string) dynamic.ResourceInterface {
	if who == "argo" {
		return objects("argoproj.io", "v1alpha1", "rollouts")
	}
	return objects("apps", "v1", "deployments")
}

// The object that tells whether it is adopted
func observed(who string) dynamic.ResourceInterface {
	if who == "flagger" {
		return objects("flagger.app", "v1beta1", "canaries")
	}
	return targets(who)
}

// Handover holds it back; Argo has observed this generation; Flagger's clone of it is ready.
func adopted(who string, o *unstructured.Unstructured) bool {
	switch who {
	case "argo":
		seen, _, _ := unstructured.NestedString(o.Object, "status", "observedGeneration")
		return seen == strconv.FormatInt(o.GetGeneration(), 10)
	case "flagger":
		phase, _, _ := unstructured.NestedString(o.Object, "status", "phase")
		return phase == "Initialized"
	}
	paused, _, _ := unstructured.NestedBool(o.Object, "spec", "paused")
	return paused
}

func made(in dynamic.ResourceInterface, text string, values ...any) {
	var o map[string]any
	must(json.Unmarshal(fmt.Appendf(nil, text, values...), &o))
	_, err := in.Create(background, &unstructured.Unstructured{Object: o}, meta.CreateOptions{})
	must(err)
}

// The same pods for all. Handover and Argo: the same share (one canary beside two), one look at the errors each 5 s. Flagger has no
// weights without a mesh: its canary is as large as the target. No end of its own before a round is over.
func make_objects(who, name string, replicas int) {
	template := fmt.Sprintf(`"template": {"metadata": {"labels": {"app": %q}}, "spec": {"terminationGracePeriodSeconds": 5,
		"containers": [{"name": "operator", "image": "op:v0", "ports": [{"name": "metrics", "containerPort": 8080}]}]}}`, name)
	switch who {
	case "argo":
		made(targets(who), `{"apiVersion": "argoproj.io/v1alpha1", "kind": "Rollout", "metadata": {"name": %q},
			"spec": {"replicas": %d, "selector": {"matchLabels": {"app": %q}}, %s, "strategy": {"canary": {"maxSurge": 1, "maxUnavailable": 0,
			 "steps": [{"setWeight": 50}, {"pause": {}}], "analysis": {"templates": [{"templateName": "errors"}]}}}}}`, name, replicas, name, template)
	case "flagger":
		made(targets(who), `{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": %q},
			"spec": {"replicas": %d, "selector": {"matchLabels": {"app": %q}}, %s}}`, name, replicas, name, template)
		interval := "1m" // its default, for those at rest
		if replicas > 0 {
			interval = look[who].String()
		}
		made(observed(who), `{"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": {"name": %q}, "spec": {"provider": "kubernetes",
			"targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": %q}, "service": {"port": 80}, "analysis": {"interval": %q,
			 "threshold": 1, "iterations": 1000, "metrics": [{"name": "errors", "interval": "1m", "templateRef": {"name": "errors"}, "thresholdRange": {"max": 0.05}}],
			 "webhooks": [{"name": "abort", "type": "rollback", "url": "http://127.0.0.1:8080/aborted"}]}}}`, name, name, interval)
	default:
		made(targets(who), `{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": %q, "annotations":
			{"handover.dev/canary-percent": "50", "handover.dev/soak": "5m", "handover.dev/quiet": "0s", "handover.dev/min-events": "100000",
			 "handover.dev/max-error-rate": "5%%"}},
			"spec": {"replicas": %d, "selector": {"matchLabels": {"app": %q}}, %s}}`, name, replicas, name, template)
	}
}

// Where the error rate is read, for those who do not read the pods' counters
func make_metrics(who string) {
	switch who {
	case "argo":
		made(objects("argoproj.io", "v1alpha1", "analysistemplates"), `{"apiVersion": "argoproj.io/v1alpha1", "kind": "AnalysisTemplate", "metadata": {"name": "errors"},
			"spec": {"metrics": [{"name": "errors", "interval": %q, "successCondition": "result < 0.05", "failureLimit": 0,
			 "provider": {"web": {"url": "http://127.0.0.1:8080/verdict", "jsonPath": "{$.errorRate}"}}}]}}`, look[who].String())
	case "flagger":
		made(objects("flagger.app", "v1beta1", "metrictemplates"), `{"apiVersion": "flagger.app/v1beta1", "kind": "MetricTemplate", "metadata": {"name": "errors"},
			"spec": {"provider": {"type": "prometheus", "address": "http://127.0.0.1:8080"}, "query": "errors"}}`)
	}
}

func make_target(who, name string) {
	make_objects(who, name, 2)
	until(3*time.Minute, "it is adopted", func() bool {
		o, err := observed(who).Get(background, name, meta.GetOptions{})
		must(err)
		return adopted(who, o)
	})
	until(3*time.Minute, "both pods are ready", func() bool { return ready(name, "op:v0") == 2 })
}

// As a user of each does it
func abort(who, name string) {
	switch who {
	case "argo": // its kubectl plugin
		_, err := targets(who).Patch(background, name, types.MergePatchType, []byte(`{"status":{"abort":true}}`), meta.PatchOptions{}, "status")
		must(err)
	case "flagger": // its webhook that may ask for it
		tell("abort")
	default:
		state, err := client.CoreV1().ConfigMaps(where).Get(background, name+"-handover", meta.GetOptions{})
		must(err)
		var s struct{ Hash string }
		must(json.Unmarshal([]byte(state.Data["state"]), &s))
		patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"handover.dev/abort":%q}}}`, s.Hash)
		_, err = targets(who).Patch(background, name, types.MergePatchType, patch, meta.PatchOptions{})
		must(err)
	}
}
