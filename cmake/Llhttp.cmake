# llhttp comes from Debian as C sources (package node-llhttp); `./dev setup` unpacks it to build/deps.
set(EILPOST_LLHTTP "${PROJECT_SOURCE_DIR}/build/deps/llhttp/usr/share" CACHE PATH "Where node-llhttp was unpacked.")
if(NOT EXISTS ${EILPOST_LLHTTP}/llhttp/llhttp.c)
  message(FATAL_ERROR "llhttp is missing at ${EILPOST_LLHTTP}: run ./dev setup")
endif()
add_library(llhttp STATIC ${EILPOST_LLHTTP}/llhttp/llhttp.c ${EILPOST_LLHTTP}/llhttp/api.c ${EILPOST_LLHTTP}/llhttp/http.c)
target_include_directories(llhttp SYSTEM PUBLIC ${EILPOST_LLHTTP}/include ${EILPOST_LLHTTP}/include/llhttp)
target_compile_definitions(llhttp PUBLIC LLHTTP_STRICT_MODE=1)
target_compile_options(llhttp PRIVATE -w)
