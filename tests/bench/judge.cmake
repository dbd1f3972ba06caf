add_executable(bench_judge judge.c judge_sim.c)
target_link_libraries(bench_judge PRIVATE rollout_core options m)
