fuzzer(report rehearse_report)
foreach(name gate upstream_check wire)
  fuzzer(${name} rehearse_wire)
endforeach()
