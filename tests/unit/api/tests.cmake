foreach(file gvr ip url meta selector selector_random field_selector rfc3339 quantity patch patch_strategic template template_random status)
  unit_test(api/${file} api)
endforeach()
unit_test(api/null api world)
