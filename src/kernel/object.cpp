// SPDX-License-Identifier: MIT
//
// The tables of objects and handles. Handle values are never used twice, so a stale handle is always told
// from a live one.
#include "kernel/object.h"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "kernel/driver.h"
#include "kernel/system.h"
#include "kernel/unicode.h"
#include "machine/footprint.h"

namespace undis::kernel {
namespace {

struct Object {
  ObjectKind kind = ObjectKind::Other;
  std::string name;
  std::size_t references = 0;
  std::size_t handles = 0;
  std::uint64_t number = 0;  // order of creation
  std::function<void()> gone;
  std::function<void()> closed;
};

struct OpenHandle {
  void* body = nullptr;
  Driver* opener = nullptr;
};

// Kernel handles of Windows have the upper bits set and are multiples of four.
constexpr std::uintptr_t kHandleBase = 0xFFFFFFFF80000000u;

HANDLE to_handle(std::uintptr_t number) noexcept {
  return reinterpret_cast<HANDLE>(kHandleBase + number * 4);
}

}  // namespace

struct ObjectTable::Parts {
  std::unordered_map<const void*, Object> objects;  // looked up only; for_each sorts by number
  std::map<std::uintptr_t, OpenHandle> handles;     // by value
  std::uint64_t next_object = 1;
  std::uintptr_t next_handle = 1;

  /// One reference less; what is to run when it was the last one.
  std::function<void()> drop(const void* body) {
    const auto found = objects.find(body);
    if (found == objects.end() || --found->second.references != 0) return {};
    std::function<void()> gone = std::move(found->second.gone);
    objects.erase(found);
    return gone;
  }
};

const char* object_kind_name(ObjectKind kind) noexcept {
  switch (kind) {
  case ObjectKind::Thread:
    return "thread";
  case ObjectKind::Process:
    return "process";
  case ObjectKind::Event:
    return "event";
  case ObjectKind::Device:
    return "device";
  case ObjectKind::Driver:
    return "driver";
  case ObjectKind::File:
    return "file";
  case ObjectKind::Key:
    return "registry key";
  case ObjectKind::Callback:
    return "callback";
  case ObjectKind::SymbolicLink:
    return "symbolic link";
  case ObjectKind::Section:
    return "section";
  case ObjectKind::Other:
    break;
  }
  return "object";
}

ObjectTable::ObjectTable() : parts_(std::make_unique<Parts>()) {}
ObjectTable::~ObjectTable() = default;

void ObjectTable::add(void* body, ObjectKind kind, std::string name, std::function<void()> gone,
                      std::function<void()> closed) {
  const Hold hold(lock_);
  Object& object = parts_->objects[body];
  object.kind = kind;
  object.name = std::move(name);
  object.references = 1;
  object.number = parts_->next_object++;
  object.gone = std::move(gone);
  object.closed = std::move(closed);
}

bool ObjectTable::remove(void* body) {
  const Hold hold(lock_);
  return parts_->objects.erase(body) != 0;
}

bool ObjectTable::reference(const void* body) noexcept {
  const Hold hold(lock_);
  const auto found = parts_->objects.find(body);
  if (found == parts_->objects.end()) return false;
  ++found->second.references;
  return true;
}

bool ObjectTable::dereference(void* body) noexcept {
  machine::tell_touched(this, sizeof *this, true);
  std::function<void()> gone;
  {
    const Hold hold(lock_);
    if (parts_->objects.find(body) == parts_->objects.end()) return false;
    gone = parts_->drop(body);
  }
  if (gone) gone();
  return true;
}

std::size_t ObjectTable::references(const void* body) const noexcept {
  const Hold hold(lock_);
  const auto found = parts_->objects.find(body);
  return found == parts_->objects.end() ? 0 : found->second.references;
}

HANDLE ObjectTable::open(void* body, Driver* opener) {
  const Hold hold(lock_);
  const auto found = parts_->objects.find(body);
  if (found == parts_->objects.end()) return nullptr;
  ++found->second.references;
  ++found->second.handles;
  const std::uintptr_t number = parts_->next_handle++;
  const HANDLE handle = to_handle(number);
  parts_->handles[reinterpret_cast<std::uintptr_t>(handle)] = {body, opener};
  return handle;
}

bool ObjectTable::close(HANDLE handle) {
  std::function<void()> closed;
  void* body = nullptr;
  {
    const Hold hold(lock_);
    const auto found = parts_->handles.find(reinterpret_cast<std::uintptr_t>(handle));
    if (found == parts_->handles.end()) return false;
    body = found->second.body;
    parts_->handles.erase(found);
    const auto object = parts_->objects.find(body);
    if (object != parts_->objects.end() && --object->second.handles == 0) closed = object->second.closed;
  }
  if (closed) closed();
  std::function<void()> gone;
  {
    const Hold hold(lock_);
    gone = parts_->drop(body);
  }
  if (gone) gone();
  return true;
}

void* ObjectTable::body(HANDLE handle, ObjectKind* kind) const noexcept {
  const Hold hold(lock_);
  const auto found = parts_->handles.find(reinterpret_cast<std::uintptr_t>(handle));
  if (found == parts_->handles.end()) return nullptr;
  const auto object = parts_->objects.find(found->second.body);
  if (object == parts_->objects.end()) return nullptr;  // taken out by remove() while handles were open
  if (kind != nullptr) *kind = object->second.kind;
  return found->second.body;
}

void* ObjectTable::reference_by_name(ObjectKind kind, const std::string& name) {
  if (name.empty()) return nullptr;
  const std::u16string wanted = to_utf16(name);
  const Hold hold(lock_);
  for (auto& [body, object] : parts_->objects) {  // at most one matches: the order does not matter
    if (object.kind != kind || !equal_ignore_case(to_utf16(object.name), wanted)) continue;
    ++object.references;
    return const_cast<void*>(body);
  }
  return nullptr;
}

void ObjectTable::for_each(ObjectKind kind,
                           const std::function<void(void*, const std::string&)>& visit) const {
  struct Entry {
    std::uint64_t number;
    void* body;
    std::string name;
  };
  std::vector<Entry> entries;
  {
    const Hold hold(lock_);
    for (const auto& [body, object] : parts_->objects)
      if (object.kind == kind) entries.push_back({object.number, const_cast<void*>(body), object.name});
  }
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.number < b.number; });
  for (const Entry& entry : entries) visit(entry.body, entry.name);
}

std::size_t ObjectTable::sweep(Driver& driver) {
  std::vector<HANDLE> left;
  std::vector<std::string> lines;
  {
    const Hold hold(lock_);
    for (const auto& [value, handle] : parts_->handles) {
      if (handle.opener != &driver) continue;
      left.push_back(reinterpret_cast<HANDLE>(value));
      const auto object = parts_->objects.find(handle.body);
      if (object != parts_->objects.end())
        lines.push_back(fmt::format("{}: handle to {} '{}' left open", driver.name(),
                                    object_kind_name(object->second.kind), object->second.name));
    }
  }
  for (const HANDLE handle : left) close(handle);
  if (System* const system = System::current_or_null())
    for (const std::string& line : lines) system->observer().on_trace(line);
  return left.size();
}

}  // namespace undis::kernel
