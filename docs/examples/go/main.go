// tally: the operator of docs/examples/c once more, on client-go. For each ConfigMap with the label tally.example.com/count it keeps a ConfigMap
// NAME-tally that says how many keys and bytes it has. It takes over what its predecessor has left on the Lease, whichever program
// that was, and leaves its own unfinished work there.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/client-go/tools/leaderelection"
	"tally.example.com/checkpoint"
)

const (
	manager     = "tally" // as whom it writes
	workers     = 4
	leadWait    = 3 * time.Second // for ConfigMaps of the predecessor
	exitCut     = 3               // work was cancelled, its keys are in the checkpoint
	exitLost    = 6               // the lease was lost
	defaultTime = 25 * time.Second
)

var version = "1" // by -ldflags "-X main.version=2"

type operator struct {
	client           kubernetes.Interface
	namespace        string
	work             *work
	lock             *lock
	sources, tallies cache.SharedIndexInformer
	leading          atomic.Bool       // what changes before is found in the caches then
	restored         []checkpoint.Part // ConfigMaps that were read, and go when our own checkpoint stands there
}

func env(name, otherwise string) string {
	if v := os.Getenv(name); v != "" {
		return v
	}
	return otherwise
}

// identity is POD_UID_NONCE. In the termination log it is the proof that this process is dead, once the kubelet has it in the pod's status.
func identity() string {
	host, _ := os.Hostname()
	id := fmt.Sprintf("%s_%s_%s", env("POD_NAME", host), os.Getenv("POD_UID"), rand.Text())
	if f, err := os.OpenFile("/dev/termination-log", os.O_WRONLY|os.O_TRUNC, 0); err == nil {
		_, _ = f.WriteString(id)
		_ = f.Close()
	}
	return id
}

// ---- the caches ----

func (o *operator) cache(label string, change func(object any)) cache.SharedIndexInformer {
	informer := informers.NewSharedInformerFactoryWithOptions(o.client, 0, informers.WithNamespace(o.namespace),
		informers.WithTweakListOptions(func(l *meta.ListOptions) { l.LabelSelector = label })).Core().V1().ConfigMaps().Informer()
	_, _ = informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: change, UpdateFunc: func(_, now any) { change(now) }, DeleteFunc: change})
	return informer
}

func (o *operator) changed(object any) {
	if key, err := cache.DeletionHandlingMetaNamespaceKeyFunc(object); err == nil && o.leading.Load() {
		o.work.add(key)
	}
}

// ---- leading ----

func (o *operator) lead(ctx context.Context) {
	c, err := o.lock.taken()
	if err != nil && !errors.Is(err, checkpoint.ErrEmpty) {
		slog.Warn("the predecessor's checkpoint cannot be used", "error", err)
	}
	if c != nil {
		o.parts(ctx, c)
		for _, k := range c.Keys {
			if k.Controller == controllerName {
				o.work.restore(k)
				slog.Info("restored", "kind", k.Kind.String(), "key", k.Key, "failures", k.Failures)
			}
		}
		slog.Info("checkpoint restored", "by", c.By, "keys", len(c.Keys), "skipped", c.Skipped, "dropped", c.Dropped)
	}
	o.lock.restored(o.work.checkpoint)
	o.leading.Store(true)
	for _, key := range o.sources.GetStore().ListKeys() { // behind what was taken over
		if !o.work.known(key) {
			o.work.add(key)
		}
	}
	slog.Info("leading", "version", version)
	if o.lock.checkpointNow(ctx) {
		o.tidy(ctx)
	}
	for range workers {
		go o.worker(ctx)
	}
}

// parts reads the ConfigMaps of a large checkpoint. What cannot be read is named in each of our own, for a later leader.
func (o *operator) parts(ctx context.Context, c *checkpoint.Checkpoint) {
	ctx, cancel := context.WithTimeout(ctx, leadWait)
	defer cancel()
	for _, p := range append(append([]checkpoint.Part{}, c.Parts...), c.Unread...) {
		m, err := o.client.CoreV1().ConfigMaps(o.namespace).Get(ctx, p.Name(o.lock.name), meta.GetOptions{})
		if err == nil {
			err = c.Give(p, m.Data[checkpoint.DataKey])
		} else if !apierrors.IsNotFound(err) {
			o.work.unread = append(o.work.unread, p)
			slog.Warn("a part of the checkpoint cannot be read", "part", p.Name(o.lock.name), "error", err)
			continue
		}
		if err != nil {
			slog.Warn("a part of the checkpoint cannot be used", "part", p.Name(o.lock.name), "error", err)
		}
		o.restored = append(o.restored, p)
	}
}

