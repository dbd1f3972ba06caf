foreach(file certificate checkpoint checkpoint_flow drain lease lease_access lease_acquire lease_lead lease_object
    lease_release lease_schedules)
  unit_test(leader/${file} leader_core)
endforeach()

unit_test(leader/vectors leader_core)
target_compile_definitions(unit_leader_vectors PRIVATE VECTORS="${CMAKE_SOURCE_DIR}/docs/examples/vectors.txt")

# The edge, in a simulated world with the embedded API server.
foreach(file election checkpoint_io election_random)
  unit_test(leader/${file} leader simworld)
endforeach()
