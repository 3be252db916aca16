# What every target of the build shares: compiler cache, linker, hardening, link-time optimisation.

find_program(EILPOST_CCACHE ccache)
if(EILPOST_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_C_COMPILER_LAUNCHER ${EILPOST_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${EILPOST_CCACHE})
endif()

if(CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  string(REGEX MATCH "^[0-9]+" EILPOST_CLANG "${CMAKE_CXX_COMPILER_VERSION}")
  find_program(EILPOST_LLD ld.lld-${EILPOST_CLANG})
  if(EILPOST_LLD)
    add_link_options(--ld-path=${EILPOST_LLD})
  endif()
endif()

# Everything ends up in programs, none in a shared library; the programs have threads.
add_compile_options(-fPIE -pthread)
add_link_options(-pie -pthread)

# Our assertions stay on in every build; NDEBUG would only switch off those of other people's headers.
set(CMAKE_CXX_FLAGS_RELEASE "-O2")
set(CMAKE_C_FLAGS_RELEASE "-O2")
set(CMAKE_CXX_FLAGS_RELWITHDEBINFO "-O1 -g1")
set(CMAKE_C_FLAGS_RELWITHDEBINFO "-O1 -g1")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g1")
set(CMAKE_C_FLAGS_DEBUG "-O1 -g1")

if(CMAKE_BUILD_TYPE STREQUAL "Release")
  add_compile_options(-fstack-protector-strong)
  add_compile_definitions(_FORTIFY_SOURCE=2 _GLIBCXX_ASSERTIONS)
  add_link_options(-Wl,-z,relro,-z,now)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
    add_compile_options(-march=x86-64-v2)
  endif()
  if(CMAKE_CXX_COMPILER_ID MATCHES "Clang" AND CMAKE_INTERPROCEDURAL_OPTIMIZATION)
    # A changed file costs its own optimisation only, not that of the whole program.
    add_link_options(-Wl,--thinlto-cache-dir=${PROJECT_BINARY_DIR}/thinlto-cache)
  endif()
else()
  add_compile_definitions(_GLIBCXX_ASSERTIONS)
endif()
