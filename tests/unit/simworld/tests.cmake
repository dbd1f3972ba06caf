foreach(name host network listener determinism)
  unit_test(simworld/${name} simworld)
endforeach()
