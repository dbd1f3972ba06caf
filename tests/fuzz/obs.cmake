find_package(ZLIB REQUIRED)
fuzzer(admin obs simworld ZLIB::ZLIB)
target_include_directories(fuzz_admin PRIVATE ${CMAKE_SOURCE_DIR}/tests/unit/obs)
