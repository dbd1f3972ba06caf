foreach(file lease lease_access lease_acquire lease_lead lease_release)
  unit_test(leader/${file} leader_core)
endforeach()
unit_test(leader/lease_object leader_core)
unit_test(leader/certificate leader_core)
unit_test(leader/checkpoint leader_core)
unit_test(leader/checkpoint_flow leader_core)
unit_test(leader/drain leader_core)

# The random schedules twice: with the lease machine as it is, and with one that has faults to be switched on.
set(leader_tests ${CMAKE_CURRENT_LIST_DIR})
set(lease_world ${leader_tests}/lease_world.c ${leader_tests}/lease_world_server.c ${leader_tests}/lease_world_cand.c)
add_library(lease_world STATIC ${lease_world})
target_link_libraries(lease_world PUBLIC leader_core PRIVATE options)
target_include_directories(lease_world PUBLIC ${leader_tests})
unit_test(leader/lease_schedules lease_world)

add_library(lease_world_planted STATIC ${lease_world} ${CMAKE_SOURCE_DIR}/leader/lease.c
  ${CMAKE_SOURCE_DIR}/leader/lease_observe.c ${CMAKE_SOURCE_DIR}/leader/lease_config.c)
target_compile_definitions(lease_world_planted PUBLIC LEASE_PLANTED)
target_include_directories(lease_world_planted PUBLIC ${leader_tests} ${CMAKE_SOURCE_DIR}/leader/include)
target_link_libraries(lease_world_planted PUBLIC base api PRIVATE options)
unit_test(leader/lease_faults lease_world_planted)

# The edge, in a simulated world with the embedded API server.
unit_test(leader/election leader simworld)
unit_test(leader/checkpoint_io leader simworld)
unit_test(leader/election_random leader simworld)
