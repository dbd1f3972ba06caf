foreach(name objects watch list patch)
  unit_test(sim/${name} sim_core)
endforeach()
