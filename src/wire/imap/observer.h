// One IMAP conversation, listened to (RFC 9051, RFC 3501): exchanges, fetched and appended messages, findings. Never stops: state
// is a hypothesis, a break of the rules is a finding, a gap costs what lies in it.
//
// How the dialogue becomes exchanges
// - One exchange a command. Its reply's text holds the untagged lines and the tagged one as they are on the wire ("* 3 EXISTS",
//   "a1 OK done"); status is the tagged line's. Untagged lines go to the oldest command without a reply.
// - Untagged lines while nothing is asked are an exchange without request, lines on end one exchange; during IDLE each line is
// one.
//   The greeting is one, too. A tagged line whose command is unknown ends the exchange without request that is open.
// - A "+" that answers AUTHENTICATE or IDLE is the reply (status "+") of the exchange before it; what the client answers is an
//   exchange with verb "*". The tagged line is the reply of the last of them. A "+" that asks for a literal is a line of the
//   command's reply text, but not of its span: the reply begins with what comes after the command.
// - A literal's marker stays where it is. The octets of a short literal of one line follow it ("{5}alice"); those of a message,
//   or of anything longer, do not.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/redaction.h"
#include "wire/exchange.h"
#include "wire/imap/grammar.h"
#include "wire/imap/line_reader.h"
#include "wire/sasl/sasl.h"

namespace glasspost::imap {

struct ImapLimits {
  std::size_t line = 64 * 1024;          // stops a line without an end from being gathered
  std::size_t argument = 64 * 1024;      // stops a command of many literals from growing
  std::size_t literal_shown = 1024;      // a longer literal is only counted
  std::size_t reply_text = 256 * 1024;   // stops FETCH 1:* over a large mailbox from being kept whole
  std::size_t pending = 256;             // commands without a reply: stops a client that never reads
  std::size_t pending_octets = 1 << 20;  // octets of them and of what came of their replies: stops the same with long lines
  std::size_t line_packets = 1024;       // packets remembered of one line: stops one octet a packet from filling memory
  std::uint8_t findings = 100;           // of one kind: stops garbage from being told line by line
  Timestamp slow_reply = 5'000'000'000;  // ns
};

class ImapObserver : public Observer {
 public:
  // `sink` outlives the observer.
  ImapObserver(ObserverSink& sink, const ObserverOptions& options, const ImapLimits& limits = {});
  ~ImapObserver() override;

  void OnOctets(Direction direction, Octets octets, const Origin& origin) override;
  void OnGap(Direction direction, std::uint64_t length, const Origin& origin) override;
  void OnFin(Direction direction, const Origin& origin) override;
  void OnEnd(const Origin& origin, bool reset) override;
  void OnMidStream() override;
  void OnOneSided(Direction seen) override;
  void OnTlsEstablished(const Origin& origin) override;
  std::size_t Held() const override;
  Secrets TakeSecrets() override { return std::move(secrets_); }

