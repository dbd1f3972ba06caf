# What the stories of the examples install.
set_property(TEST sim/library APPEND PROPERTY REQUIRED_FILES $<TARGET_FILE:handover_library>)
