// SPDX-License-Identifier: MIT
//
// A lab: a TOML file that says which drivers, cards, endpoints and registry values there are.
// docs/guide/labs.md describes it.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "kernel/registry.h"
#include "loader/result.h"

namespace undis::lab {

struct LabDriver {
  std::string image;               ///< path, relative to the file
  std::string adapter;             ///< a device for its miniport half, by this name; empty: none
  std::vector<std::string> binds;  ///< adapters that its protocol half binds to; empty: whatever is below it
  std::string inf;                 ///< it is installed by this INF; empty: by none
  std::string in;  ///< of the simulated card, if the INF is for it: capture whose frames arrive
  std::string out;
};

struct LabCard {
  std::string name;  ///< of the host's card
  std::string in;    ///< capture whose frames arrive
  std::string out;   ///< capture of what is transmitted
};

struct LabEndpoint {
  std::string on;   ///< adapter that the host's protocol sits on
  std::string in;   ///< capture whose frames it sends
  std::string out;  ///< capture of what it receives
};

struct LabValue {
  std::string key;
  std::string name;
  kernel::RegistryValue value;
};

/// A device that the lab opens and uses, when everything is up and frames have gone through.
struct LabOpen {
  std::string device;
  std::vector<std::string> steps;  ///< lab_device.h
};

/// A file that drivers can read by NdisOpenFile.
struct LabFile {
  std::string name;
  std::string path;
};

struct Lab {
  std::vector<LabDriver> drivers;
  std::vector<LabCard> cards;
  std::vector<LabEndpoint> endpoints;
  std::vector<LabOpen> opens;
  std::vector<LabFile> files;
  std::vector<LabValue> registry;
};

/// Reads and checks the file. The error says which file, where in it, what was found and what was expected.
loader::Result<Lab> read_lab(const std::string& path);

}  // namespace undis::lab
