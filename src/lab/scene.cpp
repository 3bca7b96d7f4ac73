// SPDX-License-Identifier: MIT
//
// The stage of the suites.
#include "lab/scene.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "kernel/registry.h"
#include "kernel/unicode.h"
#include "ndis/binding.h"
#include "ndis/driver_stack.h"
#include "ndis/filter_events.h"
#include "ndis/plug_and_play.h"
#include "ndis/power.h"
#include "ndis/strings.h"

namespace undis::lab {
namespace {

constexpr std::size_t kShortFrame = 60;
constexpr std::uint16_t kEtherType = 0x88B5;  // for local experiments

/// A frame that says which one it is: broadcast, unicast to the card and multicast take turns.
std::vector<std::uint8_t> make_frame(const MacAddress& station, std::uint32_t sequence) {
  std::vector<std::uint8_t> frame(kShortFrame + sequence % 97);
  static constexpr MacAddress kMulticast{0x01, 0x00, 0x5E, 0x00, 0x00, 0x01};
  MacAddress to = station;
  if (sequence % 3 == 0) to.fill(0xFF);
  if (sequence % 3 == 1) to = kMulticast;
  std::ranges::copy(to, frame.begin());
  const MacAddress from{0x02, 0, 0, 0, 0, 0x77};
  std::ranges::copy(from, frame.begin() + 6);
  frame[12] = kEtherType >> 8;
  frame[13] = kEtherType & 0xFF;
  for (int i = 0; i < 4; ++i)
    frame[static_cast<std::size_t>(14 + i)] = static_cast<std::uint8_t>(sequence >> (8 * i));
  return frame;
}

/// By image.
std::map<const loader::Image*, Installation>& installations() {
  static std::map<const loader::Image*, Installation> all;  // looked up only
  return all;
}

LinkInfo info_of_card(unsigned index) {
  LinkInfo info;
  info.mac = {0x02, 0, 0, 0, 1, static_cast<std::uint8_t>(index)};
  return info;
}

std::string card_name(unsigned index) {
  return fmt::format("nic{}", index);
}

}  // namespace

std::string Scene::install(const loader::Image& image, Inf inf) {
  auto made = Installation::of(std::move(inf));
  if (!made) return made.error();
  installations().insert_or_assign(&image, std::move(*made));
  return {};
}

Scene::Scene(const std::vector<loader::Image*>& images, const machine::Schedule& schedule, bool crash_reports,
             verifier::Evidence evidence, machine::Trail* trail)
    : world_({.schedule = schedule, .trail = trail, .evidence = evidence, .crash_reports = crash_reports}),
      images_(images) {
  // Drivers may call each other without any call that undis sees: each tells what it touches, or none is
  // taken to.
  const bool all_tell =
      std::ranges::all_of(images, [](const loader::Image* image) { return image->untold().empty(); });
  for (loader::Image* image : images) {
    image->reset();
    subjects_.push_back(&world_.add(*image));
    subjects_.back()->set_tells_memory(all_tell);
  }
  world_.library().policy.binds = [this](const ProtocolDriver& protocol, const Adapter& adapter) {
    return binds(protocol, adapter);
  };
}

Scene::~Scene() {
  // Wires are let go of by hand where the cards were never halted (an abandoned run).
  slots_.clear();
  for (const auto& wire : wires_) wire->detach();
}

kernel::Driver* Scene::subject_of(const kernel::Driver& driver) const {
  const auto at = std::ranges::find(subjects_, &driver);
  return at == subjects_.end() ? nullptr : *at;
}

std::size_t Scene::position(const kernel::Driver& driver) const {
  return static_cast<std::size_t>(std::ranges::find(subjects_, &driver) - subjects_.begin());
}

/// The drivers stand on each other in the order in which they were named; the host's card is below all, its
/// protocol above all.
bool Scene::binds(const ProtocolDriver& protocol, const Adapter& adapter) {
  const kernel::Driver& above = protocol.driver();
  const kernel::Driver& below = adapter.driver().driver();
  if (&above == &below) return false;
  if (subject_of(above) != nullptr) {
    const std::size_t level = subject_of(below) == nullptr ? 0 : position(below) + 1;
    if (level > position(above)) return false;
    // Only what is directly below: a driver in between with miniports and a protocol of its own takes the
    // place.
    for (std::size_t between = level; between < position(above); ++between)
      if (!world_.library().protocols_of(*subjects_[between]).empty() &&
          !world_.library().miniport_drivers_of(*subjects_[between]).empty())
        return false;
    return true;
  }
  // The host's protocol: on top, where no driver under test binds.
  for (const Ref<ProtocolDriver>& other : world_.library().protocols())
    if (subject_of(other->driver()) != nullptr && &other->driver() != &below && binds(*other, adapter))
      return false;
  return subject_of(below) != nullptr || host_stack_ || has_filter();
}

bool Scene::is_filter(const kernel::Driver& driver) const {
  return !Library::current().filter_drivers_of(driver).empty();
}

bool Scene::has_filter() const {
  return std::ranges::any_of(subjects_,
                             [this](const kernel::Driver* subject) { return is_filter(*subject); });
}

bool Scene::load() {
  bool all = true;
  for (std::size_t i = 0; i < subjects_.size(); ++i) {
    if (subjects_[i]->phase() != kernel::DriverPhase::Created) continue;
    all = NT_SUCCESS(world_.library().load(*subjects_[i], images_[i]->entry())) && all;
  }
  return all;
}

bool Scene::wants_card() {
  for (kernel::Driver* subject : subjects_) {
    const bool has_miniport = std::ranges::any_of(world_.library().miniport_drivers_of(*subject),
                                                  [](const auto& m) { return !m->is_intermediate(); });
    if (has_miniport) return false;  // the lowest that others can bind to
    if (!world_.library().protocols_of(*subject).empty() || is_filter(*subject)) return true;
  }
  return false;
}

/// An intermediate driver reads the names of its virtual miniports from the UpperBindings of each binding.
bool Scene::has_virtual_miniports(const kernel::Driver& driver) {
  return std::ranges::any_of(world_.library().miniport_drivers_of(driver),
                             [](const Ref<MiniportDriver>& miniport) { return miniport->is_intermediate(); });
}

void Scene::name_virtual_miniports(unsigned count) {
  kernel::Registry& registry = world_.system().registry();
  for (kernel::Driver* subject : subjects_) {
    for (unsigned i = 0; i < count; ++i) {
      bool created = false;
      const kernel::Registry::Key section = registry.create(
          registry.root(), protocol_section(subject->name(), device_name(card_name(i))), false, created);
      if (!has_virtual_miniports(*subject)) continue;
      // One virtual miniport over all cards, for a driver that knows of such (examples/mux5).
      registry.set(section, u"Bundle",
                   kernel::RegistryValue::string(device_name(subject->name() + "-bundle")));
      registry.set(
          section, u"UpperBindings",
          kernel::RegistryValue::string(device_name(fmt::format("{}-{}", subject->name(), card_name(i)))));
    }
  }
}

void Scene::attach(unsigned count, std::uint64_t ticks) {
  name_virtual_miniports(count);
  if (protocol_ == nullptr) protocol_ = std::make_unique<HarnessProtocol>(world_);
  const bool host_card = wants_card();
  if (host_card && nic_ == nullptr) nic_ = std::make_unique<HarnessNic>(world_);
  for (unsigned i = 0; i < count; ++i) {
    const std::string name = card_name(i);
    if (world_.adapter(name)) continue;
    if (host_card) {
      plug_host_card(i);
    } else {
      for (std::size_t s = 0; s < subjects_.size(); ++s)
        if (subjects_[s]->phase() == kernel::DriverPhase::Loaded &&
            world_.plug(*subjects_[s], name, nullptr, install_adapter(s, name, i)))
          break;
    }
  }
  settle(ticks);
}

/// Writes what the driver's INF says of the adapter, and puts the device that it is for into a slot.
kernel::PciDevice* Scene::install_adapter(std::size_t subject, const std::string& name, unsigned index) {
  const auto found = installations().find(images_[subject]);
  if (found == installations().end()) return nullptr;
  found->second.write(world_, *subjects_[subject], name);
  if (!found->second.simulated()) return nullptr;
  if (slots_.size() <= index) slots_.resize(index + 1);
  while (wires_.size() <= index)
    wires_.push_back(std::make_unique<links::MemoryLink>(info_of_card(static_cast<unsigned>(wires_.size()))));
  if (slots_[index] == nullptr)
    slots_[index] =
        std::make_unique<CardSlot>(world_, name, *wires_[index]);  // else: its adapter did not come up
  return &slots_[index]->device();
}

void Scene::plug_host_card(unsigned index) {
  if (wires_.size() <= index) wires_.push_back(std::make_unique<links::MemoryLink>(info_of_card(index)));
  nic_->plug(card_name(index), *wires_[index]);
}

void Scene::raise_host(unsigned count) {
  host_stack_ = true;
  if (protocol_ == nullptr) protocol_ = std::make_unique<HarnessProtocol>(world_);
  if (nic_ == nullptr) nic_ = std::make_unique<HarnessNic>(world_);
  for (unsigned i = 0; i < count; ++i)
    if (!world_.adapter(card_name(i))) plug_host_card(i);
  settle();
}

void Scene::disturb() {
  for (const bool up : {false, true})
    for (const auto& wire : wires_) wire->set_up(up);
  for (const Ref<Adapter>& adapter : world_.library().adapters()) {
    const Claimed claimed(adapter->stack);
    if (adapter->removed || !adapter->initialized()) continue;
    for (const NET_PNP_EVENT_CODE code : {NetEventQueryRemoveDevice, NetEventCancelRemoveDevice}) {
      NET_PNP_EVENT_NOTIFICATION event{};
      event.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_PNP_EVENT_NOTIFICATION_REVISION_1,
                      NDIS_SIZEOF_NET_PNP_EVENT_NOTIFICATION_REVISION_1};
      event.NetPnPEvent.NetEvent = code;
      net_pnp_event_up(*adapter, nullptr, event);
    }
    ULONG profile = NdisPowerProfileAcOnLine;
    NET_DEVICE_PNP_EVENT event{};
    event.Header = {NDIS_OBJECT_TYPE_DEFAULT, NET_DEVICE_PNP_EVENT_REVISION_1,
                    NDIS_SIZEOF_NET_DEVICE_PNP_EVENT_REVISION_1};
    event.DevicePnPEvent = NdisDevicePnPEventPowerProfileChanged;
    event.InformationBuffer = &profile;
    event.InformationBufferLength = sizeof(profile);
    device_pnp_event_down(*adapter, nullptr, event);
  }
}

