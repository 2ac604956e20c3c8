#include "agent/talk/plan.h"

#include <gtest/gtest.h>

#include <map>

namespace glasspost::agent::talk {
namespace {

// Answers by the first word of what is asked; 250 to what is not told.
class Answers final : public Dialogue {
 public:
  explicit Answers(std::map<std::string, int> codes) : codes_(std::move(codes)) { asked.clear(); }
  const SessionState& state() const override { return state_; }
  Answer Greeting() override {
    Exchange e;
    e.has_reply = true;
    e.reply.code = Code("banner", 220);
    state_.OnExchange(e);
    return {.came = e.reply.code != 0, .late = false, .reply = e.reply, .heard = {}};
  }
  Answer Ask(const std::string& line) override {
    asked.push_back(line);
    const std::string verb = line.substr(0, line.find(' '));
    Exchange e;
    e.has_request = e.has_reply = true;
    e.request.verb = verb;
    e.reply.code = Code(verb, verb == "DATA" ? 354 : verb == "QUIT" ? 221 : verb == "STARTTLS" ? 220 : 250);
    if (e.reply.code == 0) return {};
    state_.OnRequest(e);
    state_.OnExchange(e);
    return {.came = true, .late = false, .reply = e.reply, .heard = {}};
  }
  std::vector<Answer> AskAll(std::span<const std::string> lines) override {
    std::vector<Answer> all;
    for (const std::string& line : lines) all.push_back(Ask(line));
    ++groups;
    return all;
  }
  bool ShakeHands() override { return Code("tls", 1) == 1 && (state_.OnTls(false), true); }
  Answer LogIn(const std::string&, const std::string& user) override { return Ask("AUTH " + user); }
  Answer SendMessage() override { return Ask("."); }
  void End(bool cut) override { ended = cut ? "cut" : "closed"; }

  std::vector<std::string> asked;
  std::string ended;
  int groups = 0;

 private:
  int Code(const std::string& what, int usual) const {
    const auto at = codes_.find(what);
    return at == codes_.end() ? usual : at->second;
  }
  std::map<std::string, int> codes_;
  SessionState state_{Protocol::kSmtp};
};

// Says yes to whatever it is asked, after a greeting.
class ImapAnswers final : public Dialogue {
 public:
  explicit ImapAnswers(std::string greeting) : greeting_(std::move(greeting)) {}
  const SessionState& state() const override { return state_; }
  Answer Greeting() override { return Say({}, greeting_); }
  Answer Ask(const std::string& line) override {
    asked.push_back(line);
    return Say(line.substr(0, line.find(' ')), "OK");
  }
  std::vector<Answer> AskAll(std::span<const std::string>) override { return {}; }
  bool ShakeHands() override { return true; }
  Answer LogIn(const std::string&, const std::string& user) override { return Ask("LOGIN " + user); }
  Answer SendMessage() override { return {}; }
  void End(bool) override {}

  std::vector<std::string> asked;

