fuzzer(splitter kube_core)
fuzzer(kubeconfig kube)
target_include_directories(fuzz_kubeconfig PRIVATE ${CMAKE_SOURCE_DIR}/src/kube)
