foreach(file fence leadership lifecycle service termination_grace)
  unit_test(app/${file} simworld app)
endforeach()