void Scene::detach(unsigned index) {
  if (const Ref<Adapter> adapter = world_.adapter(card_name(index)); adapter) world_.unplug(*adapter);
  if (index < slots_.size()) slots_[index] = nullptr;
  settle();
}

void Scene::send_down(unsigned frames) {
  if (protocol_ == nullptr) return;
  for (const std::string& adapter : protocol_->running()) {
    std::vector<std::vector<std::uint8_t>> bytes;
    for (unsigned i = 0; i < frames; ++i) bytes.push_back(make_frame({0x02, 0, 0, 0, 2, 1}, sequence_++));
    protocol_->send(adapter, {bytes.begin(), bytes.end()});
  }
}

void Scene::traffic(unsigned frames) {
  send_down(frames);
  for (std::size_t i = 0; i < wires_.size(); ++i)
    for (unsigned f = 0; f < frames; ++f) {
      // A frame that nobody takes is lost, as on any wire.
      static_cast<void>(wires_[i]->inject(make_frame(wires_[i]->info().mac, sequence_++)));
    }
}

void Scene::rough_traffic(unsigned frames) {
  send_down(frames);
  for (std::size_t i = 0; i < wires_.size(); ++i) {
    std::vector<std::vector<std::uint8_t>> late;
    for (unsigned f = 0; f < frames; ++f) {
      std::vector<std::uint8_t> frame = make_frame(wires_[i]->info().mac, sequence_++);
      if (kernel::choose("the wire loses a frame")) continue;
      if (kernel::choose("the wire delivers a frame late")) {
        late.push_back(std::move(frame));
        continue;
      }
      static_cast<void>(wires_[i]->inject(frame));
      if (kernel::choose("the wire delivers a frame twice")) static_cast<void>(wires_[i]->inject(frame));
    }
    for (auto frame = late.rbegin(); frame != late.rend(); ++frame)
      static_cast<void>(wires_[i]->inject(*frame));
  }
}

