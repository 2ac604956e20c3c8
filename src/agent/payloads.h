// Octets of somebody's own making over a connection or as datagrams, one after the other, and what is answered to each. Nothing
// is understood of what is said: an answer is what comes until the other side is quiet.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/error.h"
#include "net/asio.h"
#include "net/stream.h"

namespace glasspost::agent {

struct PayloadLimits {
  static constexpr std::size_t kReply = std::size_t{1} << 20;  // octets of one answer; what comes beyond is left unread
  static constexpr std::chrono::milliseconds kQuiet{40};       // so long nothing comes after an answer
  static constexpr std::chrono::seconds kClose{5};
};

struct PayloadOptions {
  std::chrono::milliseconds wait{5000};  // for each answer to begin
  std::chrono::milliseconds interval{0};
  bool greeted = false;  // the server speaks first
};

struct PayloadReplies {
  std::string greeting;
  std::vector<std::string> replies;           // as many as payloads were sent; empty where nothing came
  net::IoStatus status = net::IoStatus::kOk;  // why it ended before all were sent
};

// `payloads` outlive it. Closes the stream.
net::Task<PayloadReplies> SendPayloads(net::asio::io_context& context, net::Stream& stream,
                                       const std::vector<std::string>& payloads, PayloadOptions options);

struct Datagram {
  std::string reply;  // empty: none came in time
  Timestamp sent = kNoTime;
  Timestamp received = kNoTime;
};
struct DatagramReplies {
  Endpoint local;
  std::vector<Datagram> datagrams;
};
// Over one socket; the error says why one could not be sent, or that nobody listens there.
net::Task<Expected<DatagramReplies>> SendDatagrams(net::asio::io_context& context, Endpoint to,
                                                   const std::vector<std::string>& payloads, PayloadOptions options);

}  // namespace glasspost::agent
