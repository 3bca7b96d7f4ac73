// SPDX-License-Identifier: MIT
//
// What ObReferenceObject, ObDereferenceObject, ObReferenceObjectByHandle and ZwClose work on: counted objects
// and handles to them.
//
// An object is its body's address: a KTHREAD, KEVENT, DEVICE_OBJECT, FILE_OBJECT, DRIVER_OBJECT, callback
// object or registry key.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include <wdm.h>

#include "kernel/lock.h"
#include "kernel/observer.h"

namespace undis::kernel {

class Driver;

enum class ObjectKind : std::uint8_t {
  Thread,
  Process,
  Event,
  Device,
  Driver,
  File,
  Key,
  Callback,
  SymbolicLink,
  Section,
  Other
};
const char* object_kind_name(ObjectKind kind) noexcept;

class ObjectTable {
 public:
  ObjectTable();
  ~ObjectTable();
  ObjectTable(const ObjectTable&) = delete;
  ObjectTable& operator=(const ObjectTable&) = delete;

  /// Enters an object with one reference. `gone` runs, with no lock held, when the last reference and the
  /// last handle are gone. `closed` runs, likewise, each time the last handle is closed, before the handle's
  /// reference goes.
  void add(void* body, ObjectKind kind, std::string name, std::function<void()> gone,
           std::function<void()> closed = {}) EXCLUDES(lock_);
  /// Takes an object out whatever its count is, without calling `gone`. False: it is not there.
  bool remove(void* body) EXCLUDES(lock_);

  /// False: no object of ours.
  bool reference(const void* body) noexcept EXCLUDES(lock_);
  bool dereference(void* body) noexcept EXCLUDES(lock_);
  /// References, those of handles included; 0: no object of ours.
  std::size_t references(const void* body) const noexcept EXCLUDES(lock_);

  /// A new handle, which holds a reference. `opener` is blamed if it is never closed.
  HANDLE open(void* body, Driver* opener) EXCLUDES(lock_);
  /// False: no such handle (Misuse is the caller's business).
  bool close(HANDLE handle) EXCLUDES(lock_);
  /// nullptr: no such handle. Takes no reference.
  void* body(HANDLE handle, ObjectKind* kind) const noexcept EXCLUDES(lock_);
  /// The object with this name, ignoring case; nullptr: none, or the name is empty. Takes a reference.
  void* reference_by_name(ObjectKind kind, const std::string& name) EXCLUDES(lock_);
  /// Calls `visit` for each live object of the kind in order of creation; no lock is held meanwhile.
  void for_each(ObjectKind kind, const std::function<void(void* body, const std::string& name)>& visit) const
      EXCLUDES(lock_);

  /// Closes the handles that the driver left open; reports nothing but a trace line. Returns their number.
  std::size_t sweep(Driver& driver) EXCLUDES(lock_);

 private:
  struct Parts;
  mutable Lock lock_;
  std::unique_ptr<Parts> parts_ GUARDED_BY(lock_);
};

}  // namespace undis::kernel
