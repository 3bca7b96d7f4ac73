// SPDX-License-Identifier: MIT
//
// Filter driver registrations, their settings, and their deregistration.
#include "ndis/filter_driver.h"

#include <algorithm>
#include <array>

#include "kernel/registry.h"
#include "kernel/unicode.h"
#include "ndis/driver_stack.h"
#include "ndis/filter_module.h"
#include "ndis/library.h"

namespace undis {
namespace {

constexpr std::u16string_view kNetwork = u"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Network\\"
                                         u"{4d36e974-e325-11ce-bfc1-08002be10318}\\";

/// From the uppermost class of the page to the lowest. What is not in the list stands with custom.
constexpr std::array<std::u16string_view, 9> kClasses{u"scheduler",  u"encryption",  u"compression",
                                                      u"vpn",        u"loadbalance", u"failover",
                                                      u"diagnostic", u"custom",      u"provider_address"};
constexpr unsigned kCustomFromBelow = 1;

FilterSettings read_settings(std::u16string_view unique_name) {
  const kernel::Registry& registry = kernel::System::current().registry();
  const std::u16string key = filter_ndi_key(unique_name);
  FilterSettings settings;
  if (const auto type = registry.value(key, u"FilterType"); type)
    settings.monitoring = type->as_dword().value_or(2) == 1;
  if (const auto run = registry.value(key, u"FilterRunType"); run)
    settings.mandatory = run->as_dword().value_or(2) == 1;
  if (const auto name = registry.value(key, u"FilterClass"); name) settings.filter_class = name->as_string();
  if (const auto media = registry.value(key + u"\\Interfaces", u"FilterMediaTypes"); media)
    settings.media = media->as_string();
  return settings;
}

std::u16string copy_of(const NDIS_STRING& text) {
  return text.Buffer == nullptr ? std::u16string() : std::u16string(kernel::view(&text));
}

}  // namespace

std::u16string filter_ndi_key(std::u16string_view unique_name) {
  return std::u16string(kNetwork) + std::u16string(unique_name) + u"\\Ndi";
}

unsigned FilterSettings::rank() const noexcept {
  for (std::size_t i = 0; i < kClasses.size(); ++i)
    if (kernel::equal_ignore_case(filter_class, kClasses[i]))
      return static_cast<unsigned>(kClasses.size() - 1 - i);
  return kCustomFromBelow;
}

bool FilterSettings::takes(NDIS_MEDIUM medium) const noexcept {
  struct Named {
    std::u16string_view name;
    NDIS_MEDIUM medium;
  };
  static constexpr Named kNames[] = {{u"ethernet", NdisMedium802_3},   {u"tokenring", NdisMedium802_5},
                                     {u"fddi", NdisMediumFddi},        {u"wan", NdisMediumWan},
                                     {u"ppip", NdisMediumWan},         {u"wlan", NdisMediumNative802_11},
                                     {u"wwan", NdisMediumWirelessWan}, {u"ip", NdisMediumIP}};
  for (std::size_t at = 0; at <= media.size();) {
    const std::size_t comma = std::min(media.find(u',', at), media.size());
    std::u16string_view word = std::u16string_view(media).substr(at, comma - at);
    while (!word.empty() && word.front() == u' ') word.remove_prefix(1);
    while (!word.empty() && word.back() == u' ') word.remove_suffix(1);
    for (const Named& named : kNames)
      if (named.medium == medium && kernel::equal_ignore_case(word, named.name)) return true;
    at = comma + 1;
  }
  return false;
}

FilterHandlers::FilterHandlers(const C& c)
    : SetOptions(c.SetOptionsHandler), SetModuleOptions(c.SetFilterModuleOptionsHandler),
      Attach(c.AttachHandler), Detach(c.DetachHandler), Restart(c.RestartHandler),
      Pause(c.PauseHandler), data{c.SendNetBufferListsHandler, c.SendNetBufferListsCompleteHandler,
                                  c.CancelSendNetBufferListsHandler, c.ReceiveNetBufferListsHandler,
                                  c.ReturnNetBufferListsHandler},
      OidRequest(c.OidRequestHandler), OidRequestComplete(c.OidRequestCompleteHandler),
      CancelOidRequest(c.CancelOidRequestHandler), DevicePnPEventNotify(c.DevicePnPEventNotifyHandler),
      NetPnPEvent(c.NetPnPEventHandler), Status(c.StatusHandler), DirectOidRequest(c.DirectOidRequestHandler),
      DirectOidRequestComplete(c.DirectOidRequestCompleteHandler),
      CancelDirectOidRequest(c.CancelDirectOidRequestHandler),
      SynchronousOidRequest(c.SynchronousOidRequestHandler),
      SynchronousOidRequestComplete(c.SynchronousOidRequestCompleteHandler) {}

FilterDriver::FilterDriver(kernel::Driver& driver, const NDIS_FILTER_DRIVER_CHARACTERISTICS& characteristics,
                           void* context)
    : driver_(driver), version_{characteristics.MajorNdisVersion, characteristics.MinorNdisVersion},
      context_(context), unique_name_(copy_of(characteristics.UniqueName)),
      friendly_name_(copy_of(characteristics.FriendlyName)),
      name_(kernel::to_utf8(copy_of(characteristics.ServiceName))), settings_(read_settings(unique_name_)),
      handlers_(characteristics), origin_(kernel::Stack::capture()) {}

FilterDriver::~FilterDriver() = default;

std::vector<Ref<FilterModule>> FilterDriver::modules() const {
  const kernel::Hold hold(lock_);
  std::vector<Ref<FilterModule>> found;
  for (FilterModule* module : modules_) found.emplace_back(module);
  return found;
}

void FilterDriver::set_ready() {
  const kernel::Hold hold(lock_);
  ready_ = true;
}

bool FilterDriver::attachable() const noexcept {
  const kernel::Hold hold(lock_);
  return ready_ && !deregistering_;
}

bool FilterDriver::add(FilterModule& module) {
  const kernel::Hold hold(lock_);
  if (!ready_ || deregistering_) return false;
  modules_.push_back(&module);
  return true;
}

void FilterDriver::forget(FilterModule& module) {
  const kernel::Hold hold(lock_);
  std::erase(modules_, &module);
}

void FilterDriver::remove(FilterModule& module) {
  bool release = false;
  const char* function = nullptr;
  {
    const kernel::Hold hold(lock_);
    std::erase(modules_, &module);
    function = deregistered_by_;
    release = release_when_detached_ && modules_.empty();
    if (release) release_when_detached_ = false;
  }
  if (release) Library::current().remove(*this, function);
}

bool FilterDriver::deregister(const char* function) {
  {
    const kernel::Hold hold(lock_);
    if (deregistering_) return false;
    deregistering_ = true;  // from here no new module
    deregistered_by_ = function;
  }
  const Ref<FilterDriver> alive(this);

  // Callbacks out. A stack that this thread is changing already cannot be changed again from inside: its
  // modules go later.
  for (const Ref<Adapter>& adapter : Library::current().adapters()) {
    if (adapter->stack.is_mine()) {
      kernel::queue_work("detach a filter after a callback",
                         [alive, adapter] { remove_filter(*adapter, *alive); });
    } else {
      remove_filter(*adapter, *this);
    }
  }
  {
    const kernel::Hold hold(lock_);
    if (!modules_.empty()) {
      release_when_detached_ = true;
      return true;
    }
  }
  Library::current().remove(*this, function);
  return true;
}

}  // namespace undis
