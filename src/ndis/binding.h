// SPDX-License-Identifier: MIT
//
// A protocol driver's binding to an adapter: from ProtocolBindAdapter(Ex) to the end of
// ProtocolUnbindAdapter(Ex), and the open in between. Pages: network/protocol-binding-states-and-operations,
// network/binding-to-an-adapter, network/unbinding-from-an-adapter.
#pragma once

#include <atomic>
#include <string>
#include <vector>

#include <ndis.h>

#include "kernel/system.h"
#include "ndis/adapter.h"
#include "ndis/binding_states.h"
#include "ndis/claim.h"
#include "ndis/co_adapter.h"
#include "ndis/gate.h"
#include "ndis/multicast_list.h"
#include "ndis/protocol_driver.h"
#include "ndis/roster.h"

namespace undis {

namespace data_path {
struct RunningReceive;
}

class Binding final : public Object, public Listed<ProtocolDriver> {
 public:
  static constexpr HandleKind kHandleKinds[] = {HandleKind::Binding};

  /// `own`: opened by a 5.x protocol outside a bind, open_outside_bind().
  Binding(ProtocolDriver& protocol, Adapter& adapter, bool own = false);
  ~Binding() override;

  ProtocolDriver& protocol() const noexcept { return *protocol_; }
  Adapter& adapter() const noexcept { return *adapter_; }
  kernel::Driver& driver() const noexcept { return protocol_->driver(); }
  /// "tcpip on nic0"
  const std::string& name() const noexcept { return name_; }
  BindingState state() const noexcept EXCLUDES(lock_);
  NDIS_HANDLE handle() const noexcept { return handle_; }
  /// The ProtocolBindingContext given at open.
  void* context() const noexcept { return context_; }
  bool is_open() const noexcept EXCLUDES(lock_);
  /// Between ProtocolBindAdapter(Ex) and the end of the bind.
  bool bind_under_way() const noexcept { return binding_now_; }
  bool close_called() const noexcept EXCLUDES(lock_);
  /// Not from a bind: the protocol opened it of itself, and may close it so
  /// (docs/decisions.md#open-outside-bind).
  bool is_own() const noexcept { return own_; }
  bool is_version6() const noexcept { return protocol_->is_version6(); }
  /// True while the published table allows sends and receives, and the open is not being closed.
  bool may_carry_data() const noexcept EXCLUDES(lock_);
  /// The same, of a binding whose both sides are of 6.x, without the lock. Who asks has entered a gate, or is
  /// in a section: then the move that takes it away waits (Gate::wait_empty, Gate::close).
  bool carries_lists() const noexcept { return carries_lists_.load(std::memory_order_acquire); }

  // ---- operations of NDIS; PASSIVE_LEVEL, each claims the binding (operations on it never overlap) ----

  /// Unbound -> Opening -> Paused, or back to Unbound. Waits for a pended bind. The caller has made the
  /// adapter list this binding.
  NDIS_STATUS bind();
  /// Running -> Pausing -> Paused; waits. Nothing in any other state.
  void pause(ULONG reason = NDIS_PAUSE_NDIS_INTERNAL);
  /// Paused -> Restarting -> Running, or back to Paused. Nothing in any other state.
  NDIS_STATUS restart(PNDIS_RESTART_ATTRIBUTES attributes = nullptr);
  /// Pauses, calls ProtocolUnbindAdapter(Ex) and waits until the open is closed and the binding Unbound. A
  /// binding whose unbind is under way is waited for; inside that very unbind (same thread) it returns at
  /// once with false.
  bool unbind();
  /// unbind(), or what of it can be done where this thread is already inside a callback of this binding.
  void unbind_for_deregistration();
  /// This thread is inside this binding's ProtocolUnbindAdapter(Ex) or ProtocolBindAdapter(Ex) call.
  bool in_bind_or_unbind() const noexcept;

  // ---- what the protocol calls ----

  /// NdisOpenAdapter(Ex): the status, PENDING included. On SUCCESS handle and medium index are written; on
  /// PENDING with the completion.
  NDIS_STATUS open(void* context, const NDIS_MEDIUM* media, UINT media_count, NDIS_HANDLE* handle_out,
                   UINT* medium_index_out);
  /// The same of a binding made for it, which is Running with its adapter when the open is complete, and gone
  /// if that fails. 5.x.
  NDIS_STATUS open_outside_bind(void* context, const NDIS_MEDIUM* media, UINT media_count,
                                NDIS_HANDLE* handle_out, UINT* medium_index_out);
  /// NdisCloseAdapter(Ex): SUCCESS or PENDING.
  NDIS_STATUS close();
  /// NdisCompleteBindAdapter(Ex) and NdisCompleteUnbindAdapter(Ex), NdisCompleteNetPnPEvent. False: nothing
  /// was pended.
  bool complete_bind(NDIS_STATUS status);
  bool complete_unbind();
  bool complete_pnp_event(NET_PNP_EVENT_NOTIFICATION* event, NDIS_STATUS status);
  bool complete_pnp_event5(NET_PNP_EVENT* event, NDIS_STATUS status);
  /// Sends any PnP event to the protocol and waits for its answer.
  NDIS_STATUS pnp_event(NET_PNP_EVENT_CODE code, void* buffer, ULONG length);
  /// The same for an event that is not part of another operation: claims the binding.
  NDIS_STATUS notify(NET_PNP_EVENT_CODE code, void* buffer, ULONG length);

