# Flags for all targets of the project, and the functions that make them.
add_library(glasspost_flags INTERFACE)
target_include_directories(glasspost_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_compile_options(glasspost_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Werror)
# gcc 12 sees overlaps in std::string that cannot be (GCC bug 105651), and takes Asio's own operator new of coroutines' frames for
# another's than their operator delete.
if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
  target_compile_options(glasspost_flags INTERFACE -Wno-restrict -Wno-mismatched-new-delete)
endif()
# libstdc++ 12's own stable_sort uses what it deprecates.
if(CMAKE_CXX_COMPILER_ID STREQUAL Clang)
  target_compile_options(glasspost_flags INTERFACE -Wno-deprecated-declarations)
endif()
if(GLASSPOST_SANITIZE)
  # What the sanitizers put in between keeps gcc from seeing that Asio's values are set.
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    target_compile_options(glasspost_flags INTERFACE -Wno-maybe-uninitialized)
  endif()
  add_compile_options(-fsanitize=${GLASSPOST_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${GLASSPOST_SANITIZE})
  # With its checks between, gcc no longer sees that std::optional, std::expected and Asio's handlers are initialised (GCC bug 105562).
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    add_compile_options(-Wno-maybe-uninitialized)
  endif()
  # gcc's thread sanitizer does not see Asio's fences; nothing here depends on them.
  if(GLASSPOST_SANITIZE MATCHES thread AND CMAKE_CXX_COMPILER_ID STREQUAL GNU)
    add_compile_options(-Wno-tsan)
  endif()
endif()
if(GLASSPOST_FUZZ)
  add_compile_options(-fsanitize=fuzzer-no-link)
  add_link_options(-fsanitize=fuzzer-no-link)
endif()
if(GLASSPOST_COVERAGE)
  add_compile_options(--coverage)
  add_link_options(--coverage)
endif()

# glasspost_folder(NAME USES a b LIBRARIES x y): the library of src/NAME from all its .cc files (tests lie beside them as
# NAME_test.cc and go into one test program a folder). USES are the folders that it may include, and nothing else is linked.
function(glasspost_folder name)
  cmake_parse_arguments(ARG "" "" "USES;LIBRARIES" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/${name}/*.cc)
  set(tests ${sources})
  list(FILTER sources EXCLUDE REGEX "_test\\.cc$")
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  add_library(glasspost_${name} STATIC ${sources})
  list(TRANSFORM ARG_USES PREPEND glasspost_)
  target_link_libraries(glasspost_${name} PUBLIC glasspost_flags ${ARG_USES} ${ARG_LIBRARIES})
  if(GLASSPOST_TESTS AND tests)
    set_property(GLOBAL APPEND PROPERTY GLASSPOST_UNIT_TESTS ${name})
    set_property(GLOBAL PROPERTY GLASSPOST_UNIT_TESTS_${name} "${tests}")
  endif()
endfunction()
