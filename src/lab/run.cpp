// SPDX-License-Identifier: MIT
//
// `undis run`: a network from a lab file, frames from captures through it, what came out into captures.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "kernel/unicode.h"
#include "lab/harness_nic.h"
#include "lab/harness_protocol.h"
#include "lab/installation.h"
#include "lab/lab_device.h"
#include "lab/lab_file.h"
#include "lab/options.h"
#include "lab/symbols.h"
#include "lab/world.h"
#include "links/pcap/pcap.h"
#include "ndis/binding.h"
#include "ndis/driver_file.h"
#include "ndis/filter_module.h"
#include "ndis/strings.h"
#include "undis/rule_table.h"

namespace undis::lab {
namespace {

constexpr MacAddress kCardAddress{0x02, 0x00, 0x00, 0x00, 0x00, 0x01};
constexpr std::size_t kChain = 32;  // frames sent in one chain

struct Card {
  LabCard spec_of_driver;  // of a driver's own card
  const LabCard* spec;
  std::unique_ptr<links::PcapLink> link;
  std::unique_ptr<CardSlot> slot;  // goes before the wire
  std::size_t driver = 0;
};

struct Endpoint {
  const LabEndpoint* spec;
  std::unique_ptr<links::PcapLink>
      link;  // its frames are what the endpoint sends, what it receives is transmitted to it
};

/// Takes the frames of a capture in order, to be sent by an endpoint.
class Collector final : public LinkSink {
 public:
  void receive(FrameView frame) override { frames.emplace_back(frame.begin(), frame.end()); }
  void changed(const LinkInfo&) override {}
  std::vector<std::vector<std::uint8_t>> frames;
};

class LabRun {
 public:
  LabRun(const Lab& lab, const RunOptions& options, machine::Schedule schedule)
      : lab_(lab), options_(options),
        world_(WorldOptions{
            .engine = options.engine, .schedule = schedule, .watch = options.watch, .crash_reports = true}) {}

  /// Opens images and captures. "" or what is wrong.
  std::string open() {
    for (const LabDriver& driver : lab_.drivers) {
      auto image = loader::Image::open(driver.image);
      if (!image) return image.error();
      images_.push_back(std::move(*image));
    }
    for (const LabFile& file : lab_.files) {
      std::ifstream stream(file.path, std::ios::binary);
      if (!stream) return file.path + ": cannot be read";
      files_.emplace_back(file.name, std::string{std::istreambuf_iterator<char>(stream), {}});
    }
    std::string error;
    for (const LabCard& card : lab_.cards) {
      auto link = open_link(card.in, card.out, error);
      if (link == nullptr) return error;
      cards_.push_back({{}, &card, std::move(link), nullptr, 0});
    }
    for (std::size_t i = 0; i < lab_.drivers.size(); ++i)
      if (const std::string wrong = install(i); !wrong.empty()) return wrong;
    for (const LabEndpoint& endpoint : lab_.endpoints) {
      auto link = open_link(endpoint.in, endpoint.out, error);
      if (link == nullptr) return error;
      endpoints_.push_back({&endpoint, std::move(link)});
    }
    return {};
  }

  /// Reads the driver's INF and files; its card, if the INF is for the simulated one, gets a wire.
  std::string install(std::size_t index) {
    const LabDriver& driver = lab_.drivers[index];
    installations_.emplace_back();
    if (driver.inf.empty()) return {};
    auto inf = Inf::read(driver.inf);
    if (!inf) return inf.error();
    auto made = Installation::of(std::move(*inf));
    if (!made) return made.error();
    const bool simulated = made->simulated();
    installations_.back() = std::move(*made);
    if (!simulated || driver.adapter.empty()) return {};
    std::string error;
    auto link = open_link(driver.in, driver.out, error);
    if (link == nullptr) return error;
    own_cards_.push_back(std::make_unique<Card>(
        Card{{driver.adapter, driver.in, driver.out}, nullptr, std::move(link), nullptr, index}));
    own_cards_.back()->spec = &own_cards_.back()->spec_of_driver;
    return {};
  }

