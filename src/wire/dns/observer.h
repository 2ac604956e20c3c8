// Listens to DNS and pairs queries with answers (RFC 1035 §4, RFC 7766, RFC 2136, RFC 1996).
//
// One exchange a query: verb the opcode's name, argument "name TYPE" (the class behind it where it is not IN; several questions
// joined by ", "), status the RCODE's name, text the records of the answer, authority and additional sections in zone-file form,
// one a line; the OPT record is the comment line "; EDNS: …". Exchange::query and ::response point to the decoded messages.
//
// Who asks is told by the QR bit, not by the direction that the caller believes in. An answer belongs to the oldest query with
// the same identification and question (names compare without case) that came from the other side; an answer without a question
// (FORMERR, UPDATE) to the oldest with that identification. A query that is repeated before its answer joins the first
// one's exchange. An answer that nobody asked for, a second answer, and each further message of a zone transfer are exchanges
// without a request. Exchanges are numbered and told in the order of their queries; an answer that comes before that of an
// earlier query waits for it, within the limits.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "wire/dns/framing.h"
#include "wire/dns/message.h"
#include "wire/exchange.h"

namespace glasspost::dns {

struct ObserverLimits {
  // Exchanges of one conversation that wait (for their answer, or for an earlier one's): stops a flood of queries nobody answers.
  // Past it the oldest is told as it is.
  std::size_t waiting = 256;
  // Octets of messages held for them: stops the same flood with large messages.
  std::size_t waiting_octets = 256 * 1024;
  // Octets of text made of one answer: stops an answer whose names unpack to far more than its octets. Past it reply.cut is set.
  std::size_t text = 256 * 1024;
  // Questions named in the argument: stops a message of thousands of questions.
  std::size_t questions = 8;
  // An answer that took longer is a finding (nanoseconds).
  std::int64_t slow_reply = 5'000'000'000;
  MessageLimits message;
};

// What is needed only during a call; one a thread serves all its observers, so that a conversation of one query costs little.
struct Workspace {
  Message query;
  Message response;
  Exchange exchange;
  Finding finding;
};

class DnsObserver final : public Observer {
 public:
  // `sink`, `workspace` (if given; else it has its own) outlive the observer. Over UDP (`tcp` false) each OnOctets is one
  // datagram.
  DnsObserver(ObserverSink& sink, const ObserverOptions& options, const ObserverLimits& limits, bool tcp,
              Workspace* workspace = nullptr);
  ~DnsObserver() override;

  void OnOctets(Direction direction, Octets octets, const Origin& origin) override;
  // UDP: a datagram of `length` octets of which only `octets` were captured.
  void OnDatagram(Direction direction, Octets octets, std::size_t length, const Origin& origin);
  void OnGap(Direction direction, std::uint64_t length, const Origin& origin) override;
  void OnFin(Direction direction, const Origin& origin) override;
  void OnEnd(const Origin& origin, bool reset) override;
  void OnMidStream() override;
  std::size_t Held() const override;

 private:
  // A query and its answer, as octets: decoding again is cheaper than keeping them decoded.
  struct Waiting {
    std::uint64_t number = 0;
    std::uint64_t question = 0;  // hash of its questions
    std::uint16_t id = 0;
    Direction from = Direction::kToServer;
    bool has_query = false;
    bool has_reply = false;
    std::string query;
    std::string reply;
    std::size_t query_length = 0;
    std::size_t reply_length = 0;
    Span query_span;
    Span reply_span;
    void Clear();
  };
  struct Side {
    TcpSplitter splitter;
    Span span;  // of the message that is being gathered
    std::uint64_t offset = 0;
    bool middle = false;  // a message has begun
  };

  Waiting& At(std::size_t i) { return waiting_[(first_ + i) % waiting_.size()]; }
  Waiting& Push();
  void OnMessage(Direction direction, Octets octets, std::size_t length, const Span& span, const Origin& origin);
  void OnQuery(Direction direction, Octets octets, std::size_t length, const Span& span, const Origin& origin);
  void OnResponse(Direction direction, Octets octets, std::size_t length, const Span& span, const Origin& origin);
  void TellFault(const Fault& fault, std::uint64_t exchange, const Origin& origin);
  void TellSlow(const Waiting& w, const Span& reply, const Origin& origin);
  void Release();
  void Evict();
  void DropFirst();
  void Tell(Waiting& w, Octets reply, std::size_t reply_length, const Span& reply_span, bool response_decoded);
  void FillRequest(const Waiting& w, Request& request);
  void FillReply(const Span& span, Reply& reply);

  ObserverSink& sink_;
  const ObserverLimits limits_;
  const bool tcp_;
  std::unique_ptr<Workspace> own_;
  Workspace& work_;
  std::vector<Waiting> waiting_;  // a ring: count_ of them from first_ on
  std::size_t first_ = 0;
  std::size_t count_ = 0;
  std::size_t held_ = 0;  // octets in it
  std::uint64_t next_ = 1;
  std::uint64_t told_ = 0;
  std::unique_ptr<Side[]> sides_;  // TCP
  std::uint64_t offsets_[2] = {};  // UDP
};

}  // namespace glasspost::dns
