# Writes a CTest script with one test for each case of the workload. Run at build time:
#   cmake -D PROGRAM=… -D PYTHON=… -D TEST=…/workload_case.py -D OUTPUT=… -P workload_cases.cmake
# The names come from the program itself (`fovea workload --list --json`); a list that is empty fails the build.
execute_process(COMMAND ${PROGRAM} workload --list --json OUTPUT_VARIABLE listed RESULT_VARIABLE status)
if(NOT status EQUAL 0)
  message(FATAL_ERROR "${PROGRAM} workload --list --json failed: ${status}")
endif()
string(JSON count LENGTH "${listed}" cases)
if(NOT count GREATER 0)
  message(FATAL_ERROR "${PROGRAM} workload --list names no case")
endif()
math(EXPR last "${count} - 1")
set(script "")
foreach(i RANGE ${last})
  string(JSON name GET "${listed}" cases ${i} name)
  # They start instances on all cores: side by side with other tests they would only wait for each other.
  string(APPEND script
    "add_test([==[workload.${name}]==] [==[${PYTHON}]==] [==[${TEST}]==] [==[${PROGRAM}]==] [==[${name}]==])\n"
    "set_tests_properties([==[workload.${name}]==] PROPERTIES LABELS workload TIMEOUT 300 RUN_SERIAL TRUE SKIP_RETURN_CODE 77)\n")
endforeach()
file(WRITE ${OUTPUT} "${script}")