 private:
  // A place in an argument where a literal's octets stand.
  struct ShownLiteral {
    std::size_t at;        // of its marker
    std::size_t marker;    // octets of the marker
    std::size_t kept;      // octets that follow the marker in the argument
    std::uint64_t octets;  // of the literal
  };
  // What stands before the literals of an APPEND or REPLACE, as far as it was read.
  struct Before {
    std::size_t read = 0;  // octets of the argument
    unsigned words = 0;    // separated by spaces
    int depth = 0;         // of parentheses, from that of a CATENATE on
  };
  // An exchange that is not told yet.
  struct Entry {
    Exchange exchange;
    std::string tag;  // whose tagged line ends it; empty for none or one that is not known
    const Rule* rule = nullptr;
    std::vector<ShownLiteral> literals;
    Before before;
    std::optional<std::uint64_t> asked;  // octets of a message from its beginning on that the command asks for at most
    unsigned owed = 0;                   // literals for which the server still has to say "+"
    bool collecting = false;             // the command's end has not come
    bool replied = false;                // its reply is whole, or can no longer come
    bool busy = false;                   // a line of its reply is under way
    bool maybe_lost = false;             // octets of the server were lost while it had no reply: the reply may be among them
    bool malformed = false;
    bool secret = false;     // what of it is not told yet is not to be told
    bool composed = false;   // its argument is of our making
    bool has_text = false;   // a line of its reply is there, empty or not
    std::size_t weight = 0;  // octets that it was found to take
    void Clear();
  };
  enum class Use : std::uint8_t { kSkip, kText, kMessage };
  struct Side {
    explicit Side(std::size_t line_limit) : reader(line_limit) {}
    LineReader reader;
    std::uint64_t offset = 0;        // stream position of the next octet
    std::uint64_t line_at = 0;       // of the line at hand
    std::vector<Origin> origins;     // earlier packets of the line at hand
    Entry* owner = nullptr;          // whose command or reply the line at hand belongs to
    bool continued = false;          // the next line goes on after a literal
    std::uint64_t owner_number = 0;  // of its exchange, also when it was given up
    bool lost = false;               // not known to be at the beginning of a line
    bool first_lost = false;         // no line has ended since
    bool reading_partial = false;    // the line at hand is one that a gap or the end has cut
    bool bare_lf_told = false;
    bool tls_begun = false;    // octets after an accepted STARTTLS were seen
    bool status_line = false;  // server: free text, no literals in it
    bool fetch = false;        // server: a FETCH response
    // The literal under way.
    std::uint64_t literal_left = 0;
    bool in_literal = false;
    bool literal_begun = false;  // octets of it came
    bool literal_sync = false;
    Use use = Use::kSkip;
    std::string literal_text;  // kText
    std::uint64_t literal_octets = 0;
    MessageItem item;
    bool message_open = false;
    Origin message_at;  // of its last octets so far
    bool message_gap = false;
    bool message_whole = true;  // not a part of a message
  };
  enum class Mode : std::uint8_t { kPlain, kTlsExpected, kOpaque };

  Side& side(Direction d) { return sides_[Index(d)]; }
  Side& client() { return sides_[0]; }
  Side& server() { return sides_[1]; }

  // observer.cc
  bool PassesBy(Direction d, Octets octets, const Origin& origin);
  void NotePacket(Side& s, const Origin& origin);
  void Touch(Span& span, const Side& s, std::uint64_t begin, std::uint64_t length, const Origin& origin);
  Entry& NewEntry(bool has_request);
  void Flush();
  void Drop(Entry& entry);
  void Weigh(Entry& entry);
  void Find(FindingId id, std::uint64_t exchange, const Origin& origin, Octets detail);
  void FindOnce(FindingId id, std::uint64_t exchange, const Origin& origin, Octets detail);
  void EndEverything(const Origin& origin);
  void FlushPartial(Direction d, const Origin& origin);
  void BreakGreeting();
  void StartTls(const Origin& origin, Octets rest);

  // literals.cc
  void BeginLiteral(Direction d, const Literal& literal, Use use, const Origin& origin);
  void TakeLiteral(Direction d, Octets& octets, const Origin& origin);
  void SkipLiteral(Direction d, std::uint64_t& length, const Origin& origin);
  void EndLiteral(Direction d, const Origin& origin);
  void OpenMessage(Direction d);
  void CloseMessage(Direction d, bool cut_short);
  void TellQuotedMessages(Octets piece, const Origin& origin);
  bool IsWholeMessage(const Side& s, std::uint64_t octets, std::optional<std::uint64_t> size) const;

