// What an observer tells: exchanges, messages, findings, and where they lie on the wire. The words are DESIGN's:
// an exchange is one command (or the data block, or the answer to a challenge) and its reply.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/frame_list.h"
#include "base/octets.h"
#include "base/origin.h"
#include "base/redaction.h"
#include "wire/finding.h"

namespace glasspost {

namespace dns {
struct Message;
}

enum class Protocol : std::uint8_t { kUnknown, kSmtp, kLmtp, kPop3, kImap, kDns, kTls };
std::string_view Name(Protocol p);  // "smtp"; "unknown" where it was not recognised

enum class Phase : std::uint8_t { kConnect, kGreeting, kTls, kAuth, kEnvelope, kData, kRetrieval, kQuit, kClose };
inline constexpr int kPhaseCount = 9;
std::string_view Name(Phase p);  // "connect"

// What a base64 (or other) step of a SASL exchange carries; drives the sentence that explains it.
enum class SaslContent : std::uint8_t {
  kNone,
  kUserPrompt,      // LOGIN "Username:"
  kPasswordPrompt,  // LOGIN "Password:"
  kUserName,        // LOGIN, first answer
  kPassword,        // LOGIN, second answer
  kCredentials,     // PLAIN: authorization identity, user name and password in one
  kToken,           // XOAUTH2, OAUTHBEARER
  kChallenge,       // CRAM-MD5, SCRAM, NTLM …: from the server
  kDigest,          // CRAM-MD5, SCRAM, NTLM …: from the client
  kCancel,          // "*"
  kOutcome,         // SCRAM server signature, XOAUTH2 error
  kEmpty,           // an empty challenge or answer
  kUnknownAnswer,   // from the client, of a mechanism that is not known: perhaps the password
};

// Octets on the wire: which stream positions (counted from the first octet of that direction that was seen), frames, times.
struct Span {
  std::uint64_t offset = 0;
  std::uint64_t length = 0;
  FrameList frames;
  Timestamp first_time = kNoTime;
  Timestamp last_time = kNoTime;

