// The packets of `glasspost craft`, as they were ordered.
#pragma once

#include <vector>

#include "base/error.h"
#include "base/origin.h"
#include "capture/craft/frame.h"
#include "cli/craft_orders.h"

namespace glasspost::cli {

struct CraftedPacket {
  capture::CraftedFrame frame;
  Timestamp time = 0;  // of the capture; 0: it is of a template
  bool of_template = false;
  bool named_destination = false;
  bool set_mac = false;         // somebody said where in the Ethernet it goes
  bool set_source_mac = false;  // … and whence it comes

  capture::RawFrame Raw(std::uint64_t number) const;
};

// In the order of the orders. `to_be_sent`: a template's source is the address from which this machine would send it, unless it
// was said. The error names the frame, the field or the option.
Expected<std::vector<CraftedPacket>> MakePackets(const std::vector<PacketOrder>& orders, bool to_be_sent);

}  // namespace glasspost::cli
