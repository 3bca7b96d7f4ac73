// SPDX-License-Identifier: MIT
//
// The families of rules, a file each.
#pragma once

#include <memory>

#include "verifier/verifier.h"

namespace undis::verifier {

std::unique_ptr<Family>
registration_rules(Verifier& verifier);                   ///< handles, registrations, what is left at unload
std::unique_ptr<Family> place_rules(Verifier& verifier);  ///< which function may be called where
std::unique_ptr<Family>
binding_rules(Verifier& verifier);  ///< opens, closes, unbinds, statuses, state tables
std::unique_ptr<Family>
item_rules(Verifier& verifier);  ///< packets, net buffer lists, requests: who holds them
std::unique_ptr<Family> kernel_rules(Verifier& verifier);  ///< IRQL, locks, pool, objects, crashes, hangs
std::unique_ptr<Family> ndis5_rules(Verifier& verifier);   ///< what only drivers of NDIS 5 can break
std::unique_ptr<Family>
breach_rules(Verifier& verifier);  ///< single statements: requests, resets, power, plug and play, ports

}  // namespace undis::verifier