  std::size_t Held() const { return frames.memory(); }
  void Clear() {
    offset = length = 0;
    frames.Clear();
    first_time = last_time = kNoTime;
  }
  // One more piece of it came with this packet.
  void Touch(const Origin& o) {
    frames.Add(o.frame);
    if (first_time == kNoTime || o.time < first_time) first_time = o.time;
    if (last_time == kNoTime || o.time > last_time) last_time = o.time;
  }
  // The packet that brought the last of it.
  Origin End() const { return {frames.last(), last_time}; }
  // Member by member, here and below: by way of a third one, short strings are copied octet by octet.
  friend void swap(Span& a, Span& b) noexcept {
    std::swap(a.offset, b.offset);
    std::swap(a.length, b.length);
    swap(a.frames, b.frames);
    std::swap(a.first_time, b.first_time);
    std::swap(a.last_time, b.last_time);
  }
};

// Texts below are the peer's octets with secrets already masked (unless the observer was told to keep them); not escaped.
struct Request {
  Span span;
  std::string verb;      // upper case as the RFC writes it; "." data block, "*" answer to a challenge, "QUERY" DNS
  std::string written;   // the verb as the client wrote it, where it wrote it otherwise (ehlo)
  std::string argument;  // rest of the line; octet count for "."
  std::string tag;       // IMAP
  std::string decoded;   // what base64 in it means, secrets masked; empty if nothing was decoded
  SaslContent sasl = SaslContent::kNone;
  bool cut = false;  // longer than the limit, or a gap lies in it: only its beginning is kept
  std::string_view VerbAsWritten() const { return written.empty() ? verb : written; }
  // That of a command. One that is just "." or "*" is no data block and no answer: it is "?", with what was written.
  void SetVerb(std::string_view upper, Octets as_written) {
    verb.assign(upper == "." || upper == "*" ? "?" : upper);
    if (as_written != verb) written.assign(as_written);
  }
  std::size_t Held() const { return verb.size() + written.size() + argument.size() + tag.size() + decoded.size() + span.Held(); }
  void Clear() {
    verb.clear(), written.clear(), argument.clear(), tag.clear(), decoded.clear();
    sasl = SaslContent::kNone;
    cut = false;
    span.Clear();
  }
  friend void swap(Request& a, Request& b) noexcept {
    a.verb.swap(b.verb);
    a.written.swap(b.written);
    a.argument.swap(b.argument);
    a.tag.swap(b.tag);
    a.decoded.swap(b.decoded);
    std::swap(a.sasl, b.sasl);
    std::swap(a.cut, b.cut);
    swap(a.span, b.span);
  }
};

struct Reply {
  int code = 0;          // SMTP, LMTP: 250; 0 for the others
  std::string status;    // "+OK", "-ERR", "+" (POP3); OK, NO, BAD, PREAUTH, BYE, "+" (IMAP); RCODE's name (DNS)
  std::string enhanced;  // "2.1.5" or empty (taken out of `text`'s lines)
  std::string text;      // lines without their line ends, joined by '\n' (no line holds one)
  std::string decoded;
  SaslContent sasl = SaslContent::kNone;
  bool cut = false;
  Span span;
  std::size_t Held() const { return status.size() + enhanced.size() + text.size() + decoded.size() + span.Held(); }
  void Clear() {
    code = 0;
    status.clear(), enhanced.clear(), text.clear(), decoded.clear();
    sasl = SaslContent::kNone;
    cut = false;
    span.Clear();
  }
  friend void swap(Reply& a, Reply& b) noexcept {
    std::swap(a.code, b.code);
    a.status.swap(b.status);
    a.enhanced.swap(b.enhanced);
    a.text.swap(b.text);
    a.decoded.swap(b.decoded);
    std::swap(a.sasl, b.sasl);
    std::swap(a.cut, b.cut);
    swap(a.span, b.span);
  }
};

struct Exchange {
  std::uint64_t number = 0;  // from 1 within the conversation
  Phase phase = Phase::kGreeting;
  bool has_request = false;  // false: the greeting, an unsolicited reply
  bool has_reply = false;
  Request request;
  Reply reply;
  std::vector<Reply> more_replies;         // LMTP data block: replies of the 2nd and further recipients
  bool multi_recipient = false;            // LMTP data block: `reply` and `more_replies` are one a recipient
  const dns::Message* query = nullptr;     // DNS only; alive during the call
  const dns::Message* response = nullptr;  // DNS only; alive during the call
  // Octets that its texts and frame numbers take.
  std::size_t Held() const {
    std::size_t octets = request.Held() + reply.Held();
    for (const Reply& r : more_replies) octets += sizeof(Reply) + r.Held();
    return octets;
  }
  void Clear() {
    number = 0;
    phase = Phase::kGreeting;
    has_request = has_reply = multi_recipient = false;
    request.Clear();
    reply.Clear();
    more_replies.clear();
    query = response = nullptr;
  }
};

// SMTP's envelope; empty for POP3 and IMAP.
struct Envelope {
  bool present = false;
  bool reverse_path_known = false;         // false: MAIL is not in the capture
  std::string reverse_path;                // without the angle brackets; empty for <>
  std::vector<std::string> forward_paths;  // those that the server accepted, or has not answered yet
  std::size_t Held() const {
    std::size_t octets = reverse_path.size();
    for (const std::string& path : forward_paths) octets += sizeof path + path.size();
    return octets;
  }
};

struct MessageEnd {
  bool truncated = false;      // a gap lies in it, or it is cut short: size and digest are of what is there
  bool complete_start = true;  // false: the capture begins inside it
  Origin origin;               // of its end, or of the last octets of it that are there
};

// Receives what an observer makes of a conversation. All calls come from the thread that feeds the observer, in the order of the
// conversation; references live during the call only. At most one message a direction is open at a time.
class ObserverSink {
 public:
  virtual ~ObserverSink() = default;
  // Exchanges come in the order of their numbers, each once, when its reply is whole or can no longer come.
  virtual void OnExchange(const Exchange& exchange) = 0;
  // A command, an answer to a challenge or a data block is there to its end, and nothing of its reply: as OnExchange will tell it
  // (but for its number, which may not be known yet). Only if ObserverOptions::requests.
  virtual void OnRequest(const Exchange& /*exchange*/) {}
  // `exchange`: number of the exchange that carries the message (data block, first BDAT, RETR, FETCH, APPEND).
  virtual void OnMessageStart(Direction direction, std::uint64_t exchange, const Envelope& envelope) = 0;
  // Consecutive octets of the message as its sender wrote it: un-stuffed, without the final dot line.
  virtual void OnMessageOctets(Direction direction, Octets octets) = 0;
  virtual void OnMessageGap(Direction direction, std::uint64_t length) = 0;
  virtual void OnMessageEnd(Direction direction, const MessageEnd& end) = 0;
  virtual void OnFinding(const Finding& finding) = 0;
  // From the next octet on, both directions are TLS (after STARTTLS/STLS was accepted). The caller puts the TLS layer between;
  // what a decryptor gives back is fed into the same observer again.
  virtual void OnTlsStart(const Origin& origin) = 0;
  // After it: TLS that the client had sent before it was agreed on.
  virtual void OnEarlyTls(Octets /*octets*/, const Origin& /*origin*/) {}
  // The speaker turned out to be LMTP (LHLO).
  virtual void OnProtocol(Protocol protocol) = 0;
};

struct ObserverOptions {
  bool show_secrets = false;
  // False: nobody looks at message octets; OnMessageOctets is not called (starts, gaps and ends are). The scan that finds
  // the end of data, and the findings that need it, stay.
  bool message_octets = true;
  // Each request is told when it is heard, not only with its reply.
  bool requests = false;
};

// One conversation's protocol, listened to. Never stops: it reports what breaks the rules and goes on.
class Observer {
 public:
  virtual ~Observer() = default;
  // Consecutive octets of one direction. The reassembly hands them over in causal order: what a side had received (by its
  // acknowledgements) when it sent these octets came before. Views are not kept beyond the call.
  virtual void OnOctets(Direction direction, Octets octets, const Origin& origin) = 0;
  // `length` octets of that direction were never captured.
  virtual void OnGap(Direction direction, std::uint64_t length, const Origin& origin) = 0;
  // That direction will send nothing more (FIN).
  virtual void OnFin(Direction direction, const Origin& origin) = 0;
  // Nothing more will come: pending exchanges and open messages are told as they are. `reset`: the connection was reset.
  virtual void OnEnd(const Origin& origin, bool reset) = 0;
  // Once before the first octet where the stream is known not to begin at the conversation's beginning (capture starts
  // mid-stream), or where one direction is not captured at all.
  virtual void OnMidStream() {}
  virtual void OnOneSided(Direction /*seen*/) {}
  // Octets of memory that it holds, itself included, so far as they depend on what was said: by lengths, not by what happens to
  // be allocated, so that the same octets always give the same.
  virtual std::size_t Held() const = 0;
  // What was secret in it, so that its packets can be shown without that. Once, after OnEnd.
  virtual Secrets TakeSecrets() { return Secrets(); }
  // TLS layer is over the stream now; plain octets of it follow only if somebody decrypts.
  virtual void OnTlsEstablished(const Origin& /*origin*/) {}
};

}  // namespace glasspost
