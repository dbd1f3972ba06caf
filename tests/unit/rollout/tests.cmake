unit_test(rollout/judge rollout_core m)
unit_test(rollout/judge_rule rollout_core m)
unit_test(rollout/judge_study rollout_core m)
