// SPDX-License-Identifier: MIT
//
// The checks go from the outside in: the file, its first bytes, its ELF header, the extent of its parts, its
// symbols.
#include "loader/elf_file.h"

#include <elf.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <gelf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>

namespace undis::loader {
namespace {

struct Descriptor {
  explicit Descriptor(int number) : fd(number) {}
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int fd;
};

using ElfHandle = std::unique_ptr<Elf, decltype(&elf_end)>;

constexpr const char* kExpected = "expected a driver image built with `undis cc`";

/// Why the first bytes are not those of an ELF file; nullopt: they are.
std::optional<std::string> wrong_kind(std::string_view first) {
  if (first.starts_with("\x7f"
                        "ELF"))
    return std::nullopt;
  if (first.starts_with("MZ")) {
    return "a Windows image (PE); those cannot be loaded yet. Build the driver from its sources with `undis "
           "cc`";
  }
  if (first.starts_with("!<arch>")) return fmt::format("a static library; {}", kExpected);
  if (first.empty()) return fmt::format("an empty file; {}", kExpected);
  return fmt::format("not an ELF file; {}", kExpected);
}

std::optional<std::string> wrong_header(const GElf_Ehdr& header) {
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64) {
    return fmt::format("an ELF file of {} bits for machine {}; expected 64 bits for x86-64 (machine {})",
                       header.e_ident[EI_CLASS] == ELFCLASS64 ? 64 : 32, header.e_machine, EM_X86_64);
  }
  if (header.e_type == ET_REL) return "an object file (.o); link it with `undis cc -o driver.so`";
  if (header.e_type == ET_EXEC) return fmt::format("an executable; {}", kExpected);
  if (header.e_type == ET_CORE) return fmt::format("a core file; {}", kExpected);
  if (header.e_type != ET_DYN) return fmt::format("an ELF file of type {}; {}", header.e_type, kExpected);
  return std::nullopt;
}

/// Whether each part that the headers speak of lies in the file.
std::optional<std::string> truncated(Elf* elf, const GElf_Ehdr& header, std::uint64_t size) {
  const auto beyond = [size](const std::string& what, std::uint64_t begin,
                             std::uint64_t length) -> std::optional<std::string> {
    if (begin <= size && length <= size - begin) return std::nullopt;
    return fmt::format("truncated: its {} lies at bytes {} to {}, but the file has only {}", what, begin,
                       begin + length, size);
  };
  if (auto text = beyond("program header table", header.e_phoff,
                         std::uint64_t{header.e_phnum} * header.e_phentsize)) {
    return text;
  }
  if (auto text = beyond("section header table", header.e_shoff,
                         std::uint64_t{header.e_shnum} * header.e_shentsize)) {
    return text;
  }
  std::size_t segments = 0;
  if (elf_getphdrnum(elf, &segments) != 0) return fmt::format("damaged: {}", elf_errmsg(-1));
  for (std::size_t i = 0; i < segments; ++i) {
    GElf_Phdr segment;
    if (gelf_getphdr(elf, static_cast<int>(i), &segment) == nullptr)
      return fmt::format("damaged: {}", elf_errmsg(-1));
    if (auto text = beyond(fmt::format("segment {}", i), segment.p_offset, segment.p_filesz)) return text;
  }
  for (Elf_Scn* section = elf_nextscn(elf, nullptr); section != nullptr;
       section = elf_nextscn(elf, section)) {
    GElf_Shdr section_header;
    if (gelf_getshdr(section, &section_header) == nullptr) return fmt::format("damaged: {}", elf_errmsg(-1));
    if (section_header.sh_type == SHT_NOBITS) continue;
    const std::string what = fmt::format("section {}", elf_ndxscn(section));
    if (auto text = beyond(what, section_header.sh_offset, section_header.sh_size)) return text;
  }
  return std::nullopt;
}

bool has_program_interpreter(Elf* elf) {
  std::size_t segments = 0;
  elf_getphdrnum(elf, &segments);
  for (std::size_t i = 0; i < segments; ++i) {
    GElf_Phdr segment;
    if (gelf_getphdr(elf, static_cast<int>(i), &segment) != nullptr && segment.p_type == PT_INTERP)
      return true;
  }
  return false;
}

ElfFacts read_symbols(Elf* elf) {
  ElfFacts facts;
  for (Elf_Scn* section = elf_nextscn(elf, nullptr); section != nullptr;
       section = elf_nextscn(elf, section)) {
    GElf_Shdr header;
    if (gelf_getshdr(section, &header) == nullptr || header.sh_type != SHT_DYNSYM || header.sh_entsize == 0)
      continue;
    Elf_Data* data = elf_getdata(section, nullptr);
    const auto count = header.sh_size / header.sh_entsize;
    for (std::size_t i = 1; data != nullptr && i < count; ++i) {
      GElf_Sym symbol;
      if (gelf_getsym(data, static_cast<int>(i), &symbol) == nullptr) break;
      const char* name = elf_strptr(elf, header.sh_link, symbol.st_name);
      if (name == nullptr) continue;
      if (symbol.st_shndx == SHN_UNDEF) {
        if (GELF_ST_BIND(symbol.st_info) != STB_WEAK) facts.undefined.emplace_back(name);
      } else if (GELF_ST_TYPE(symbol.st_info) == STT_FUNC) {
        // GsDriverEntry wraps DriverEntry, so it goes first.
        if (std::string_view(name) == "GsDriverEntry") facts.entry = name;
        if (std::string_view(name) == "DriverEntry" && facts.entry.empty()) facts.entry = name;
      }
    }
  }
  return facts;
}

Result<ElfFacts> inspect_open_file(int fd) {
  struct stat status {};
  if (::fstat(fd, &status) != 0) return Failure{std::strerror(errno)};
  if (S_ISDIR(status.st_mode)) return Failure{fmt::format("a directory; {}", kExpected)};
  if (!S_ISREG(status.st_mode)) return Failure{fmt::format("not a regular file; {}", kExpected)};
  const auto size = static_cast<std::uint64_t>(status.st_size);

  std::array<char, 16> first{};
  const ssize_t got = ::pread(fd, first.data(), first.size(), 0);
  if (got < 0) return Failure{std::strerror(errno)};
  if (auto text = wrong_kind({first.data(), static_cast<std::size_t>(got)})) return Failure{*text};
  if (size < sizeof(Elf64_Ehdr)) {
    return Failure{fmt::format("truncated: an ELF header has {} bytes, but the file has only {}",
                               sizeof(Elf64_Ehdr), size)};
  }

  elf_version(EV_CURRENT);
  const ElfHandle elf(elf_begin(fd, ELF_C_READ, nullptr), &elf_end);
  GElf_Ehdr header;
  if (elf == nullptr || gelf_getehdr(elf.get(), &header) == nullptr) {
    return Failure{fmt::format("damaged: {}", elf_errmsg(-1))};
  }
  if (auto text = wrong_header(header)) return Failure{*text};
  if (auto text = truncated(elf.get(), header, size)) return Failure{*text};
  if (has_program_interpreter(elf.get())) return Failure{fmt::format("an executable; {}", kExpected)};
  ElfFacts facts = read_symbols(elf.get());
  if (facts.entry.empty()) {
    return Failure{"no driver: it exports neither DriverEntry nor GsDriverEntry (in C++ the function has to "
                   "be extern \"C\")"};
  }
  return facts;
}

}  // namespace

Result<ElfFacts> inspect(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.fd < 0) {
    return Failure{
        fmt::format("{}: {}; {}", path, errno == ENOENT ? "no such file" : std::strerror(errno), kExpected)};
  }
  Result<ElfFacts> facts = inspect_open_file(file.fd);
  return facts ? facts : Failure{fmt::format("{}: {}", path, facts.error())};
}

}  // namespace undis::loader