  NDIS_HANDLE bind_context() const noexcept { return bind_context_; }
  /// False: it answered the last NetEventPause with NDIS_STATUS_NOT_SUPPORTED. Claimed stack.
  bool handles_stack_changes() const noexcept { return handles_stack_changes_; }

  /// What ProtocolBindAdapterEx was given, while that bind is under way: a driver may use it as a handle
  /// (NdisOpenConfigurationEx).
  const NDIS_BIND_PARAMETERS* bind_parameters = nullptr;
  NDIS_HANDLE unbind_context() const noexcept { return unbind_context_; }

  // ---- what is out on this binding; a close waits for all of it ----
  Gate sends;     ///< sent by the protocol, not completed
  Gate receives;  ///< indicated to the protocol, not returned
  Gate requests;  ///< OID requests of the protocol, not completed
  Gate families;  ///< address families open, as client or as call manager
  std::atomic<unsigned> answering{
      0};  ///< of these, those whose completion function runs: the protocol counts them as complete
  Gate calls{"data path calls into the protocol"};  ///< calls of its data and status functions that run; a
                                                    ///< close waits for them too

  // ---- ProtocolReceive calls that run, newest first; for NdisTransferData and NdisGetReceivedPacket ----
  kernel::Lock running_lock;
  data_path::RunningReceive* running_receives GUARDED_BY(running_lock) = nullptr;
  bool refused_above = false;  ///< NdisIMNotifyPnPEvent said FAILURE inside this binding's ProtocolPnPEvent
  bool receive_complete_due = false;  ///< got data since the last ProtocolReceiveComplete

  // ---- this binding's part of the adapter's filters (LIFE-042) ----
  void set_packet_filter(ULONG filter) {
    packet_filter = filter;
    adapter_->ways.plan();
  }
  std::atomic<ULONG> packet_filter{0};
  MulticastList multicast_list;
  ULONG lookahead = 0;

  /// Virtual miniports initialised from inside this binding's ProtocolBindAdapter(Ex); told of in
  /// InstanceOutlivesBinding.
  std::vector<std::u16string> instances_made;

 private:
  Binding(ProtocolDriver& protocol, Adapter& adapter, bool own, std::string name);
  void advance(BindingEvent event) EXCLUDES(lock_);
  bool mine() const noexcept;  ///< this thread carries out an operation on this binding
  void pause_claimed(ULONG reason);
  void judge_answer(NET_PNP_EVENT_CODE code, NDIS_STATUS status);
  enum class Awaited : std::uint8_t { Nothing, Bind, Unbind };
  void await(Awaited what) EXCLUDES(lock_);
  bool answer(Awaited what, NDIS_STATUS status) EXCLUDES(lock_);
  void advance_locked(BindingEvent event) REQUIRES(lock_);
  bool may_carry_data_locked() const noexcept REQUIRES(lock_);
  void note_carries_locked() noexcept REQUIRES(lock_);
  NDIS_STATUS call_bind();
  NDIS_STATUS call_unbind();
  NDIS_STATUS finish_open(void* context, NDIS_HANDLE* handle_out, UINT* medium_index_out, UINT medium_index);
  NDIS_STATUS finish_own_open(void* context, NDIS_HANDLE* handle_out, UINT* medium_index_out,
                              UINT medium_index);
  void complete_open(void* context, NDIS_STATUS status);
  void finish_close(bool tell);
  NDIS_STATUS close_own();
  void end_own(bool tell);
  void require_closed(bool after_unbind);
  void vanish();
  bool closes_itself() const noexcept EXCLUDES(lock_);

  const Ref<ProtocolDriver> protocol_;
  const Ref<Adapter> adapter_;
  const bool own_;
  const std::string name_;
  Claim claim_;

  mutable kernel::Lock lock_;
  BindingState state_ GUARDED_BY(lock_) = BindingState::Unbound;
  bool open_ GUARDED_BY(lock_) = false;     ///< between a completed open and a completed close
  bool opening_ GUARDED_BY(lock_) = false;  ///< an open is pended
  bool close_called_ GUARDED_BY(lock_) = false;
  Awaited awaited_ GUARDED_BY(lock_) = Awaited::Nothing;  ///< the completion that the protocol may owe
  bool unbind_begun_ GUARDED_BY(lock_) =
      false;  ///< by NDIS, of a binding that the protocol is not closing of itself
  bool closes_itself_ GUARDED_BY(lock_) =
      false;  ///< an own binding that the protocol closes outside an unbind
  void* pended_event_ GUARDED_BY(lock_) =
      nullptr;  ///< the NET_PNP_EVENT(_NOTIFICATION) whose answer is awaited
  NDIS_STATUS answer_ GUARDED_BY(lock_) = NDIS_STATUS_SUCCESS;

  std::atomic<bool> binding_now_{false};
  std::atomic<bool> carries_lists_{false};

  void* context_ = nullptr;
  NDIS_HANDLE handle_ = nullptr;
  NDIS_HANDLE bind_context_ = nullptr;
  NDIS_HANDLE unbind_context_ = nullptr;
  kernel::Stack open_origin_;
  kernel::Event answered_;  ///< bind, unbind or PnP event completion arrived
  kernel::Event closed_;    ///< no open (set initially)
  kernel::Event opened_;    ///< no pended open (set initially)
  kernel::Event vanished_;  ///< on no list any more
  bool handles_stack_changes_ = true;
};

}  // namespace undis
