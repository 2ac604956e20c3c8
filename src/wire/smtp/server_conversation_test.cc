// Runs tests/conversations/*.txt against the server session: it hears what the client says there and must answer as the server
// does there, whatever the pieces and whenever its handler answers.
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "support/conversation_file.h"
#include "support/known_randomness.h"
#include "wire/smtp/reply.h"
#include "wire/smtp/server_session.h"

namespace glasspost::smtp {
namespace {

using test::ConversationFile;
using test::Step;

struct Replies {
  std::vector<ReplyValue> all;
  bool broken = false;  // a line that is no reply
};

Replies ParseReplies(Octets octets) {
  Replies replies;
  ReplyAssembler assembler;
  while (!octets.empty()) {
    const std::size_t end = octets.find("\r\n");
    if (end == Octets::npos) {
      replies.broken = true;
      break;
    }
    const auto step = assembler.Add(octets.substr(0, end));
    replies.broken |= step == ReplyAssembler::Step::kNoReply || assembler.reply().codes_differ;
    if (step == ReplyAssembler::Step::kDone) replies.all.push_back(assembler.reply());
    octets.remove_prefix(end + 2);
  }
  return replies;
}

// What the file's server says.
Replies ExpectedReplies(const ConversationFile& file) {
  std::string said;
  for (const Step& step : file.steps)
    if (step.kind == Step::Kind::kOctets && step.direction == Direction::kToClient) said += step.octets;
  return ParseReplies(said);
}

bool IsHello(const ReplyValue& reply) { return reply.code == 250 && reply.lines.size() > 1; }

// A server that offers what the file's does.
ServerOptions OptionsOf(const ConversationFile& file, const Replies& expected) {
  ServerOptions options;
  options.extensions = {};
  options.passwords_without_tls = true;
  if (file.normalise) options.bare_line_ends = BareLineEnds::kNormalise;
  bool first = true;
  for (const ReplyValue& reply : expected.all) {
    if (!IsHello(reply)) continue;
    const Extensions e = ParseExtensions(reply.lines);
    Extensions& ours = options.extensions;
    ours.pipelining |= e.pipelining;
    ours.size |= e.size;
    ours.eight_bit_mime |= e.eight_bit_mime;
    ours.smtputf8 |= e.smtputf8;
    ours.chunking |= e.chunking;
    ours.enhanced_status_codes |= e.enhanced_status_codes;
    ours.dsn |= e.dsn;
    ours.starttls |= e.starttls;
    if (e.size_limit != 0) options.limits.message_octets = e.size_limit;
    for (const std::string& name : e.mechanisms) options.mechanisms.Add(sasl::ServerMechanism(name));
    if (first && e.starttls && !e.auth) options.passwords_without_tls = false;
    first = false;
  }
  for (const Step& step : file.steps)
    if (step.direction == Direction::kToServer && StartsWithNoCase(step.octets, "LHLO")) options.role = Role::kLmtp;
  return options;
}

// Decides as the file's server does, and writes down what it was told.
class ScriptedHandler : public ServerHandler {
 public:
  ScriptedHandler(const Replies& expected, bool later) : expected_(expected), later_(later) {}
  ServerSession* session = nullptr;
  const std::string* sent = nullptr;  // all that was taken from the session before
  std::vector<std::string> log;
  std::string message;
  std::vector<Answer> due;  // what is to be decided later

  Decision OnConnect() override { return Said({}); }
  Decision OnHello(const Hello& hello) override { return Said("hello " + std::string(hello.name)); }
  Decision OnMail(const Mail& mail) override { return Said("mail " + std::string(mail.path->text)); }
  Decision OnRecipient(const Recipient& r) override { return Said("rcpt " + std::string(r.path->text)); }
  Decision OnMessageStart(bool) override { return Said({}); }
  void OnMessageOctets(Octets octets) override { message += octets; }
  Decision OnMessageEnd(const Content& content) override {
    EXPECT_EQ(content.octets, message.size());
    log.push_back("message " + test::Escape(message) + (content.eight_bit ? " 8bit" : ""));
    message.clear();
    if (session->recipients() < 2 || expected_.all.size() <= Next() + 1) return Said({});
    std::vector<Answer> answers;
    for (std::size_t i = 0; i < session->recipients(); ++i) answers.push_back(Expected(Next() + i));
    due = answers;
    return kLater;
  }
  void OnReset(Reset why) override {
    message.clear();
    // Where the octets of a refused message end is a matter of the pieces.
    log.push_back("reset " + std::to_string(static_cast<int>(why)));
  }
  Decision OnStartTls() override { return Said({}); }
  Decision OnPassword(Octets user, Octets password) override {
    return Said("login " + std::string(user) + " " + std::string(password));
  }

