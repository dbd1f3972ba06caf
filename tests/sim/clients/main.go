// What operators of this year are made of, on the API server at the address that is the only argument: client-go's informers in their
// three kinds, and controller-runtime's manager, which leads by a Lease and makes a Deployment of each Widget, by server-side apply.
// One line for each thing that works; the first that does not ends it.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	apps "k8s.io/api/apps/v1"
	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/dynamic/dynamicinformer"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metrics "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

const finalizer = "clients.handover.test/made"

var widgets = schema.GroupVersionResource{Group: "clients.handover.test", Version: "v1", Resource: "widgets"}

func must(what string, err error) {
	if err != nil {
		fmt.Printf("FAIL %s: %v\n", what, err)
		os.Exit(1)
	}
}

func works(what string) { fmt.Println("ok   " + what) }

// until asks again and again, for half a minute at most.
func until(what string, is func(ctx context.Context) (bool, error)) {
	must(what, wait.PollUntilContextTimeout(context.Background(), 50*time.Millisecond, 30*time.Second, true, is))
	works(what)
}

func object(text map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: text}
}

func widget(name string) *unstructured.Unstructured {
	return object(map[string]any{"apiVersion": "clients.handover.test/v1", "kind": "Widget",
		"metadata": map[string]any{"name": name, "namespace": "default"}})
}

func definition() *unstructured.Unstructured {
	kind := func(kind string) map[string]any { return map[string]any{"type": kind} }
	spec := map[string]any{"type": "object", "properties": map[string]any{
		"replicas": map[string]any{"type": "integer", "minimum": int64(0), "default": int64(1)}}}
	status := map[string]any{"type": "object", "properties": map[string]any{"available": kind("integer"), "by": kind("string")}}
	return object(map[string]any{"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
		"metadata": map[string]any{"name": "widgets.clients.handover.test"},
		"spec": map[string]any{"group": "clients.handover.test", "scope": "Namespaced",
			"names": map[string]any{"plural": "widgets", "kind": "Widget"},
			"versions": []any{map[string]any{"name": "v1", "served": true, "storage": true,
				"subresources": map[string]any{"status": map[string]any{}},
				"schema": map[string]any{"openAPIV3Schema": map[string]any{"type": "object",
					"properties": map[string]any{"spec": spec, "status": status}}}}}}})
}

func define(ctx context.Context, c client.Client) {
	must("a definition is created", c.Create(ctx, definition()))
	until("its type is established", func(ctx context.Context) (bool, error) {
		d := definition()
		if err := c.Get(ctx, client.ObjectKeyFromObject(d), d); err != nil {
			return false, err
		}
		list, _, err := unstructured.NestedSlice(d.Object, "status", "conditions")
		for _, one := range list {
			if m, _ := one.(map[string]any); m["type"] == "Established" && m["status"] == "True" {
				return true, err
			}
		}
		return false, err
	})
}

// informersSync runs the typed, the metadata-only and the dynamic ones; each has to see what is made after it has synced, too.
func informersSync(ctx context.Context, conf *rest.Config) {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	typed := kubernetes.NewForConfigOrDie(conf)
	made := &core.ConfigMap{ObjectMeta: meta.ObjectMeta{Name: "before"}, Data: map[string]string{"a": "1"}}
	_, err := typed.CoreV1().ConfigMaps("default").Create(ctx, made, meta.CreateOptions{})
	must("an object before the informers", err)

	factory := informers.NewSharedInformerFactory(typed, 0)
	maps := factory.Core().V1().ConfigMaps()
	only := metadatainformer.NewSharedInformerFactory(metadata.NewForConfigOrDie(conf), 0)
	some := dynamicinformer.NewDynamicSharedInformerFactory(dynamic.NewForConfigOrDie(conf), 0)
	all := map[string]cache.SharedIndexInformer{
		"ConfigMaps, typed": maps.Informer(), "Deployments, typed": factory.Apps().V1().Deployments().Informer(),
		"Leases, typed":             factory.Coordination().V1().Leases().Informer(),
		"ConfigMaps, metadata only": only.ForResource(core.SchemeGroupVersion.WithResource("configmaps")).Informer(),
		"Widgets, dynamic":          some.ForResource(widgets).Informer(),
	}
	factory.Start(ctx.Done())
	only.Start(ctx.Done())
	some.Start(ctx.Done())
	for name, one := range all {
		until("an informer of "+name+" syncs", func(context.Context) (bool, error) { return one.HasSynced(), nil })
	}
	if _, err := maps.Lister().ConfigMaps("default").Get("before"); err != nil {
		must("what was there before is in the cache", err)
	}
	made.Name = "after"
	_, err = typed.CoreV1().ConfigMaps("default").Create(ctx, made, meta.CreateOptions{})
	must("an object after the informers", err)
	until("they see what is made later", func(context.Context) (bool, error) {
		_, err := maps.Lister().ConfigMaps("default").Get("after")
		_, known, _ := all["ConfigMaps, metadata only"].GetStore().GetByKey("default/after")
		return err == nil && known, nil
	})
	must("it is deleted", typed.CoreV1().ConfigMaps("default").Delete(ctx, "after", meta.DeleteOptions{}))
	until("and that it has gone", func(context.Context) (bool, error) {
		_, err := maps.Lister().ConfigMaps("default").Get("after")
		return errors.IsNotFound(err), nil
	})
}

