#pragma once
// Destinations that make batches or keep an order, and what reached them.

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "support/test_server.h"

namespace eilpost::test {

class BatchTest : public testing::Test {
 protected:
  void deliver_with(const Json& delivery, const Json& more = Json::object()) {
    Json settings = more;
    settings["delivery"] = delivery;
    destination_ = server_.add_destination(receiver_.url(), settings);
    webhook_ = server_.add_webhook("survey.submitted", destination_, all_properties());
  }
  static Json all_properties() {
    return {{"properties", {{{"property", "oId"}, {"as", "n"}}, {{"property", "wm.euId"}}}}};
  }
  // Events numbered from 1 on.
  void post(int count, std::string_view user = "u") {
    Json events = Json::array();
    for (int i = 0; i < count; ++i) {
      ++posted_;
      events.push_back({{"id", fmt::format("e{}", posted_)},
                        {"type", "survey.submitted"},
                        {"data", {{"oId", posted_}, {"wm", {{"euId", user}}}}}});
    }
    ASSERT_EQ(server_.post_event(to_text(events)).status, 202);
  }
  // The numbers of the events in a request.
  [[nodiscard]] std::vector<int> numbers(std::size_t request) const {
    std::vector<int> numbers;
    const Json body = receiver_.seen().at(request).json();
    for (const Json& item : body.is_array() ? body : Json::array({body})) {
      numbers.push_back(item.at("n").get<int>());
    }
    return numbers;
  }
  [[nodiscard]] std::vector<std::size_t> sizes() const {
    std::vector<std::size_t> sizes;
    for (std::size_t i = 0; i < receiver_.seen().size(); ++i) sizes.push_back(numbers(i).size());
    return sizes;
  }
  [[nodiscard]] std::string id_of(std::size_t request) const {
    return receiver_.seen().at(request).header("webhook-id");
  }
  std::vector<Json> deliveries(std::string_view state) {
    return server_.list(fmt::format("deliveries?state={}", state));
  }

  TestServer server_{/*seed=*/1};
  Receiver& receiver_ = server_.receiver("crm");
  std::string destination_;
  std::string webhook_;
  int posted_ = 0;
};

}  // namespace eilpost::test
