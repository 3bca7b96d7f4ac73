// SPDX-License-Identifier: MIT
//
// What NDIS tells whoever watches: facts, not judgements. The verifier's rules decide which of them break a
// contract.
#pragma once

#include <string>
#include <string_view>

#include <ndis.h>

#include "kernel/observer.h"
#include "ndis/adapter_states.h"
#include "ndis/binding_states.h"
#include "ndis/breach.h"
#include "ndis/handle.h"

namespace undis {

class Adapter;
class Binding;
class MiniportDriver;
class ProtocolDriver;

/// A handle argument that is not what the function takes.
struct HandleMisuse {
  kernel::Driver* driver;  ///< who called
  const char* function;
  const char* argument;  ///< parameter name as documented
  NDIS_HANDLE handle;
  HandleKind expected;
  HandleView found;  ///< found.kind None: no handle at all (NULL or garbage); !found.open: stale
  kernel::Stack stack;
};

/// Something was registered or created for a driver, or given back.
struct Registration {
  enum class What : std::uint8_t { Made, Refused, Undone };
  What what;
  kernel::Driver* driver;
  HandleKind kind;
  const void* object;  ///< identifies the registration; nullptr if refused
  std::string_view name;
  const char* function;  ///< the DDI that did it
  NDIS_STATUS status;
};

/// What a driver still had when it should have had nothing.
struct LeftBehind {
  enum class When : std::uint8_t { FailedDriverEntry, Unload, FailedInitialize, Halt };
  When when;
  kernel::Driver* driver;
  HandleKind kind;
  std::string name;      ///< of the object: "passthru (layered miniport)"
  bool intermediate;     ///< the driver has a layered (or intermediate) miniport half
  bool ever_bound;       ///< for protocols: a binding was opened at least once
  kernel::Stack origin;  ///< where it was made
};

/// A DDI called where the page does not allow it. `why` says in one sentence what is wrong.
struct WrongPlace {
  enum class Kind : std::uint8_t {
    OutsideDriverEntry,       ///< registration-time call made later
    BeforeRegistration,       ///< NdisMRegisterUnloadHandler before a miniport registration
    ProtocolStillRegistered,  ///< layered miniport deregistered before the protocol half
    NotFromUnload,            ///< 6.x miniport deregistered elsewhere than in Unload or a failing DriverEntry
    NotAnOccasionToDeregister,  ///< NdisDeregisterProtocol outside the page's circumstances
    OtherBindingsOpen,    ///< NdisDeregisterProtocol in ProtocolUnbindAdapter that is not the last binding's
    InsideCallback,       ///< NdisDeregisterProtocolDriver inside a callback of NDIS
    OutsideSetOptions,    ///< NdisSetOptionalHandlers elsewhere than where the page has it
    OutsideBindOrUnbind,  ///< open or close elsewhere than in bind/unbind
    InsideBindOrUnbind,   ///< NdisUnbindAdapter, NdisReEnumerateProtocolBindings there
    OtherInstance,        ///< MiniportHalt touches another adapter instance
    WrongVersion,         ///< a 5.x function called by a 6.x driver or the reverse
    OutsideInitialize,    ///< what MiniportInitialize(Ex) alone may do, or that and the halt
    InShutdown,           ///< what MiniportShutdown(Ex) must not do
    BeforeAttributes,     ///< hardware claimed before the registration attributes were set
    NotIntermediate,      ///< NdisIM function of a driver that did not register as one
  };
  Kind kind;
  kernel::Driver* driver;
  const char* function;
  const void* object;
  std::string why;
  kernel::Stack stack;
};

/// A callback returned, or a completion carried, a status that the page does not list.
struct BadStatus {
  kernel::Driver* driver;
  const char* function;
  const void* object;
  std::string object_name;
  NDIS_STATUS status;
  std::string allowed;
  kernel::Stack stack;
};

/// XxxComplete without a pended operation, or a second time.
struct UnexpectedCompletion {
  kernel::Driver* driver;
  const char* function;
  const void* object;
  std::string object_name;
  std::string why;
  kernel::Stack stack;
};

/// A binding whose unbind or failed bind ended with the adapter still open.
struct NotClosed {
  kernel::Driver* driver;
  std::string binding;
  bool after_unbind;
  bool version6;
  kernel::Stack origin;
};

/// A virtual miniport whose underlying binding went away while it stays initialised.
struct InstanceOutlivesBinding {
  kernel::Driver* driver;
  std::string instance;
  std::string binding;
};

/// A protocol that asked for shutdown notification is still registered after its Shutdown routine; or one
/// handles IRP_MJ_SHUTDOWN without having asked.
struct ShutdownFact {
  kernel::Driver* driver;
  bool still_registered;
  bool handler_without_registration;
};

/// A move of one of the published state machines, or an attempt at a blank cell (`to` empty).
struct StateMove {
  const char* machine;      ///< "adapter" or "binding"
  std::string_view object;  ///< its name
  const char* from;
  const char* event;
  const char* to;  ///< nullptr: the cell is blank
  kernel::Driver* driver;
  const char* function;  ///< the DDI at fault for a blank cell, else nullptr
};

/// The life of a packet, a net buffer list or an OID request: who holds it.
enum class ItemKind : std::uint8_t { NetBufferList, NetBuffer, Packet, Buffer, OidRequest };
struct ItemEvent {
  enum class What : std::uint8_t {
    Allocated,
    Freed,
    Sent,           ///< protocol -> NDIS -> miniport
    SendCompleted,  ///< miniport -> NDIS -> protocol
    Indicated,      ///< miniport -> NDIS -> protocol
    Returned,       ///< protocol -> NDIS -> miniport
  };
  What what;
  ItemKind kind;
  const void* item;
  kernel::Driver* from;  ///< who gives it away (for Allocated/Freed: who does)
  kernel::Driver* to;    ///< who has it then; nullptr: NDIS
  const char* function;
  std::string_view object;  ///< adapter or binding it passes
};
/// An item used against its ownership: completed twice, freed while lent, pool freed before its items.
struct ItemMisuse {
  kernel::Driver* driver;
  const char* function;
  ItemKind kind;
  const void* item;
  std::string rule_hint;
  std::string why;
  kernel::Stack stack;
  kernel::Stack origin{};  ///< where it was allocated, or freed; empty if unknown
};
/// Items still out when they had to be back.
struct ItemsOut {
  kernel::Driver* holder;
  ItemKind kind;
  std::string where;
  std::string why;
  std::size_t count;
  kernel::Stack origin;
};

/// A filter that breaks what its pages say, other than by the state table or by what it does to a list that
/// it has not got.
struct FilterMisuse {
  kernel::Driver* driver;
  const char* rule;  ///< the statement that is broken, as spec/rules.csv calls it
  const char* function;
  std::string object;  ///< the module
  std::string why;
  kernel::Stack stack;
};

class Observer : public kernel::Observer {
 public:
  using kernel::Observer::on;
  virtual void on_ddi_enter(const kernel::CallFrame&) {}
  virtual void on_ddi_leave(const kernel::CallFrame&) {}
  virtual void on(const HandleMisuse&) {}
  virtual void on(const Registration&) {}
  virtual void on(const LeftBehind&) {}
  virtual void on(const WrongPlace&) {}
  virtual void on(const BadStatus&) {}
  virtual void on(const UnexpectedCompletion&) {}
  virtual void on(const NotClosed&) {}
  virtual void on(const InstanceOutlivesBinding&) {}
  virtual void on(const ShutdownFact&) {}
  virtual void on(const StateMove&) {}
  virtual void on(const ItemEvent&) {}
  virtual void on(const ItemMisuse&) {}
  virtual void on(const ItemsOut&) {}
  virtual void on(const Breach&) {}
  virtual void on(const FilterMisuse&) {}
};

}  // namespace undis
