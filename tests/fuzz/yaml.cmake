fuzzer(yaml yaml)
