// SPDX-License-Identifier: MIT
//
// A stack to measure, or to trouble: cards, filters, an intermediate driver and protocols, each with as
// little code as a driver of its kind can have.
//
//   Stack stack({.filters = 2});
//   stack.run([&] { NdisSendNetBufferLists(stack.open().handle, ...); });
//
// Ends      a card completes what it is to send inside its send function; a protocol returns what it receives
//           inside its receive function (NDIS 5: in ProtocolReceiveComplete). What comes back goes to the row
//           that it is from (frames.h).
// Pauses    nobody waits for a user by himself: whoever sends or indicates while the stack may be paused
// enters
//           `use` of the open or the port first.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <ndis.h>

#include "lab/world.h"

namespace undis::bench {

/// What the intermediate driver of a stack does with a list.
enum class Middle : std::uint8_t {
  None,         ///< there is none
  Forwards,     ///< passes it on as it is; saves SourceHandle and restores it
  Clones,       ///< passes a clone on, whose MDLs are made for it
  ClonesOfMdls  ///< passes a clone on that uses the original's MDLs
};

struct StackOptions {
  unsigned cards = 1;
  bool cards5 = false;  ///< of NDIS 5.1, else 6.30
  unsigned protocols = 1;
  bool protocols5 = false;
  unsigned listeners = 1;  ///< so many of the protocols, from the first, receive
  unsigned filters = 0;    ///< that pass everything on
  unsigned bypassed = 0;   ///< filters without a data handler
  Middle middle = Middle::None;
  bool touched = false;  ///< both ends of the way touch each byte
  bool guarded = false;  ///< filters and the intermediate driver look after pauses, by a shared counter each
  lab::Engine engine = lab::Engine::Threaded;
  kernel::Watch watch = kernel::Watch::Nothing;
  std::uint32_t processors = 0;  ///< 0: as many as a world has by itself
};

/// Whether this file was built optimized, and so the library it is built with.
bool is_optimized() noexcept;

/// The use of what may be paused.
class Use {
 public:
  /// False: it does not run.
  bool enter() noexcept {
    ++inside_;
    if (runs_) return true;
    --inside_;
    return false;
  }
  void leave() noexcept { --inside_; }
  void start() noexcept { runs_ = true; }
  /// Nobody enters any more; waits until nobody is inside.
  void stop() noexcept {
    runs_ = false;
    while (inside_ != 0) kernel::schedule_point("somebody is inside");
  }

 private:
  std::atomic<bool> runs_{false};
  std::atomic<unsigned> inside_{0};
};

/// A card that is plugged in.
struct Port {
  NDIS_HANDLE handle = nullptr;
  bool touched = false;
  std::atomic<bool> indicates{false};  ///< for those who take turns
  Use use;
};

/// What may pend of an open and of a close.
struct Bound {
  NDIS_STATUS open_status = NDIS_STATUS_PENDING;
  kernel::Event opened{"an open"};
  kernel::Event closed{"a close"};
};

class Stack;

/// A protocol on a card, or on the virtual miniport above it.
struct Open : Bound {
  Stack* stack = nullptr;
  NDIS_HANDLE handle = nullptr;
  bool touched = false;
  bool listens = true;
  std::vector<NDIS_PACKET*> kept;  ///< 5.x: until ProtocolReceiveComplete
  Use use;
};

class Part;

class Stack {
 public:
  explicit Stack(const StackOptions& options = {});
  ~Stack();
  Stack(const Stack&) = delete;
  Stack& operator=(const Stack&) = delete;

  const StackOptions& options() const noexcept { return options_; }
  lab::World& world() noexcept { return world_; }
  /// Runs `body` on a kernel thread.
  kernel::Outcome run(const std::function<void()>& body) { return world_.run("bench", body); }
  /// Everything that was asked for is there, and nothing was told.
  bool is_up() noexcept;
  bool is_clean() noexcept { return world_.verifier().violations().empty(); }
  /// What was told, for a message.
  std::string complaint();

  /// In NetEventPause and NetEventRestart of a protocol of 6.x, if set.
  std::function<void()> on_pause;
  std::function<void()> on_restart;
  /// At the end of ProtocolBindAdapterEx and of ProtocolUnbindAdapterEx, if set.
  std::function<void()> on_bound;
  std::function<void()> on_unbound;

  std::deque<Port> ports;  ///< in the order in which they were plugged in; never removed
  std::deque<Open> opens;  ///< in the order in which they were opened; never removed. Handle nullptr: closed
  Port& new_port(NDIS_HANDLE handle);
  Open& new_open(bool listens);
  /// Those that there are, while cards and bindings come and go.
  std::vector<Port*> ports_now();
  std::vector<Open*> opens_now();
  Open& open(std::size_t i = 0) noexcept { return opens[i]; }
  NDIS_HANDLE binding(std::size_t i = 0) noexcept { return opens[i].handle; }
  NDIS_HANDLE adapter(std::size_t i = 0) noexcept { return ports[i].handle; }

  // ---- on a kernel thread ----
  Ref<Adapter> plug();
  void load_protocol();
  void unload_protocol();  ///< the last that was loaded
  /// Takes everything down. The destructor does so if nobody has.
  void take_down();

 private:
  Part& add(std::unique_ptr<Part> part);
  void unload(std::vector<Part*>& parts);

  const StackOptions options_;
  lab::World world_;
  std::mutex growing_;  // ports and opens
  std::vector<std::unique_ptr<Part>> parts_;
  Part* cards_ = nullptr;
  Part* middle_ = nullptr;
  std::vector<Part*> filters_;
  std::vector<Part*> protocols_;
  unsigned loaded_ = 0;
  unsigned plugged_ = 0;
};

}  // namespace undis::bench
