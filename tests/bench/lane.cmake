add_executable(bench_lane lane.c renewals.c lane_server.c)
target_link_libraries(bench_lane PRIVATE net kube options)
