fuzzer(promtext rollout_core m)
fuzzer(spec rollout_core m)
fuzzer(rollout_state rollout_core m)
