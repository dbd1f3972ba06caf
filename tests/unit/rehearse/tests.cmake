foreach(file report_diff report_consequences)
  unit_test(rehearse/${file} rehearse_report)
endforeach()
