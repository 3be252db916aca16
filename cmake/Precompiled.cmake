# Precompiled headers: without them more than half of a build parses the standard library, fmt and
# GoogleTest again for every file (measured: 161 s of CPU without, 71 s with). They hold headers of
# other people only, so a change of ours never rebuilds them. They would hide a missing #include; the
# header sets of eilpost_module() and the preset `tidy` compile without them and find it.
#
# CMake's own REUSE_FROM hands the compiler absolute paths, which ccache takes for a difference between
# two clones; -include-pch is one that it knows how to make relative. The file .sum stands for the
# contents of the .pch, which hold absolute paths too (CCACHE_PCH_EXTSUM in CMakePresets.json).
option(EILPOST_PCH "Use precompiled headers (needs clang)." OFF)

# eilpost_precompile(NAME LIBRARIES ... HEADERS ...)
function(eilpost_precompile NAME)
  if(NOT EILPOST_PCH)
    return()
  endif()
  cmake_parse_arguments(P "" "" "LIBRARIES;HEADERS" ${ARGN})
  set(target eilpost_pch_${NAME})
  file(CONFIGURE OUTPUT ${target}.cpp CONTENT "// Nothing: only its precompiled header is wanted.\n")
  add_library(${target} OBJECT ${PROJECT_BINARY_DIR}/${target}.cpp)
  target_link_libraries(${target} PRIVATE eilpost_flags ${P_LIBRARIES})
  target_compile_options(${target} PRIVATE "SHELL:-Xclang -fno-pch-timestamp")
  target_precompile_headers(${target} PRIVATE ${P_HEADERS})

  execute_process(COMMAND dpkg-query -W "lib*-dev" nlohmann-json3-dev
    OUTPUT_VARIABLE packages ERROR_QUIET)
  string(SHA256 sum "${CMAKE_CXX_COMPILER_VERSION} ${P_HEADERS} ${packages}")
  file(CONFIGURE OUTPUT CMakeFiles/${target}.dir/cmake_pch.hxx.pch.sum CONTENT ${sum})
endfunction()

# eilpost_use_precompiled(TARGET NAME): for all its sources, also those that are added later in the folder.
function(eilpost_use_precompiled TARGET NAME)
  if(NOT EILPOST_PCH)
    return()
  endif()
  set(pch ${PROJECT_BINARY_DIR}/CMakeFiles/eilpost_pch_${NAME}.dir/cmake_pch.hxx.pch)
  target_compile_options(${TARGET} PRIVATE "$<$<COMPILE_LANGUAGE:CXX>:SHELL:-include-pch ${pch}>")
  cmake_language(EVAL CODE "cmake_language(DEFER CALL eilpost_depend_on_precompiled [[${TARGET}]] [[${pch}]])")
endfunction()

function(eilpost_depend_on_precompiled TARGET PCH)
  get_target_property(sources ${TARGET} SOURCES)
  list(FILTER sources INCLUDE REGEX "\\.cpp$")
  set_source_files_properties(${sources} PROPERTIES OBJECT_DEPENDS ${PCH})
endfunction()

set(EILPOST_PCH_HEADERS <algorithm> <array> <atomic> <bit> <charconv> <chrono> <coroutine> <cstdint>
  <cstring> <deque> <expected> <functional> <limits> <map> <memory> <optional> <set> <span> <string>
  <string_view> <unordered_map> <utility> <variant> <vector> <fmt/format.h> <nlohmann/json.hpp>
  <simdjson.h>)
set(EILPOST_PCH_LIBRARIES eilpost::fmt eilpost::json eilpost::simdjson)
eilpost_precompile(module LIBRARIES ${EILPOST_PCH_LIBRARIES} HEADERS ${EILPOST_PCH_HEADERS})
eilpost_precompile(test LIBRARIES ${EILPOST_PCH_LIBRARIES} GTest::gtest
  HEADERS ${EILPOST_PCH_HEADERS} <gtest/gtest.h>)
