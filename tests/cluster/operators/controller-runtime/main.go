// An operator on controller-runtime with what its project template sets: leader election, metrics over https with authentication
// and authorization (:8443), probes (:8081), priority queue; and warm-up. It reconciles `widgets.example.com` of its own namespace,
// those that the label selector in SELECTOR matches, and writes into their status who did it. A widget whose spec says `bad` can never
// be reconciled, by no version. conf.go says what else can go wrong.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	rest "sigs.k8s.io/controller-runtime/pkg/client/config"
	options "sigs.k8s.io/controller-runtime/pkg/config"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/manager/signals"
	"sigs.k8s.io/controller-runtime/pkg/metrics/filters"
	metrics "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

var (
	errConfigured = errors.New("this reconcile fails, as operator.conf asks for")
	errBad        = errors.New("spec.bad: nothing can be done for this widget")
	errDown       = errors.New("the backend is down")
)

func widget(namespace, name string) *unstructured.Unstructured {
	w := &unstructured.Unstructured{}
	w.SetGroupVersionKind(schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Widget"})
	w.SetNamespace(namespace)
	w.SetName(name)
	return w
}

type reconciler struct {
	client.Client
	fails      bool    // this controller is one that error-rate means
	owed       float64 // errors
	row        int     // of these, how many come now, one after another
	panics     float64 // owed
	reconciles atomic.Int64
	kept       [][]byte
}

// One worker calls it, controller-runtime's default.
func (r *reconciler) Reconcile(ctx context.Context, q reconcile.Request) (again reconcile.Result, err error) {
	if q.Namespace == "" { // of the hot loop
		return again, nil
	}
	if set("stuck-after") && after("stuck-after") {
		select {}
	}
	if set("panic-after") && after("panic-after") {
		if r.panics += number("panic-rate"); r.panics >= 1 {
			r.panics--
			panic("this reconcile panics, as operator.conf asks for")
		}
	}
	if n := int(number("leak")); n > 0 {
		b := make([]byte, n)
		for i := 0; i < n; i += 4096 {
			b[i] = 1
		}
		r.kept = append(r.kept, b)
	}
	if set("reconcile-time") && after("latency-after") {
		select {
		case <-ctx.Done():
			r.cut(q)
			return again, ctx.Err()
		case <-time.After(seconds(number("reconcile-time"))):
		}
	}
	w := widget(q.Namespace, q.Name)
	if err := r.Get(ctx, q.NamespacedName, w); err != nil {
		return again, client.IgnoreNotFound(err)
	}
	if err := r.outside(ctx, w); err != nil {
		return again, err
	}
	if set("children") {
		if done, err := r.child(ctx, w); done || err != nil {
			return again, err
		}
	}
	if set("observed") {
		if err := r.observed(ctx, w); err != nil {
			return again, err
		}
	}
	by, _ := os.Hostname()
	for range int(number("writes")) {
		status := fmt.Sprintf(`{"status":{"by":%q,"image":%q,"reconciles":%d}}`, by, conf["image"], r.reconciles.Add(1))
		if err := r.Status().Patch(ctx, w, client.RawPatch(types.MergePatchType, []byte(status))); err != nil {
			return again, client.IgnoreNotFound(err)
		}
	}
	if r.due() {
		return again, errConfigured
	}
	if set("rate") && !(set("idle-after") && after("idle-after")) {
		again.RequeueAfter = seconds(1 / number("rate"))
	}
	return again, nil
}

// cut writes down in the widget that a reconcile of it was cancelled in its middle, and in which pod.
func (r *reconciler) cut(q reconcile.Request) {
	pod, _ := os.Hostname()
	status := fmt.Sprintf(`{"status":{"cut":{%q:%q}}}`, pod, conf["image"])
	if err := r.Status().Patch(context.Background(), widget(q.Namespace, q.Name), client.RawPatch(types.MergePatchType, []byte(status))); err != nil {
		klog.ErrorS(err, "a reconcile that was cut is not written down", "widget", q.Name)
	}
}

// outside says what goes wrong whatever the version is.
func (r *reconciler) outside(ctx context.Context, w *unstructured.Unstructured) error {
	if bad, _, _ := unstructured.NestedBool(w.Object, "spec", "bad"); bad {
		return errBad
	}
	if conf["backend"] == "" {
		return nil
	}
	backend := widget(w.GetNamespace(), conf["backend"])
	if err := r.Get(ctx, client.ObjectKeyFromObject(backend), backend); err != nil {
		return err
	}
	if down, _, _ := unstructured.NestedBool(backend.Object, "spec", "down"); down {
		return errDown
	}
	return nil
}

// due says whether this reconcile is one that fails by the version's own doing.
func (r *reconciler) due() bool {
	if !r.fails || !after("errors-after") || (set("errors-until") && after("errors-until")) {
		return false
	}
	r.owed += number("error-rate")
	if in := number("errors-in-row"); r.owed >= in {
		r.owed -= in
		r.row += int(in)
	}
	if r.row == 0 {
		return false
	}
	r.row--
	return true
}

// hotLoop lets a controller reconcile keys for which there is nothing to do.
func hotLoop(to chan event.GenericEvent) manager.RunnableFunc {
	return func(ctx context.Context) error {
		tick := time.NewTicker(seconds(1 / number("hot-loop")))
		for i := 0; ; i++ {
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
				to <- event.GenericEvent{Object: widget("", fmt.Sprint("hot-", i%64))}
			}
		}
	}
}

