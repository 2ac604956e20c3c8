// Runs tests/conversations/*.txt against the client session: it is told to send the messages of the file, hears what the server
// says there and must say what the client does there, octet for octet.
#include <gtest/gtest.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "base/base64.h"
#include "support/conversation_file.h"
#include "support/known_randomness.h"
#include "wire/smtp/client_session.h"
#include "wire/text/dot_decoder.h"

namespace glasspost::smtp {
namespace {

using test::ConversationFile;
using test::Step;

class TextSource : public MessageSource {
 public:
  // In pieces of `piece` octets; every other time it has to be asked twice.
  TextSource(std::string text, std::size_t piece, bool later) : text_(std::move(text)), piece_(piece), later_(later) {}
  Piece Read() override {
    if (later_ && (asked_ = !asked_)) return {Piece::Kind::kLater, {}};
    if (at_ == text_.size()) return {Piece::Kind::kEnd, {}};
    const Octets octets = Octets(text_).substr(at_, piece_);
    at_ += octets.size();
    return {Piece::Kind::kOctets, octets};
  }

 private:
  std::string text_;
  std::size_t piece_;
  bool later_;
  bool asked_ = false;
  std::size_t at_ = 0;
};

struct Letter {
  std::string line;  // MAIL, owns what `mail` points to
  Command mail;
  std::deque<std::string> recipient_lines;
  std::vector<ClientRecipient> recipients;
  std::string text;
};

Notify NotifyOf(Octets value) {
  return {.never = value.contains("NEVER"),
          .success = value.contains("SUCCESS"),
          .failure = value.contains("FAILURE"),
          .delay = value.contains("DELAY")};
}

// What the file's client does, as orders to ours.
struct Orders {
  ClientOptions options;
  sasl::Credentials credentials;
  std::deque<Letter> letters;
  bool quits = false;
};

class OrderReader {
 public:
  OrderReader(const ConversationFile& file, Orders& orders) : orders_(orders) {
    orders_.options.tls = ClientOptions::Tls::kNever;
    orders_.options.pipelining = orders_.options.chunking = false;
    orders_.options.passwords_without_tls = true;
    for (const Step& step : file.steps)
      if (step.kind == Step::Kind::kOctets && step.direction == Direction::kToServer) said_ += step.octets;
    for (std::size_t i = 0; i + 1 < file.steps.size(); ++i) {
      const Step &a = file.steps[i], &b = file.steps[i + 1];
      const bool client = a.direction == Direction::kToServer && b.direction == Direction::kToServer;
      if (client && StartsWithNoCase(a.octets, "MAIL") && StartsWithNoCase(b.octets, "RCPT")) orders_.options.pipelining = true;
    }
    Octets rest = said_;
    while (!rest.empty()) Line(rest);
    // A message whose MAIL was refused had somebody to go to.
    for (Letter& letter : orders_.letters)
      if (letter.recipients.empty()) Recipient(letter, "RCPT TO:<somebody@example.org>");
  }

 private:
  void Line(Octets& rest) {
    const Octets line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(std::min(rest.size(), line.size() + 2));
    Command c;
    ParseCommand(line, c);
    switch (c.verb) {
      case Verb::kLhlo:
        orders_.options.lmtp = true;
        [[fallthrough]];
      case Verb::kEhlo:
        orders_.options.host = c.domain;
        break;
      case Verb::kStartTls:
        orders_.options.tls = ClientOptions::Tls::kIfOffered;
        break;
      case Verb::kAuth:
        Auth(c, rest);
        break;
      case Verb::kMail: {
        Letter& letter = orders_.letters.emplace_back();
        letter.line = line;
        ParseCommand(letter.line, letter.mail);
        break;
      }
      case Verb::kRcpt:
        Recipient(orders_.letters.back(), line);
        break;
      case Verb::kData: {
        text::DotDecoder decoder;
        const auto step = decoder.Feed(rest, [&](Octets o) { orders_.letters.back().text += o; });
        if (step.done) rest.remove_prefix(step.taken);
        break;
      }
      case Verb::kBdat:
        orders_.options.chunking = true;
        orders_.letters.back().text += rest.substr(0, c.chunk_size.value_or(0));
        rest.remove_prefix(std::min<std::size_t>(rest.size(), c.chunk_size.value_or(0)));
        break;
      case Verb::kQuit:
        orders_.quits = true;
        break;
      default:
        break;
    }
  }
  static void Recipient(Letter& letter, Octets line) {
    const std::string& own = letter.recipient_lines.emplace_back(line);
    Command c;
    ParseCommand(own, c);
    ClientRecipient recipient{.path = c.path.text, .notify = {}, .orcpt = {}};
    if (const Parameter* p = c.Find("NOTIFY")) recipient.notify = NotifyOf(p->value);
    if (const Parameter* p = c.Find("ORCPT")) recipient.orcpt = p->value;
    letter.recipients.push_back(recipient);
  }
  void Auth(const Command& c, Octets& rest) {
    orders_.options.credentials = &orders_.credentials;
    if (c.initial_response && c.mechanism == "PLAIN") {
      const std::string plain = *DecodeBase64(*c.initial_response);
      const std::size_t second = plain.find('\0', 1);
      orders_.credentials = {plain.substr(1, second - 1), plain.substr(second + 1), {}};
    } else if (c.mechanism == "LOGIN") {
      std::string words[2];
      for (std::string& word : words) {
        const Octets line = rest.substr(0, rest.find("\r\n"));
        word = *DecodeBase64(line);
        rest.remove_prefix(line.size() + 2);
      }
      orders_.credentials = {words[0], words[1], {}};
    }
  }

