fuzzer(report rehearse_report)
