#include "agent/answer_ends.h"

#include <algorithm>

#include "agent/talk/session_state.h"
#include "wire/dns/framing.h"
#include "wire/dns/matching.h"
#include "wire/pop3/grammar.h"

namespace glasspost::agent {
namespace {

class ObservedEnd final : public AnswerEnd, private analysis::Ear {
 public:
  explicit ObservedEnd(Protocol protocol) : state_(protocol) {}

  void OnSend(Octets) override {
    sent_ = true;
    asked_ = stray_ = false;
    message_ = state_.input() == talk::Input::kData;
  }
  Due Expects(Octets) override {
    if (!state_.greeted()) return Due::kAnswer;
    if (state_.waiting() > 0) return stray_ ? Due::kUnknown : Due::kAnswer;
    return asked_ || message_ || !sent_ ? Due::kNothing : Due::kUnknown;
  }
  analysis::Ear* ear() override { return this; }

 private:
  void OnRequest(const analysis::ConversationFacts&, const Exchange& exchange) override {
    asked_ = true;
    // Whether its answer has many lines, and where they end, is not known.
    stray_ = state_.protocol() == Protocol::kPop3 && exchange.request.verb != "*" &&
             pop3::CommandOf(exchange.request.verb) == pop3::Command::kUnknown;
    state_.OnRequest(exchange);
  }
  void OnExchange(const analysis::ConversationFacts&, const Exchange& exchange) override { state_.OnExchange(exchange); }
  void OnFinding(const analysis::ConversationFacts&, const Finding&) override {}

  talk::SessionState state_;
  bool sent_ = false;     // anything
  bool asked_ = false;    // something, by what was sent last
  bool message_ = false;  // which is of the message: nothing is answered before its end
  bool stray_ = false;
};

class DnsEnd final : public AnswerEnd {
 public:
  explicit DnsEnd(bool stream) : stream_(stream) {}

  void OnSend(Octets payload) override {
    sent_ = true;
    if (stream_) payload.remove_prefix(std::min<std::size_t>(2, payload.size()));
    dns::Decode(payload, query_);
  }
  Due Expects(Octets came) override { return !sent_ || !AnswerIn(came).empty() ? Due::kNothing : Due::kAnswer; }
  Octets AnswerIn(Octets came) override {
    if (!stream_) return came;
    // A message that lies whole in its input is a view into it.
    dns::TcpSplitter splitter;
    dns::Framed framed;
    while (splitter.Next(came, framed) == dns::TcpSplitter::Step::kMessage)
      if (Answers(framed.message)) return framed.message;
    return {};
  }
  bool Answers(Octets datagram) override {
    dns::Decode(datagram, answer_);
    return dns::MatchAnswer(query_, answer_) == dns::Match::kAnswer;
  }

 private:
  const bool stream_;
  bool sent_ = false;
  dns::Message query_, answer_;
};

class QuietEnd final : public AnswerEnd {
 public:
  void OnSend(Octets) override { sent_ = true; }
  Due Expects(Octets) override { return sent_ ? Due::kUnknown : Due::kNothing; }

 private:
  bool sent_ = false;
};

}  // namespace

std::unique_ptr<AnswerEnd> EndOfAnswers(Protocol protocol, bool stream) {
  const bool lines =
      protocol == Protocol::kSmtp || protocol == Protocol::kLmtp || protocol == Protocol::kPop3 || protocol == Protocol::kImap;
  if (protocol == Protocol::kDns) return std::make_unique<DnsEnd>(stream);
  if (lines && stream) return std::make_unique<ObservedEnd>(protocol);
  return std::make_unique<QuietEnd>();
}

}  // namespace glasspost::agent
