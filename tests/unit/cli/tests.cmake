unit_test(cli/table cli_common)
unit_test(cli/status cli_common kube_fake)
target_include_directories(unit_cli_table PRIVATE ${CMAKE_SOURCE_DIR}/src/cli)
target_include_directories(unit_cli_status PRIVATE ${CMAKE_SOURCE_DIR}/src/cli ${CMAKE_SOURCE_DIR}/rollout ${CMAKE_SOURCE_DIR}/tests/unit)
unit_test(cli/judge cli_common m)
target_include_directories(unit_cli_judge PRIVATE ${CMAKE_SOURCE_DIR}/src/cli ${CMAKE_SOURCE_DIR}/rollout)
unit_test(cli/judge_history cli_common m)
target_include_directories(unit_cli_judge_history PRIVATE ${CMAKE_SOURCE_DIR}/src/cli ${CMAKE_SOURCE_DIR}/rollout)
unit_test(cli/args base) # runs the programs themselves
set_tests_properties(unit/cli/args PROPERTIES ENVIRONMENT "PROGRAMS=${CMAKE_BINARY_DIR}"
  REQUIRED_FILES "$<TARGET_FILE:handover>;$<TARGET_FILE:handover-sim>")
