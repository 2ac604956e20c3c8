// Sending what `glasspost craft` made: as packets, or as payload over a connection or as datagrams.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "cli/command_line.h"
#include "cli/craft_packets.h"

namespace glasspost::cli {

struct CraftSending {
  bool wanted = false;
  std::string target;     // "tcp://HOST:PORT", "udp://HOST:PORT"; empty: raw
  std::string interface;  // of raw Ethernet frames
  std::uint32_t count = 1;
  std::uint32_t interval = 0;  // ms
  std::uint32_t wait = 2000;   // ms, for each answer
  bool show_secrets = false;
  bool full = false;
  std::string save;
};

// Takes --send and what it may have behind it out of `words`.
void TakeSendOption(std::vector<std::string>& words, CraftSending& sending);
void AddSendingOptions(CLI::App& app, CraftSending& sending);
Expected<void> CheckSending(const CraftSending& sending);

// The exit status: kRefused where an answer did not come.
int SendPackets(const CommandLine& line, const CraftSending& sending, std::vector<CraftedPacket>& packets);

// By craft_raw.cc.
int SendRaw(const CommandLine& line, const CraftSending& sending, std::vector<CraftedPacket>& packets);

}  // namespace glasspost::cli
