# The demo itself: it exits non-zero if any of its story did not happen.
add_test(NAME sim/demo COMMAND handover demo)
set_tests_properties(sim/demo PROPERTIES REQUIRED_FILES $<TARGET_FILE:handover-sim> TIMEOUT 170)
