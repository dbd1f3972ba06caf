// The peer of the leadership bench: client-go's own elector on a Lease, with client-go's recommended durations and release on
// cancel, as careful operators use it. It has no caches to warm and its first reconcile is the callback itself, so that
// what is measured is the elector alone. The same ledger as bench_leadership_worker, with "exit CODE put=N ..." counting
// all its requests. Usage: leadership_peer WHO NAMESPACE LEASE; KUBECONFIG, LEDGER, LEASE_MS, RENEW_MS, RETRY_MS.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordination "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

var out = os.Stdout

func ledger(format string, a ...any) {
	// one write a line: several processes share the file
	fmt.Fprintf(out, "%d %s %s\n", time.Now().UnixMicro(), os.Args[1], fmt.Sprintf(format, a...))
}

type counter struct {
	next http.RoundTripper
	mu   sync.Mutex
	n    map[string]int
}

func (c *counter) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.n[r.Method]++
	c.mu.Unlock()
	return c.next.RoundTrip(r)
}

func duration(name string, def time.Duration) time.Duration {
	if ms, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return time.Duration(ms) * time.Millisecond
	}
	return def
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "leadership_peer:", err)
		os.Exit(1)
	}
}

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: leadership_peer WHO NAMESPACE LEASE")
		os.Exit(2)
	}
	if path := os.Getenv("LEDGER"); path != "" {
		f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
		must(err)
		out = f
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	must(err)
	count := &counter{n: map[string]int{}}
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { count.next = next; return count })
	client, err := coordination.NewForConfig(config)
	must(err)
	lock := &resourcelock.LeaseLock{
		LeaseMeta:  metav1.ObjectMeta{Namespace: os.Args[2], Name: os.Args[3]},
		Client:     client,
		LockConfig: resourcelock.ResourceLockConfig{Identity: os.Args[1]},
	}
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	go func() {
		<-signals
		ledger("signal")
		cancel()
	}()
	ledger("warm")
	leaderelection.RunOrDie(ctx, leaderelection.LeaderElectionConfig{
		Lock:            lock,
		LeaseDuration:   duration("LEASE_MS", 15*time.Second),
		RenewDeadline:   duration("RENEW_MS", 10*time.Second),
		RetryPeriod:     duration("RETRY_MS", 2*time.Second),
		ReleaseOnCancel: true,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) {
				ledger("start peer 0")
				ledger("leading 0")
			},
			OnStoppedLeading: func() {},
		},
	})
	ledger("exit 0 put=%d post=%d patch=%d get=%d", count.n["PUT"], count.n["POST"], count.n["PATCH"], count.n["GET"])
}
