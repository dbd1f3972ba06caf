add_executable(simd ${CMAKE_CURRENT_LIST_DIR}/simd.c)
target_link_libraries(simd PRIVATE sim_host net options)
add_test(NAME sim/kubectl COMMAND ${CMAKE_CURRENT_LIST_DIR}/kubectl.sh $<TARGET_FILE:simd>)
set_tests_properties(sim/kubectl PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77)