 private:
  // The number of the reply that is to be given now.
  std::size_t Next() const { return ParseReplies(*sent + std::string(session->output())).all.size(); }
  Answer Expected(std::size_t index) const {
    if (index >= expected_.all.size()) return {};
    const ReplyValue& reply = expected_.all[index];
    if (reply.code / 100 != 4 && reply.code / 100 != 5) return {static_cast<std::uint16_t>(reply.code), {}, {}};
    return Answer::No(static_cast<std::uint16_t>(reply.code), reply.enhanced, reply.lines.front());
  }
  Decision Said(std::string what) {
    if (!what.empty()) log.push_back(std::move(what));
    const Answer answer = Expected(Next());
    if (!later_) return answer;
    due = {answer};
    return kLater;
  }

  const Replies& expected_;
  bool later_;
};

struct Heard {
  std::string sent;
  std::vector<std::string> log;
};

class Driver {
 public:
  Driver(const ServerOptions& options, const Replies& expected, bool later, std::size_t piece)
      : expected_(expected), handler_(expected, later), session_(handler_, options, randomness_), piece_(piece) {
    handler_.session = &session_;
    handler_.sent = &run_.sent;
    session_.Start(false);
    Settle();
  }

  void Take(const Step& step) {
    if (step.kind == Step::Kind::kTls) {
      ASSERT_EQ(session_.next(), ServerSession::Next::kTls);
      session_.TlsStarted();
    } else if (step.kind == Step::Kind::kReset || (step.kind == Step::Kind::kFin && step.direction == Direction::kToServer)) {
      session_.Closed();
    } else if (step.kind == Step::Kind::kOctets && step.direction == Direction::kToServer) {
      Feed(step.octets);
    } else if (step.kind == Step::Kind::kOctets && (step.octets.starts_with("421") || step.octets.contains("\r\n421"))) {
      // Nobody asked: a time-out.
      if (ParseReplies(run_.sent).all.size() < expected_.all.size()) session_.TimedOut();
    }
    Settle();
  }

  Heard Finish() {
    session_.Closed();
    Settle();
    run_.log = handler_.log;
    return run_;
  }

 private:
  void Feed(Octets octets) {
    while (!octets.empty()) {
      // A copy of its own: a view that is kept too long shows under the address sanitizer.
      const std::string piece(octets.substr(0, std::min(piece_, octets.size())));
      Octets rest = piece;
      while (!rest.empty()) {
        rest.remove_prefix(session_.Receive(rest));
        if (session_.next() == ServerSession::Next::kWait) {
          ASSERT_EQ(session_.Receive("NOOP\r\n"), 0u) << "took input while the handler owes an answer";
        }
        Settle();
      }
      octets.remove_prefix(piece.size());
    }
  }
  void Settle() {
    while (!handler_.due.empty() && session_.next() == ServerSession::Next::kWait) {
      const std::vector<Answer> due = std::exchange(handler_.due, {});
      if (due.size() > 1) {
        session_.DecideEach(due);
      } else {
        session_.Decide(due.front());
      }
    }
    std::string out;
    session_.TakeOutput(out);
    run_.sent += out;
  }

