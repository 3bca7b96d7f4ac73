// SPDX-License-Identifier: MIT
//
// A miniport adapter, physical or virtual, of a 5.x or 6.x miniport driver, and its state machine.
// Pages: network/miniport-adapter-states-and-operations, network/starting-a-driver-stack,
// network/stopping-a-driver-stack.
//
// NDIS 5 has no pause and restart: for a 5.x adapter NDIS makes the missing events itself
// (docs/decisions.md#ndis5-pause).
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <ndis.h>

#include "kernel/system.h"
#include "ndis/adapter_states.h"
#include "ndis/claim.h"
#include "ndis/filter_stack.h"
#include "ndis/gate.h"
#include "ndis/handle.h"
#include "ndis/miniport_driver.h"
#include "ndis/name_index.h"
#include "ndis/oid_direct.h"
#include "ndis/oid_queue.h"
#include "ndis/port.h"
#include "ndis/reset.h"
#include "ndis/restart_attributes.h"
#include "ndis/roster.h"
#include "ndis/selective_suspend.h"
#include "ndis/send_queue.h"
#include "ndis/settings.h"
#include "ndis/ways.h"

namespace undis::kernel {
class PciDevice;
}

namespace undis {

class AdapterHardware;
class Binding;
class CoAdapter;
class DeviceInstance;
class Library;
class ProtocolDriver;

/// What a device is before any driver has seen it.
struct AdapterConfig {
  std::string name;                  ///< how traces and reports call it: "nic0"
  std::u16string device_name;        ///< what protocols open: u"\\Device\\{...}"
  std::u16string configuration_key;  ///< registry path of its parameters
  void* device_context =
      nullptr;  ///< virtual miniport: the DeviceContext of NdisIMInitializeDeviceInstanceEx
  bool is_virtual = false;
  kernel::PciDevice* hardware = nullptr;  ///< the device in its slot; nullptr: none
  /// What the devices below do with a plug and play IRP (IRP_MN_START_DEVICE ...) that NDIS passes down;
  /// empty: they succeed.
  std::function<NTSTATUS(UCHAR minor)> lower_devices{};
};

/// What the adapter is like, from its attributes (6.x) or from OIDs that NDIS asks at initialisation (5.x).
struct AdapterTraits {
  NDIS_MEDIUM medium = NdisMedium802_3;
  NDIS_PHYSICAL_MEDIUM physical_medium = NdisPhysicalMediumUnspecified;
  ULONG mtu = 1500;
  std::uint64_t max_transmit_speed = 0;  ///< bit/s
  std::uint64_t max_receive_speed = 0;
  std::uint64_t transmit_speed = 0;
  std::uint64_t receive_speed = 0;
  NDIS_MEDIA_CONNECT_STATE connect_state = MediaConnectStateUnknown;
  NDIS_MEDIA_DUPLEX_STATE duplex_state = MediaDuplexStateUnknown;
  NET_IF_ACCESS_TYPE access_type = NET_IF_ACCESS_BROADCAST;
  NET_IF_CONNECTION_TYPE connection_type = NET_IF_CONNECTION_DEDICATED;
  ULONG supported_statistics = 0;
  ULONG data_backfill = 0;
  ULONG context_backfill = 0;
  ULONG lookahead = 0;
  ULONG mac_options = 0;
  ULONG supported_packet_filters = 0;
  ULONG max_multicast_list = 0;
  std::array<UCHAR, NDIS_MAX_PHYS_ADDRESS_LENGTH> permanent_address{};
  std::array<UCHAR, NDIS_MAX_PHYS_ADDRESS_LENGTH> current_address{};
  USHORT address_length = 0;
  std::vector<NDIS_OID> supported_oids;
  // Structures that the driver gave, as they are; empty: NULL, or not given.
  std::vector<std::uint8_t> pnp_capabilities;  ///< NDIS_PNP_CAPABILITIES
  std::vector<std::uint8_t> pm_capabilities;   ///< NDIS_PM_CAPABILITIES
  std::vector<std::uint8_t> rss_capabilities;  ///< NDIS_RECEIVE_SCALE_CAPABILITIES
  std::vector<std::uint8_t> offload_default;   ///< NDIS_OFFLOAD
  std::vector<std::uint8_t> offload_hardware;  ///< NDIS_OFFLOAD
  /// The driver knows device power states: it is told of them by OID_PNP_SET_POWER.
  bool power_managed() const noexcept { return !pnp_capabilities.empty() || !pm_capabilities.empty(); }
};

class Adapter final : public Object,
                      public Listed<Library>,
                      public Listed<MiniportDriver>,
                      public NamedIn<Library> {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::Adapter};

  Adapter(MiniportDriver& driver, AdapterConfig config);
  ~Adapter() override;

