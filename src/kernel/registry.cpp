// SPDX-License-Identifier: MIT
//
// The tree of keys. Its entry points (ZwOpenKey and its like) are in registry_ddi.cpp.
#include "kernel/registry.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "kernel/unicode.h"

namespace undis::kernel {
namespace {

constexpr std::u16string_view kRoots[] = {
    u"Registry\\Machine\\System\\CurrentControlSet\\Services",
    u"Registry\\Machine\\System\\CurrentControlSet\\Control\\Class",
    u"Registry\\Machine\\System\\CurrentControlSet\\Enum",
    u"Registry\\Machine\\Software",
    u"Registry\\User",
};

/// Cuts the first part off a path; empty parts (doubled or trailing backslashes) are skipped.
std::u16string_view next_part(std::u16string_view& path) noexcept {
  while (!path.empty() && path.front() == u'\\') path.remove_prefix(1);
  std::size_t end = 0;
  while (end < path.size() && path[end] != u'\\') ++end;
  const std::u16string_view part = path.substr(0, end);
  path.remove_prefix(end);
  while (!path.empty() && path.front() == u'\\') path.remove_prefix(1);
  return part;
}

Registry::Key child(const RegistryKey& key, std::u16string_view name) {
  constexpr std::size_t kFew = 4;  // most names are written as they were when the key was made
  if (key.subkeys.size() <= kFew)
    for (const Registry::Key& subkey : key.subkeys)
      if (subkey->name.size() == name.size() &&
          std::memcmp(subkey->name.data(), name.data(), name.size() * sizeof(char16_t)) == 0)
        return subkey;
  const auto place = key.subkeys.find(name);
  return place != key.subkeys.end() ? *place : nullptr;
}

Registry::Key walk(Registry::Key key, std::u16string_view path) {
  while (key != nullptr && !path.empty()) {
    const std::u16string_view part = next_part(path);
    if (!part.empty()) key = child(*key, part);
  }
  return key;
}

Registry::Key walk_and_create(Registry::Key key, std::u16string_view path, bool volatile_key, bool& created) {
  created = false;
  while (!path.empty()) {
    const std::u16string_view part = next_part(path);
    if (part.empty()) continue;
    Registry::Key below = child(*key, part);
    created = below == nullptr;
    if (created) {
      below = std::make_shared<RegistryKey>();
      below->name = part;
      below->parent = key.get();
      below->volatile_key = volatile_key;
      key->subkeys.insert(below);
    }
    key = std::move(below);
  }
  return key;
}

auto find_value(RegistryKey& key, std::u16string_view name) {
  return std::find_if(key.values.begin(), key.values.end(),
                      [&](const RegistryKey::Value& value) { return equal_ignore_case(value.name, name); });
}

std::optional<RegistryValue> read(RegistryKey* key, std::u16string_view name) {
  if (key == nullptr) return std::nullopt;
  const auto found = find_value(*key, name);
  return found == key->values.end() ? std::nullopt : std::optional<RegistryValue>(found->value);
}

void write(RegistryKey& key, std::u16string_view name, RegistryValue value) {
  const auto found = find_value(key, name);
  if (found != key.values.end()) {
    found->value = std::move(value);
  } else {
    key.values.push_back({std::u16string(name), std::move(value)});
  }
}

bool remove_value(RegistryKey& key, std::u16string_view name) {
  const auto found = find_value(key, name);
  if (found == key.values.end()) return false;
  key.values.erase(found);
  return true;
}

void mark_deleted(RegistryKey& key) {
  key.deleted = true;
  key.parent = nullptr;
  for (const auto& subkey : key.subkeys) mark_deleted(*subkey);
  key.subkeys.clear();
  key.values.clear();
}

RegistryValue text_value(RegistryType type, std::u16string_view text) {
  RegistryValue value;
  value.type = type;
  value.data.resize((text.size() + 1) * sizeof(char16_t));
  std::memcpy(value.data.data(), text.data(), text.size() * sizeof(char16_t));
  return value;
}

}  // namespace

RegistryValue RegistryValue::dword(std::uint32_t value) {
  RegistryValue result = binary(&value, sizeof value);
  result.type = RegistryType::Dword;
  return result;
}

RegistryValue RegistryValue::qword(std::uint64_t value) {
  RegistryValue result = binary(&value, sizeof value);
  result.type = RegistryType::Qword;
  return result;
}

RegistryValue RegistryValue::string(std::string_view utf8) {
  return string(to_utf16(utf8));
}
RegistryValue RegistryValue::string(std::u16string_view text) {
  return text_value(RegistryType::String, text);
}

RegistryValue RegistryValue::strings(const std::vector<std::string>& utf8) {
  std::u16string all;
  for (const std::string& text : utf8) {
    all += to_utf16(text);
    all.push_back(u'\0');
  }
  return text_value(RegistryType::MultiString, all);
}

RegistryValue RegistryValue::list_of(std::u16string_view one) {
  return text_value(RegistryType::MultiString, std::u16string(one).append(1, u'\0'));
}

RegistryValue RegistryValue::binary(const void* bytes, std::size_t size) {
  RegistryValue result;
  result.type = RegistryType::Binary;
  const auto* first = static_cast<const std::byte*>(bytes);
  result.data.assign(first, first + size);
  return result;
}

std::optional<std::uint32_t> RegistryValue::as_dword() const noexcept {
  if (type != RegistryType::Dword || data.size() != sizeof(std::uint32_t)) return std::nullopt;
  std::uint32_t value = 0;
  std::memcpy(&value, data.data(), sizeof value);
  return value;
}

std::u16string RegistryValue::as_string() const {
  if (type != RegistryType::String && type != RegistryType::ExpandString) return {};
  std::u16string text(data.size() / sizeof(char16_t), u'\0');
  std::memcpy(text.data(), data.data(), text.size() * sizeof(char16_t));
  text.resize(std::min(text.find(u'\0'), text.size()));
  return text;
}

std::vector<std::u16string> RegistryValue::as_strings() const {
  std::vector<std::u16string> all;
  if (type != RegistryType::MultiString) return all;
  std::u16string text(data.size() / sizeof(char16_t), u'\0');
  std::memcpy(text.data(), data.data(), text.size() * sizeof(char16_t));
  for (std::size_t at = 0; at < text.size() && text[at] != u'\0';) {
    const std::size_t end = std::min(text.find(u'\0', at), text.size());
    all.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return all;
}

bool RegistryKey::Order::operator()(const Key& a, const Key& b) const noexcept {
  return compare(a->name, b->name, true) < 0;
}
bool RegistryKey::Order::operator()(const Key& a, std::u16string_view wanted) const noexcept {
  return compare(a->name, wanted, true) < 0;
}
bool RegistryKey::Order::operator()(std::u16string_view wanted, const Key& b) const noexcept {
  return compare(wanted, b->name, true) < 0;
}

Registry::Registry() : root_(std::make_shared<RegistryKey>()) {
  bool created = false;
  for (const std::u16string_view path : kRoots) walk_and_create(root_, path, false, created);
}

Registry::~Registry() = default;

void Registry::set_value(std::string_view path, std::string_view name, RegistryValue value) {
  set_value(to_utf16(path), to_utf16(name), std::move(value));
}

void Registry::set_value(std::u16string_view path, std::u16string_view name, RegistryValue value) {
  const Hold hold(lock_);
  bool created = false;
  write(*walk_and_create(root_, path, false, created), name, std::move(value));
}

std::optional<RegistryValue> Registry::value(std::string_view path, std::string_view name) const {
  return value(to_utf16(path), to_utf16(name));
}

std::optional<RegistryValue> Registry::value(std::u16string_view path, std::u16string_view name) const {
  const Hold hold(lock_);
  return read(walk(root_, path).get(), name);
}

bool Registry::erase_value(std::u16string_view path, std::u16string_view name) {
  const Hold hold(lock_);
  const Key key = walk(root_, path);
  return key != nullptr && remove_value(*key, name);
}

bool Registry::has_key(std::u16string_view path) const {
  const Hold hold(lock_);
  return walk(root_, path) != nullptr;
}

void Registry::create_key(std::u16string_view path) {
  const Hold hold(lock_);
  bool created = false;
  walk_and_create(root_, path, false, created);
}

bool Registry::erase_key(std::u16string_view path) {
  const Hold hold(lock_);
  const Key key = walk(root_, path);
  if (key == nullptr || key == root_) return false;
  RegistryKey& parent = *key->parent;
  mark_deleted(*key);
  parent.subkeys.erase(key);
  return true;
}

std::vector<std::u16string> Registry::subkeys(std::u16string_view path) const {
  const Hold hold(lock_);
  std::vector<std::u16string> names;
  if (const Key key = walk(root_, path))
    for (const auto& subkey : key->subkeys) names.push_back(subkey->name);
  return names;
}

std::vector<std::u16string> Registry::value_names(std::u16string_view path) const {
  const Hold hold(lock_);
  std::vector<std::u16string> names;
  if (const Key key = walk(root_, path))
    for (const auto& value : key->values) names.push_back(value.name);
  return names;
}

Registry::Key Registry::find(const Key& from, std::u16string_view path) const {
  const Hold hold(lock_);
  return from == nullptr || from->deleted ? nullptr : walk(from, path);
}

Registry::Key Registry::create(const Key& from, std::u16string_view path, bool volatile_key, bool& created) {
  const Hold hold(lock_);
  created = false;
  return from == nullptr || from->deleted ? nullptr : walk_and_create(from, path, volatile_key, created);
}

std::optional<RegistryValue> Registry::get(const Key& key, std::u16string_view name) const {
  const Hold hold(lock_);
  return read(key.get(), name);
}

void Registry::set(const Key& key, std::u16string_view name, RegistryValue value) {
  const Hold hold(lock_);
  if (!key->deleted) write(*key, name, std::move(value));
}

bool Registry::erase(const Key& key, std::u16string_view name) {
  const Hold hold(lock_);
  return remove_value(*key, name);
}

bool Registry::erase(const Key& key) {
  const Hold hold(lock_);
  if (key->deleted || key->parent == nullptr || !key->subkeys.empty()) return false;
  RegistryKey& parent = *key->parent;
  mark_deleted(*key);
  parent.subkeys.erase(key);
  return true;
}

std::optional<RegistryKey::Value> Registry::value_at(const Key& key, std::size_t index) const {
  const Hold hold(lock_);
  return index < key->values.size() ? std::optional<RegistryKey::Value>(key->values[index]) : std::nullopt;
}

Registry::Key Registry::subkey_at(const Key& key, std::size_t index) const {
  const Hold hold(lock_);
  return index < key->subkeys.size() ? *std::next(key->subkeys.begin(), static_cast<std::ptrdiff_t>(index))
                                     : nullptr;
}

std::u16string Registry::path_of(const Key& key) const {
  const Hold hold(lock_);
  std::size_t size = 0;
  for (const RegistryKey* at = key.get(); at != nullptr && at->parent != nullptr; at = at->parent)
    size += 1 + at->name.size();
  std::u16string path(size, u'\\');
  for (const RegistryKey* at = key.get(); at != nullptr && at->parent != nullptr; at = at->parent) {
    size -= at->name.size();
    at->name.copy(path.data() + size, at->name.size());
    --size;
  }
  return path;
}

}  // namespace undis::kernel