void Scene::cables(bool in) {
  for (const auto& wire : wires_) wire->set_up(in);
}

void Scene::settle(std::uint64_t ticks) {
  world_.system().advance(ticks);
}

void Scene::pause_and_restart() {
  for (const Ref<Adapter>& adapter : world_.library().adapters()) {
    const Claimed claimed(adapter->stack);
    if (adapter->removed || !adapter->initialized()) continue;
    pause_stack(*adapter);
    restart_stack(*adapter);
  }
}

void Scene::sleep_and_wake() {
  std::vector<Ref<Adapter>> adapters = world_.library().adapters();
  std::stable_partition(adapters.begin(), adapters.end(),
                        [](const Ref<Adapter>& adapter) { return adapter->is_virtual(); });
  for (const Ref<Adapter>& adapter : adapters) query_power(*adapter, NdisDeviceStateD3);
  for (const Ref<Adapter>& adapter : adapters) set_power(*adapter, NdisDeviceStateD3);
  settle();
  for (auto adapter = adapters.rbegin(); adapter != adapters.rend(); ++adapter)
    set_power(**adapter, NdisDeviceStateD0);
  settle();
}

void Scene::tear_out(unsigned index) {
  if (const Ref<Adapter> adapter = world_.adapter(card_name(index)); adapter)
    surprise_remove_device(*adapter);
  settle();
}

void Scene::stop_and_start(unsigned index) {
  const Ref<Adapter> adapter = world_.adapter(card_name(index));
  if (!adapter) return;
  query_remove_device(*adapter);
  if (stop_device(*adapter)) start_device(*adapter);
  settle();
}

void Scene::shutdown() {
  world_.library().shutdown();
}

void Scene::unload() {
  for (auto subject = subjects_.rbegin(); subject != subjects_.rend(); ++subject)
    if ((*subject)->phase() == kernel::DriverPhase::Loaded) world_.library().unload(**subject);
}

void Scene::close() {
  if (protocol_ != nullptr) protocol_->unload();
  if (nic_ != nullptr) nic_->unload();
  settle();
}

}  // namespace undis::lab
