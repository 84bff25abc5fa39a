# Read by ctest. Suites named Parallel* are what ThreadSanitizer runs, Slow* what `make test` omits.
foreach(test IN LISTS vigor_tests_TESTS)
  if(test MATCHES "^([^.]*/)?Parallel")
    set_tests_properties("${test}" PROPERTIES LABELS "unit;parallel")
  elseif(test MATCHES "^([^.]*/)?Slow")
    set_tests_properties("${test}" PROPERTIES LABELS "unit;slow")
  endif()
endforeach()
