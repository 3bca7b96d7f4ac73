// SPDX-License-Identifier: MIT
//
// Putting a world together, and its devices.
#include "lab/world.h"

#include "kernel/crash.h"
#include "kernel/pool.h"
#include "kernel/unicode.h"
#include "machine/threaded.h"
#include "ndis/driver_stack.h"
#include "ndis/item.h"
#include "ndis/plug_and_play.h"

namespace undis::lab {
namespace {

constexpr std::u16string_view kNetClass = u"\\Registry\\Machine\\System\\CurrentControlSet\\Control\\Class\\{"
                                          u"4d36e972-e325-11ce-bfc1-08002be10318}\\";

std::unique_ptr<machine::Machine> make_machine(const WorldOptions& options) {
  if (options.engine == Engine::Threaded)
    return std::make_unique<machine::Threaded>(options.processors == 0 ? machine::Schedule::kDefaultProcessors
                                                                       : options.processors);
  return std::make_unique<machine::Simulated>(options.schedule, options.processors, options.trail);
}

}  // namespace

std::u16string device_name(std::string_view adapter) {
  return u"\\Device\\{" + kernel::to_utf16(adapter) + u"}";
}

std::u16string adapter_key(std::string_view adapter) {
  const std::u16string name = kernel::to_utf16(adapter);
  std::u16string path;
  path.reserve(kNetClass.size() + name.size());
  return path.append(kNetClass).append(name);
}

World::World(const WorldOptions& options)
    : machine_(make_machine(options)),
      simulated_(options.engine == Engine::Simulated ? static_cast<machine::Simulated*>(machine_.get())
                                                     : nullptr),
      verifier_(32, options.evidence, machine_->single_threaded() ? 1 : machine_->processors().size()),
      system_(*machine_, verifier_, options.watch), library_(system_, verifier_) {
  const bool keep_stacks = options.evidence != verifier::Evidence::None;
  system_.pool().keep_stacks(keep_stacks);
  keep_item_stacks(keep_stacks);
  if (options.crash_reports) kernel::install_crash_handlers();
}

World::~World() = default;

kernel::Driver& World::add(loader::Image& image) {
  return system_.add_driver(image.name(), image.range(), false);
}

kernel::Driver& World::add(std::string service, bool harness) {
  return system_.add_driver(std::move(service), {}, harness);
}

Ref<Adapter> World::plug(kernel::Driver& driver, std::string name, NDIS_STATUS* status,
                         kernel::PciDevice* hardware) {
  for (const Ref<MiniportDriver>& miniport : library_.miniport_drivers_of(driver)) {
    if (miniport->is_intermediate()) continue;
    AdapterConfig config;
    config.device_name = device_name(name);
    config.configuration_key = adapter_key(name);
    config.name = std::move(name);
    config.hardware = hardware;
    NDIS_STATUS started = NDIS_STATUS_SUCCESS;
    Ref<Adapter> adapter = plug_device(*miniport, std::move(config), started);
    if (status != nullptr) *status = started;
    return adapter;
  }
  if (status != nullptr) *status = NDIS_STATUS_ADAPTER_NOT_FOUND;
  return {};
}

void World::unplug(Adapter& adapter) {
  remove_device(adapter);
}

Ref<Adapter> World::adapter(std::string_view name) {
  if (Ref<Adapter> usual = library_.adapter_by_device_name(device_name(name)); usual && usual->name() == name)
    return usual;
  return library_.find_adapter([name](const Adapter& adapter) { return adapter.name() == name; });
}

}  // namespace undis::lab
