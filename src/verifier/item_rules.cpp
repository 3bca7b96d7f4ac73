// SPDX-License-Identifier: MIT
//
// Rules about packets, net buffer lists and requests: each has exactly one holder at a time, and all come
// back.
#include <string_view>

#include <fmt/format.h>

#include "kernel/driver.h"
#include "verifier/families.h"

namespace undis::verifier {
namespace {

bool is_version6(ItemKind kind) {
  return kind == ItemKind::NetBufferList || kind == ItemKind::NetBuffer;
}

const char* plural(ItemKind kind) {
  switch (kind) {
  case ItemKind::NetBufferList:
    return "net buffer lists";
  case ItemKind::NetBuffer:
    return "net buffers";
  case ItemKind::Packet:
    return "packets";
  case ItemKind::Buffer:
    return "buffers";
  case ItemKind::OidRequest:
    return "OID requests";
  }
  return "";
}

class ItemRules final : public Family {
 public:
  using Family::Family;
  using Family::on;

  void on(const ItemMisuse& e) override {
    Violation v;
    v.rule = e.rule_hint;
    v.driver = e.driver == nullptr ? "host" : e.driver->name();
    v.function = e.function;
    v.text = e.why;
    v.stack = e.stack;
    report(std::move(v));
  }

  void on(const FilterMisuse& e) override {
    Violation v;
    v.rule = e.rule;
    v.driver = e.driver->name();
    v.function = e.function;
    v.object = e.object;
    v.text = e.why;
    v.stack = e.stack;
    report(std::move(v));
  }

  void on(const ItemsOut& e) override {
    Violation v;
    const std::string_view why = e.why;
    v.rule = why.find("filter's own") != std::string_view::npos ||
                     why.find("the filter had") != std::string_view::npos
                 ? "FilterPauseWaitsOwn"
             : why.find("pause") != std::string_view::npos ? "PauseAllBack"
             : is_version6(e.kind)                         ? "NblLeak"
                                                           : "PacketLeak";
    v.driver = e.holder == nullptr ? "host" : e.holder->name();
    v.function = e.where;
    v.object = e.where;
    v.holder = v.driver;
    v.text = fmt::format("{}: {} {} held by {}", e.why, e.count, plural(e.kind), v.driver);
    v.origin = e.origin;
    report(std::move(v));
  }
};

}  // namespace

std::unique_ptr<Family> item_rules(Verifier& verifier) {
  return std::make_unique<ItemRules>(verifier);
}

}  // namespace undis::verifier
