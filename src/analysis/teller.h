// The report's side of a conversation: a Teller receives what one conversation says, in order, and turns it into text.
// One Teller a conversation, used by one thread at a time.
#pragma once

#include <memory>
#include <string>

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
  // Its request, before there is anything of its reply; only if Report::Wants::requests.
  virtual void OnRequest(const ConversationFacts& /*facts*/, const Exchange& /*exchange*/) {}
  virtual void OnMessage(const ConversationFacts& facts, const MessageFacts& message) = 0;
  // Octets of the message that the next OnMessage tells of; only if Report::Wants::message_octets.
  virtual void OnMessageOctets(Direction /*direction*/, Octets /*octets*/) {}
  virtual void OnFinding(const ConversationFacts& facts, const Finding& finding) = 0;
  // The conversation is over. Appends its text; the number, which comes first, is put before it by the collector.
  virtual void Finish(const ConversationFacts& facts, TextStore& text) = 0;
  // Octets of text that it holds in memory, and the way to have them put into the temporary file.
  virtual std::size_t TextHeld() const { return 0; }
  virtual void SpillText() {}
  // After Finish: what the report wants to know again when it writes the text; whatever octets. They wait with the text.
  virtual std::string Note() { return {}; }
};

class Report {
 public:
  struct Wants {
    bool packets = false;
    bool message_header = true;
    bool message_digest = true;
    bool message_octets = false;
    bool attachments = false;
    bool single_parts = true;  // with attachments: also the structure of a message that has one part and no attachment
    bool text = true;          // with attachments: also the text
    bool show_secrets = false;
    bool secrets = false;   // ConversationFacts::secrets
    bool requests = false;  // each when it is heard
  };
  virtual ~Report() = default;
  virtual Wants wants() const = 0;
  // Called on any analysing thread.
  virtual std::unique_ptr<Teller> NewTeller() const = 0;
  // Writes one told conversation, with what its Teller noted; on the collecting thread, in the order of the last packets.
  virtual void Write(std::uint64_t number, Octets note, TextStore& text) = 0;
};

}  // namespace glasspost::analysis
