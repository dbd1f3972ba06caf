unit_test(kube/splitter kube_core)
unit_test(kube/store kube_core)
unit_test(kube/watch kube_core)
