// What the peers bench needs beside the controllers. KUBECONFIG; namespace WHERE.
//
//	peers_side kubelet                      stands in for a kubelet (kubelet.go)
//	peers_side create WHO N       N targets op-000000... without replicas, by 32 clients; WHO: handover, argo or flagger
//	peers_side observed           waits until the Deployment controller has seen all Deployments
//	peers_side adopted WHO N      waits until the controller has all N of them
//	peers_side target WHO NAME    a target with two replicas, until it is adopted and both are ready
//	peers_side round WHO NAME IMAGE abort|bad   one update: lines "update MS", "zero MS"
//
// What each of them asks for is in targets.go.
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"sync"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

var (
	where      = os.Getenv("WHERE")
	background = context.Background()
	client     kubernetes.Interface
	any_object dynamic.Interface
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers_side:", err)
		os.Exit(1)
	}
}

func create(who string, n int) {
	var wg sync.WaitGroup
	todo := make(chan int)
	for range 32 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range todo {
				make_objects(who, fmt.Sprintf("op-%06d", i), 0)
			}
		}()
	}
	for i := range n {
		todo <- i
	}
	close(todo)
	wg.Wait()
}

func wait_adopted(who string, n int) {
	for have := 0; have < n; time.Sleep(500 * time.Millisecond) {
		list, err := observed(who).List(background, meta.ListOptions{})
		must(err)
		have = 0
		for i := range list.Items {
			if adopted(who, &list.Items[i]) {
				have++
			}
		}
	}
}

// So that its writes do not meet those of whoever starts next.
func wait_observed() {
	until(10*time.Minute, "all Deployments are observed", func() bool {
		list, err := client.AppsV1().Deployments(where).List(background, meta.ListOptions{})
		must(err)
		for _, d := range list.Items {
			if d.Status.ObservedGeneration < d.Generation {
				return false
			}
		}
		return true
	})
}

func ready(name, image string) (n int) {
	pods, err := client.CoreV1().Pods(where).List(background, meta.ListOptions{LabelSelector: "app in (" + name + ", " + name + "-primary)"}) // Flagger's clone, too
	must(err)
	for _, p := range pods.Items {
		if p.Spec.Containers[0].Image != image || p.DeletionTimestamp != nil {
			continue
		}
		for _, c := range p.Status.Conditions {
			if c.Type == core.PodReady && c.Status == core.ConditionTrue {
				n++
			}
		}
	}
	return
}

func until(limit time.Duration, what string, done func() bool) {
	for end := time.Now().Add(limit); !done(); time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			must(fmt.Errorf("gave up waiting until %s", what))
		}
	}
}

func tell(what string) { // the stand-in for the kubelet
	r, err := http.Post("http://127.0.0.1:8080/"+what, "", nil)
	must(err)
	r.Body.Close()
}

func round(who, name, image, how string) {
	wanted := make(chan int32, 100)
	w, err := client.AppsV1().ReplicaSets(where).Watch(background, meta.ListOptions{})
	must(err)
	go func() { // of the canary's ReplicaSet
		for e := range w.ResultChan() {
			if rs, ok := e.Object.(*apps.ReplicaSet); ok && rs.Spec.Template.Spec.Containers[0].Image == image {
				wanted <- *rs.Spec.Replicas
			}
		}
		must(fmt.Errorf("the watch has ended"))
	}()
	late := time.After(5 * time.Minute)
	until_wanted := func(zero bool) {
		for {
			select {
			case n := <-wanted:
				if (n == 0) == zero {
					return
				}
			case <-late:
				must(fmt.Errorf("%s: the canary of %s was not there, or not gone, after 5 minutes", who, image))
			}
		}
	}
	// A JSON patch: a Rollout's containers have no merge key
	began := time.Now()
	_, err = targets(who).Patch(background, name, types.JSONPatchType, fmt.Appendf(nil, `[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":%q}]`, image), meta.PatchOptions{})
	must(err)
	until_wanted(false)
	fmt.Printf("update %.1f\n", float64(time.Since(began).Microseconds())/1000)
	until(3*time.Minute, "the canary is ready", func() bool { return ready(name, image) > 0 })
	time.Sleep(2*look[who] + 2*time.Second + time.Duration(began.UnixNano())%look[who]) // two looks, then at any moment between two
	began = time.Now()
	if how == "abort" {
		abort(who, name)
	} else {
		tell("fail?image=" + image)
	}
	until_wanted(true)
	fmt.Printf("zero %.1f\n", float64(time.Since(began).Microseconds())/1000)
	tell("fail?image=")
	until(3*time.Minute, "the canary's pod is gone", func() bool { return ready(name, image) == 0 })
}

func main() {
	if len(os.Args) < 2 || (len(os.Args) < 4 && os.Args[1] != "kubelet" && os.Args[1] != "observed") {
		fmt.Fprintln(os.Stderr, "usage: peers_side kubelet | create|adopted|target|round WHO ... | observed")
		os.Exit(2)
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	must(err)
	config.QPS = -1
	client, any_object = kubernetes.NewForConfigOrDie(config), dynamic.NewForConfigOrDie(config)
	switch a := os.Args[1:]; a[0] {
	case "kubelet":
		run_kubelet(client)
	case "create", "adopted":
		n, err := strconv.Atoi(a[2])
		must(err)
		if a[0] == "create" {
			make_metrics(a[1])
			create(a[1], n)
		} else {
			wait_adopted(a[1], n)
		}
	case "observed":
		wait_observed()
	case "target":
		make_target(a[1], a[2])
	case "round":
		round(a[1], a[2], a[3], a[4])
	}
}
