// SPDX-License-Identifier: MIT
//
// A driver image in this process: a shared object made by `undis cc`, whose data can be put back to what it
// was when it was loaded.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <wdm.h>

#include "kernel/call.h"
#include "kernel/driver.h"
#include "loader/result.h"

namespace undis::loader {

class Image {
 public:
  using Entry = kernel::callback<NTSTATUS(PDRIVER_OBJECT, PUNICODE_STRING)>;

  /// Loads the file at `path`. The same file may be opened again while it is open: each Image has its own
  /// code and data. The error says what was found and what was expected; a function that undis lacks is named
  /// with its row of docs/ddi.md.
  static Result<std::unique_ptr<Image>> open(const std::string& path);
  ~Image();
  Image(const Image&) = delete;
  Image& operator=(const Image&) = delete;

  const std::string& path() const noexcept { return path_; }
  /// The file's name without directory and suffix: the driver's service name unless the host has a better
  /// one.
  const std::string& name() const noexcept { return name_; }
  kernel::ImageRange range() const noexcept { return range_; }
  /// GsDriverEntry if the image has one, else DriverEntry.
  Entry entry() const noexcept { return entry_; }

  /// "" if its code tells the machine of all that it reads and writes (`undis cc --memory`), else why that is
  /// not known.
  const std::string& untold() const noexcept { return untold_; }

  /// Puts every writable byte of the image back to what it was after loading (constructors had run), so that
  /// DriverEntry finds the driver as new. Preconditions: no thread runs in the image, nothing keeps pointers
  /// into its data.
  void reset() noexcept;

 private:
  /// Writable memory and what it held after loading.
  struct Saved {
    std::uint8_t* at;
    std::vector<std::uint8_t> content;
  };

  Image() = default;
  void find_segments();
  void save(std::uintptr_t begin, std::uintptr_t end);

  std::string path_;
  std::string name_;
  std::string untold_;
  void* handle_ = nullptr;
  std::uint64_t device_ = 0;
  std::uint64_t inode_ = 0;
  kernel::ImageRange range_;
  Entry entry_;
  std::vector<Saved> saved_;
};

/// The file that the image at this address was opened from, and where the image begins: for looking up
/// symbols. The process' own table of shared objects names no file for an image that is open twice. Empty: no
/// image lies there.
struct ImagePlace {
  std::string path;
  std::uintptr_t begin = 0;
};
ImagePlace image_at(const void* address);

}  // namespace undis::loader
