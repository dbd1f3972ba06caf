unit_test(loop/loop loop)
unit_test(loop/timer loop)
unit_test(loop/proc loop)
unit_test(loop/watch loop)
