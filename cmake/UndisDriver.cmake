# SPDX-License-Identifier: MIT
#
# undis_add_driver and undis_add_verify_test: driver images from CMake. Read by find_package(undis), and by undis' own examples.

# undis_add_driver(<name> <source>...
#                  [DEFINITIONS <NDIS630=1>...] [INCLUDE_DIRECTORIES <folder>...] [OPTIONS <option of undis cc>...])
# Builds <name>.so, a driver image, in the current binary directory. The target's property UNDIS_IMAGE is its path.
function(undis_add_driver name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "DEFINITIONS;INCLUDE_DIRECTORIES;OPTIONS")
  if(NOT arg_UNPARSED_ARGUMENTS)
    message(FATAL_ERROR "undis_add_driver(${name}): sources were expected")
  endif()

  set(flags "$<$<CONFIG:Debug,RelWithDebInfo>:-g>" "$<$<NOT:$<CONFIG:Debug>>:-O2>" ${arg_OPTIONS})
  foreach(definition IN LISTS arg_DEFINITIONS)
    list(APPEND flags -D${definition})
  endforeach()
  foreach(folder IN LISTS arg_INCLUDE_DIRECTORIES)
    get_filename_component(folder ${folder} ABSOLUTE)
    list(APPEND flags -I${folder})
  endforeach()

  set(objects "")
  foreach(source IN LISTS arg_UNPARSED_ARGUMENTS)
    get_filename_component(path ${source} ABSOLUTE)
    string(REPLACE "../" "__/" object ${name}.dir/${source}.o)
    set(object ${CMAKE_CURRENT_BINARY_DIR}/${object})
    get_filename_component(folder ${object} DIRECTORY)
    file(MAKE_DIRECTORY ${folder})
    add_custom_command(OUTPUT ${object}
      COMMAND $<TARGET_FILE:undis::cli> cc "${flags}" -MD -MF ${object}.d -MT ${object} -c -o ${object} ${path}
      DEPENDS ${path} undis::cli DEPFILE ${object}.d
      COMMENT "Building driver object ${source}" VERBATIM COMMAND_EXPAND_LISTS)
    list(APPEND objects ${object})
  endforeach()

  set(image ${CMAKE_CURRENT_BINARY_DIR}/${name}.so)
  add_custom_command(OUTPUT ${image}
    COMMAND $<TARGET_FILE:undis::cli> cc "${flags}" -o ${image} ${objects}
    DEPENDS ${objects} undis::cli undis::undis
    COMMENT "Linking driver image ${name}.so" VERBATIM COMMAND_EXPAND_LISTS)
  add_custom_target(${name} ALL DEPENDS ${image})
  set_target_properties(${name} PROPERTIES UNDIS_IMAGE ${image})
endfunction()

# undis_add_verify_test(<driver>... [NAME <test>] [SUITES <suite>...] [BUDGET <10s>] [EXPECT <rule>] [INF <file>])
# A test that runs `undis verify` on the images. It passes if nothing is found, or, with EXPECT, if that rule is. UNDIS_VERIFY_BUDGET is
# for those that name no BUDGET.
function(undis_add_verify_test driver)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "NAME;BUDGET;EXPECT;INF" "SUITES")
  set(images "")
  foreach(target IN ITEMS ${driver} LISTS arg_UNPARSED_ARGUMENTS)
    list(APPEND images $<TARGET_PROPERTY:${target},UNDIS_IMAGE>)
  endforeach()
  if(NOT arg_NAME)
    set(arg_NAME verify.${driver})
  endif()
  set(options "")
  foreach(suite IN LISTS arg_SUITES)
    list(APPEND options --suite ${suite})
  endforeach()
  if(arg_INF)
    get_filename_component(inf ${arg_INF} ABSOLUTE BASE_DIR ${CMAKE_CURRENT_SOURCE_DIR})
    list(APPEND options --inf ${inf})
  endif()
  if(NOT arg_BUDGET AND UNDIS_VERIFY_BUDGET)
    set(arg_BUDGET ${UNDIS_VERIFY_BUDGET})
  endif()
  if(arg_BUDGET)
    list(APPEND options --budget ${arg_BUDGET})
  endif()
  add_test(NAME ${arg_NAME} COMMAND undis::cli verify ${images} ${options})
  set_tests_properties(${arg_NAME} PROPERTIES LABELS verify TIMEOUT 300)
  if(arg_EXPECT)
    set_tests_properties(${arg_NAME} PROPERTIES PASS_REGULAR_EXPRESSION "${arg_EXPECT}")
  endif()
endfunction()