  const Replies& expected_;
  test::CountingRandomness randomness_;
  ScriptedHandler handler_;
  Heard run_;
  ServerSession session_;
  std::size_t piece_;
};

constexpr std::size_t kWhole = static_cast<std::size_t>(-1);

Heard Drive(const ServerOptions& options, const Replies& expected, const std::vector<Step>& steps, bool later,
            std::size_t piece) {
  Driver driver(options, expected, later, piece);
  for (const Step& step : steps) driver.Take(step);
  return driver.Finish();
}

// All that the client says at a stretch as one.
std::vector<Step> Runs(const std::vector<Step>& steps) {
  std::vector<Step> runs;
  for (const Step& step : steps) {
    if (!runs.empty() && step.kind == Step::Kind::kOctets && runs.back().kind == step.kind &&
        runs.back().direction == step.direction) {
      runs.back().octets += step.octets;
    } else {
      runs.push_back(step);
    }
  }
  return runs;
}

class ServerConversation : public ::testing::TestWithParam<std::filesystem::path> {};

TEST_P(ServerConversation, IsAnsweredAsInTheFile) {
  const auto file = test::ReadConversationFile(GetParam());
  ASSERT_TRUE(file) << file.error().Text();
  const Replies expected = ExpectedReplies(*file);
  const ServerOptions options = OptionsOf(*file, expected);
  const std::vector<Step> runs = Runs(file->steps);
  const Heard first = Drive(options, expected, file->steps, false, kWhole);
  const Replies said = ParseReplies(first.sent);
  EXPECT_FALSE(said.broken) << first.sent;
  std::string codes, expected_codes;
  for (const auto& r : said.all) codes += std::to_string(r.code) + " ";
  for (const auto& r : expected.all) expected_codes += std::to_string(r.code) + " ";
  EXPECT_EQ(codes, expected_codes) << first.sent;
  for (std::size_t i = 0; i < std::min(said.all.size(), expected.all.size()); ++i) {
    if (options.extensions.enhanced_status_codes && !expected.all[i].enhanced.empty()) {
      EXPECT_EQ(said.all[i].enhanced, expected.all[i].enhanced) << "reply " << i + 1 << "\n" << first.sent;
    }
    if (!IsHello(expected.all[i]) || options.extensions.starttls) continue;
    const Extensions ours = ParseExtensions(said.all[i].lines), theirs = ParseExtensions(expected.all[i].lines);
    EXPECT_EQ(ours.pipelining, theirs.pipelining);
    EXPECT_EQ(ours.chunking, theirs.chunking);
    EXPECT_EQ(ours.auth, theirs.auth);
  }
  for (const bool later : {false, true}) {
    for (const std::size_t piece : {kWhole, std::size_t{1}}) {
      const Heard run = Drive(options, expected, runs, later, piece);
      EXPECT_EQ(run.sent, first.sent);
      EXPECT_EQ(run.log, first.log);
    }
  }
}

TEST_P(ServerConversation, IsTheSameAtEverySplit) {
  const auto file = test::ReadConversationFile(GetParam());
  ASSERT_TRUE(file) << file.error().Text();
  const Replies expected = ExpectedReplies(*file);
  const ServerOptions options = OptionsOf(*file, expected);
  const std::vector<Step> runs = Runs(file->steps);
  const Heard whole = Drive(options, expected, runs, false, kWhole);
  for (std::size_t r = 0; r < runs.size(); ++r) {
    if (runs[r].kind != Step::Kind::kOctets || runs[r].direction != Direction::kToServer) continue;
    const std::size_t stride = runs[r].octets.size() > 3000 ? 977 : 1;
    for (std::size_t at = 1; at < runs[r].octets.size(); at += stride) {
      std::vector<Step> split = runs;
      Step rest = runs[r];
      rest.octets.erase(0, at);
      split[r].octets.resize(at);
      split.insert(split.begin() + static_cast<std::ptrdiff_t>(r) + 1, rest);
      const Heard run = Drive(options, expected, split, at % 2 == 0, kWhole);
      ASSERT_EQ(run.sent, whole.sent) << "run " << r + 1 << " split after " << at;
      ASSERT_EQ(run.log, whole.log) << "run " << r + 1 << " split after " << at;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Files, ServerConversation,
                         ::testing::ValuesIn(test::FilesThatDrive(&test::ConversationFile::drives_server,
                                                                  {Protocol::kSmtp, Protocol::kLmtp})),
                         [](const auto& of) { return test::TestName(of.param); });

}  // namespace
}  // namespace glasspost::smtp
