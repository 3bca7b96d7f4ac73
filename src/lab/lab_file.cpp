// SPDX-License-Identifier: MIT
//
// Reading a lab. Every table and key is known by name: one that is not is an error, not ignored.
#include "lab/lab_file.h"

#include <algorithm>
#include <filesystem>
#include <initializer_list>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <toml++/toml.h>

#include "lab/lab_device.h"

namespace undis::lab {
namespace {

struct Wrong {
  std::string text;
};

/// One table of the file, with what is wrong in it told by place.
class Section {
 public:
  Section(std::string file, std::string name, const toml::table& table,
          std::initializer_list<std::string_view> known)
      : file_(std::move(file)), name_(std::move(name)), table_(table) {
    for (const auto& [key, node] : table) {
      if (std::ranges::find(known, key.str()) != known.end()) continue;
      throw Wrong{fmt::format("{}: [{}] has no key {}; expected {}", place(node), name_, key.str(),
                              fmt::join(known, ", "))};
    }
  }

  std::string text(std::string_view key, bool required = false) const {
    const toml::node* const node = table_.get(key);
    if (node == nullptr) {
      if (required) throw Wrong{fmt::format("{}: [{}] needs {}", place(table_), name_, key)};
      return {};
    }
    if (const auto value = node->value<std::string>(); node->is_string()) return *value;
    throw Wrong{fmt::format("{}: {} is to be a string", place(*node), key)};
  }

  std::vector<std::string> texts(std::string_view key) const {
    std::vector<std::string> found;
    const toml::node* const node = table_.get(key);
    if (node == nullptr) return found;
    const toml::array* const list = node->as_array();
    if (list == nullptr) throw Wrong{fmt::format("{}: {} is to be an array of strings", place(*node), key)};
    for (const toml::node& entry : *list) {
      if (!entry.is_string())
        throw Wrong{fmt::format("{}: {} is to be an array of strings", place(entry), key)};
      found.push_back(*entry.value<std::string>());
    }
    return found;
  }

  std::string place(const toml::node& node) const {
    return fmt::format("{}:{}:{}", file_, node.source().begin.line, node.source().begin.column);
  }

 private:
  std::string file_;
  std::string name_;
  const toml::table& table_;
};

template <class Read>
void each(const std::string& file, const toml::table& root, const char* name, Read read) {
  const toml::node* const node = root.get(name);
  if (node == nullptr) return;
  const toml::array* const list = node->as_array();
  if (list == nullptr || !list->is_array_of_tables())
    throw Wrong{fmt::format("{}:{}: {} is written [[{}]], once for each", file, node->source().begin.line,
                            name, name)};
  for (const toml::node& entry : *list) read(*entry.as_table());
}

kernel::RegistryValue registry_value(const std::string& file, const toml::node& node) {
  if (const auto number = node.value<std::int64_t>(); node.is_integer()) {
    if (*number >= 0 && *number <= 0xFFFFFFFF)
      return kernel::RegistryValue::dword(static_cast<std::uint32_t>(*number));
    return kernel::RegistryValue::qword(static_cast<std::uint64_t>(*number));
  }
  if (node.is_string()) return kernel::RegistryValue::string(std::string_view(*node.value<std::string>()));
  if (const toml::array* const list = node.as_array();
      list != nullptr && (list->empty() || list->is_homogeneous(toml::node_type::string))) {
    std::vector<std::string> lines;
    for (const toml::node& line : *list) lines.push_back(*line.value<std::string>());
    return kernel::RegistryValue::strings(lines);
  }
  throw Wrong{fmt::format("{}:{}: a registry value is a number (REG_DWORD, REG_QWORD), a string (REG_SZ) or "
                          "an array of strings (REG_MULTI_SZ)",
                          file, node.source().begin.line)};
}

Lab read(const std::string& path, const toml::table& root) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  const auto beside = [&](const std::string& name) {
    return name.empty() || name.front() == '/' ? name : (folder / name).string();
  };
  const Section whole(path, "lab", root, {"driver", "card", "endpoint", "open", "file", "registry"});
  Lab lab;
  each(path, root, "driver", [&](const toml::table& table) {
    const Section s(path, "driver", table, {"image", "adapter", "binds", "inf", "in", "out"});
    lab.drivers.push_back({beside(s.text("image", true)), s.text("adapter"), s.texts("binds"),
                           beside(s.text("inf")), beside(s.text("in")), beside(s.text("out"))});
  });
  each(path, root, "card", [&](const toml::table& table) {
    const Section s(path, "card", table, {"name", "in", "out"});
    lab.cards.push_back({s.text("name", true), beside(s.text("in")), beside(s.text("out"))});
  });
  each(path, root, "endpoint", [&](const toml::table& table) {
    const Section s(path, "endpoint", table, {"on", "in", "out"});
    lab.endpoints.push_back({s.text("on", true), beside(s.text("in")), beside(s.text("out"))});
  });
  each(path, root, "open", [&](const toml::table& table) {
    const Section s(path, "open", table, {"device", "do"});
    lab.opens.push_back({s.text("device", true), s.texts("do")});
    for (const std::string& step : lab.opens.back().steps)
      if (const auto parsed = parse_step(step); !parsed)
        throw Wrong{fmt::format("{}: {}", s.place(table), parsed.error())};
  });
  each(path, root, "file", [&](const toml::table& table) {
    const Section s(path, "file", table, {"name", "path"});
    lab.files.push_back({s.text("name", true), beside(s.text("path", true))});
  });
  if (const toml::node* const registry = root.get("registry"); registry != nullptr) {
    if (!registry->is_table())
      throw Wrong{fmt::format("{}:{}: registry is a table of keys", path, registry->source().begin.line)};
    for (const auto& [key, values] : *registry->as_table()) {
      if (!values.is_table())
        throw Wrong{fmt::format("{}:{}: [registry.\"{}\"] is a table of values", path,
                                values.source().begin.line, key.str())};
      for (const auto& [name, value] : *values.as_table())
        lab.registry.push_back(
            {std::string(key.str()), std::string(name.str()), registry_value(path, value)});
    }
  }
  if (lab.drivers.empty() && lab.cards.empty())
    throw Wrong{fmt::format("{}: a lab needs at least one [[driver]] or [[card]]", path)};
  for (std::size_t i = 0; i < lab.cards.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      if (lab.cards[i].name == lab.cards[j].name)
        throw Wrong{fmt::format("{}: two cards are called {}", path, lab.cards[i].name)};
  return lab;
}

}  // namespace

loader::Result<Lab> read_lab(const std::string& path) {
  std::error_code code;
  if (!std::filesystem::exists(path, code)) return loader::Failure{fmt::format("{}: no such file", path)};
  try {
    return read(path, toml::parse_file(path));
  } catch (const toml::parse_error& e) {
    return loader::Failure{
        fmt::format("{}:{}:{}: {}", path, e.source().begin.line, e.source().begin.column, e.description())};
  } catch (const Wrong& wrong) {
    return loader::Failure{wrong.text};
  }
}

}  // namespace undis::lab