  const std::string& name() const noexcept { return config_.name; }
  const AdapterConfig& config() const noexcept { return config_; }
  const std::u16string& device_name() const noexcept { return config_.device_name; }
  MiniportDriver& driver() const noexcept { return *driver_; }
  bool is_version6() const noexcept { return driver_->is_version6(); }
  bool is_virtual() const noexcept { return config_.is_virtual; }
  NDIS_HANDLE handle() const noexcept { return handle_; }
  /// The MiniportAdapterContext that the driver gave.
  void* context() const noexcept { return context_; }
  AdapterState state() const noexcept EXCLUDES(lock_);
  AdapterTraits& traits() noexcept { return traits_; }
  const AdapterTraits& traits() const noexcept { return traits_; }
  /// NDIS_ATTRIBUTE_ or NDIS_MINIPORT_ATTRIBUTES_ flags.
  ULONG attribute_flags() const noexcept { return attribute_flags_; }
  /// NdisMSetAttributes(Ex) was called in this initialisation.
  bool attributes5_set() const noexcept { return attributes5_set_; }
  bool is_serialized() const noexcept;  ///< 5.x without NDIS_ATTRIBUTE_DESERIALIZE
  bool may_carry_data() const noexcept EXCLUDES(lock_);
  /// The same, of a 6.x adapter, without the lock: see Binding::carries_lists().
  bool carries_lists() const noexcept { return carries_lists_.load(std::memory_order_acquire); }
  /// Resets under way and an idle adapter's watch: while there are any, what passes is looked at
  /// (plain_path.h).
  void attend(bool on) {
    on ? ++attended : --attended;
    ways.plan();
  }
  std::atomic<unsigned> attended{0};
  /// The IfIndex that NDIS gave it: 1, 2, ... in order of arrival.
  ULONG interface_index() const noexcept { return interface_index_; }
  DEVICE_OBJECT* device_object() const noexcept { return device_object_; }

  // ---- operations of NDIS: PASSIVE_LEVEL, the caller has claimed the stack ----

  /// Halted -> Initializing -> Paused (SUCCESS) or Halted.
  NDIS_STATUS initialize();
  /// Paused -> Restarting -> Running, or Paused.
  NDIS_STATUS restart();
  /// Running -> Pausing -> Paused; waits for NdisMPauseComplete.
  /// `reason`: NDIS_PAUSE_...
  void pause(ULONG reason = NDIS_PAUSE_NDIS_INTERNAL);
  /// Paused -> Halted, by MiniportHalt(Ex), exactly once.
  void halt(NDIS_HALT_ACTION action);
  /// At the IRQL of the caller: PASSIVE_LEVEL at power-off, HIGH_LEVEL at a bug check.
  void shutdown(NDIS_SHUTDOWN_ACTION action);
  /// MiniportDevicePnPEventNotify, MiniportPnPEventNotify (5.x). PASSIVE_LEVEL.
  void notify_device_event(NDIS_DEVICE_PNP_EVENT event, void* buffer, ULONG length);

  // ---- what the miniport calls ----

  NDIS_STATUS
  set_attributes(const NDIS_MINIPORT_ADAPTER_ATTRIBUTES& attributes);  ///< NdisMSetMiniportAttributes
  void set_attributes5(void* context, UINT check_for_hang_seconds, ULONG flags,
                       NDIS_INTERFACE_TYPE type);  ///< NdisMSetAttributes(Ex)
  bool complete_pause();                           ///< NdisMPauseComplete; false: no pause was pended
  bool complete_restart(NDIS_STATUS status);       ///< NdisMRestartComplete; false: no restart was pended

  // ---- bindings, oldest first ----
  std::vector<Ref<Binding>> bindings() const EXCLUDES(lock_);
  /// The one that came of a bind of this protocol, whatever its state.
  Ref<Binding> binding_of(const ProtocolDriver& protocol) const EXCLUDES(lock_);
  /// The same for the data path, inside a section.
  std::span<Binding* const> bindings_now() const noexcept {
    return *bindings_now_.load(std::memory_order_acquire);
  }
  void add(Binding& binding) EXCLUDES(lock_);
  void remove(Binding& binding) EXCLUDES(lock_);

  /// The packet filters of all bindings together, set in the miniport if they changed. PASSIVE_LEVEL.
  void apply_filters();
  /// Sets again what a reset or a halt has lost: filters, offloads, wake-up patterns. PASSIVE_LEVEL.
  void restore_settings();
  ULONG merged_filter() const;
  ULONG merged_lookahead() const;
  std::vector<std::uint8_t> merged_multicast() const;
  ULONG applied_filter = 0;  ///< what the miniport was last told
  ULONG applied_lookahead = 0;
  std::vector<std::uint8_t> applied_multicast;

 private:
  const AdapterConfig config_;  ///< before those that are named after it

