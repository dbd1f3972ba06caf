add_executable(bench_informer_churn informer/churn.c)
target_link_libraries(bench_informer_churn PRIVATE simworld kube options)
add_executable(bench_informer_follow informer/follow.c)
target_link_libraries(bench_informer_follow PRIVATE net kube options)
