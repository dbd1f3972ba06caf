foreach(file lease lease_access lease_acquire lease_lead lease_release)
  unit_test(leader/${file} leader_core)
endforeach()
unit_test(leader/lease_object leader_core)
unit_test(leader/certificate leader_core)
unit_test(leader/checkpoint leader_core)
unit_test(leader/checkpoint_flow leader_core)
unit_test(leader/drain leader_core)

add_library(lease_world STATIC ${CMAKE_CURRENT_LIST_DIR}/lease_world.c ${CMAKE_CURRENT_LIST_DIR}/lease_world_server.c
  ${CMAKE_CURRENT_LIST_DIR}/lease_world_cand.c)
target_link_libraries(lease_world PUBLIC leader_core PRIVATE options)
target_include_directories(lease_world PUBLIC ${CMAKE_CURRENT_LIST_DIR})
unit_test(leader/lease_schedules lease_world)

# The edge, in a simulated world with the embedded API server.
unit_test(leader/election leader simworld)
unit_test(leader/checkpoint_io leader simworld)
unit_test(leader/election_random leader simworld)
