#pragma once
// Compares a text with the golden file NAME.txt beside this one; EILPOST_UPDATE_GOLDEN=1 writes it.

#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>

#include "model/outbound.h"

namespace eilpost {

inline std::string show(const OutboundRequest& request) {
  std::string text = std::string(to_string(request.method)) + " " + request.url + "\n";
  for (const OutboundHeader& header : request.headers) {
    text += header.name + ": " + header.value + "\n";
  }
  return text + "\n" + request.body + "\n";
}

inline void expect_golden(const std::string& name, const std::string& text) {
  const std::string path = std::string(EILPOST_GOLDEN_FOLDER) + "/" + name + ".txt";
  if (std::getenv("EILPOST_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(path, std::ios::binary) << text;
    return;
  }
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file) << path << " is missing; write it with EILPOST_UPDATE_GOLDEN=1";
  const std::string expected(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(text, expected) << "differs from " << path;
}

}  // namespace eilpost
