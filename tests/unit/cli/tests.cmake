unit_test(cli/table cli)
unit_test(cli/status cli kube_fake)
target_include_directories(unit_cli_table PRIVATE ${CMAKE_SOURCE_DIR}/src/cli)
target_include_directories(unit_cli_status PRIVATE ${CMAKE_SOURCE_DIR}/src/cli ${CMAKE_SOURCE_DIR}/rollout ${CMAKE_SOURCE_DIR}/tests/unit)
