unit_test(control/ratelimit control_core)
target_include_directories(unit_control_ratelimit PRIVATE ${CMAKE_SOURCE_DIR}/src/control)
unit_test(control/queue control_core)
unit_test(control/queue_random control_core)
