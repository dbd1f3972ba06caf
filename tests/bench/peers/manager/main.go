// A floor of the peers bench: controller-runtime's manager with leader election and one controller, which is told of every Deployment of
// namespace $WHERE and does nothing.
package main

import (
	"context"
	"fmt"
	"os"

	apps "k8s.io/api/apps/v1"
	"k8s.io/client-go/tools/clientcmd"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
)

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	config, err := clientcmd.BuildConfigFromFlags("", os.Getenv("KUBECONFIG"))
	must(err)
	where := os.Getenv("WHERE")
	m, err := ctrl.NewManager(config, ctrl.Options{
		Metrics:        server.Options{BindAddress: "127.0.0.1:9397"}, // the default is the pods' here
		Cache:          cache.Options{DefaultNamespaces: map[string]cache.Config{where: {}}},
		LeaderElection: true, LeaderElectionID: "manager", LeaderElectionNamespace: where, LeaderElectionReleaseOnCancel: true,
	})
	must(err)
	must(ctrl.NewControllerManagedBy(m).For(&apps.Deployment{}).Complete(reconcile.Func(func(context.Context, ctrl.Request) (ctrl.Result, error) {
		return ctrl.Result{}, nil
	})))
	go func() {
		<-m.Elected()
		fmt.Println("ready")
	}()
	must(m.Start(ctrl.SetupSignalHandler()))
}