  /// The device in the slot of the driver's adapter; nullptr: none.
  kernel::PciDevice* slot_of(std::size_t index) {
    if (installations_[index])
      installations_[index]->write(world_, *drivers_[index], lab_.drivers[index].adapter);
    for (const auto& card : own_cards_) {
      if (card->driver != index) continue;
      card->slot = std::make_unique<CardSlot>(world_, lab_.drivers[index].adapter, *card->link);
      return &card->slot->device();
    }
    return nullptr;
  }

  /// On a kernel thread. Fills `wrong` if the stack makes no sense.
  void play(std::string& wrong) {
    for (const auto& [name, bytes] : files_)
      world_.system().registry().set_value(kFilesKey, kernel::to_utf16(name),
                                           kernel::RegistryValue::binary(bytes.data(), bytes.size()));
    for (const LabValue& value : lab_.registry)
      world_.system().registry().set_value(value.key, value.name, value.value);
    world_.library().policy.binds = [this](const ProtocolDriver& p, const Adapter& a) { return binds(p, a); };
    world_.library().policy.filters = [this](const FilterDriver& f, const Adapter& a) {
      return filters(f, a);
    };
    name_virtual_miniports();
    nic_ = std::make_unique<HarnessNic>(world_);
    for (std::size_t i = 0; i < images_.size(); ++i) {
      drivers_.push_back(&world_.add(*images_[i]));
      const NTSTATUS status = world_.library().load(*drivers_[i], images_[i]->entry());
      if (!NT_SUCCESS(status)) {
        wrong = fmt::format("{}: DriverEntry failed with {:#010x}", images_[i]->path(),
                            static_cast<std::uint32_t>(status));
        return;
      }
    }
    protocol_ = std::make_unique<HarnessProtocol>(world_);
    protocol_->on_receive = [this](const std::string& adapter, FrameView frame) { received(adapter, frame); };
    for (Card& card : cards_) nic_->plug(card.spec->name, *card.link);
    for (std::size_t i = 0; i < drivers_.size(); ++i) {
      if (lab_.drivers[i].adapter.empty()) continue;
      NDIS_STATUS status = NDIS_STATUS_SUCCESS;
      if (!world_.plug(*drivers_[i], lab_.drivers[i].adapter, &status, slot_of(i))) {
        wrong = fmt::format("{}: no adapter {} came up (status {:#010x})", images_[i]->path(),
                            lab_.drivers[i].adapter, static_cast<std::uint32_t>(status));
        return;
      }
    }
    settle();
    for (const Endpoint& endpoint : endpoints_) {
      if (protocol_->is_bound_to(endpoint.spec->on)) continue;
      wrong = fmt::format("endpoint on {}: there is no such adapter that is up; there {}", endpoint.spec->on,
                          names_of_adapters());
      return;
    }
    if (!options_.quiet) fmt::print("{}", picture());
    move_frames();
    settle();
    for (const LabOpen& open : lab_.opens) {
      std::vector<std::string> lines;
      devices_work_ = use_device(open.device, open.steps, lines) && devices_work_;
      if (!options_.quiet)
        for (const std::string& line : lines) fmt::print("{}\n", line);
    }
    take_down();
  }

  int report() {
    int code = devices_work_ ? kClean : kViolations;
    for (const auto& card : own_cards_)
      code = std::max(code, close(*card->link, card->spec->name, card->spec->out));
    for (Card& card : cards_) code = std::max(code, close(*card.link, card.spec->name, card.spec->out));
    for (Endpoint& endpoint : endpoints_)
      code = std::max(code, close(*endpoint.link, "endpoint on " + endpoint.spec->on, endpoint.spec->out));
    Symbols symbols;
    for (const verifier::Violation& v : world_.verifier().violations()) {
      const RuleInfo* const rule = find_rule(v.rule);
      const bool error = rule == nullptr || std::string_view(rule->severity) == "error";
      fmt::print(stderr, "{} {}: {}: {}\n", error ? "error" : "warning", v.rule, v.driver, v.text);
      for (const std::string& line : symbols.driver_lines(v.stack)) fmt::print(stderr, "    {}\n", line);
      if (error) code = std::max(code, kViolations);
    }
    return code;
  }

