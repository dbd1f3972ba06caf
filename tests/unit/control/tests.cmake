add_library(fake_world STATIC ${CMAKE_SOURCE_DIR}/tests/unit/control/fake_world.c)
target_include_directories(fake_world PUBLIC ${CMAKE_SOURCE_DIR}/tests/unit/control)
target_link_libraries(fake_world PUBLIC world PRIVATE options)

foreach(file ratelimit autolimit failure dead)
  unit_test(control/${file} control_core)
  target_include_directories(unit_control_${file} PRIVATE ${CMAKE_SOURCE_DIR}/src/control)
endforeach()
unit_test(control/queue control_core)
unit_test(control/queue_random control_core)
unit_test(control/controller control fake_world)

unit_test(control/checkpoint control fake_world)
unit_test(control/controller_random control fake_world)
