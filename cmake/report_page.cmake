# Sets VIGOR_REPORT_PAGE to the source that holds the page of `vigor report`: made from report/ by
# Node.js, or an empty one where Node.js or what `make deps` brings is missing.
set(VIGOR_REPORT_PAGE ${PROJECT_SOURCE_DIR}/report/no_page.cpp)
set(VIGOR_REPORT_MODULES ${PROJECT_SOURCE_DIR}/report/node_modules)
if(VIGOR_REPORT)
  find_program(VIGOR_NODE NAMES node nodejs)
  if(VIGOR_NODE)
    execute_process(COMMAND ${VIGOR_NODE} --version OUTPUT_VARIABLE node_version
                    OUTPUT_STRIP_TRAILING_WHITESPACE)
    string(REPLACE "v" "" node_version "${node_version}")
  endif()
  if(NOT VIGOR_NODE OR node_version VERSION_LESS 18)
    message(STATUS "vigor report: left out, no Node.js 18 or later (`make deps` installs it)")
  elseif(NOT EXISTS ${VIGOR_REPORT_MODULES}/esbuild OR NOT EXISTS ${VIGOR_REPORT_MODULES}/echarts)
    message(STATUS "vigor report: left out, no report/node_modules (`make deps` installs them)")
    # Looked for again as soon as they are there.
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/report)
  else()
    set(VIGOR_REPORT_PAGE ${PROJECT_BINARY_DIR}/report_page.cpp)
    file(GLOB report_sources CONFIGURE_DEPENDS report/src/*.ts report/src/*.css)
    add_custom_command(
      OUTPUT ${VIGOR_REPORT_PAGE}
      COMMAND ${VIGOR_NODE} ${PROJECT_SOURCE_DIR}/report/build.mjs ${VIGOR_REPORT_PAGE}
      DEPENDS ${report_sources} report/build.mjs report/package-lock.json
      COMMENT "Bundling the page of vigor report" VERBATIM)
  endif()
endif()
