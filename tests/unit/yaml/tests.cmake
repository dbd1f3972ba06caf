unit_test(yaml/yaml yaml)
