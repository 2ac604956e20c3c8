// Octets of somebody's own making over a connection or as datagrams, one after the other, and what is answered to each. When an
// answer is whole, an AnswerEnd knows (agent/answer_ends.h); where nobody can know, it is what comes until the other side is
// quiet. However many are sent, one answer is in memory.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "analysis/live/ear.h"
#include "base/address.h"
#include "base/error.h"
#include "net/asio.h"
#include "net/stream.h"

namespace glasspost::agent {

struct PayloadLimits {
  static constexpr std::size_t kReply = std::size_t{1} << 20;    // octets of one answer that are kept
  static constexpr std::size_t kAnswer = std::size_t{64} << 20;  // octets that are awaited of one: stops one without an end
  static constexpr std::chrono::milliseconds kQuiet{40};         // so long nothing comes after an answer whose end nobody knows
  static constexpr int kWaits = 10;                              // times `wait`, for a whole answer that comes in drops
  static constexpr int kPassedOver = 100;                        // datagrams that answer something else: stops a flood of them
  static constexpr std::chrono::seconds kClose{5};
};

struct PayloadOptions {
  std::uint64_t rounds = 1;              // of all payloads
  std::chrono::milliseconds wait{5000};  // for each answer to begin, and to go on
  std::chrono::milliseconds interval{0};
};

// What is still to come of the answer to what was sent last.
enum class Due : std::uint8_t { kNothing, kAnswer, kUnknown };

struct PayloadAnswer {
  std::string reply;  // as far as it is kept; empty: nothing came in time
  Timestamp sent = kNoTime;
  Timestamp received = kNoTime;  // its first octet; kNoTime: nothing came
  bool due = true;               // something had to come
};

// Who knows when an answer is whole.
class AnswerEnd {
 public:
  virtual ~AnswerEnd() = default;
  // Before it is sent. Expects is asked before the first, too: about the greeting of a server that speaks first.
  virtual void OnSend(Octets payload) = 0;
  // `came`: since then, as far as it is kept.
  virtual Due Expects(Octets came) = 0;
  // What of it is the answer.
  virtual Octets AnswerIn(Octets came) { return came; }
  // Of a datagram: it answers what was sent last.
  virtual bool Answers(Octets) { return true; }
  // To be told what the connection's observer hears; null: it needs none.
  virtual analysis::Ear* ear() { return nullptr; }
};

// False: that is enough, nothing more is sent.
using OnPayloadAnswer = std::function<bool(Octets payload, const PayloadAnswer& answer)>;

struct PayloadsSent {
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;                 // to the end, where it is known; or sent where no answer was due
  net::IoStatus status = net::IoStatus::kOk;  // why it ended before all were sent
};

// `payloads` and `end` outlive it. Closes the stream.
net::Task<PayloadsSent> SendPayloads(net::asio::io_context& context, net::Stream& stream,
                                     const std::vector<std::string>& payloads, AnswerEnd& end, OnPayloadAnswer told,
                                     PayloadOptions options);

// Over one socket, whose address is `local` before the first is sent; the error says why one could not be sent, or that nobody
// listens there.
net::Task<Expected<PayloadsSent>> SendDatagrams(net::asio::io_context& context, Endpoint to,
                                                const std::vector<std::string>& payloads, AnswerEnd& end, OnPayloadAnswer told,
                                                PayloadOptions options, Endpoint& local);

}  // namespace glasspost::agent
