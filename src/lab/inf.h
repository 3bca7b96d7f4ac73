// SPDX-License-Identifier: MIT
//
// A driver's INF: which devices it is for, and what its installation writes into the registry.
// Pages: install/inf-manufacturer-section, install/inf-models-section, install/inf-ddinstall-section,
// install/inf-addreg-directive, network/standardized-inf-keywords-for-network-devices,
// network/specifying-configuration-parameters-for-the-advanced-properties-page.
//
// Files      UTF-16 (either order, by its mark), UTF-8, or ANSI (Windows-1252)
// Platforms  amd64: of decorated sections the one that fits best is taken, else the plain one
// Ignored    CopyFiles and all that is about files, catalogs, coinstallers, and Include/Needs of Windows' own
// INFs
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernel/registry.h"
#include "loader/result.h"

namespace undis::lab {

/// One line of a section: `key = value, value` or `value, value` (then `key` is empty).
struct InfLine {
  int line = 0;
  std::string key;
  std::vector<std::string> values;
};

struct InfSection {
  int line = 0;
  std::string name;
  std::vector<InfLine> lines;
};

/// One device of a models section.
struct InfDevice {
  int line = 0;
  std::string description;
  std::string install;                    ///< the install section as named there, undecorated
  std::vector<std::string> hardware_ids;  ///< hardware id, then compatible ids
};

/// One write to the registry.
struct InfChange {
  enum class Kind { Set, Append, DeleteValue, Key, DeleteKey };
  enum class Root { Driver, Hardware, Service, Machine, User, Classes };
  int line = 0;
  Kind kind = Kind::Set;
  Root root = Root::Driver;
  std::string subkey;
  std::string name;
  kernel::RegistryValue value;
  bool only_new = false;       ///< leaves a value that is there
  bool only_existing = false;  ///< makes no value that is not there
};

class Inf {
 public:
  static loader::Result<Inf> read(const std::string& path);
  /// The same from memory; `path` is for messages.
  static loader::Result<Inf> parse(const std::string& path, std::string_view bytes);

  const std::string& path() const noexcept { return path_; }
  /// In the order of the file. At least one.
  const std::vector<InfDevice>& devices() const noexcept { return devices_; }
  /// The first with this hardware id (`PCI\VEN_5AD1&DEV_0001`, or the beginning of a longer one); nullptr:
  /// none.
  const InfDevice* device_with(std::string_view hardware_id) const noexcept;
  /// What installing the device writes, in order; last the defaults of its advanced parameters.
  loader::Result<std::vector<InfChange>> install(const InfDevice& device) const;

 private:
  friend class InfReader;
  const InfSection* find(std::string_view name) const noexcept;
  const InfSection* decorated(std::string_view name, std::string_view suffix) const;
  void add_reg(const std::string& list, int line, InfChange::Root relative,
               std::vector<InfChange>& changes) const;
  void del_reg(const std::string& list, int line, InfChange::Root relative,
               std::vector<InfChange>& changes) const;
  void registry_of(const InfSection& section, InfChange::Root relative,
                   std::vector<InfChange>& changes) const;

  std::string path_;
  std::vector<InfSection> sections_;
  std::vector<InfDevice> devices_;
};

/// Where the roots are.
struct InfKeys {
  std::u16string driver;    ///< the adapter's own key
  std::u16string hardware;  ///< its device's
  std::u16string service;   ///< the driver's
};
void apply(const std::vector<InfChange>& changes, const InfKeys& keys, kernel::Registry& registry);

}  // namespace undis::lab
