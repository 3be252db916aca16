#include "env/real/system.h"

#include <cstring>
#include <pthread.h>
#include <unistd.h>

namespace eilpost::env {
namespace {

constexpr std::size_t kNameCharactersMax = 15;

}  // namespace

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    close();
    value_ = other.release();
  }
  return *this;
}

void Descriptor::close() {
  // Linux frees the number even when close() is interrupted, so it is never tried twice.
  if (value_ >= 0) ::close(release());
}

std::string reason_of(int error_number) {
  const char* text = strerrordesc_np(error_number);
  return text != nullptr ? text : "error " + std::to_string(error_number);
}

void name_this_thread(const std::string& name) {
  pthread_setname_np(pthread_self(), name.substr(0, kNameCharactersMax).c_str());
}

}  // namespace eilpost::env
