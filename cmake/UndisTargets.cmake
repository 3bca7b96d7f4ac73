# SPDX-License-Identifier: MIT
#
# What every target of this project has in common. Nothing here is exported to users.

# undis_flags(<target>): warnings, sanitizers and definitions of our own code.
function(undis_flags target)
  target_compile_options(${target} PRIVATE
    -Wall -Wextra -Wpedantic -Wshadow -Wundef
    $<$<COMPILE_LANGUAGE:CXX>:-Wconversion -Wmissing-declarations>
    $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety -Wthread-safety-beta>
    $<$<CXX_COMPILER_ID:GNU>:-fpch-preprocess> $<$<CXX_COMPILER_ID:Clang>:SHELL:-Xclang -fno-pch-timestamp>  # for ccache
    -fno-omit-frame-pointer  # stacks are walked by frame pointer
    $<$<CXX_COMPILER_ID:GNU>:-fno-semantic-interposition>  # clang's default; without it no inlining in a .so
    # gcc 12 at -O3 sees overlaps in std::string's own operator+ that are none (gcc bug 105329).
    $<$<AND:$<CXX_COMPILER_ID:GNU>,$<VERSION_LESS:$<CXX_COMPILER_VERSION>,13>,$<COMPILE_LANGUAGE:CXX>>:-Wno-restrict>
    $<$<BOOL:${UNDIS_WERROR}>:-Werror>)
  # The library sees NDIS 5.x and 6.x declarations at the same time; a driver picks one by its macros.
  target_compile_definitions(${target} PRIVATE UNDIS_ALL_VERSIONS)
  if(UNDIS_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${UNDIS_SANITIZE} -fno-sanitize-recover=all)
    target_link_options(${target} PRIVATE -fsanitize=${UNDIS_SANITIZE})
  endif()
  if(UNDIS_COVERAGE)
    target_compile_options(${target} PRIVATE --coverage)
    target_link_options(${target} PRIVATE --coverage)
  endif()
endfunction()

# undis_precompile(<target> <header>...): headers of other people's libraries are parsed once for each set of flags,
# which is half of a cold build. Not our own: they change. -DUNDIS_PRECOMPILE=OFF shows a file that includes too little.
function(undis_precompile target)
  if(UNDIS_PRECOMPILE)
    list(TRANSFORM ARGN REPLACE "(.+)" "$<$<COMPILE_LANGUAGE:CXX>:\\1$<ANGLE-R>>" OUTPUT_VARIABLE headers)
    target_precompile_headers(${target} PRIVATE ${headers})
  endif()
endfunction()

set(UNDIS_STANDARD_HEADERS
  <algorithm <array <atomic <cstddef <cstdint <cstring <functional <map <memory <optional <span <string <string_view
  <utility <vector)

# undis_test_flags(<target>): what is tested is the library, and that is built as it is shipped; a test's own code only
# has to compile fast.
function(undis_test_flags target)
  undis_flags(${target})
  target_compile_options(${target} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O0> -g1)
  target_link_libraries(${target} PRIVATE undis GTest::gmock_main)
endfunction()

# undis_add_test(<name> <source>... [LABELS <label>...] [LIBS <target>...])
# A GoogleTest program; each of its tests becomes a test of ctest. Label: unit, unless others are given.
function(undis_add_test name)
  if(NOT UNDIS_TESTS)
    return()
  endif()
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LABELS;LIBS")
  if(NOT arg_LABELS)
    set(arg_LABELS unit)
  endif()
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  undis_test_flags(${name})
  if(UNDIS_PRECOMPILE)
    target_precompile_headers(${name} REUSE_FROM undis_test_headers)
    set(c_files ${arg_UNPARSED_ARGUMENTS})
    list(FILTER c_files INCLUDE REGEX "[.]c$")
    set_source_files_properties(${c_files} PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  endif()
   target_link_libraries(${name} PRIVATE ${arg_LIBS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/tests)
  include(GoogleTest)
  gtest_discover_tests(${name} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 120 PROPERTIES TIMEOUT 120)
  # Labels are set apart: a list among PROPERTIES does not survive the discovery script.
  set(labels ${CMAKE_CURRENT_BINARY_DIR}/${name}_labels.cmake)
  file(WRITE ${labels} "if(${name}_TESTS)\n  set_tests_properties(\${${name}_TESTS} PROPERTIES LABELS \"${arg_LABELS}\")\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${labels})
endfunction()
