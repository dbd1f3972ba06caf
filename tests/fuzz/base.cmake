fuzzer(json_raw base)
fuzzer(duration base)
