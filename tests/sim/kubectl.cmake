add_test(NAME sim/kubectl COMMAND ${CMAKE_CURRENT_LIST_DIR}/kubectl.sh $<TARGET_FILE:handover> sim --listen 127.0.0.1:0)
set_tests_properties(sim/kubectl PROPERTIES REQUIRED_FILES $<TARGET_FILE:handover-sim> TIMEOUT 600 SKIP_RETURN_CODE 77)
