package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	coordination "k8s.io/api/coordination/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/cache"
)

const node = "stand-in"

// Stands in for a kubelet: a Node that is Ready, and every pod that the scheduler binds to it is Running and Ready at once; one that is
// marked for deletion is gone at once. No container runs. Each pod has an address of its own, where this process serves the
// metrics page of an operator with 20 reconciles a second, of which FAILING % fail in pods of the image that POST /fail names.
type kubelet struct {
	client  kubernetes.Interface
	mu      sync.Mutex
	pods    map[string]*page // by address
	next    int
	failing string // image
	aborted bool   // since the last POST /abort
}
type page struct {
	image           string
	last            time.Time
	good, bad, rate float64
}

const reconciles, failing = 20.0, 0.6

func (k *kubelet) beat(ctx context.Context) {
	many := core.ResourceList{core.ResourcePods: resource.MustParse("10000"), core.ResourceCPU: resource.MustParse("10000"), core.ResourceMemory: resource.MustParse("10Ti")}
	n, err := k.client.CoreV1().Nodes().Create(ctx, &core.Node{ObjectMeta: meta.ObjectMeta{Name: node}}, meta.CreateOptions{})
	must(err)
	n.Status = core.NodeStatus{Capacity: many, Allocatable: many, Conditions: []core.NodeCondition{{Type: core.NodeReady, Status: core.ConditionTrue, Reason: "StandIn",
		LastHeartbeatTime: meta.Now(), LastTransitionTime: meta.Now()}}}
	_, err = k.client.CoreV1().Nodes().UpdateStatus(ctx, n, meta.UpdateOptions{})
	must(err)
	leases := k.client.CoordinationV1().Leases(core.NamespaceNodeLease)
	who, seconds := node, int32(40)
	lease, err := leases.Create(ctx, &coordination.Lease{ObjectMeta: meta.ObjectMeta{Name: node}, Spec: coordination.LeaseSpec{HolderIdentity: &who, LeaseDurationSeconds: &seconds}}, meta.CreateOptions{})
	for must(err); ; time.Sleep(10 * time.Second) {
		now := meta.NowMicro()
		lease.Spec.RenewTime = &now
		lease, err = leases.Update(ctx, lease, meta.UpdateOptions{})
		must(err)
	}
}

func (k *kubelet) address(image string) string {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.next++
	ip := fmt.Sprintf("10.201.%d.%d", k.next/250, 1+k.next%250)
	k.pods[ip] = &page{image: image, last: time.Now()}
	return ip
}

func (k *kubelet) pod(ctx context.Context, p *core.Pod) {
	pods := k.client.CoreV1().Pods(p.Namespace)
	if p.DeletionTimestamp != nil {
		now := int64(0)
		pods.Delete(ctx, p.Name, meta.DeleteOptions{GracePeriodSeconds: &now})
		return
	}
	if p.Status.Phase == core.PodRunning {
		return
	}
	p = p.DeepCopy()
	now := meta.Now()
	p.Status.Phase, p.Status.StartTime, p.Status.PodIP = core.PodRunning, &now, k.address(p.Spec.Containers[0].Image)
	p.Status.PodIPs = []core.PodIP{{IP: p.Status.PodIP}}
	for _, c := range []core.PodConditionType{core.PodInitialized, core.ContainersReady, core.PodReady} {
		p.Status.Conditions = append(p.Status.Conditions, core.PodCondition{Type: c, Status: core.ConditionTrue, LastTransitionTime: now})
	}
	yes := true
	for _, c := range p.Spec.Containers {
		p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, core.ContainerStatus{Name: c.Name, Image: c.Image, Ready: true, Started: &yes,
			State: core.ContainerState{Running: &core.ContainerStateRunning{StartedAt: now}}})
	}
	pods.UpdateStatus(ctx, p, meta.UpdateOptions{})
}

// What has been counted up to now, at the rate that held since the last look.
func (k *kubelet) count(p *page) {
	now := time.Now()
	n := reconciles * now.Sub(p.last).Seconds()
	p.bad, p.good, p.last = p.bad+n*p.rate, p.good+n*(1-p.rate), now
}

func (k *kubelet) fail(image string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.failing, k.aborted = image, false
	for _, p := range k.pods {
		k.count(p)
		p.rate = 0
		if p.image == image {
			p.rate = failing
		}
	}
}

func (k *kubelet) error_rate() float64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.failing == "" {
		return 0
	}
	return failing
}

func (k *kubelet) serve() {
	http.HandleFunc("/fail", func(_ http.ResponseWriter, r *http.Request) { k.fail(r.URL.Query().Get("image")) })
	http.HandleFunc("/abort", func(http.ResponseWriter, *http.Request) {
		k.mu.Lock()
		defer k.mu.Unlock()
		k.aborted = true
	})
	http.HandleFunc("/aborted", func(w http.ResponseWriter, _ *http.Request) {
		k.mu.Lock()
		defer k.mu.Unlock()
		if !k.aborted {
			http.Error(w, "not aborted", http.StatusForbidden)
		}
	})
	// The error rate of the canary, as an analysis would have it from Prometheus
	http.HandleFunc("/verdict", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, "{\"errorRate\": %g}\n", k.error_rate()) })
	http.HandleFunc("/api/v1/query", func(w http.ResponseWriter, r *http.Request) {
		value := k.error_rate()
		if r.URL.Query().Get("query") == "vector(1)" { // is it there?
			value = 1
		}
		fmt.Fprintf(w, "{\"status\": \"success\", \"data\": {\"resultType\": \"vector\", \"result\": [{\"metric\": {}, \"value\": [0, \"%g\"]}]}}\n", value)
	})
	http.HandleFunc("/metrics", func(w http.ResponseWriter, r *http.Request) {
		ip, _, _ := strings.Cut(r.Context().Value(http.LocalAddrContextKey).(net.Addr).String(), ":")
		k.mu.Lock()
		defer k.mu.Unlock()
		p := k.pods[ip]
		if p == nil {
			http.NotFound(w, r)
			return
		}
		k.count(p)
		fmt.Fprintf(w, "# TYPE controller_runtime_reconcile_total counter\n"+
			"controller_runtime_reconcile_total{controller=\"op\",result=\"error\"} %.0f\n"+
			"controller_runtime_reconcile_total{controller=\"op\",result=\"success\"} %.0f\n"+
			"# TYPE controller_runtime_active_workers gauge\ncontroller_runtime_active_workers{controller=\"op\"} 0\n"+
			"# TYPE workqueue_depth gauge\nworkqueue_depth{name=\"op\"} 0\n", p.bad, p.good)
	})
	must(http.ListenAndServe(":8080", nil))
}

func run_kubelet(client kubernetes.Interface) {
	ctx := context.Background()
	k := &kubelet{client: client, pods: map[string]*page{}}
	go k.beat(ctx)
	factory := informers.NewSharedInformerFactoryWithOptions(client, 0,
		informers.WithTweakListOptions(func(o *meta.ListOptions) {
			o.FieldSelector = fields.OneTermEqualSelector("spec.nodeName", node).String()
		}))
	_, err := factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    func(o any) { go k.pod(ctx, o.(*core.Pod)) },
		UpdateFunc: func(_, o any) { go k.pod(ctx, o.(*core.Pod)) },
	})
	must(err)
	factory.Start(ctx.Done())
	k.serve()
}
