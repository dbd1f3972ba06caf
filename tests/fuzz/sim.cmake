fuzzer(sim_request sim_core)
