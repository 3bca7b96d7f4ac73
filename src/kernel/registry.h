// SPDX-License-Identifier: MIT
//
// The registry as a tree in memory: case-insensitive names, typed values. Paths are full kernel paths such as
// "\Registry\Machine\System\CurrentControlSet\Services\passthru\Parameters"; a leading backslash may be left
// out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "kernel/lock.h"

namespace undis::kernel {

/// The documented value types, under our own names: REG_SZ and its like are macros in the driver headers.
enum class RegistryType : std::uint32_t {
  None = 0,
  String = 1,
  ExpandString = 2,
  Binary = 3,
  Dword = 4,
  DwordBigEndian = 5,
  Link = 6,
  MultiString = 7,
  Qword = 11
};

/// A value as it is stored: the bytes are exactly what ZwQueryValueKey hands out (UTF-16LE strings with their
/// zero).
struct RegistryValue {
  RegistryType type = RegistryType::None;
  std::vector<std::byte> data;

  static RegistryValue dword(std::uint32_t value);
  static RegistryValue qword(std::uint64_t value);
  static RegistryValue string(std::string_view utf8);
  static RegistryValue string(std::u16string_view text);
  static RegistryValue strings(const std::vector<std::string>& utf8);  ///< REG_MULTI_SZ
  static RegistryValue list_of(std::u16string_view one);               ///< REG_MULTI_SZ
  static RegistryValue binary(const void* bytes, std::size_t size);

  std::optional<std::uint32_t> as_dword() const noexcept;
  std::u16string as_string() const;  ///< without the zero; "" when it is no string
  std::vector<std::u16string> as_strings() const;
  bool operator==(const RegistryValue&) const = default;
};

/// One key. Held by shared_ptr: a handle keeps a deleted key in being. All members are the Registry's, under
/// its lock.
class RegistryKey {
 public:
  /// By name, ignoring case.
  struct Order {
    using is_transparent = void;
    using Key = std::shared_ptr<RegistryKey>;
    bool operator()(const Key& a, const Key& b) const noexcept;
    bool operator()(const Key& a, std::u16string_view wanted) const noexcept;
    bool operator()(std::u16string_view wanted, const Key& b) const noexcept;
  };
  struct Value {
    std::u16string name;
    RegistryValue value;
  };
  std::u16string name;        ///< as first written
  std::vector<Value> values;  ///< in the order of creation
  std::set<std::shared_ptr<RegistryKey>, Order> subkeys;
  RegistryKey* parent = nullptr;  ///< nullptr: the root, or deleted
  bool volatile_key = false;
  bool deleted = false;
};

class Registry {
 public:
  /// Starts with \Registry\Machine\System\CurrentControlSet\{Services,Control\Class,Enum},
  /// \Registry\Machine\Software and \Registry\User.
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  // ---- for hosts: by path; missing keys are created on the way ----
  void set_value(std::string_view path, std::string_view name, RegistryValue value) EXCLUDES(lock_);
  void set_value(std::u16string_view path, std::u16string_view name, RegistryValue value) EXCLUDES(lock_);
  std::optional<RegistryValue> value(std::string_view path, std::string_view name) const EXCLUDES(lock_);
  std::optional<RegistryValue> value(std::u16string_view path, std::u16string_view name) const
      EXCLUDES(lock_);
  bool erase_value(std::u16string_view path, std::u16string_view name) EXCLUDES(lock_);
  bool has_key(std::u16string_view path) const EXCLUDES(lock_);
  void create_key(std::u16string_view path) EXCLUDES(lock_);
  /// With everything under it.
  bool erase_key(std::u16string_view path) EXCLUDES(lock_);
  std::vector<std::u16string> subkeys(std::u16string_view path) const EXCLUDES(lock_);
  std::vector<std::u16string> value_names(std::u16string_view path) const EXCLUDES(lock_);

  // ---- for the entry points: by key ----
  using Key = std::shared_ptr<RegistryKey>;
  Key root() const noexcept { return root_; }
  /// `path` under `from` (an empty path: `from` itself); nullptr: there is none.
  Key find(const Key& from, std::u16string_view path) const EXCLUDES(lock_);
  /// Creates what is missing; `created` tells about the last part.
  Key create(const Key& from, std::u16string_view path, bool volatile_key, bool& created) EXCLUDES(lock_);
  std::optional<RegistryValue> get(const Key& key, std::u16string_view name) const EXCLUDES(lock_);
  void set(const Key& key, std::u16string_view name, RegistryValue value) EXCLUDES(lock_);
  bool erase(const Key& key, std::u16string_view name) EXCLUDES(lock_);
  /// False: the key has subkeys, is the root or is gone already.
  bool erase(const Key& key) EXCLUDES(lock_);
  std::optional<RegistryKey::Value> value_at(const Key& key, std::size_t index) const EXCLUDES(lock_);
  Key subkey_at(const Key& key, std::size_t index) const EXCLUDES(lock_);
  std::u16string path_of(const Key& key) const EXCLUDES(lock_);

 private:
  Key root_;
  mutable Lock lock_;
};

}  // namespace undis::kernel
