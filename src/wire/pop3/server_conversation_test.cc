// Runs tests/conversations/pop3*.txt against the server session: with the maildrop that the file's server shows, it must give the
// same replies, whatever the pieces and whenever its handler answers.
#include <gtest/gtest.h>

#include "support/conversation_file.h"
#include "support/known_randomness.h"
#include "support/pop3_roles.h"
#include "wire/pop3/server_session.h"
#include "wire/pop3/test_handler.h"

namespace glasspost::pop3 {
namespace {

using glasspost::test::ConversationFile;
using glasspost::test::Pop3Dialogue;
using glasspost::test::Pop3Reply;
using glasspost::test::Step;

class Driver {
 public:
  Driver(const Pop3Dialogue& d, bool later) : session_(handler_, OptionsOf(), randomness_, false) {
    handler_.session = &session_;
    handler_.later = later;
    handler_.user = d.user;
    handler_.password = d.password;
    for (const auto& [number, m] : d.messages) {
      if (number > handler_.messages.size()) handler_.messages.resize(number);
      auto& ours = handler_.messages[number - 1];
      ours.octets = m.content.empty() ? std::string(m.octets, 'x') : m.content;
      ours.id = m.id.empty() ? "id" + std::to_string(number) : m.id;
    }
    for (const Pop3Reply& r : d.replies)
      if (r.said == "-ERR [IN-USE]") handler_.maildrop = MaildropOutcome::kInUse;
    session_.Start();
    Settle();
  }

  void Run(const std::vector<Step>& steps, std::size_t piece) {
    for (const Step& step : steps) {
      if (step.kind == Step::Kind::kTls) {
        ASSERT_TRUE(session_.StartsTls());
        session_.TlsStarted();
      } else if (step.kind == Step::Kind::kOctets && step.direction == Direction::kToServer) {
        Feed(step.octets, piece);
      }
    }
  }

  std::string sent;
  test::TestHandler handler_;

 private:
  static const ServerOptions& OptionsOf() {
    static const ServerOptions options = [] {
      ServerOptions o;
      o.plaintext_without_tls = true;
      o.mechanisms = {sasl::Mechanism::kPlain, sasl::Mechanism::kLogin};
      return o;
    }();
    return options;
  }
  void Feed(Octets octets, std::size_t piece) {
    while (!octets.empty()) {
      // A copy of its own: a view that is kept too long shows under the address sanitizer.
      const std::string one(octets.substr(0, piece));
      octets.remove_prefix(one.size());
      Octets rest = one;
      for (int rounds = 0; !rest.empty() && rounds < 100'000; ++rounds) {
        rest.remove_prefix(session_.Receive(rest));
        if (session_.waiting()) {
          ASSERT_EQ(session_.Receive("NOOP\r\n"), 0u) << "took input while a decision is pending";
        }
        Settle();
      }
      ASSERT_TRUE(rest.empty());
    }
  }
  void Settle() {
    do {
      handler_.Answer();
      sent += session_.output();
      session_.Sent(session_.output().size());
    } while (!session_.output().empty() || !handler_.due.empty());
  }

  glasspost::test::CountingRandomness randomness_;
  ServerSession session_;
};

class Pop3ServerConversation : public ::testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Pop3ServerConversation);

TEST_P(Pop3ServerConversation, AnswersAsTheFilesServer) {
  const auto file = glasspost::test::ReadConversationFile(GetParam());
  ASSERT_TRUE(file) << file.error().Text();
  const Pop3Dialogue d = glasspost::test::ReadPop3Dialogue(*file);
  Driver whole(d, false);
  ASSERT_NO_FATAL_FAILURE(whole.Run(file->steps, 1 << 20));
  std::string broken;
  const auto replies = glasspost::test::ParsePop3Replies(d.client_lines, whole.sent, broken);
  EXPECT_EQ(broken, "");
  for (std::size_t i = 0; i < std::max(replies.size(), d.replies.size()); ++i) {
    ASSERT_LT(i, replies.size()) << "no reply to " << (i == 0 ? "connecting" : d.client_lines[i - 1]);
    ASSERT_LT(i, d.replies.size()) << "one reply too many: " << replies[i].said << " " << replies[i].text;
    const std::string to = i == 0 ? "the greeting" : i <= d.client_lines.size() ? d.client_lines[i - 1] : "nothing";
    EXPECT_EQ(replies[i].said, d.replies[i].said) << to << ": " << replies[i].text;
    EXPECT_EQ(replies[i].message, d.replies[i].message) << to;
  }
  struct {
    bool later;
    std::size_t piece;
  } const runs[] = {{true, 1 << 20}, {false, 1}, {true, 1}, {true, 7}};
  for (const auto& run : runs) {
    Driver again(d, run.later);
    ASSERT_NO_FATAL_FAILURE(again.Run(file->steps, run.piece));
    EXPECT_EQ(again.sent, whole.sent) << "in pieces of " << run.piece << (run.later ? ", answered later" : "");
    EXPECT_EQ(again.handler_.told, whole.handler_.told);
  }
}

// Every split of everything that the client says, told in one piece.
TEST_P(Pop3ServerConversation, AnswersTheSameAtEverySplit) {
  const auto file = glasspost::test::ReadConversationFile(GetParam());
  ASSERT_TRUE(file) << file.error().Text();
  const Pop3Dialogue d = glasspost::test::ReadPop3Dialogue(*file);
  if (d.stls) GTEST_SKIP() << "the handshake stands between";
  std::string said;
  for (const Step& step : file->steps)
    if (step.kind == Step::Kind::kOctets && step.direction == Direction::kToServer) said += step.octets;
  const auto two = [&](std::size_t at) {
    Step first{.kind = Step::Kind::kOctets, .direction = Direction::kToServer, .octets = said.substr(0, at)};
    Step second = first;
    second.octets = said.substr(at);
    Driver driver(d, at % 2 == 1);
    driver.Run({first, second}, 1 << 20);
    return driver.sent;
  };
  const std::string whole = two(said.size());
  for (std::size_t at = 1; at < said.size(); ++at) ASSERT_EQ(two(at), whole) << "split after " << at;
}

INSTANTIATE_TEST_SUITE_P(Files, Pop3ServerConversation,
                         ::testing::ValuesIn(glasspost::test::FilesThatDrive(&glasspost::test::ConversationFile::drives_server,
                                                                             {Protocol::kPop3})),
                         [](const auto& of) { return glasspost::test::TestName(of.param); });

}  // namespace
}  // namespace glasspost::pop3