 private:
  Answer Say(const std::string& verb, const std::string& status) {
    Exchange e;
    e.has_request = !verb.empty();
    e.has_reply = true;
    e.request.verb = verb;
    e.reply.status = status;
    if (e.has_request) state_.OnRequest(e);
    state_.OnExchange(e);
    return {.came = true, .late = false, .reply = e.reply, .heard = {}};
  }
  const std::string greeting_;
  SessionState state_{Protocol::kImap};
};

PlanOptions Options() {
  PlanOptions options;
  options.host = "me";
  options.from = "a@b";
  options.to = {"c@d", "e@f"};
  return options;
}

TEST(Plan, AWholeTransaction) {
  Answers server({{"AUTH", 235}});
  PlanOptions options = Options();
  options.start_tls = true;
  options.user = "ada";
  EXPECT_EQ(RunPlan(server, options), 0);
  EXPECT_EQ(server.asked, (std::vector<std::string>{"EHLO me", "STARTTLS", "EHLO me", "AUTH ada", "MAIL FROM:<a@b>",
                                                    "RCPT TO:<c@d>", "RCPT TO:<e@f>", "DATA", ".", "QUIT"}));
  EXPECT_EQ(server.ended, "closed");
}

TEST(Plan, WhereItFails) {
  const std::vector<std::tuple<std::map<std::string, int>, int, std::string>> cases = {
      {{{"banner", 554}}, kStatusBanner, ""},    {{{"EHLO", 500}, {"HELO", 550}}, kStatusHello, "QUIT"},
      {{{"EHLO", 450}}, kStatusHello, "QUIT"},   {{{"STARTTLS", 454}}, kStatusTls, "QUIT"},
      {{{"tls", 0}}, kStatusTls, "STARTTLS"},    {{{"AUTH", 535}}, kStatusAuth, "QUIT"},
      {{{"MAIL", 550}}, kStatusMail, "QUIT"},    {{{"RCPT", 550}}, kStatusRcpt, "QUIT"},
      {{{"DATA", 451}}, kStatusData, "QUIT"},    {{{".", 552}}, kStatusMessage, "QUIT"},
      {{{"QUIT", 500}}, kStatusQuit, "QUIT"},    {{{"RCPT", 0}}, kStatusClosed, "RCPT TO:<c@d>"},
      {{{"EHLO", 0}}, kStatusClosed, "EHLO me"},
  };
  for (const auto& [codes, status, last] : cases) {
    Answers server(codes);
    PlanOptions options = Options();
    options.start_tls = true;
    options.user = "ada";
    EXPECT_EQ(RunPlan(server, options), status) << status;
    EXPECT_EQ(server.ended, "closed");
    if (status == kStatusBanner) continue;
    EXPECT_EQ(server.asked.back(), last) << status;
  }
}

TEST(Plan, HeloWhereEhloIsNotKnown) {
  Answers server({{"EHLO", 502}});
  EXPECT_EQ(RunPlan(server, Options()), 0);
  EXPECT_EQ(server.asked[1], "HELO me");
}

TEST(Plan, OneRecipientIsEnough) {
  Answers server({});
  PlanOptions options = Options();
  options.to = {"c@d"};
  options.pipeline = true;
  EXPECT_EQ(RunPlan(server, options), 0);
  EXPECT_EQ(server.groups, 1);
  Answers refusing({{"RCPT", 550}});
  EXPECT_EQ(RunPlan(refusing, options), kStatusRcpt);
  EXPECT_EQ(refusing.asked[refusing.asked.size() - 2], ".");  // DATA was let through all the same
}

TEST(Plan, EndsAfterAStage) {
  const std::vector<std::pair<Stage, std::string>> cases = {{Stage::kHello, "EHLO me"},      {Stage::kTls, "EHLO me"},
                                                            {Stage::kAuth, "AUTH ada"},      {Stage::kMail, "MAIL FROM:<a@b>"},
                                                            {Stage::kRcpt, "RCPT TO:<e@f>"}, {Stage::kMessage, "."}};
  for (const auto& [stage, last] : cases) {
    for (const bool drop : {false, true}) {
      Answers server({});
      PlanOptions options = Options();
      options.start_tls = true;
      options.user = "ada";
      (drop ? options.drop_after : options.quit_after) = stage;
      EXPECT_EQ(RunPlan(server, options), 0) << Name(stage);
      EXPECT_EQ(server.asked.back(), drop ? last : "QUIT") << Name(stage);
      EXPECT_EQ(server.asked[server.asked.size() - (drop ? 1 : 2)], last) << Name(stage);
      EXPECT_EQ(server.ended, drop ? "cut" : "closed");
    }
  }
}

// Who is let in by the greeting needs no login, and may not log in; the stages behind it are gone through all the same.
TEST(Plan, ImapEndsAfterAStage) {
  using Lines = std::vector<std::string>;
  const Lines all = {"CAPABILITY", "LIST \"\" *", "EXAMINE INBOX", "FETCH 1 BODY.PEEK[]"};
  for (const std::string user : {"", "ada"}) {
    for (const auto& [stage, count] :
         {std::pair(Stage::kHello, 1), {Stage::kAuth, 1}, {Stage::kList, 2}, {Stage::kSelect, 3}, {Stage::kRetrieve, 4}}) {
      ImapAnswers server("PREAUTH");
      PlanOptions options;
      options.user = user;
      options.quit_after = stage;
      EXPECT_EQ(RunPlan(server, options), 0) << Name(stage);
      Lines expected(all.begin(), all.begin() + count);
      expected.emplace_back("LOGOUT");
      EXPECT_EQ(server.asked, expected) << Name(stage);
    }
  }
  ImapAnswers stranger("OK"), guest("OK");
  PlanOptions options;
  options.quit_after = Stage::kSelect;
  EXPECT_EQ(RunPlan(stranger, options), 0);
  EXPECT_EQ(stranger.asked, (Lines{"CAPABILITY", "LOGOUT"}));
  options.user = "ada";
  EXPECT_EQ(RunPlan(guest, options), 0);
  EXPECT_EQ(guest.asked, (Lines{"CAPABILITY", "LOGIN ada", "LIST \"\" *", "EXAMINE INBOX", "LOGOUT"}));
}

TEST(Plan, NamesOfStages) {
  EXPECT_EQ(ParseStage("EHLO"), Stage::kHello);
  EXPECT_EQ(ParseStage("dot"), Stage::kMessage);
  EXPECT_EQ(Name(Stage::kHello), "helo");
  EXPECT_FALSE(ParseStage("").has_value());
}

}  // namespace
}  // namespace glasspost::agent::talk
