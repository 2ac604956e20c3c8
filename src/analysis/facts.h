// What is known of a conversation beside its exchanges, and of a message. Plain data; DESIGN's words.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/origin.h"
#include "base/redaction.h"
#include "wire/exchange.h"
#include "wire/mime/header.h"
#include "wire/mime/structure.h"
#include "wire/tls/observer.h"

namespace glasspost::analysis {

struct Gap {
  Direction direction{};
  std::uint64_t offset = 0;  // octets from the beginning of that direction's stream
  std::uint64_t length = 0;
};

struct PhaseSpan {
  Phase phase{};
  Timestamp start = kNoTime;
  Timestamp end = kNoTime;
};

// Bounds what a conversation of endless holes or changes of phase can keep; beyond them the last entry is prolonged.
inline constexpr std::size_t kMaxGaps = 4096;
inline constexpr std::size_t kMaxPhases = 1024;

// Of a conversation that was kept (analysis/live/events.h): what went beyond its limit.
struct LeftOut {
  std::uint64_t exchanges = 0;
  std::uint64_t messages = 0;
  std::uint64_t findings = 0;
  std::uint64_t message_octets = 0;
  bool empty() const { return exchanges + messages + findings + message_octets == 0; }
};

struct ConversationFacts {
  Protocol protocol = Protocol::kUnknown;
  bool udp = false;
  bool syn_seen = false;
  bool fin_seen = false;  // from both sides
  bool live = false;      // listened to as it was spoken: no packets, and `bytes` are what crossed the wire of TCP's contents
  int client_side = 0;
  Timestamp start = kNoTime;
  Timestamp end = kNoTime;
  std::uint64_t last_frame = 0;
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;        // IP payload octets, both ways
  bool reset_seen = false;        // what stands above changes with every packet, or is looked at
  bool within_tls = false;        // what is told now crossed the wire in TLS records, and somebody could read them
  bool by_port_only = false;      // nothing was said: the protocol is what the port suggests
  std::array<Endpoint, 2> sides;  // 0 sent the first packet
  std::uint64_t first_frame = 0;
  std::vector<Gap> gaps;
  std::vector<PhaseSpan> phases;
  std::uint64_t retransmissions = 0;
  LeftOut left_out;
  std::unique_ptr<tls::TlsInfo> tls;       // null: no TLS
  std::shared_ptr<const Secrets> secrets;  // null: none was seen, or nobody asked; at the end

  const Endpoint& client() const { return sides[static_cast<std::size_t>(client_side)]; }
  const Endpoint& server() const { return sides[static_cast<std::size_t>(1 - client_side)]; }
  // Start and close seen and no gap; for UDP there is no more to see than what came.
  bool complete() const { return gaps.empty() && (udp || (syn_seen && (fin_seen || reset_seen))); }
};

// One message, whole or in part. Views and references live during the call that gives it.
struct MessageFacts {
  std::uint64_t exchange = 0;  // the exchange that carried it
  Direction direction{};
  std::uint64_t order = 0;  // within the conversation, from 1
  const Envelope* envelope = nullptr;
  std::uint64_t size = 0;  // octets as its sender wrote it
  std::string sha256;      // hex; empty where nobody asked for it
  bool truncated = false;
  bool header_cut = false;  // the header is longer than the limit, only its beginning is told
  bool body_kept = true;    // false: it was told before, and only the rest was kept
  Octets header_block;
  // Decoded header; null where nobody asked for it.
  const mime::HeaderDecoder* header = nullptr;
  const mime::Structure* structure = nullptr;  // where attachments were asked for and the message was not too large
};

}  // namespace glasspost::analysis
