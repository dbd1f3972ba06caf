fuzzer(checkpoint leader_core)
fuzzer(certificate leader_core)
fuzzer(lease_object leader_core)