  Orders& orders_;
  std::string said_;
};

class Driver : public ClientHandler {
 public:
  Driver(Orders& orders, std::size_t piece, bool later)
      : orders_(orders), piece_(piece), later_(later), session_(*this, orders.options, randomness_) {
    session_.Start(false);
  }
  std::string said;
  std::vector<std::string> outcomes;

  void OnReady() override {
    if (next_ == orders_.letters.size()) {
      if (orders_.quits) session_.Quit();
      return;
    }
    const Letter& letter = orders_.letters[next_++];
    source_ = std::make_unique<TextSource>(letter.text, piece_, later_);
    ClientMessage message{.reverse_path = letter.mail.path.text, .recipients = letter.recipients, .source = source_.get()};
    if (const Parameter* p = letter.mail.Find("SIZE")) message.size = ParseNumber(p->value);
    if (const Parameter* p = letter.mail.Find("BODY")) message.eight_bit = EqualsNoCase(p->value, "8BITMIME");
    message.smtputf8 = letter.mail.Find("SMTPUTF8") != nullptr;
    if (const Parameter* p = letter.mail.Find("ENVID")) message.envid = p->value;
    if (const Parameter* p = letter.mail.Find("RET")) message.ret = p->value == "FULL" ? Return::kFull : Return::kHeaders;
    session_.Send(message);
  }
  void OnRecipient(std::size_t index, const Outcome& outcome) override {
    outcomes.push_back(std::to_string(next_) + "." + std::to_string(index) + " " + std::to_string(outcome.code) +
                       (outcome.local ? " local" : ""));
  }
  void OnClosed(const Outcome& outcome) override { outcomes.push_back("closed " + std::to_string(outcome.code)); }

  void Take(const Step& step, std::size_t piece) {
    if (step.kind == Step::Kind::kTls) {
      EXPECT_EQ(session_.next(), ClientSession::Next::kTls);
      session_.TlsStarted();
    } else if (step.kind == Step::Kind::kReset || (step.kind == Step::Kind::kFin && step.direction == Direction::kToClient)) {
      session_.Closed();
    } else if (step.kind == Step::Kind::kOctets && step.direction == Direction::kToClient) {
      for (Octets rest = step.octets; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
        session_.Receive(std::string(rest.substr(0, piece)));
        Pull();
      }
    }
    Pull();
  }
  void Pull() {
    std::string out;
    do {
      if (session_.next() == ClientSession::Next::kWait) session_.Resume();
      while (session_.TakeOutput(out)) said += out;
    } while (session_.next() == ClientSession::Next::kWait);
  }

 private:
  Orders& orders_;
  std::size_t piece_;
  bool later_;
  std::size_t next_ = 0;
  test::FixedRandomness randomness_;
  std::unique_ptr<TextSource> source_;
  ClientSession session_;
};

class ClientConversation : public ::testing::TestWithParam<std::filesystem::path> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ClientConversation);

TEST_P(ClientConversation, IsSaidAsInTheFile) {
  const auto file = test::ReadConversationFile(GetParam());
  ASSERT_TRUE(file) << file.error().Text();
  Orders orders;
  OrderReader reader(*file, orders);
  std::vector<std::string> outcomes;
  constexpr std::size_t kWhole = static_cast<std::size_t>(-1);
  for (const std::size_t piece : {kWhole, std::size_t{1}, std::size_t{7}}) {
    for (const bool later : {false, true}) {
      Driver driver(orders, piece, later);
      std::string expected;
      for (const Step& step : file->steps) {
        // What the client says before the server's next word, it has said by then.
        if (step.kind == Step::Kind::kOctets && step.direction == Direction::kToServer) {
          expected += step.octets;
          continue;
        }
        ASSERT_EQ(driver.said, expected);
        driver.Take(step, piece);
      }
      EXPECT_EQ(driver.said, expected);
      if (outcomes.empty()) outcomes = driver.outcomes;
      EXPECT_EQ(driver.outcomes, outcomes);
    }
  }
}

TEST_P(ClientConversation, HearsTheSameAtEverySplit) {
  const auto file = test::ReadConversationFile(GetParam());
  ASSERT_TRUE(file) << file.error().Text();
  Orders orders;
  OrderReader reader(*file, orders);
  const auto run = [&](std::size_t split_step, std::size_t at) {
    Driver driver(orders, 100, false);
    for (std::size_t i = 0; i < file->steps.size(); ++i) {
      Step step = file->steps[i];
      if (i == split_step) {
        Step front = step;
        front.octets.resize(at);
        step.octets.erase(0, at);
        driver.Take(front, step.octets.size() + at);
      }
      driver.Take(step, step.octets.size() + 1);
    }
    driver.outcomes.push_back(driver.said);
    return driver.outcomes;
  };
  const auto whole = run(file->steps.size(), 0);
  for (std::size_t i = 0; i < file->steps.size(); ++i)
    for (std::size_t at = 1; at < file->steps[i].octets.size() && file->steps[i].direction == Direction::kToClient; ++at)
      ASSERT_EQ(run(i, at), whole) << "step " << i + 1 << " split after " << at;
}

INSTANTIATE_TEST_SUITE_P(Files, ClientConversation,
                         ::testing::ValuesIn(test::FilesThatDrive(&test::ConversationFile::drives_client,
                                                                  {Protocol::kSmtp, Protocol::kLmtp})),
                         [](const auto& of) { return test::TestName(of.param); });

}  // namespace
}  // namespace glasspost::smtp