  World& world() noexcept { return world_; }

 private:
  std::unique_ptr<links::PcapLink> open_link(const std::string& in, const std::string& out,
                                             std::string& error) {
    links::PcapOptions options;
    options.in = in;
    options.out = out;
    options.info.mac = kCardAddress;
    options.info.mtu = 0;
    options.clock = [] { return kernel::now(); };
    return links::PcapLink::open(options, error);
  }

  bool binds(const ProtocolDriver& protocol, const Adapter& adapter) const {
    const kernel::Driver& above = protocol.driver();
    if (&above == &adapter.driver().driver()) return false;
    const auto at = std::ranges::find(drivers_, &above);
    if (at == drivers_.end()) {  // the host's protocol
      return std::ranges::any_of(endpoints_, [&](const Endpoint& e) { return e.spec->on == adapter.name(); });
    }
    const std::vector<std::string>& wanted =
        lab_.drivers[static_cast<std::size_t>(at - drivers_.begin())].binds;
    if (!wanted.empty()) return std::ranges::find(wanted, adapter.name()) != wanted.end();
    const bool has_endpoint =
        std::ranges::any_of(endpoints_, [&](const Endpoint& e) { return e.spec->on == adapter.name(); });
    return !has_endpoint;
  }

  /// A filter is on the adapters that its `binds` names, without it on every one of a medium that it filters.
  bool filters(const FilterDriver& filter, const Adapter& adapter) const {
    const auto at = std::ranges::find(drivers_, &filter.driver());
    if (at == drivers_.end()) return filter.settings().takes(adapter.traits().medium);
    const std::vector<std::string>& wanted =
        lab_.drivers[static_cast<std::size_t>(at - drivers_.begin())].binds;
    if (!wanted.empty()) return std::ranges::find(wanted, adapter.name()) != wanted.end();
    return filter.settings().takes(adapter.traits().medium);
  }

  void name_virtual_miniports() {
    for (const auto& image : images_)
      for (const LabCard& card : lab_.cards) {
        const std::u16string key = protocol_section(image->name(), device_name(card.name));
        if (world_.system().registry().value(key, u"UpperBindings")) continue;  // the lab file says otherwise
        world_.system().registry().set_value(
            key, u"UpperBindings",
            kernel::RegistryValue::string(device_name(image->name() + "-" + card.name)));
      }
  }

  void received(const std::string& adapter, FrameView frame) {
    for (Endpoint& endpoint : endpoints_)
      if (endpoint.spec->on == adapter && endpoint.link->transmit(frame) != LinkStatus::Ok) ++lost_;
  }

  void deliver(Card& card) {
    std::uint64_t moved = 0;
    while (card.link->deliver_next())
      if (++moved % kChain == 0) settle();
  }

  /// Frames from the wires arrive, and frames of the endpoints are sent, in the order of their captures.
  void move_frames() {
    for (Card& card : cards_) deliver(card);
    for (const auto& card : own_cards_) deliver(*card);
    for (Endpoint& endpoint : endpoints_) {
      Collector collector;
      if (endpoint.link->attach(collector) != LinkStatus::Ok) continue;
      while (endpoint.link->deliver_next()) {
      }
      endpoint.link->detach();
      for (std::size_t at = 0; at < collector.frames.size(); at += kChain) {
        const std::size_t end = std::min(collector.frames.size(), at + kChain);
        const std::vector<FrameView> chain(collector.frames.begin() + static_cast<std::ptrdiff_t>(at),
                                           collector.frames.begin() + static_cast<std::ptrdiff_t>(end));
        if (!protocol_->send(endpoint.spec->on, chain)) lost_ += chain.size();
        settle();
      }
    }
  }

  void take_down() {
    for (Card& card : cards_) nic_->unplug(card.spec->name);
    for (const auto& card : own_cards_) {
      if (const Ref<Adapter> adapter = world_.adapter(card->spec->name); adapter) world_.unplug(*adapter);
      card->slot = nullptr;
    }
    for (auto driver = drivers_.rbegin(); driver != drivers_.rend(); ++driver)
      world_.library().unload(**driver);
    protocol_->unload();
    nic_->unload();
  }