 public:
  Ways ways;                 ///< where chains go, while drivers are not watched
  kernel::Passage& passage;  ///< of the data path's plain way through the stack (visit.h)
  FilterStack filters;       ///< the filter modules between the miniport and the bindings
  Claim stack;               ///< the right to start, stop, pause, restart the stack on this adapter
  OidQueue oids;
  DirectOids direct_oids;
  ResetControl reset;
  PortTable ports;
  SettingsMemory settings;  ///< what protocols have set and a reset or a halt loses
  SelectiveSuspend suspend;
  RestartAttributes restart_attributes;             ///< of the restart that is under way; empty otherwise
  Gate sends;                                       ///< given to the miniport, not completed
  Gate receives;                                    ///< indicated by the miniport, not all returned
  Gate calls{"data path calls into the miniport"};  ///< calls of its data functions that run; a halt waits
                                                    ///< for them too
  SendQueue send_queue;                             ///< of a serialized 5.x miniport
  bool initialized() const noexcept { return initialized_.load(std::memory_order_acquire); }
  /// MiniportHalt(Ex) has returned, or MiniportInitialize(Ex) failed: nothing of the driver's may be called
  /// for it.
  bool was_halted() const noexcept { return halted_.load(std::memory_order_acquire); }
  bool removing = false;  ///< a removal has begun; written under the claim of the stack
  bool removed = false;   ///< halted for good
  bool stopped =
      false;  ///< halted, to be started again (IRP_MN_STOP_DEVICE); written under the claim of the stack
  bool surprise_removed = false;  ///< the driver knows that its device is gone
  bool binds_inhibited = false;   ///< between NetEventInhibitBindsAbove and NetEventAllowBindsAbove
  bool start_inhibited = false;   ///< between NetEventRequirePause and NetEventAllowStart
  NDIS_DEVICE_POWER_STATE power_state = NdisDeviceStateD0;  ///< written under the claim of the stack
  bool powered_down = false;  ///< halted for a low-power state, with its bindings kept
  bool is_low_power() const noexcept { return power_state != NdisDeviceStateD0; }
  /// What a send that may not go now is completed with.
  NDIS_STATUS refusal() const noexcept;
  void* add_device_context() const noexcept { return add_device_context_; }
  UINT check_for_hang_seconds() const noexcept { return check_for_hang_seconds_; }

  /// Resources, shared memory, ranges; there for each adapter, empty for one without a device.
  const std::unique_ptr<AdapterHardware> hardware;
  /// Address families and virtual connections; there for each adapter, empty for one that is not
  /// connection-oriented.
  const std::unique_ptr<CoAdapter> co;
  bool registration_attributes_set() const noexcept { return registration_attributes_set_; }

  /// NdisMRegisterAdapterShutdownHandler (5.x; 5.1 drivers give the handler in their characteristics).
  kernel::callback<void(void*)> shutdown_handler5;
  void* shutdown_context5 = nullptr;

 private:
  friend class Library;
  void advance(AdapterEvent event) EXCLUDES(lock_);
  void advance_locked(AdapterEvent event) REQUIRES(lock_);
  NDIS_STATUS call_initialize6();
  NDIS_STATUS call_initialize5();
  void learn_traits5();
  void judge_halt();
  NDIS_STATUS set_general_attributes(const NDIS_MINIPORT_ADAPTER_GENERAL_ATTRIBUTES& general);
  NDIS_STATUS set_add_device_attributes(const NDIS_MINIPORT_ADD_DEVICE_REGISTRATION_ATTRIBUTES& attributes);

  const Ref<MiniportDriver> driver_;
  DEVICE_OBJECT* device_object_ = nullptr;
  NDIS_HANDLE handle_ = nullptr;
  NDIS_HANDLE configuration_context_ =
      nullptr;  ///< 5.x: the WrapperConfigurationContext, while MiniportInitialize runs
  ULONG interface_index_ = 0;
  void* context_ = nullptr;
  ULONG attribute_flags_ = 0;
  AdapterTraits traits_;
  std::atomic<bool> initialized_{false};
  std::atomic<bool> halted_{false};
  bool attributes5_set_ = false;
  bool registration_attributes_set_ = false;
  bool general_attributes_set_ = false;
  void* add_device_context_ = nullptr;
  UINT check_for_hang_seconds_ = 0;

  mutable kernel::Lock lock_;
  AdapterState state_ GUARDED_BY(lock_) = AdapterState::Halted;
  bool pause_pended_ GUARDED_BY(lock_) = false;
  bool restart_pended_ GUARDED_BY(lock_) = false;
  NDIS_STATUS restart_status_ GUARDED_BY(lock_) = NDIS_STATUS_SUCCESS;
  std::vector<Ref<Binding>> bindings_ GUARDED_BY(lock_);
  using BindingsNow = std::vector<Binding*>;
  std::atomic<const BindingsNow*> bindings_now_;  ///< never changed: replaced
  std::atomic<bool> carries_lists_{false};
  std::unique_ptr<const BindingsNow> publish_bindings_locked() REQUIRES(lock_);
  kernel::Event paused_;
  kernel::Event restarted_;
};

}  // namespace undis
