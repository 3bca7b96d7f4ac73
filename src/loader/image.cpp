// SPDX-License-Identifier: MIT
//
// dlopen() hands out the same image when the same file is opened again; a second copy comes from memory
// (memfd), which has an inode of its own. All symbols are bound at once, so the linkage tables do not change
// afterwards.
#include "loader/image.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>
#include <span>
#include <string_view>

#include "loader/ddi_status.h"
#include "loader/elf_file.h"
#include "loader/untold.h"

namespace undis::loader {
namespace {

/// The images that are open, in the order of opening.
struct OpenImages {
  std::mutex mutex;
  std::vector<const Image*> images;
};

OpenImages& open_images() {
  static OpenImages images;
  return images;
}

/// Copies memory that AddressSanitizer may have fenced: the gaps between a driver's variables are restored
/// along with them.
void copy_raw(void* to, const void* from, std::size_t length) noexcept {
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(length) : : "memory");
}

/// A descriptor of a copy of the file in memory; -1 and errno: it could not be made.
int copy_to_memory(const std::string& path, const std::string& name) {
  const int from = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (from < 0) return -1;
  struct stat status {};
  int to = ::fstat(from, &status) == 0 ? ::memfd_create(name.c_str(), MFD_CLOEXEC) : -1;
  for (off_t done = 0; to >= 0 && done < status.st_size;) {
    const ssize_t sent = ::sendfile(to, from, &done, static_cast<std::size_t>(status.st_size - done));
    if (sent > 0 || (sent < 0 && errno == EINTR)) continue;
    ::close(to);
    to = -1;
  }
  ::close(from);
  return to;
}

/// The program headers of a loaded shared object.
struct Headers {
  std::uintptr_t base = 0;
  std::span<const ElfW(Phdr)> all;
};

Headers headers_of(const struct link_map& map) {
  struct Search {
    const struct link_map& map;
    Headers found;
  } search{map, {}};
  const auto visit = [](struct dl_phdr_info* info, std::size_t, void* data) {
    auto& [wanted, found] = *static_cast<Search*>(data);
    const std::span all(info->dlpi_phdr, info->dlpi_phnum);
    for (const ElfW(Phdr) & header : all) {
      if (header.p_type != PT_DYNAMIC ||
          info->dlpi_addr + header.p_vaddr != reinterpret_cast<std::uintptr_t>(wanted.l_ld)) {
        continue;
      }
      found = {info->dlpi_addr, all};
      return 1;
    }
    return 0;
  };
  ::dl_iterate_phdr(visit, &search);
  return search.found;
}

/// dlopen()'s complaint in our words: a missing function is named, with what undis knows of it.
std::string explain(const std::string& path, const ElfFacts& facts, const std::string& complaint) {
  if (complaint.find("undefined symbol") == std::string::npos) return fmt::format("{}: {}", path, complaint);
  std::string text = fmt::format("{}: functions that it calls are missing:", path);
  std::size_t named = 0;
  for (const std::string& name : facts.undefined) {
    // What another library of the image would define is found only with the image; the complaint names one
    // name for sure.
    if (::dlsym(RTLD_DEFAULT, name.c_str()) != nullptr) continue;
    if (!has_row(name) && complaint.find("symbol: " + name) == std::string::npos) continue;
    text += fmt::format("\n  {}", why_missing(name));
    ++named;
  }
  return named > 0 ? text : fmt::format("{}: {}", path, complaint);
}

}  // namespace

Result<std::unique_ptr<Image>> Image::open(const std::string& path) {
  const Result<ElfFacts> facts = inspect(path);
  if (!facts) return Failure{facts.error()};

  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return Failure{fmt::format("{}: {}", path, std::strerror(errno))};
  std::unique_ptr<Image> image(new Image);
  image->path_ = std::filesystem::absolute(path).lexically_normal().string();
  image->name_ = std::filesystem::path(path).stem().string();
  image->untold_ = why_untold(facts->undefined);
  image->device_ = status.st_dev;
  image->inode_ = status.st_ino;

  OpenImages& all = open_images();
  const std::lock_guard hold(all.mutex);
  const bool again = std::any_of(all.images.begin(), all.images.end(), [&](const Image* other) {
    return other->device_ == image->device_ && other->inode_ == image->inode_;
  });
  std::string file = image->path_;
  int copy = -1;
  if (again) {
    copy = copy_to_memory(image->path_, image->name_);
    if (copy < 0)
      return Failure{fmt::format("{}: a second copy cannot be made: {}", path, std::strerror(errno))};
    file = fmt::format("/proc/self/fd/{}", copy);
  }
  image->handle_ = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  const char* complaint = image->handle_ == nullptr ? ::dlerror() : nullptr;
  if (copy >= 0) ::close(copy);
  if (image->handle_ == nullptr) {
    return Failure{explain(path, *facts, complaint != nullptr ? complaint : "it cannot be loaded")};
  }

  void* const entry = ::dlsym(image->handle_, facts->entry.c_str());
  if (entry == nullptr) return Failure{fmt::format("{}: {} cannot be found in it", path, facts->entry)};
  image->entry_ = Entry(reinterpret_cast<NTSTATUS (*)(PDRIVER_OBJECT, PUNICODE_STRING)>(entry));
  image->find_segments();
  all.images.push_back(image.get());
  return image;
}

Image::~Image() {
  if (handle_ == nullptr) return;
  OpenImages& all = open_images();
  const std::lock_guard hold(all.mutex);
  std::erase(all.images, this);
  ::dlclose(handle_);
}

void Image::find_segments() {
  struct link_map* map = nullptr;
  ::dlinfo(handle_, RTLD_DI_LINKMAP, &map);
  const Headers headers = headers_of(*map);
  const auto page_mask = ~(static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE)) - 1);

  range_ = {UINTPTR_MAX, 0};
  kernel::ImageRange fixed;  // made read-only after relocation; whole pages
  for (const ElfW(Phdr) & header : headers.all) {
    const std::uintptr_t begin = headers.base + header.p_vaddr;
    const std::uintptr_t end = begin + header.p_memsz;
    if (header.p_type == PT_GNU_RELRO) fixed = {begin & page_mask, end & page_mask};
    if (header.p_type != PT_LOAD) continue;
    range_.begin = std::min(range_.begin, begin & page_mask);
    range_.end = std::max(range_.end, end);
  }
  for (const ElfW(Phdr) & header : headers.all) {
    if (header.p_type != PT_LOAD || (header.p_flags & PF_W) == 0) continue;
    const std::uintptr_t begin = headers.base + header.p_vaddr;
    const std::uintptr_t end = begin + header.p_memsz;
    const bool meets_fixed = fixed.begin < end && fixed.end > begin;
    save(begin, meets_fixed ? std::max(begin, fixed.begin) : end);
    if (meets_fixed) save(std::min(end, fixed.end), end);
  }
}

void Image::save(std::uintptr_t begin, std::uintptr_t end) {
  if (begin >= end) return;
  Saved saved{reinterpret_cast<std::uint8_t*>(begin), std::vector<std::uint8_t>(end - begin)};
  copy_raw(saved.content.data(), saved.at, saved.content.size());
  saved_.push_back(std::move(saved));
}

void Image::reset() noexcept {
  for (const Saved& saved : saved_) copy_raw(saved.at, saved.content.data(), saved.content.size());
}

ImagePlace image_at(const void* address) {
  OpenImages& all = open_images();
  const std::lock_guard hold(all.mutex);
  for (const Image* image : all.images) {
    if (image->range().holds(address)) return {image->path(), image->range().begin};
  }
  return {};
}

}  // namespace undis::loader
