#include "support/recording_sink.h"

#include <algorithm>

#include "support/conversation_file.h"

namespace glasspost::test {
namespace {

std::string Text(const Reply& reply) {
  std::string t = reply.code != 0 ? std::to_string(reply.code) : reply.status;
  if (!reply.enhanced.empty()) t += " [" + Escape(reply.enhanced) + "]";
  if (!reply.text.empty()) t += " " + Escape(reply.text);
  if (!reply.decoded.empty()) t += " {" + Escape(reply.decoded) + "}";
  if (reply.cut) t += " (cut)";
  return t;
}

std::string Text(const Request& request) {
  std::string t = request.tag.empty() ? "" : Escape(request.tag) + " ";
  t += Escape(request.verb);
  if (!request.written.empty()) t += "(" + Escape(request.written) + ")";
  if (!request.argument.empty()) t += " " + Escape(request.argument);
  if (!request.decoded.empty()) t += " {" + Escape(request.decoded) + "}";
  if (request.cut) t += " (cut)";
  return t;
}

std::string Text(const Span& span) { return std::to_string(span.offset) + "+" + std::to_string(span.length); }

std::string Paths(const Envelope& envelope) {
  if (!envelope.present) return "";
  std::string t = envelope.reverse_path_known ? " from=<" + Escape(envelope.reverse_path) + "> to=" : " from=? to=";
  for (std::size_t i = 0; i < envelope.forward_paths.size(); ++i)
    t += (i > 0 ? ",<" : "<") + Escape(envelope.forward_paths[i]) + ">";
  return t;
}

// "size=5 sha256=ab…" holds for the full text with any digits after; "text=…" for the message's own octets.
bool MessageMeets(const std::string& expected, const RecordingSink::Message& message, bool with_octets) {
  std::string want = expected;
  const std::size_t text = want.find(" text=");
  if (text != std::string::npos) {
    if (with_octets && want.substr(text + 6) != Escape(message.octets)) return false;
    want.erase(text);
  }
  std::string have = Text(message);
  for (std::string* t : {&want, &have}) {
    const std::size_t digest = t->find(" sha256=");
    if (digest == std::string::npos) continue;
    const std::size_t end = std::min(t->find(' ', digest + 1), t->size());
    if (t == &want && with_octets) {
      const std::string given = want.substr(digest, end - digest);
      if (have.find(given) == std::string::npos) return false;
    }
    t->erase(digest, end - digest);
  }
  const auto without_size = [&](std::string& t) {
    const std::size_t size = t.find(" size=");
    if (size != std::string::npos) t.erase(size, std::min(t.find(' ', size + 1), t.size()) - size);
  };
  // Without the octets nobody counts where in them a gap lies.
  const auto without_places = [](std::string& t) {
    for (std::size_t gap = t.find(" gap="); gap != std::string::npos; gap = t.find(" gap=", gap + 1)) {
      const std::size_t at = t.find('@', gap);
      if (at != std::string::npos) t.erase(at, std::min(t.find(' ', at), t.size()) - at);
    }
  };
  if (!with_octets) without_places(want), without_places(have);
  if (!with_octets || want.find(" size=") == std::string::npos) without_size(want), without_size(have);
  return want == have;
}

// "finding 3 unknown-command" holds whatever the detail.
bool FindingMeets(const std::string& expected, const std::string& actual) {
  return actual == expected || actual.starts_with(expected + " ");
}

template <class A, class B, class F>
bool Same(const A& expected, const B& actual, F&& meets) {
  return expected.size() == actual.size() && std::equal(expected.begin(), expected.end(), actual.begin(), meets);
}

}  // namespace

std::string Text(const Exchange& exchange) {
  std::string t = std::to_string(exchange.number) + " " + std::string(Name(exchange.phase)) + " ";
  t += exchange.has_request ? Text(exchange.request) : "-";
  t += " | " + (exchange.has_reply ? Text(exchange.reply) : "-");
  for (const Reply& more : exchange.more_replies) t += " | " + Text(more);
  return t;
}

std::string Text(const RecordingSink::Message& message) {
  std::string t = "message " + std::to_string(message.exchange) + Paths(message.envelope);
  t += " size=" + std::to_string(message.octets.size());
  Sha256 digest;
  digest.Update(message.octets);
  const auto octets = digest.Finish();
  t += " sha256=" + Hex(octets);
  for (const auto& [at, length] : message.gaps) t += " gap=" + std::to_string(length) + "@" + std::to_string(at);
  if (message.end.truncated) t += " truncated";
  if (!message.end.complete_start) t += " no-start";
  return t;
}

void RecordingSink::OnExchange(const Exchange& exchange) {
  if (exchange.number != next_number_) broken.push_back("exchange " + std::to_string(exchange.number) + " out of turn");
  next_number_ = exchange.number + 1;
  exchanges.push_back(Text(exchange));
  std::string where = Text(exchange.request.span) + " " + Text(exchange.reply.span);
  for (const Reply& more : exchange.more_replies) where += " " + Text(more.span);
  spans.push_back(where);
}

void RecordingSink::OnRequest(const Exchange& exchange) {
  if (!exchange.has_request || exchange.has_reply) broken.push_back("a request that is none");
  requests.push_back(exchange.request.verb + (exchange.request.argument.empty() ? "" : " " + exchange.request.argument));
}

void RecordingSink::OnMessageStart(Direction direction, std::uint64_t exchange, const Envelope& envelope) {
  const auto d = static_cast<std::size_t>(Index(direction));
  if (open_[d]) broken.push_back("a message begins inside another");
  open_[d] = true;
  current_[d] = Message{.exchange = exchange, .envelope = envelope, .octets = {}, .gaps = {}, .end = {}, .direction = direction};
}

void RecordingSink::OnMessageOctets(Direction direction, Octets octets) {
  const auto d = static_cast<std::size_t>(Index(direction));
  if (!open_[d]) broken.push_back("message octets outside a message");
  current_[d].octets += octets;
}

void RecordingSink::OnMessageGap(Direction direction, std::uint64_t length) {
  const auto d = static_cast<std::size_t>(Index(direction));
  if (!open_[d]) broken.push_back("a message's gap outside a message");
  current_[d].gaps.emplace_back(current_[d].octets.size(), length);
}

void RecordingSink::OnMessageEnd(Direction direction, const MessageEnd& end) {
  const auto d = static_cast<std::size_t>(Index(direction));
  if (!open_[d]) broken.push_back("a message ends that did not begin");
  open_[d] = false;
  current_[d].end = end;
  messages.push_back(std::move(current_[d]));
}

void RecordingSink::OnFinding(const Finding& finding) {
  std::string t = "finding " + std::to_string(finding.exchange) + " " + std::string(Info(finding.id).name);
  if (!finding.detail.empty()) t += " " + Escape(finding.detail);
  findings.push_back(t);
}

void RecordingSink::OnTlsStart(const Origin&) { turns.push_back("tls-start"); }
void RecordingSink::OnProtocol(Protocol protocol) { turns.push_back("protocol " + std::string(Name(protocol))); }

bool Meets(const ConversationFile& expected, const RecordingSink& actual, bool with_octets, std::string& why) {
  auto want = expected.findings, have = actual.findings;
  std::sort(want.begin(), want.end());
  std::sort(have.begin(), have.end());
  const auto equal = [](const std::string& a, const std::string& b) { return a == b; };
  why.clear();
  for (const std::string& b : actual.broken) why += "BROKEN PROMISE: " + b + "\n";
  if (!Same(expected.exchanges, actual.exchanges, equal)) why += "the exchanges differ\n";
  if (!Same(expected.messages, actual.messages,
            [&](const std::string& w, const RecordingSink::Message& m) { return MessageMeets(w, m, with_octets); }))
    why += "the messages differ\n";
  if (!Same(want, have, FindingMeets)) why += "the findings differ\n";
  if (!Same(expected.turns, actual.turns, equal)) why += "the turns (TLS, protocol) differ\n";
  if (why.empty()) return true;
  why += "told was:\n";
  for (const auto& e : actual.exchanges) why += e + "\n";
  for (const auto& m : actual.messages) why += Text(m) + (m.octets.size() < 200 ? " text=" + Escape(m.octets) : "") + "\n";
  for (const auto& f : have) why += f + "\n";
  for (const auto& t : actual.turns) why += t + "\n";
  return false;
}

}  // namespace glasspost::test
