#include "model/json_pointer.h"

#include <utility>

namespace eilpost {

std::vector<std::string> pointer_steps(std::string_view pointer) {
  std::vector<std::string> steps;
  while (pointer.starts_with('/')) {
    pointer.remove_prefix(1);
    const std::string_view raw = pointer.substr(0, pointer.find('/'));
    pointer.remove_prefix(raw.size());
    std::string step;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      const bool is_escape = raw[i] == '~' && i + 1 < raw.size();
      step += !is_escape ? raw[i] : raw[i + 1] == '1' ? '/' : '~';
      if (is_escape) ++i;
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace eilpost
