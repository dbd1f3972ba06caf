foreach(name objects watch)
  unit_test(sim/${name} sim_core)
endforeach()
