// A conversation that a person (or a script, or a plan) leads line by line over a stream. The stream's tap feeds the observer;
// what it tells comes back here by Ear and is the only thing that is known of replies. Whatever is typed is sent, also what the
// rules forbid.
//
// One thread: functions that wait run the io_context. Reads all the time, so that what the server says unasked is shown at once.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "agent/connect.h"
#include "agent/talk/dialogue.h"
#include "agent/talk/script.h"
#include "agent/talk/view.h"
#include "analysis/live/ear.h"
#include "base/redaction.h"
#include "wire/sasl/client.h"
#include "wire/text/line_splitter.h"

namespace glasspost::agent::talk {

struct TalkerLimits {
  static constexpr std::size_t kShownLine = std::size_t{8} << 10;  // octets of a server's line: stops one without an end
  static constexpr std::size_t kEndlessLine = std::size_t{1}
                                              << 20;  // octets of it that are waited for; then the connection is dropped
  static constexpr std::size_t kShownLines = 200;     // of one reply, unless all is wanted
  static constexpr std::size_t kReplies = 256;        // that nobody has looked at yet; the oldest is forgotten
  static constexpr std::size_t kTold = 4096;          // of what the observer tells at once
  static constexpr unsigned kChallenges = 8;          // of a login: stops a server that asks on and on
  static constexpr int kWaits = 10;                   // times `wait`, for a whole reply that comes in drops
  static constexpr std::size_t kFilePiece = std::size_t{64} << 10;  // octets
};

struct TalkerOptions {
  std::chrono::nanoseconds wait = std::chrono::seconds(30);  // for each answer
  bool full = false;                                         // all lines of long replies
  bool show_secrets = false;
  // Name and password of who logs in; asked when they are needed.
  std::function<Expected<sasl::Credentials>(const std::string& user)> credentials;
  // What SendMessage sends: a file ("-": standard input), or else this text.
  std::string message_file;
  std::string message;
};

class Talker final : public Dialogue, public analysis::Ear {
 public:
  // `network` and `view` outlive it.
  Talker(const Network& network, Protocol protocol, View& view, TalkerOptions options);
  ~Talker() override;

  // Connects, and shakes hands where TLS comes first.
  Expected<void> Connect(const ServerAddress& server, std::shared_ptr<const net::TlsContext> tls,
                         const std::function<std::unique_ptr<Tap>()>& tap);
  // A line as a person types it: of the message where one is due (its dot is doubled), else a command or an answer. IMAP: a tag
  // is put before a command that has none. `typed`: it stands on the terminal.
  void Type(Octets line, bool typed);
  // A step of a script but kExpect. False: it could not be done, which was told; `status` says of what kind it was.
  bool Do(const Step& step, int& status);
  // Until all that was asked is answered, the connection has ended, or nothing comes in time (false).
  bool Settle(std::chrono::nanoseconds most);
  // The next reply that nobody has looked at, perhaps after a wait.
  Answer NextAnswer();
  // Says that nothing came in time.
  void TellLate();
  void ForgetAnswers() { replies_.clear(); }
  // Until the server closes. False: it does not.
  bool WaitForClose();
  // What happens meanwhile is told.
  void Pause(std::chrono::nanoseconds time);
  bool over() const { return over_; }
  // IMAP: the next line is (or may be) a literal's, such as a password.
  bool literal_due() const { return literal_due_; }
  bool abandoned() const { return abandoned_; }
  bool handshake_failed() const { return handshake_failed_; }
  // Ends the wait that is under way, and the conversation.
  void Abandon();

  // Dialogue
  const SessionState& state() const override { return state_; }
  // A secret of this conversation stands in it.
  bool Knows(Octets line) const { return secrets_.Redacted(line) != line; }
  Answer Greeting() override;
  Answer Ask(const std::string& line) override;
  std::vector<Answer> AskAll(std::span<const std::string> lines) override;
  bool ShakeHands() override;
  Answer LogIn(const std::string& mechanism, const std::string& user) override;
  Answer SendMessage() override;
  void End(bool cut) override;

