// SPDX-License-Identifier: MIT
//
// Rules about places: functions that the pages allow in certain callbacks only.
#include <string_view>

#include "kernel/driver.h"
#include "verifier/families.h"

namespace undis::verifier {
namespace {

class PlaceRules final : public Family {
 public:
  using Family::Family;
  using Family::on;

  void on(const WrongPlace& e) override {
    Violation v;
    v.rule = rule_of(e);
    v.driver = e.driver->name();
    v.function = e.function;
    v.text = e.why;
    v.stack = e.stack;
    report(std::move(v));
  }

 private:
  static const char* hardware_rule(std::string_view function) {
    if (function.starts_with("NdisMRegisterInterrupt")) return "Init_RegisterInterrupt";
    if (function.starts_with("NdisMDeregisterInterrupt")) return "Init_DeRegisterInterrupt";
    if (function.find("ScatterGather") != std::string_view::npos) return "Init_RegisterSG";
    if (function == "NdisMMapIoSpace") return "NdisMMapIoSpace";
    if (function == "NdisMRegisterIoPortRange") return "NdisMRegisterIoPortRange";
    if (function == "NdisMFreeSharedMemory") return "NdisMFreeSharedMemory";
    return "WrongPlace";
  }

  static const char* rule_of(const WrongPlace& e) {
    using enum WrongPlace::Kind;
    const std::string_view function = e.function;
    switch (e.kind) {
    case OutsideDriverEntry:
      if (function == "NdisIMAssociateMiniport") return "LIFE-318";
      return function == "NdisMRegisterUnloadHandler" ? "LIFE-067" : "WrongPlace";
    case BeforeRegistration:
      return "LIFE-068";
    case ProtocolStillRegistered:
      return "LIFE-008";
    case NotFromUnload:
      return "LIFE-018";
    case NotAnOccasionToDeregister:
      return "LIFE-031";
    case OtherBindingsOpen:
      return "LIFE-033";
    case OtherInstance:
      return "LIFE-077";
    case WrongVersion:
      return function == "NdisMRegisterUnloadHandler" ? "LIFE-079" : "HandleMisuse";
    case NotIntermediate:
      return function == "NdisIMDeInitializeDeviceInstance" ? "LIFE-048" : "WrongPlace";
    case OutsideBindOrUnbind:
      return function.starts_with("NdisOpenAdapter") ? "OpenOnlyInBind" : "WrongPlace";
    case OutsideInitialize:
    case InShutdown:
    case BeforeAttributes:
      return function == "NdisMAllocateSharedMemory" ? "LIFE-114" : hardware_rule(function);
    case OutsideSetOptions:
      return "OptionalHandlersPlace";
    case InsideCallback:
      return function == "NdisFNetPnPEvent" ? "FilterEventInOidRequest" : "WrongPlace";
    case InsideBindOrUnbind:
      return "WrongPlace";
    }
    return "WrongPlace";
  }
};

}  // namespace

std::unique_ptr<Family> place_rules(Verifier& verifier) {
  return std::make_unique<PlaceRules>(verifier);
}

}  // namespace undis::verifier
