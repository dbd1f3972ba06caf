fuzzer(sim_request sim_core)
foreach(name list_options list_token) # which look inside
  fuzzer(${name} sim_core)
  target_include_directories(fuzz_${name} PRIVATE ${CMAKE_SOURCE_DIR}/src/sim)
endforeach()
