# Every library that is not ours, found once. All of them are Debian 12 packages; `./dev setup` installs
# them. A module links them by these names after its eilpost_module():
#
#   target                 what                                    where it may be used
#   eilpost::fmt           fmt 9 (also fmt::fmt)                   anywhere
#   eilpost::spdlog        log lines (also spdlog::spdlog)         env/real, main
#   eilpost::boost         Boost 1.81, headers only: Asio          env/real
#   eilpost::openssl       TLS and certificates (SSL + Crypto)     crypto, env/real
#   eilpost::sodium        secrets, argon2id, Ed25519              crypto
#   eilpost::cares         name look-ups                           env/real
#   eilpost::nghttp2       HTTP/2                                  http
#   eilpost::llhttp        HTTP/1.1 parser (also llhttp)           http
#   eilpost::zlib          gzip bodies (also ZLIB::ZLIB)           http, ingest
#   eilpost::simdjson      events on their way in                  ingest
#   eilpost::json          nlohmann_json: settings and the API     model and above
#   eilpost::re2           the operator `matches`                  match
#   eilpost::sqlite3       settings and history                    database
#   eilpost::zstd          archives of event bodies                history
#   eilpost::prometheus    metrics as text (core only)             server
#   eilpost::toml          the configuration file                  main
#   eilpost::cli11         the command line                        main
#   eilpost::mimalloc      the allocator of release builds         main
#   eilpost::threads       pthreads                                env/real, main

find_package(PkgConfig REQUIRED)

# eilpost_library(NAME TARGET...): eilpost::NAME stands for those targets.
function(eilpost_library NAME)
  add_library(eilpost_dep_${NAME} INTERFACE)
  target_link_libraries(eilpost_dep_${NAME} INTERFACE ${ARGN})
  add_library(eilpost::${NAME} ALIAS eilpost_dep_${NAME})
endfunction()

# eilpost_pkg_library(NAME MODULE): the same for a package that Debian ships without CMake files.
function(eilpost_pkg_library NAME MODULE)
  pkg_check_modules(EILPOST_${NAME} REQUIRED QUIET IMPORTED_TARGET GLOBAL ${MODULE})
  eilpost_library(${NAME} PkgConfig::EILPOST_${NAME})
endfunction()

find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(ZLIB REQUIRED)
find_package(simdjson REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(zstd REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(CLI11 REQUIRED)

eilpost_library(threads Threads::Threads)
eilpost_library(fmt fmt::fmt)
eilpost_library(spdlog spdlog::spdlog)
eilpost_library(openssl OpenSSL::SSL OpenSSL::Crypto)
eilpost_library(zlib ZLIB::ZLIB)
eilpost_library(simdjson simdjson::simdjson)
eilpost_library(json nlohmann_json::nlohmann_json)
eilpost_library(zstd zstd::libzstd_shared)
eilpost_library(toml tomlplusplus::tomlplusplus)
eilpost_library(cli11 CLI11::CLI11)
eilpost_pkg_library(re2 re2)
eilpost_pkg_library(cares libcares)
eilpost_pkg_library(nghttp2 libnghttp2)
eilpost_pkg_library(sqlite3 sqlite3)
eilpost_pkg_library(sodium libsodium)
eilpost_pkg_library(prometheus prometheus-cpp-core)

# Asio only, so headers are enough. `./dev setup` unpacks them to build/deps where a machine has another
# Boost installed: Debian lets only one version be installed at a time.
find_path(EILPOST_BOOST_INCLUDE boost/asio/any_completion_handler.hpp
  PATHS ${PROJECT_SOURCE_DIR}/build/deps/boost/usr/include NO_DEFAULT_PATH)
find_path(EILPOST_BOOST_INCLUDE boost/asio/any_completion_handler.hpp REQUIRED)
eilpost_library(boost Threads::Threads)
target_include_directories(eilpost_dep_boost SYSTEM INTERFACE ${EILPOST_BOOST_INCLUDE})
target_compile_definitions(eilpost_dep_boost INTERFACE BOOST_ASIO_NO_DEPRECATED)

# The tests run on the plain allocator, so that the sanitizers see every allocation.
if(EILPOST_MIMALLOC)
  find_package(mimalloc 2 REQUIRED)
  eilpost_library(mimalloc mimalloc)
else()
  eilpost_library(mimalloc)
endif()

include(cmake/Llhttp.cmake)
add_library(eilpost::llhttp ALIAS llhttp)
