add_executable(bench_flood flood.c renewals.c lane_server.c)
target_link_libraries(bench_flood PRIVATE net kube rollout_core options)