  int close(links::PcapLink& link, const std::string& name, const std::string& out) const {
    if (!options_.quiet)
      fmt::print("{}: {} of {} frames in, {} out{}\n", name, link.arrived(), link.frames(),
                 link.transmitted(), out.empty() ? "" : " to " + out);
    if (const std::string failure = link.close(); !failure.empty()) {
      fmt::print(stderr, "undis run: {}\n", failure);
      return kUsage;
    }
    return kClean;
  }

  static std::vector<Ref<Adapter>> adapters() { return Library::current().adapters(); }

  static std::string names_of_adapters() {
    std::string names;
    for (const Ref<Adapter>& adapter : adapters())
      names += fmt::format("{}{}", names.empty() ? "are " : ", ", adapter->name());
    return names.empty() ? "is none" : names;
  }

  /// The stack as text, the lowest adapter first.
  static std::string picture() {
    std::string text;
    for (const Ref<Adapter>& adapter : adapters()) {
      text +=
          fmt::format("adapter {} ({}, {}{})\n", adapter->name(), adapter->driver().driver().name(),
                      adapter->is_version6() ? "NDIS 6" : "NDIS 5", adapter->is_virtual() ? ", virtual" : "");
      text += fmt::format("  state   {}\n", to_text(adapter->state()));
      for (const Ref<FilterModule>& module : adapter->filters.modules())
        text +=
            fmt::format("  filter  {} ({}{}, {}, {})\n", module->filter().name(),
                        module->filter().settings().monitoring ? "monitoring" : "modifying",
                        module->mandatory() ? ", mandatory" : "",
                        kernel::to_utf8(module->filter().settings().filter_class), to_text(module->state()));
      for (const Ref<Binding>& binding : adapter->bindings())
        text += fmt::format("  binding {} ({}, {})\n", binding->protocol().name(),
                            binding->is_version6() ? "NDIS 6" : "NDIS 5", to_text(binding->state()));
    }
    return text;
  }

  void settle() { world_.system().advance(1'000'000); }

  const Lab& lab_;
  const RunOptions& options_;
  World world_;
  std::vector<std::unique_ptr<loader::Image>> images_;
  std::vector<kernel::Driver*> drivers_;
  std::vector<Card> cards_;
  std::vector<std::optional<Installation>> installations_;  // by driver
  std::vector<std::unique_ptr<Card>> own_cards_;            // of drivers of the simulated card
  std::vector<std::pair<std::string, std::string>> files_;
  bool devices_work_ = true;
  std::vector<Endpoint> endpoints_;
  std::unique_ptr<HarnessNic> nic_;
  std::unique_ptr<HarnessProtocol> protocol_;
  std::uint64_t lost_ = 0;
};

int complain(const std::string& text) {
  fmt::print(stderr, "undis run: {}\n", text);
  return kUsage;
}

}  // namespace

int run(const RunOptions& options) {
  auto lab = read_lab(options.lab);
  if (!lab) return complain(lab.error());
  if (!options.in.empty() || !options.out.empty()) {
    // --in and --out stand for the first card's capture in and the first endpoint's capture out.
    if (lab->cards.empty() || lab->endpoints.empty())
      return complain(options.lab + ": --in and --out need a [[card]] and an [[endpoint]] to apply to");
    if (!options.in.empty()) lab->cards.front().in = options.in;
    if (!options.out.empty()) lab->endpoints.front().out = options.out;
  }
  std::string error;
  const auto schedule = machine::Schedule::parse(options.seed, &error);
  if (!schedule) return complain("--seed: " + error);

  LabRun lab_run(*lab, options, *schedule);
  if (const std::string failure = lab_run.open(); !failure.empty()) return complain(failure);
  std::string wrong;
  const kernel::Outcome outcome = lab_run.world().run("lab", [&] { lab_run.play(wrong); });
  if (!wrong.empty()) return complain(wrong);
  const int code = lab_run.report();
  return outcome == kernel::Outcome::Idle ? code : std::max(code, kViolations);
}

}  // namespace undis::lab
