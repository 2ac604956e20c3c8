#include "analysis/detector.h"

#include <algorithm>
#include <array>

#include "base/ascii.h"
#include "wire/dns/recognise.h"
#include "wire/tls/records.h"

namespace glasspost::analysis {
namespace {

Octets FirstLine(Octets said) { return said.substr(0, said.find('\n')); }
bool HasLine(Octets said) { return said.find('\n') != Octets::npos; }

template <std::size_t N>
bool FirstWordIs(Octets line, const std::array<Octets, N>& words) {
  const Octets word = line.substr(0, line.find_first_of(" \r\n"));
  return std::any_of(words.begin(), words.end(), [&](Octets w) { return EqualsNoCase(word, w); });
}

constexpr std::array<Octets, 21> kSmtpWords = {"EHLO", "HELO", "LHLO",    "MAIL",     "RCPT", "DATA", "BDAT",
                                               "RSET", "VRFY", "EXPN",    "STARTTLS", "AUTH", "NOOP", "QUIT",
                                               "HELP", "ETRN", "XCLIENT", "XFORWARD", "TURN", "SEND", "BURL"};
constexpr std::array<Octets, 17> kPop3Words = {"USER", "PASS", "APOP", "AUTH", "STAT", "LIST", "RETR", "DELE", "NOOP",
                                               "RSET", "TOP",  "UIDL", "QUIT", "CAPA", "STLS", "UTF8", "LANG"};
constexpr std::array<Octets, 34> kImapWords = {
    "CAPABILITY", "NOOP",   "LOGOUT", "STARTTLS",  "AUTHENTICATE", "LOGIN",  "ENABLE",      "SELECT",    "EXAMINE",
    "CREATE",     "DELETE", "RENAME", "SUBSCRIBE", "UNSUBSCRIBE",  "LIST",   "LSUB",        "NAMESPACE", "STATUS",
    "APPEND",     "IDLE",   "CLOSE",  "UNSELECT",  "EXPUNGE",      "SEARCH", "FETCH",       "STORE",     "COPY",
    "MOVE",       "UID",    "ID",     "CHECK",     "SORT",         "THREAD", "GETQUOTAROOT"};

bool IsSmtpReply(Octets line) {
  return line.size() >= 3 && line[0] >= '2' && line[0] <= '5' && line[1] >= '0' && line[1] <= '5' && IsDigit(line[2]) &&
         (line.size() == 3 || line[3] == ' ' || line[3] == '-' || line[3] == '\r');
}
bool IsPop3Reply(Octets line) { return line.starts_with("+OK") || line.starts_with("-ERR"); }
bool IsImapGreeting(Octets line) {
  return line.starts_with("* OK") || line.starts_with("* PREAUTH") || line.starts_with("* BYE");
}
bool IsImapReply(Octets line) {
  if (line.starts_with("* ")) return true;
  const auto space = line.find(' ');
  if (space == Octets::npos || space == 0 || space > 20) return false;
  const Octets rest = line.substr(space + 1);
  return rest.starts_with("OK ") || rest.starts_with("NO ") || rest.starts_with("BAD ");
}

bool IsImapCommand(Octets line) {
  const auto space = line.find(' ');
  if (space == Octets::npos || space == 0 || space > 20) return false;
  for (const char c : line.substr(0, space))
    if (!IsDigit(c) && !IsAlpha(c) && c != '.' && c != '-' && c != '_' && c != '$' && c != '#' && c != '/') return false;
  return FirstWordIs(line.substr(space + 1), kImapWords);
}

// Commands that no other protocol on these ports has, so that one line is enough.
bool IsSurelySmtpCommand(Octets line) {
  return StartsWithNoCase(line, "EHLO ") || StartsWithNoCase(line, "HELO ") || StartsWithNoCase(line, "LHLO ") ||
         StartsWithNoCase(line, "MAIL FROM:") || StartsWithNoCase(line, "RCPT TO:") || StartsWithNoCase(line, "STARTTLS\r");
}

bool ContainsNoCase(Octets text, Octets word) {
  for (std::size_t i = 0; i + word.size() <= text.size(); ++i)
    if (EqualsNoCase(text.substr(i, word.size()), word)) return true;
  return false;
}

Detection Found(Protocol protocol, int client_side) { return {Detection::State::kFound, protocol, client_side}; }

// Side `s` speaks like a server of this protocol; `o` is what the other side says, if anything.
Detection AsServer(int s, Octets line, Octets other, Protocol hint) {
  const bool other_spoke = HasLine(other);
  const Octets answer = FirstLine(other);
  if (IsPop3Reply(line)) {
    if (hint == Protocol::kPop3 || (other_spoke && FirstWordIs(answer, kPop3Words)) || ContainsNoCase(line, "pop"))
      return Found(Protocol::kPop3, 1 - s);
    return {};
  }
  if (IsImapGreeting(line)) return Found(Protocol::kImap, 1 - s);
  if (IsImapReply(line) && (hint == Protocol::kImap || (other_spoke && IsImapCommand(answer))))
    return Found(Protocol::kImap, 1 - s);
  if (IsSmtpReply(line)) {
    if (hint == Protocol::kSmtp || hint == Protocol::kLmtp) return Found(Protocol::kSmtp, 1 - s);
    if (ContainsNoCase(line, "SMTP") || ContainsNoCase(line, "LMTP")) return Found(Protocol::kSmtp, 1 - s);
    if (other_spoke && IsSurelySmtpCommand(answer)) return Found(Protocol::kSmtp, 1 - s);
    if (other_spoke && FirstWordIs(answer, kSmtpWords) && line.starts_with("220")) return Found(Protocol::kSmtp, 1 - s);
  }
  return {};
}

// Side `s` speaks like a client.
Detection AsClient(int s, Octets line, Octets other, Protocol hint, bool mid_stream) {
  if (IsSurelySmtpCommand(line)) return Found(Protocol::kSmtp, s);
  if (IsImapCommand(line) && (hint == Protocol::kImap || (HasLine(other) && IsImapReply(FirstLine(other)))))
    return Found(Protocol::kImap, s);
  if (hint == Protocol::kPop3 && FirstWordIs(line, kPop3Words)) return Found(Protocol::kPop3, s);
  if (hint == Protocol::kSmtp && FirstWordIs(line, kSmtpWords)) return Found(Protocol::kSmtp, s);
  if (mid_stream && HasLine(other) && IsPop3Reply(FirstLine(other)) && FirstWordIs(line, kPop3Words))
    return Found(Protocol::kPop3, s);
  return {};
}

// TLS that was joined in its middle: whole records of application data from the first octet on, and nothing else.
bool IsTlsDataMidStream(Octets said) {
  std::size_t records = 0;
  while (!said.empty()) {
    tls::RecordHeader h;
    if (!tls::ParseRecordHeader(AsBytes(said), h) || h.type != tls::kApplicationData || h.length == 0) return false;
    const std::size_t whole = tls::kRecordHeader + h.length;
    if (said.size() < whole) return records > 0;
    said.remove_prefix(whole);
    ++records;
  }
  return records > 0;
}

// The side with the port that is known for TLS, else with the lower one.
int ServerByPort(const FirstWords& w) {
  for (int s = 0; s < 2; ++s)
    if (ProtocolOfPort(w.port[s]) == Protocol::kTls) return s;
  return w.port[0] < w.port[1] ? 0 : 1;
}

Detection DetectTls(const FirstWords& w) {
  for (int s = 0; w.mid_stream && s < 2; ++s)
    if (IsTlsDataMidStream(w.said[s])) return Found(Protocol::kTls, 1 - ServerByPort(w));
  for (int s = 0; s < 2; ++s) {
    if (tls::LooksLikeTls(w.said[s]) != tls::Likeness::kYes) continue;
    const bool server_hello =
        w.said[s].size() > tls::kRecordHeader && w.said[s][0] == tls::kHandshake && w.said[s][tls::kRecordHeader] == 2;
    return Found(Protocol::kTls, server_hello ? 1 - s : s);
  }
  return {};
}

Detection DetectDns(const FirstWords& w) {
  for (int s = 0; s < 2; ++s) {
    if (dns::LooksLikeDnsStream(w.said[s], w.port[s], w.port[1 - s]) != dns::Likeness::kYes) continue;
    return Found(Protocol::kDns, dns::SentByServer(w.said[s].substr(2)) ? 1 - s : s);
  }
  return {};
}

}  // namespace

Protocol ProtocolOfPort(std::uint16_t port) {
  switch (port) {
    case 25:
    case 26:
    case 587:
    case 588:
    case 1025:
    case 1587:
    case 2025:
    case 2525:
    case 2526:
    case 10025:
      return Protocol::kSmtp;
    case 24:
    case 2003:
      return Protocol::kLmtp;
    case 110:
    case 1110:
      return Protocol::kPop3;
    case 143:
    case 1143:
      return Protocol::kImap;
    case 53:
      return Protocol::kDns;
    case 465:
    case 993:
    case 995:
    case 1465:
    case 1993:
    case 1995:
    case 853:
      return Protocol::kTls;
    default:
      return Protocol::kUnknown;
  }
}

Protocol PlainProtocol(Octets said, Protocol known, std::uint16_t port) {
  Protocol hint = ProtocolOfPort(port);
  if (port == 465 || port == 1465) hint = Protocol::kSmtp;
  if (port == 993 || port == 1993) hint = Protocol::kImap;
  if (port == 995 || port == 1995) hint = Protocol::kPop3;
  if (known != Protocol::kTls) hint = known;
  return AsServer(0, FirstLine(said), {}, hint).protocol;
}

Detection Detect(const FirstWords& w) {
  if (const Detection d = DetectTls(w); d.state != Detection::State::kMore) return d;
  if (const Detection d = DetectDns(w); d.state != Detection::State::kMore) return d;
  const Protocol hints[2] = {ProtocolOfPort(w.port[0]), ProtocolOfPort(w.port[1])};
  for (int s = 0; s < 2; ++s) {
    if (!HasLine(w.said[s]) && w.said[s].size() < kFirstWordsLimit) continue;  // an endless line may be a greeting all the same
    const Octets line = FirstLine(w.said[s]);
    const Octets other = w.said[1 - s];
    if (const Detection d = AsServer(s, line, other, hints[s]); d.state != Detection::State::kMore) return d;
    if (const Detection d = AsClient(s, line, other, hints[1 - s], w.mid_stream); d.state != Detection::State::kMore) return d;
  }
  // A conversation on a mail port that was joined in the middle may be in a message or a long listing: the port decides, and
  // the observer finds its place as soon as something is said that it knows.
  const bool enough = w.said[0].size() >= kFirstWordsLimit || w.said[1].size() >= kFirstWordsLimit || w.ended;
  const int server = hints[1] != Protocol::kUnknown ? 1 : hints[0] != Protocol::kUnknown ? 0 : -1;
  if (server >= 0 && w.mid_stream && enough && hints[server] <= Protocol::kImap) {
    return Found(hints[server] == Protocol::kLmtp ? Protocol::kSmtp : hints[server], 1 - server);
  }
  // A long greeting says nothing until somebody answers it.
  for (int s = 0; s < 2 && !w.ended; ++s)
    if (w.said[1 - s].empty() && (IsSmtpReply(FirstLine(w.said[s])) || IsPop3Reply(FirstLine(w.said[s])))) return {};
  const bool both = HasLine(w.said[0]) && HasLine(w.said[1]);
  if (enough || (both && !w.mid_stream && server < 0)) return {Detection::State::kNotMail, Protocol::kUnknown, 0};
  return {};
}

}  // namespace glasspost::analysis
