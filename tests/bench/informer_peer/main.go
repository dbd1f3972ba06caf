// The peer of the informer bench: client-go's shared informers, and the objects that both follow. KUBECONFIG.
//
//	informer_peer follow configmaps|deployments    an informer; the same lines and environment as bench_informer_follow. ConfigMaps
//	                                               whole, read as protobuf as Kubernetes' own controllers do; of Deployments the
//	                                               metadata. Everything else as client-go has it by default
//	informer_peer create configmaps|deployments N  N objects of about 1 KiB in namespace WHERE, by 32 clients
//	informer_peer touch configmaps|deployments N   one merge patch of each of the first N
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/clientcmd"
)

const workers = 32

var where = os.Getenv("WHERE")

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "informer_peer:", err)
		os.Exit(1)
	}
}

func number(name string) int64 {
	n, _ := strconv.ParseInt(os.Getenv(name), 10, 64)
	return n
}

func cpu() float64 {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return float64(r.Utime.Sec+r.Stime.Sec) + float64(r.Utime.Usec+r.Stime.Usec)/1e6
}

func follow(config *rest.Config, kind string) {
	var informer cache.SharedIndexInformer
	if kind == "configmaps" {
		config.ContentType = runtime.ContentTypeProtobuf
		config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
		client, err := kubernetes.NewForConfig(config)
		must(err)
		informer = informers.NewSharedInformerFactoryWithOptions(client, 0, informers.WithNamespace(where)).Core().V1().ConfigMaps().Informer()
	} else {
		client, err := metadata.NewForConfig(config)
		must(err)
		informer = metadatainformer.NewFilteredSharedInformerFactory(client, 0, where, nil).
			ForResource(apps.SchemeGroupVersion.WithResource("deployments")).Informer()
	}
	burst, seen, first, before := number("BURST"), int64(0), time.Time{}, 0.0
	call := func() {
		if seen++; seen == 1 {
			first = time.Now()
		}
		if seen == burst {
			now := cpu()
			fmt.Printf("burst %d %.3f %.3f\n", seen, time.Since(first).Seconds(), now-before)
			seen, before = 0, now
		}
	}
	handlers, err := informer.AddEventHandler(cache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(_ any, initial bool) {
			if !initial {
				call()
			}
		},
		UpdateFunc: func(_, _ any) { call() },
		DeleteFunc: func(any) { call() },
	})
	must(err)
	ctx := context.Background()
	go informer.RunWithContext(ctx)
	for !handlers.HasSynced() {
		time.Sleep(time.Millisecond)
	}
	before = cpu()
	fmt.Printf("synced %d %.3f %.3f\n", len(informer.GetStore().ListKeys()), time.Since(time.Unix(0, number("STARTED"))).Seconds(), before)
	select {}
}

func in_parallel(n int, do func(i int) error) {
	var wg sync.WaitGroup
	todo := make(chan int)
	for range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range todo {
				must(do(i))
			}
		}()
	}
	for i := range n {
		todo <- i
	}
	close(todo)
	wg.Wait()
}

func object(i int) meta.ObjectMeta {
	return meta.ObjectMeta{Name: fmt.Sprintf("object-%06d", i), Labels: map[string]string{"app": "operator", "team": fmt.Sprintf("team-%03d", i%500)}}
}

func create(client kubernetes.Interface, kind string, n int) {
	ctx, no := context.Background(), int32(0)
	in_parallel(n, func(i int) (err error) {
		if kind == "configmaps" {
			o := core.ConfigMap{ObjectMeta: object(i), Data: map[string]string{"config.yaml": strings.Repeat(fmt.Sprintf("key-%06d: value\n", i), 44)}}
			_, err = client.CoreV1().ConfigMaps(where).Create(ctx, &o, meta.CreateOptions{})
			return
		}
		app := map[string]string{"app": fmt.Sprintf("operator-%06d", i)}
		o := apps.Deployment{ObjectMeta: object(i), Spec: apps.DeploymentSpec{
			Replicas: &no, Paused: true, Selector: &meta.LabelSelector{MatchLabels: app},
			Template: core.PodTemplateSpec{ObjectMeta: meta.ObjectMeta{Labels: app},
				Spec: core.PodSpec{Containers: []core.Container{{Name: "manager", Image: "operator:v1"}}}}}}
		_, err = client.AppsV1().Deployments(where).Create(ctx, &o, meta.CreateOptions{})
		return
	})
}

func touch(client kubernetes.Interface, kind string, n int) {
	ctx := context.Background()
	patch := fmt.Appendf(nil, `{"metadata":{"annotations":{"touched":"%d"}}}`, time.Now().UnixNano())
	in_parallel(n, func(i int) (err error) {
		if kind == "configmaps" {
			_, err = client.CoreV1().ConfigMaps(where).Patch(ctx, object(i).Name, types.MergePatchType, patch, meta.PatchOptions{})
		} else {
			_, err = client.AppsV1().Deployments(where).Patch(ctx, object(i).Name, types.MergePatchType, patch, meta.PatchOptions{})
		}
		return
	})
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: informer_peer follow|create|touch configmaps|deployments [N]")
		os.Exit(2)
	}
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	must(err)
	if os.Args[1] == "follow" {
		follow(config, os.Args[2])
	}
	config.QPS = -1
	config.ContentType = runtime.ContentTypeProtobuf
	client, err := kubernetes.NewForConfig(config)
	must(err)
	n, err := strconv.Atoi(os.Args[3])
	must(err)
	if os.Args[1] == "create" {
		create(client, os.Args[2], n)
	} else {
		touch(client, os.Args[2], n)
	}
}