type reconciler struct{ client.Client }

func (r *reconciler) Reconcile(ctx context.Context, q reconcile.Request) (reconcile.Result, error) {
	w := widget(q.Name)
	if err := r.Get(ctx, q.NamespacedName, w); err != nil {
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	if w.GetDeletionTimestamp() != nil {
		controllerutil.RemoveFinalizer(w, finalizer)
		return reconcile.Result{}, r.Update(ctx, w)
	}
	if controllerutil.AddFinalizer(w, finalizer) {
		return reconcile.Result{}, r.Update(ctx, w)
	}
	replicas, _, err := unstructured.NestedInt64(w.Object, "spec", "replicas")
	if err != nil {
		return reconcile.Result{}, err
	}
	labels := map[string]any{"widget": q.Name}
	d := object(map[string]any{"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"name": q.Name, "namespace": q.Namespace},
		"spec": map[string]any{"replicas": replicas, "selector": map[string]any{"matchLabels": labels},
			"template": map[string]any{"metadata": map[string]any{"labels": labels},
				"spec": map[string]any{"containers": []any{map[string]any{"name": "c", "image": "example.com/c:v1"}}}}}})
	if err := controllerutil.SetControllerReference(w, d, r.Scheme()); err != nil {
		return reconcile.Result{}, err
	}
	if err := r.Apply(ctx, client.ApplyConfigurationFromUnstructured(d), client.FieldOwner("clients"), client.ForceOwnership); err != nil {
		return reconcile.Result{}, err
	}
	have := &apps.Deployment{}
	if err := r.Get(ctx, q.NamespacedName, have); err != nil { // its cache may not have it yet: the Deployment's event follows
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	w.Object["status"] = map[string]any{"available": int64(have.Status.AvailableReplicas), "by": "manager"}
	return reconcile.Result{}, r.Status().Update(ctx, w)
}

func managerReconciles(ctx context.Context, conf *rest.Config, c client.Client) {
	ctx, stop := context.WithCancel(ctx)
	m, err := manager.New(conf, manager.Options{LeaderElection: true, LeaderElectionID: "clients", LeaderElectionNamespace: "default",
		LeaderElectionReleaseOnCancel: true, Metrics: metrics.Options{BindAddress: "0"}})
	must("a manager", err)
	must("its controller", builder.ControllerManagedBy(m).For(widget("")).Owns(&apps.Deployment{}).Complete(&reconciler{m.GetClient()}))
	ended := make(chan error, 1)
	go func() { ended <- m.Start(ctx) }()
	lease, key := &coordination.Lease{}, client.ObjectKey{Namespace: "default", Name: "clients"}
	held := func() bool { return lease.Spec.HolderIdentity != nil && *lease.Spec.HolderIdentity != "" }
	until("the manager leads by its Lease", func(ctx context.Context) (bool, error) {
		err := c.Get(ctx, key, lease)
		return err == nil && held(), client.IgnoreNotFound(err)
	})
	w := widget("w")
	w.Object["spec"] = map[string]any{}
	must("a widget is created", c.Create(ctx, w))
	available := func(n int64) func(ctx context.Context) (bool, error) {
		return func(ctx context.Context) (bool, error) {
			w := widget("w")
			if err := c.Get(ctx, client.ObjectKeyFromObject(w), w); err != nil {
				return false, err
			}
			have, _, err := unstructured.NestedInt64(w.Object, "status", "available")
			return have == n, err
		}
	}
	until("a widget is reconciled, with the default of its schema", available(1))
	must("a widget is changed", c.Patch(ctx, w, client.RawPatch("application/merge-patch+json", []byte(`{"spec":{"replicas":3}}`))))
	until("a change of it is", available(3))
	must("a widget is deleted", c.Delete(ctx, w))
	until("its finalizer is taken away, and its Deployment goes with it", func(ctx context.Context) (bool, error) {
		gone := errors.IsNotFound(c.Get(ctx, client.ObjectKeyFromObject(w), w))
		return gone && errors.IsNotFound(c.Get(ctx, client.ObjectKeyFromObject(w), &apps.Deployment{})), nil
	})
	stop()
	must("the manager ends", <-ended)
	must("its Lease is read", c.Get(context.Background(), key, lease))
	if held() {
		must("its Lease is released", fmt.Errorf("held by %q", *lease.Spec.HolderIdentity))
	}
	works("the manager ends and releases its Lease")
}

func main() {
	log.SetLogger(klog.Background())
	ctx := context.Background()
	conf := &rest.Config{Host: os.Args[1], QPS: 100, Burst: 200}
	c, err := client.New(conf, client.Options{})
	must("a client", err)
	define(ctx, c)
	informersSync(ctx, conf)
	managerReconciles(ctx, conf, c)
	must("the definition is deleted", c.Delete(ctx, definition()))
	until("the definition goes", func(ctx context.Context) (bool, error) {
		d := definition()
		return errors.IsNotFound(c.Get(ctx, client.ObjectKeyFromObject(d), d)), nil
	})
}
