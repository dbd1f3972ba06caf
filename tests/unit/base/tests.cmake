foreach(file slice utf8 mem buf err heap hash time list json json_raw json_raw_number json_raw_random log metrics)
  unit_test(base/${file} base)
endforeach()
