// SPDX-License-Identifier: MIT
//
// Files that drivers read while they start (firmware, tables), and the log that a miniport writes for its own
// viewer.
//
// A file is a binary value of the registry key \Registry\Machine\System\undis\Files, named as the driver
// names it: a host or a lab puts it there. The log is a ring in memory; what it holds goes to the trace when
// it is closed.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ndis/service.h"

namespace undis {

inline constexpr std::u16string_view kFilesKey = u"\\Registry\\Machine\\System\\undis\\Files";

class DriverFile final : public Service {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::File};
  DriverFile(kernel::Driver& driver, std::string name, std::vector<std::byte> contents)
      : Service(HandleKind::File, driver, std::move(name)), contents_(std::move(contents)) {}

  std::size_t size() const noexcept { return contents_.size(); }
  /// nullptr: it is mapped already.
  void* map() noexcept { return std::exchange(mapped_, true) ? nullptr : contents_.data(); }
  /// False: it is not mapped.
  bool unmap() noexcept { return std::exchange(mapped_, false); }

 private:
  std::vector<std::byte> contents_;
  bool mapped_ = false;
};

class MiniportLog final : public Service {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::Log};
  MiniportLog(kernel::Driver& driver, std::string name, std::size_t size)
      : Service(HandleKind::Log, driver, std::move(name)), ring_(size) {}

  /// False: more than the whole log.
  bool write(const void* data, std::size_t size) EXCLUDES(lock_);
  void flush() EXCLUDES(lock_);
  /// What is in it, oldest first.
  std::vector<std::byte> contents() const EXCLUDES(lock_);

 private:
  mutable kernel::Lock lock_;
  std::vector<std::byte> ring_ GUARDED_BY(lock_);
  std::size_t at_ GUARDED_BY(lock_) = 0;
  std::size_t used_ GUARDED_BY(lock_) = 0;
};

}  // namespace undis
