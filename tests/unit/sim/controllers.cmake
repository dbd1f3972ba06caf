foreach(name deployment replicaset pod gc operator converge)
  unit_test(sim/${name} sim_core api base)
endforeach()
