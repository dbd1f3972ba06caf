// What a widget has, where `children` is set: a Deployment child-NAME, applied server-side, and a finalizer; and its status, where `observed` is.
package main

import (
	"context"
	"maps"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
)

const finalizer = "example.com/child"

func deployment(w *unstructured.Unstructured) *unstructured.Unstructured {
	d := &unstructured.Unstructured{}
	d.SetGroupVersionKind(schema.GroupVersionKind{Group: "apps", Version: "v1", Kind: "Deployment"})
	d.SetNamespace(w.GetNamespace())
	d.SetName("child-" + w.GetName())
	return d
}

// of says whether a setting names the widget's shard.
func of(w *unstructured.Unstructured, key string) bool {
	return conf[key] != "" && conf[key] == w.GetLabels()["shard"]
}

// child makes the widget's Deployment what it has to be; of a widget that is being deleted it is taken away first. done: nothing else is to be done.
func (r *reconciler) child(ctx context.Context, w *unstructured.Unstructured) (done bool, err error) {
	d := deployment(w)
	if w.GetDeletionTimestamp() != nil {
		if err := client.IgnoreNotFound(r.Delete(ctx, d)); err != nil {
			return true, err
		}
		if controllerutil.RemoveFinalizer(w, finalizer) {
			err = r.Update(ctx, w)
		}
		return true, client.IgnoreNotFound(err)
	}
	if controllerutil.AddFinalizer(w, finalizer) {
		if err := r.Update(ctx, w); err != nil {
			return true, err
		}
	}
	if of(w, "drop-shard") {
		return false, client.IgnoreNotFound(r.Delete(ctx, d))
	}
	if err := r.remove(ctx, w); err != nil {
		return true, err
	}
	pod := map[string]any{}
	if conf["template"] != "" && (conf["template-shard"] == "" || of(w, "template-shard")) {
		pod["example.com/template"] = conf["template"]
	}
	replicas, found, _ := unstructured.NestedInt64(w.Object, "spec", "replicas")
	if !found {
		replicas = 1
	}
	labels := selector(w)
	d.SetLabels(map[string]string{"example.com/widget": w.GetName()})
	d.Object["spec"] = map[string]any{
		"replicas": replicas,
		"selector": map[string]any{"matchLabels": labels},
		"template": map[string]any{
			"metadata": map[string]any{"labels": maps.Clone(labels), "annotations": pod},
			"spec": map[string]any{"terminationGracePeriodSeconds": int64(1), "containers": []any{map[string]any{
				"name": "child", "image": "localhost/operator:v1", "imagePullPolicy": "IfNotPresent"}}},
		},
	}
	if err := controllerutil.SetControllerReference(w, d, r.Scheme()); err != nil {
		return true, err
	}
	return false, r.Patch(ctx, d, client.Apply, client.ForceOwnership, client.FieldOwner("widgets"))
}

func selector(w *unstructured.Unstructured) map[string]any {
	labels := map[string]any{"child-of": w.GetName()}
	if of(w, "recreate-shard") {
		labels["template"] = conf["template"]
	}
	return labels
}

// remove deletes a child with another selector, which cannot be changed: the caller makes a new one.
func (r *reconciler) remove(ctx context.Context, w *unstructured.Unstructured) error {
	d := deployment(w)
	if err := r.Get(ctx, client.ObjectKeyFromObject(d), d); err != nil {
		return client.IgnoreNotFound(err)
	}
	is, _, _ := unstructured.NestedMap(d.Object, "spec", "selector", "matchLabels")
	if equality.Semantic.DeepEqual(is, selector(w)) {
		return nil
	}
	uid := d.GetUID()
	return client.IgnoreNotFound(r.Delete(ctx, d, client.Preconditions{UID: &uid}))
}

// observed writes what it has read of the widget into its status, on the condition that nobody else has written since.
func (r *reconciler) observed(ctx context.Context, w *unstructured.Unstructured) error {
	size, _, _ := unstructured.NestedInt64(w.Object, "spec", "size")
	is, _, _ := unstructured.NestedMap(w.Object, "status")
	want := map[string]any{"observedGeneration": w.GetGeneration(), "size": size}
	if equality.Semantic.DeepEqual(is, want) {
		return nil
	}
	w.Object["status"] = want
	return client.IgnoreNotFound(r.Status().Update(ctx, w))
}