func (o *operator) tidy(ctx context.Context) {
	for _, p := range o.restored {
		_ = o.client.CoreV1().ConfigMaps(o.namespace).Delete(ctx, p.Name(o.lock.name), meta.DeleteOptions{})
	}
}

func (o *operator) worker(ctx context.Context) {
	for {
		key, ok := o.work.next()
		if !ok {
			return
		}
		slog.Info("reconciling", "key", key)
		result := o.reconcile(ctx, key)
		if result.err != nil {
			slog.Warn("reconcile failed", "key", key, "error", result.err)
		}
		o.work.done(key, result)
	}
}

// ---- coming and going ----

// drain: nothing new is begun, a checkpoint is written at once, what is in flight goes on for as long as there is time, and is cancelled then.
func (o *operator) drain(grace time.Duration, cancelWork func()) (cut bool) {
	ctx, cancel := context.WithTimeout(context.Background(), grace*5/6)
	defer cancel()
	go o.lock.checkpointNow(ctx)
	o.work.stop(ctx)
	if ctx.Err() == nil {
		return false
	}
	cancelWork()
	o.work.inflight.Wait()
	return true
}

func run() int {
	server := flag.String("server", "", "URL of the API server (a kubeconfig's, or the pod's)")
	namespace := flag.String("namespace", env("POD_NAMESPACE", "default"), "where the Lease and the ConfigMaps are")
	lease := flag.String("lease", "tally", "name of the Lease")
	grace := flag.Duration("grace", defaultTime, "what a drain may take")
	retry := flag.Duration("retry", 2*time.Second, "how often the Lease is looked at")
	flag.Parse()
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(clientcmd.NewDefaultClientConfigLoadingRules(),
		&clientcmd.ConfigOverrides{ClusterInfo: clientcmdapi.Cluster{Server: *server}}).ClientConfig()
	if err != nil {
		slog.Error("cannot start", "error", err)
		return 1
	}
	config.UserAgent = "tally/" + version
	client := kubernetes.NewForConfigOrDie(config)
	o := &operator{client: client, namespace: *namespace, work: newWork()}
	o.lock = &lock{leases: client.CoordinationV1().Leases(*namespace), name: *lease, identity: identity()}
	o.sources = o.cache("tally.example.com/count", o.changed)
	o.tallies = o.cache("tally.example.com/of", func(any) {})

	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	elected, release := context.WithCancel(context.Background())
	working, cancelWork := context.WithCancel(context.Background())
	defer cancelWork()
	defer release()
	go o.sources.Run(elected.Done())
	go o.tallies.Run(elected.Done())
	if !cache.WaitForCacheSync(elected.Done(), o.sources.HasSynced, o.tallies.HasSynced) {
		return 1
	}
	slog.Info("the caches are warm")
	over := make(chan struct{})
	go func() {
		defer close(over)
		leaderelection.RunOrDie(elected, leaderelection.LeaderElectionConfig{
			Lock: o.lock, LeaseDuration: 15 * time.Second, RenewDeadline: 10 * time.Second, RetryPeriod: *retry, ReleaseOnCancel: true,
			Callbacks: leaderelection.LeaderCallbacks{OnStartedLeading: func(context.Context) { o.lead(working) }, OnStoppedLeading: func() {}}})
	}()
	select {
	case <-over:
		slog.Error("the lease is lost")
		return exitLost
	case <-signals:
	}
	slog.Info("drain started")
	code := 0
	if o.drain(*grace, cancelWork) {
		code = exitCut
	}
	release() // nothing of ours is written any more: the Lease is given up, with the last checkpoint
	<-over
	return code
}

func main() { os.Exit(run()) }