 private:
  struct Order {
    enum class Kind : std::uint8_t { kLine, kDataLine, kOctets, kTls, kClose, kDrop };
    Kind kind = Kind::kLine;
    std::string octets;
    bool typed = false;
  };
  // What the observer told, until the line that it belongs to was shown.
  struct Told {
    enum class Kind : std::uint8_t { kRequest, kExchange, kFinding };
    Kind kind = Kind::kRequest;
    std::uint64_t end = 0;  // of the server's stream
    bool with_reply = false;
    Exchange exchange;
    Finding finding;
  };

  // analysis::Ear
  void OnRequest(const analysis::ConversationFacts& facts, const Exchange& exchange) override;
  void OnExchange(const analysis::ConversationFacts& facts, const Exchange& exchange) override;
  void OnFinding(const analysis::ConversationFacts& facts, const Finding& finding) override;
  void Keep(Told told);

  // talker.cc
  net::Task<void> Pump();
  net::Task<bool> Carry(Order order);
  net::Task<bool> StartTls();
  void Push(Order order);
  void Wake();
  bool Run(const std::function<bool()>& until, std::chrono::nanoseconds silence);
  void Ended(net::IoStatus status);
  void Heard(Octets octets);
  void ShowLine(const text::Line& line);
  std::string Tellable(const text::Line& line) const;
  Octets Challenge() const;
  void LeaveOut();
  bool Refuses(Octets line) const;
  std::uint64_t EndOf(const Told& told) const;
  void Drain(std::uint64_t position);
  void Handle(const Told& told);
  void ShowSent(const Order& order, std::size_t requests);
  std::string Masked(Octets line, bool answer, bool secret);
  Answer TakeAnswer();
  Answer WaitAnswer();

  // talker_steps.cc
  bool PrepareImap(std::string& octets, bool begins);
  Answer StartTlsByCommand();
  bool SendFile(const std::string& path);
  bool SendPieces(std::FILE* file, bool as_lines);
  bool SendChunk(const std::string& path, bool last);
  bool Trouble(const Error& error);
  Answer UserAndPassword(const sasl::Credentials& credentials);
  Answer SaslLogin(sasl::ClientMechanism mechanism, const sasl::Credentials& credentials);

  const Network network_;
  const TalkerOptions options_;
  View& view_;
  SessionState state_;
  Secrets secrets_;
  bool login_unanswered_ = false;  // AUTH or an answer was sent, and no reply came yet: what is sent behind it may be an answer
  Peer peer_;
  std::deque<Order> orders_;
  std::deque<Told> told_;
  struct Replied {
    Exchange exchange;
    std::string heard;
  };
  std::deque<Replied> replies_;
  std::string heard_;  // the lines of the reply that is coming
  text::LineSplitter lines_{TalkerLimits::kShownLine};
  std::uint64_t position_ = 0;     // of the server's stream: all whole lines were shown up to here
  std::uint64_t lines_heard_ = 0;  //
  std::size_t reply_lines_ = 0;    // since the last reply was whole
  std::int64_t last_heard_ = 0;
  std::string last_heard_line_;  // the server's
  std::string last_line_;        // that was sent, to know what of it was secret
  bool last_answer_ = false;     // it answered a challenge
  unsigned tags_ = 0;
  bool literal_due_ = false;     // IMAP: the next line belongs to the command before
  bool literal_secret_ = false;  // which is a login
  std::uint64_t chunk_due_ = 0;  // octets of a BDAT that are to be typed
  bool endless_told_ = false;
  bool reading_ = false;
  bool busy_ = false;  // an order is being carried out
  bool pumping_ = false;
  bool over_ = false;
  bool abandoned_ = false;
  bool handshake_done_ = false;
  bool handshake_failed_ = false;
  // The last: when it goes its tap says that the connection is closed, and the observer tells this object what that means.
  std::unique_ptr<net::Stream> stream_;
};

}  // namespace glasspost::agent::talk