func controllers(m manager.Manager) {
	for i := 1; i <= int(number("controllers")); i++ {
		r := &reconciler{Client: m.GetClient(), fails: !set("bad-controller") || int(number("bad-controller")) == i}
		name := "widget"
		if i > 1 {
			name = fmt.Sprint("widget-", i)
		}
		hot := make(chan event.GenericEvent)
		must(builder.ControllerManagedBy(m).Named(name).
			For(widget("", ""), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
			WatchesRawSource(source.Channel(hot, &handler.EnqueueRequestForObject{})).Complete(r))
		if set("hot-loop") {
			must(m.Add(hotLoop(hot)))
		}
	}
}

func must(err error) {
	if err != nil {
		klog.ErrorS(err, "this operator ends")
		os.Exit(1)
	}
}

func main() {
	configure()
	log.SetLogger(klog.Background())
	time.Sleep(seconds(number("start-after")))
	if set("crash-after") {
		time.AfterFunc(seconds(number("crash-after")), func() { os.Exit(1) })
	}
	namespace, err := os.ReadFile("/var/run/secrets/kubernetes.io/serviceaccount/namespace")
	must(err)
	selector, err := labels.Parse(os.Getenv("SELECTOR"))
	must(err)
	page := metrics.Options{BindAddress: ":8443", SecureServing: true, FilterProvider: filters.WithAuthenticationAndAuthorization}
	if conf["metrics"] == "http" {
		page = metrics.Options{BindAddress: ":8080"}
	}
	config := rest.GetConfigOrDie()
	if set("sign") {
		pod, _ := os.Hostname()
		config.UserAgent = "at-" + pod
	}
	warm := true
	m, err := manager.New(config, manager.Options{
		Cache: cache.Options{
			DefaultNamespaces: map[string]cache.Config{string(namespace): {}},
			ByObject:          map[client.Object]cache.ByObject{widget("", ""): {Label: selector}},
		},
		Client:                        client.Options{Cache: &client.CacheOptions{Unstructured: true}}, // reads cost the API server nothing, as with types
		LeaderElection:                true,
		LeaderElectionID:              conf["lease-name"],
		LeaderElectionReleaseOnCancel: set("release"),
		Metrics:                       page,
		HealthProbeBindAddress:        ":8081",
		Controller:                    options.Controller{EnableWarmup: &warm},
	})
	must(err)
	must(m.AddHealthzCheck("ping", healthz.Ping))
	must(m.AddReadyzCheck("ready-after", func(*http.Request) error {
		if !after("ready-after") {
			return errors.New("not yet")
		}
		return nil
	}))
	controllers(m)
	ctx := context.Background()
	if set("ignore-sigterm") {
		signal.Ignore(syscall.SIGTERM)
	} else {
		ctx = signals.SetupSignalHandler()
	}
	must(m.Start(ctx))
}
