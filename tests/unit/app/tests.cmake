foreach(file leadership lifecycle termination_grace)
  unit_test(app/${file} simworld app)
endforeach()
