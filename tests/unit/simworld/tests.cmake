foreach(name host network listener determinism)
  unit_test(simworld/${name} simworld)
endforeach()
unit_test(simworld/app simworld app)