  // client.cc
  void OnClientLine(const Line& line, const Origin& origin);
  bool PlausibleCommand(Octets text) const;
  bool IsAnswer(Octets text) const;
  void BeginCommand(const Line& line, const Origin& origin);
  void CheckCommand(const Entry& entry, Verb verb, bool inside, const Origin& origin);
  void OnCommandPiece(Entry& entry, Octets text, const Line& line, const Origin& origin);
  void AppendArgument(Entry& entry, Octets text, bool cut, const Origin& origin);
  void ReadBefore(Entry& entry, std::size_t marker);
  bool TakesMessage(const Entry& entry) const;
  void CompleteCommand(Entry& entry, const Origin& origin);
  void TellRequest(const Entry& entry);
  bool MaskLogin(Entry& entry);
  bool HideUnknown(const Line& line, const std::optional<Command>& command);
  void BeginMalformed(Entry& entry, const Line& line, Octets told, const Origin& origin);
  void BeginSasl(Entry& entry);
  void NoteAuthentication(Entry& entry, bool password, const Origin& origin);
  void OnAnswer(const Line& line, const Origin& origin);
  void CloseBefore();

  // server.cc
  void OnServerLine(const Line& line, Octets rest, const Origin& origin);
  bool PlausibleResponse(const Response& r) const;
  void OnUntagged(const Response& r, const Line& line, const Origin& origin);
  void OnContinuation(const Response& r, const Line& line, const Origin& origin);
  void OnTagged(const Response& r, const Line& line, Octets rest, const Origin& origin);
  void OnMalformedReply(const Line& line, const Origin& origin);
  void OnReplyPiece(const Line& line, bool new_line, const Origin& origin);
  void EndReplyLine();
  void TakeOwner(Entry& entry);
  void AppendReply(Entry& entry, Octets text, bool new_line, bool cut);
  Entry* FindTagged(Octets tag);
  Entry* OldestOpen();
  Entry& UntaggedTarget();
  void OnVerdict(const Entry& entry, Verb verb, const Response& r, const Origin& origin);
  void NoteCapabilities(Octets text, std::uint64_t exchange, bool code, const Origin& origin);
  void CheckSpeed(const Entry& entry, const Origin& origin);

  ObserverSink& sink_;
  ObserverOptions options_;
  ImapLimits limits_;
  Secrets secrets_;
  Side sides_[2];
  std::deque<std::unique_ptr<Entry>> queue_;  // in the order of their numbers
  std::vector<std::unique_ptr<Entry>> free_;
  std::size_t queued_octets_ = 0;  // the weights of those in the queue
  std::uint64_t next_number_ = 1;
  Mode mode_ = Mode::kPlain;

  // The hypothesis.
  State state_ = kNotAuthenticated;
  State ahead_ = kNotAuthenticated;  // the state if all pending commands succeed
  bool state_known_ = true;
  bool tls_ = false;
  bool greeting_seen_ = false;
  bool starttls_offered_ = false;
  bool pipelines_ = false;  // the client has sent a command before the reply to the one before
  bool closable_ = false;   // entries without a request, or whose reply may be lost, may be in the queue
  bool bye_seen_ = false;
  bool logout_seen_ = false;
  bool commands_seen_ = false;
  bool excused_ = false;      // mid-stream, one-sided or after a gap: what is missing is nobody's fault
  bool client_lost_ = false;  // commands may have been lost
  bool client_only_ = false;
  bool server_only_ = false;
  bool ended_ = false;
  bool closed_ = false;         // a FIN was seen
  bool client_closed_ = false;  // the client's was the first
  Phase phase_ = Phase::kGreeting;
  std::string last_tag_;
  std::uint64_t auth_offered_in_ = 0;  // exchange in which a mechanism that sends the password was offered in the clear
  Origin auth_offered_at_;
  std::string auth_offered_;
  std::uint8_t told_[kFindingCount] = {};  // how often each finding was told

  // A command that takes answers: AUTHENTICATE, IDLE, or one to which the server said "+".
  Verb blocking_ = Verb::kUnknown;
  std::string blocking_tag_;
  bool blocked_ = false;
  bool asked_ = false;  // the server said "+": the next line is an answer
  // A login was begun, and its secret was not given or not accepted: what is no command may be one.
  bool secret_due_ = false;
  std::string told_line_;  // how a line that is no command may be told
  sasl::SaslObserver sasl_;
  sasl::SaslStep step_;
};

}  // namespace glasspost::imap
