foreach(file leadership termination_grace)
  unit_test(app/${file} simworld app)
endforeach()
