add_executable(bench_queue queue.c)
target_link_libraries(bench_queue PRIVATE control_core options)
