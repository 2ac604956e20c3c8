// The report's side of a conversation: a Teller receives what one conversation says, in order, and turns it into text.
// One Teller a conversation, used by one thread at a time.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "analysis/facts.h"
#include "analysis/text_store.h"
#include "capture/packet.h"
#include "wire/exchange.h"

namespace glasspost::analysis {

class Teller {
 public:
  virtual ~Teller() = default;
  // Every packet of the conversation, before what it brings; only if Report::Wants::packets.
  virtual void OnPacket(const ConversationFacts& /*facts*/, int /*side*/, const capture::Packet& /*packet*/) {}
  virtual void OnExchange(const ConversationFacts& facts, const Exchange& exchange) = 0;
  virtual void OnMessage(const ConversationFacts& facts, const MessageFacts& message) = 0;
  // Octets of the message that the next OnMessage tells of; only if Report::Wants::message_octets.
  virtual void OnMessageOctets(Direction /*direction*/, Octets /*octets*/) {}
  virtual void OnFinding(const ConversationFacts& facts, const Finding& finding) = 0;
  // The conversation is over. Appends its text; the number, which comes first, is put before it by the collector.
  virtual void Finish(const ConversationFacts& facts, TextStore& text) = 0;
  // What is to be done once the number is known; may be empty. Called on the collecting thread.
  virtual std::function<void(std::uint64_t number)> WhenNumbered() { return {}; }
};

class Report {
 public:
  struct Wants {
    bool packets = false;
    bool message_header = true;
    bool message_digest = true;
    bool message_octets = false;
    bool attachments = false;
    bool show_secrets = false;
  };
  virtual ~Report() = default;
  virtual Wants wants() const = 0;
  // Called on any analysing thread.
  virtual std::unique_ptr<Teller> NewTeller() const = 0;
  // Writes one told conversation; on the collecting thread, in the order of the last packets.
  virtual void Write(std::uint64_t number, TextStore& text) = 0;
};

}  // namespace glasspost::analysis
