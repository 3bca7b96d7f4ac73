// SPDX-License-Identifier: MIT
//
// A device of a driver, opened and used by a lab: what a Win32 program would do with it.
//
//   [[open]]
//   device = '\\.\NDISPROT'
//   do = ["ioctl 0x12C804 00 11 22 -> 64", "write \"text\" 00", "read 16"]
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "loader/result.h"

namespace undis::lab {

struct DeviceStep {
  enum class Kind { Ioctl, Read, Write };
  Kind kind = Kind::Read;
  std::uint32_t code = 0;  ///< of an ioctl
  std::vector<std::uint8_t> input;
  std::size_t output = 0;  ///< bytes asked for
};

/// Numbers are decimal or begin with 0x; bytes are two hexadecimal digits each, or text in quotes.
loader::Result<DeviceStep> parse_step(const std::string& text);

/// Opens the device, takes the steps, closes it. A line for each: "\\.\NDISPROT: read 16: 4 bytes: 01 02 03
/// 04". On a kernel thread. False: a call of it failed.
bool use_device(const std::string& device, const std::vector<std::string>& steps,
                std::vector<std::string>& lines);

}  // namespace undis::lab
