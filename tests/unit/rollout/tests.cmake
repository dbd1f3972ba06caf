unit_test(rollout/judge rollout_core m)
unit_test(rollout/judge_rule rollout_core m)
unit_test(rollout/judge_study rollout_core m)
unit_test(rollout/promtext rollout_core m)
unit_test(rollout/spec rollout_core m)
unit_test(rollout/evidence rollout_core m)
unit_test(rollout/state rollout_core m)
unit_test(rollout/observe rollout_core m)
unit_test(rollout/pod_status rollout_core m)
unit_test(rollout/canary rollout_core m)
target_include_directories(unit_rollout_canary PRIVATE ${CMAKE_SOURCE_DIR}/rollout)
add_library(rollout_model STATIC ${CMAKE_SOURCE_DIR}/tests/unit/rollout/model.c ${CMAKE_SOURCE_DIR}/tests/unit/rollout/model_look.c
  ${CMAKE_SOURCE_DIR}/tests/unit/rollout/model_edge.c ${CMAKE_SOURCE_DIR}/tests/unit/rollout/scene.c
  ${CMAKE_SOURCE_DIR}/tests/unit/rollout/model_claims.c)
target_link_libraries(rollout_model PUBLIC rollout_core PRIVATE options PkgConfig::CMOCKA)
foreach(name plan plan_events plan_change plan_foreign plan_user plan_race plan_crash plan_random)
  unit_test(rollout/${name} rollout_model m)
endforeach()
unit_test(rollout/promtext_held rollout_core m)
target_link_options(unit_rollout_promtext_held PRIVATE -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free)

# The edge, in the scripted world of tests/unit/kube.
unit_test(rollout/scrape rollout kube_fake)
target_include_directories(unit_rollout_scrape PRIVATE ${CMAKE_SOURCE_DIR}/rollout)
unit_test(rollout/scrape_endpoints rollout net_kit) # on real sockets
target_include_directories(unit_rollout_scrape_endpoints PRIVATE ${CMAKE_SOURCE_DIR}/rollout)
target_link_options(unit_rollout_scrape_endpoints PRIVATE -Wl,--wrap=metrics_endpoint_check)
unit_test(rollout/edge simworld app)
unit_test(rollout/requests simworld app)
