foreach(name host network listener pods determinism)
  unit_test(simworld/${name} simworld)
endforeach()
unit_test(simworld/app_own simworld broken app)
foreach(name app app_pods app_rehearsal rehearsal_edge each_request)
  unit_test(simworld/${name} simworld app)
endforeach()
set_tests_properties(unit/simworld/each_request PROPERTIES TIMEOUT 900 COST 100) # 30 s of one core, many times that on a busy machine
set_tests_properties(unit/simworld/app_rehearsal PROPERTIES TIMEOUT 1800 COST 200) # each kill is a story of its own
set_tests_properties(unit/simworld/app_own PROPERTIES TIMEOUT 1800 COST 400) # minutes: each kill is a story of its own
