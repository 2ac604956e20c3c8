// A sink that writes down what an observer tells, in the words of the conversation files, and checks what every observer
// promises: numbers without holes, starts and ends in pairs.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/sha256.h"
#include "wire/exchange.h"

namespace glasspost::test {

class RecordingSink : public ObserverSink {
 public:
  struct Message {
    std::uint64_t exchange = 0;
    Envelope envelope;
    std::string octets;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> gaps;  // at, length
    MessageEnd end;
    Direction direction = Direction::kToServer;
  };

  void OnExchange(const Exchange& exchange) override;
  void OnRequest(const Exchange& exchange) override;
  void OnMessageStart(Direction direction, std::uint64_t exchange, const Envelope& envelope) override;
  void OnMessageOctets(Direction direction, Octets octets) override;
  void OnMessageGap(Direction direction, std::uint64_t length) override;
  void OnMessageEnd(Direction direction, const MessageEnd& end) override;
  void OnFinding(const Finding& finding) override;
  void OnTlsStart(const Origin& origin) override;
  void OnProtocol(Protocol protocol) override;

  std::vector<std::string> exchanges;
  std::vector<std::string> requests;  // as they were told before their replies
  std::vector<std::string> spans;     // beside each exchange: where request and reply lie, so that runs can be compared
  std::vector<std::string> findings;  // as in the files, with the detail: "finding 3 unknown-command XYZ"
  std::vector<std::string> turns;
  std::vector<Message> messages;    // closed ones
  std::vector<std::string> broken;  // promises that were not kept
  bool open(Direction d) const { return open_[static_cast<std::size_t>(Index(d))]; }

 private:
  std::uint64_t next_number_ = 1;
  std::array<bool, 2> open_{};
  std::array<Message, 2> current_;
};

// "8 envelope RCPT TO:<a@b> | 250 [2.1.5] Ok"
std::string Text(const Exchange& exchange);
// "message 9 from=<a@b> to=<c@d>,<e@f> size=120 sha256=… gap=100@20 truncated no-start"
std::string Text(const RecordingSink::Message& message);

// Whether `actual` is what a conversation file expects; fills `why`, with all that was told, ready to be pasted, if not.
struct ConversationFile;
bool Meets(const ConversationFile& expected, const RecordingSink& actual, bool with_octets, std::string& why);

}  // namespace glasspost::test
