foreach(name objects watch list patch fault load clients_random)
  unit_test(sim/${name} sim_core)
endforeach()
foreach(name yaml protobuf) # parsers inside
  unit_test(sim/${name} sim_core)
  target_include_directories(unit_sim_${name} PRIVATE ${CMAKE_SOURCE_DIR}/src/sim)
endforeach()
