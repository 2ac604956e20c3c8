// IMAP's grammar, and the observer's limits and pieces; whole dialogues stand in tests/conversations.
#include <gtest/gtest.h>

#include <chrono>

#include "support/conversation_file.h"
#include "support/recording_sink.h"
#include "wire/imap/observer.h"

namespace glasspost::imap {
namespace {

using test::RecordingSink;
using namespace std::string_literals;

constexpr Direction kC = Direction::kToServer;
constexpr Direction kS = Direction::kToClient;

TEST(ImapObserver, RequestsBeforeTheirReplies) {
  using Texts = std::vector<std::string>;
  RecordingSink sink;
  ObserverOptions options;
  options.requests = true;
  ImapObserver observer(sink, options);
  const Origin now{1, 1'000'000};
  observer.OnOctets(kS, "* OK hello\r\n", now);
  observer.OnOctets(kC, "a1 LOGIN ada secret\r\n", now);
  EXPECT_EQ(sink.requests, (Texts{"LOGIN ada *** (6 octets)"}));
  observer.OnOctets(kS, "a1 NO\r\n", now);
  observer.OnOctets(kC, "a2 AUTHENTICATE PLAIN\r\n", now);
  observer.OnOctets(kS, "+ \r\n", now);
  observer.OnOctets(kC, "AGEAc2VjcmV0\r\n", now);
  EXPECT_EQ(sink.requests.back(), "* *** (12 octets)");
  observer.OnOctets(kS, "a2 OK\r\n", now);
  observer.OnOctets(kC, "a3 APPEND INBOX {2}\r\n", now);
  EXPECT_EQ(sink.requests.size(), 3u);  // its literal is part of it
  observer.OnOctets(kS, "+\r\n", now);
  observer.OnOctets(kC, "x\n\r\n", now);
  EXPECT_EQ(sink.requests.size(), 4u);
  observer.OnEnd(now, false);
  EXPECT_TRUE(sink.broken.empty());
}

TEST(ImapRules, EveryRuleThatAnRfcHasNamesIt) {
  for (const Rule& rule : Rules()) {
    EXPECT_EQ(FindRule(rule.name), &rule);
    EXPECT_TRUE(rule.rfc.empty() || rule.rfc.starts_with("RFC ")) << rule.name;
  }
}

TEST(ImapGrammar, Commands) {
  auto c = ParseCommand("a1 login alice \"x y\"");
  ASSERT_TRUE(c);
  EXPECT_EQ(c->tag, "a1");
  EXPECT_EQ(c->name, "login");
  EXPECT_EQ(c->arguments, "alice \"x y\"");
  EXPECT_EQ(c->rule->verb, Verb::kLogin);
  c = ParseCommand(". uid fetch 1 BODY[]");
  ASSERT_TRUE(c);
  EXPECT_EQ(c->name, "uid fetch");
  EXPECT_EQ(c->rule->verb, Verb::kFetch);
  EXPECT_EQ(ParseCommand("a2 UID")->rule, nullptr);
  EXPECT_EQ(ParseCommand("a2 FROB x")->rule, nullptr);
  EXPECT_EQ(ParseCommand("LOGIN alice secret")->tag, "");
  for (const char* bad : {"", "a1", "a1 ", " NOOP", "* NOOP", "+ NOOP", "\"a\" NOOP", "a(b NOOP", "\xc3\xa9 NOOP"})
    EXPECT_FALSE(ParseCommand(bad)) << bad;
}

TEST(ImapGrammar, Responses) {
  EXPECT_EQ(ParseResponse("+").kind, Kind::kContinuation);
  EXPECT_EQ(ParseResponse("+ go").text, "go");
  Response r = ParseResponse("* 12 FETCH (FLAGS ())");
  EXPECT_EQ(r.kind, Kind::kUntagged);
  EXPECT_EQ(r.number, "12");
  EXPECT_EQ(r.word, "FETCH");
  EXPECT_EQ(r.text, "(FLAGS ())");
  r = ParseResponse("a1 no [ALERT] x");
  EXPECT_EQ(r.kind, Kind::kTagged);
  EXPECT_EQ(r.tag, "a1");
  EXPECT_EQ(r.word, "no");
  EXPECT_EQ(ParseResponse("a1 BYE").kind, Kind::kMalformed);
  EXPECT_EQ(ParseResponse("*").kind, Kind::kMalformed);
  EXPECT_EQ(ParseResponse("").kind, Kind::kMalformed);
  EXPECT_TRUE(IsKnownData(ParseResponse("* 3 EXISTS")));
  for (const char* no : {"* EXISTS", "* 3 LIST", "* No more", "* 3 apples", "* and so on"})
    EXPECT_FALSE(IsKnownData(ParseResponse(no)));
}

TEST(ImapGrammar, Literals) {
  const auto n = [](Octets t) { return FindLiteral(t) ? std::to_string(FindLiteral(t)->octets) : "none"s; };
  EXPECT_EQ(n("BODY[] {12}"), "12");
  EXPECT_FALSE(FindLiteral("{12+}")->synchronising);
  EXPECT_EQ(FindLiteral("x ~{12+}")->marker, 6u);
  EXPECT_EQ(n("{18446744073709551615}"), "18446744073709551615");
  for (const char* no : {"", "}", "{}", "{-1}", "{+}", "{1 }", "{1}x", "{18446744073709551616}", "{{}", "12}"})
    EXPECT_EQ(n(no), "none") << no;
}

TEST(ImapGrammar, WholeMessagesOnly) {
  for (const char* yes : {"(BODY[] ", "x BODY[] ", "(body[]<0> ", "(RFC822 ", " BODY[]<4096> "})
    EXPECT_TRUE(FindMessageItem(yes)) << yes;
  for (const char* no :
       {"(BODY[TEXT] ", "(BODY[1] ", "(RFC822.HEADER ", "(XRFC822 ", "BODY[] ", "(BODY[]<x> ", "(BODY[]> ", "(RFC822<0> ", ""})
    EXPECT_FALSE(FindMessageItem(no)) << no;
  EXPECT_EQ(FindMessageItem("(BODY[]<17> ")->from, 17u);
  EXPECT_EQ(RequestedOctets("1 (BODY.PEEK[]<0.100>)", 0), 100u);
  EXPECT_EQ(RequestedOctets("1 (BODY[]<5.7> BODY[]<0.9>)", 0), 9u);
  EXPECT_FALSE(RequestedOctets("1 BODY[]", 0));
  EXPECT_FALSE(RequestedOctets("1 BODY[]<0>", 0));
  EXPECT_EQ(FindSize("(UID 1 RFC822.SIZE 77 "), 77u);
  EXPECT_TRUE(SameShape("a12", "a7"));
  EXPECT_FALSE(SameShape("b12", "a7"));
  EXPECT_FALSE(SameShape("a", "a7"));
}

TEST(ImapLineReader, GivesTheSameLinesInAnyPieces) {
  const std::string input = "one\r\n\r\ntwo\nlonger than eight {7}\r\n12345678\r\n123456789\r\nrest";
  const auto read = [&](std::size_t split, std::size_t chunk) {
    LineReader reader(8);
    std::string told;
    const auto feed = [&](Octets part) {
      const std::string copy(part);
      Octets in = copy;
      Line line;
      while (reader.Next(in, line)) {
        told += std::string(line.text) + "|" + std::string(line.tail) + "|" + std::to_string(line.length) +
                (line.crlf || line.cut ? "" : " lf");
        told += line.cut ? " cut\n" : "\n";
      }
    };
    for (std::size_t at = 0; at < input.size();) {
      const std::size_t n = at < split ? split - at : chunk;
      feed(Octets(input).substr(at, n));
      at += n;
    }
    return told + std::string(reader.Partial().text) + std::to_string(reader.pending());
  };
  const std::string whole = read(0, 1000);
  EXPECT_EQ(whole,
            "one|one|5\n||2\ntwo|two|4 lf\nlonger t|longer than eight {7}|23 cut\n12345678|12345678|10\n"
            "12345678|123456789|11 cut\nrest4");
  EXPECT_EQ(read(0, 1), whole);
  for (std::size_t split = 1; split < input.size(); ++split) EXPECT_EQ(read(split, 1000), whole) << split;
}

// Lines of both sides, "C: …" and "S: …", each with CRLF.
struct Talk {
  RecordingSink sink;
  ImapObserver observer;
  std::uint64_t frame = 0;
  explicit Talk(const ImapLimits& limits = {}, const ObserverOptions& options = {}) : observer(sink, options, limits) {}
  void C(const std::string& text) { Say(kC, text + "\r\n"); }
  void S(const std::string& text) { Say(kS, text + "\r\n"); }
  void Say(Direction d, const std::string& octets) {
    ++frame;
    observer.OnOctets(d, octets, Origin{frame, static_cast<Timestamp>(frame) * 1000});
  }
  void End() {
    ++frame;
    observer.OnEnd(Origin{frame, static_cast<Timestamp>(frame) * 1000}, false);
    EXPECT_EQ(sink.broken, std::vector<std::string>{});
  }
};

TEST(ImapObserver, PasswordsAreMasked) {
  const std::pair<const char*, const char*> cases[] = {
      {"alice secret", "alice *** (6 octets)"},
      {"\"al ice\" \"sec ret\"", "\"al ice\" *** (7 octets)"},
      {"alice \"s\\\"t\"", "alice *** (3 octets)"},
      {"alice  secret more", "alice  *** (11 octets)"},
      {"\"alice secret", "\"alice *** (6 octets)"},
      {"\"alice\\\" secret", "\"alice\\\" *** (6 octets)"},
      {"alice \"secret\" \"more\"", "alice *** (15 octets)"},
      {"alice", "alice"},
  };
  for (const auto& [argument, shown] : cases) {
    Talk talk;
    talk.C("a LOGIN "s + argument);
    talk.End();
    ASSERT_EQ(talk.sink.exchanges.size(), 1u);
    EXPECT_NE(talk.sink.exchanges[0].find(" LOGIN "s + test::Escape(shown) + " |"), std::string::npos)
        << talk.sink.exchanges[0] << "\n"
        << argument;
  }
}

TEST(ImapObserver, NoSecretIsToldFromCutLines) {
  const std::string dialogue =
      "a1 LOGIN {5+}\r\nalice {6+}\r\nsEcReT\r\na2 LOGIN alice sEcReT\r\na3 AUTHENTICATE PLAIN AGEAc0VjUmVU\r\n";
  for (std::size_t n = 0; n <= dialogue.size(); ++n) {
    for (const bool gap : {false, true}) {
      Talk talk;
      talk.Say(kC, dialogue.substr(0, n));
      if (gap) talk.observer.OnGap(kC, 3, Origin{9, 9});
      if (gap && n + 3 < dialogue.size()) talk.Say(kC, dialogue.substr(n + 3));
      talk.End();
      for (const auto& e : talk.sink.exchanges) {
        EXPECT_EQ(e.find("sEc"), std::string::npos) << e << " " << n;
        EXPECT_EQ(e.find("cReT"), std::string::npos) << e << " " << n;
        EXPECT_EQ(e.find("c0Vj"), std::string::npos) << e << " " << n;
      }
    }
  }
}

TEST(ImapObserver, SecretsAreShownOnDemand) {
  Talk talk({}, {.show_secrets = true});
  talk.C("a1 LOGIN alice {6+}");
  talk.C("secret");
  talk.End();
  EXPECT_NE(talk.sink.exchanges[0].find("alice {6+}secret |"), std::string::npos) << talk.sink.exchanges[0];
}

TEST(ImapObserver, LimitsHold) {
  const auto run = [](const ImapLimits& limits, const std::vector<std::string>& lines) {
    Talk talk(limits);
    talk.S("* PREAUTH ready");
    for (const std::string& l : lines) l[0] == 'C' ? talk.C(l.substr(1)) : talk.S(l.substr(1));
    talk.End();
    std::string told;
    for (const auto& e : talk.sink.exchanges) told += e + "\n";
    for (const auto& f : talk.sink.findings) told += f + "\n";
    return told;
  };
  const auto has = [](const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; };
  ImapLimits limits;
  limits.line = 15;
  EXPECT_FALSE(has(run(limits, {"Ca1 NOOP 3456789"}), "cut"));
  std::string told = run(limits, {"Ca1 NOOP 34567890"});
  EXPECT_TRUE(has(told, "(cut)") && has(told, "too-much")) << told;
  // The marker of a literal is found though the line is cut.
  told = run(limits, {"Ca1 LIST \"\" {14+}", "Ca2 NOOP inside", "Ca3 NOOP", "Sa3 OK x"});
  EXPECT_TRUE(has(told, "a1 LIST") && !has(told, "a2 NOOP") && has(told, "a3 NOOP")) << told;

  limits = {};
  limits.argument = 5;
  EXPECT_FALSE(has(run(limits, {"Ca1 LIST 12345"}), "cut"));
  EXPECT_TRUE(has(run(limits, {"Ca1 LIST 123456"}), "12345 (cut)"));

  limits = {};
  limits.literal_shown = 3;
  EXPECT_TRUE(has(run(limits, {"Ca1 LIST {3+}", "Cabc"}), "{3+}abc"));
  EXPECT_FALSE(has(run(limits, {"Ca1 LIST {4+}", "Cabcd"}), "abc"));

  limits = {};
  limits.reply_text = 19;
  EXPECT_FALSE(has(run(limits, {"Ca1 NOOP", "S* 1 EXISTS", "Sa1 OK ab"}), "cut"));
  told = run(limits, {"Ca1 NOOP", "S* 1 EXISTS", "Sa1 OK abc"});
  EXPECT_TRUE(has(told, "a1 OK ab (cut)") && has(told, "too-much")) << told;

  limits = {};
  limits.pending = 2;
  EXPECT_FALSE(has(run(limits, {"Ca1 NOOP", "Ca2 NOOP", "Sa1 OK", "Sa2 OK"}), "too-much"));
  told = run(limits, {"Ca1 NOOP", "Ca2 NOOP", "Ca3 NOOP", "Sa2 OK", "Sa3 OK"});
  EXPECT_TRUE(has(told, "too-much") && has(told, "a1 NOOP | -") && has(told, "a3 NOOP | OK")) << told;

  limits = {};
  limits.pending_octets = 26;  // tags (twice) and verbs count
  EXPECT_FALSE(has(run(limits, {"Ca1 LIST 12345", "Ca2 LIST 12345", "Ca3 NOOP", "Sa3 OK"}), "too-much"));
  told = run(limits, {"Ca1 LIST 12345", "Ca2 LIST 123456", "Ca3 NOOP", "Sa3 OK"});
  EXPECT_TRUE(has(told, "too-much") && has(told, "a1 LIST 12345 | -")) << told;

  limits = {};
  limits.findings = 2;
  EXPECT_TRUE(has(run(limits, {"Ca1 X1", "Ca2 X2"}), "unknown-command X2"));
  EXPECT_FALSE(has(run(limits, {"Ca1 X1", "Ca2 X2", "Ca3 X3"}), "unknown-command X3"));

  limits = {};
  limits.slow_reply = 1000;
  EXPECT_FALSE(has(run(limits, {"Ca1 NOOP", "Sa1 OK"}), "slow"));
  limits.slow_reply = 999;
  EXPECT_TRUE(has(run(limits, {"Ca1 NOOP", "Sa1 OK"}), "slow-reply"));
}

TEST(ImapObserver, LongTagsAndVerbsAreHeldToTheLimitOfPendingCommands) {
  RecordingSink sink;
  ImapObserver observer(sink, {});
  observer.OnOctets(kS, "* PREAUTH ready\r\n", {1, 1});
  const std::size_t before = observer.Held();
  const std::string command = std::string(60'000, 't') + ' ' + std::string(5'000, 'V') + "\r\n";
  observer.OnOctets(kC, command, {2, 2});
  EXPECT_GT(observer.Held(), before + command.size());
  for (int i = 0; i < 250; ++i) observer.OnOctets(kC, command, {3, 3});
  EXPECT_GT(sink.exchanges.size(), 200u);  // given up
  EXPECT_LT(observer.Held(), before + (2u << 20));
}

// Each literal of a command, each quoted string of a response was looked for from the beginning of the whole: seconds a line.
TEST(ImapObserver, ManyLiteralsAndQuotedStringsTakeTimeInProportion) {
  const auto repeated = [](std::string text, const std::string& piece, int times) {
    while (times-- > 0) text += piece;
    return text;
  };
  const auto begin = std::chrono::steady_clock::now();
  Talk talk;
  talk.S("* PREAUTH ready");
  talk.Say(kC, repeated("a APPEND x {0+}\r\n", " {0+}\r\n", 200'000) + "\r\n");
  talk.Say(kC, repeated("b APPEND " + std::string(60'000, ' ') + "x CATENATE (", " {0+}\r\n", 200'000) + "\r\n");
  talk.C("c FETCH 1 " + std::string(60'000, 'x'));
  for (int line = 0; line < 20; ++line) {
    talk.S(repeated("* 1 FETCH (", "> \"\" ", 13'000) + ")");
    talk.S(repeated("* 1 FETCH (", "BODY[]<0> \"\" ", 5'000) + ")");
  }
  talk.Say(kS, repeated("* 1 FETCH (", " BODY[]<0> {0}\r\n", 200'000) + ")\r\n");
  talk.End();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
}

TEST(ImapObserver, OnlyTheLiteralAfterTheMailboxIsAMessage) {
  const auto messages = [](const std::string& command) {
    Talk talk;
    talk.S("* PREAUTH ready");
    talk.Say(kC, command + "\r\n");
    talk.End();
    return talk.sink.messages.size();
  };
  EXPECT_EQ(messages("a APPEND x {1+}\r\nm"), 1u);
  EXPECT_EQ(messages("a APPEND {1+}\r\nx {1+}\r\nm"), 1u);
  EXPECT_EQ(messages("a APPEND {1+}\r\n\" {1+}\r\nm {1+}\r\nm"), 2u);
  EXPECT_EQ(messages("a REPLACE 1 {1+}\r\nx {1+}\r\nm"), 1u);
  EXPECT_EQ(messages("a REPLACE 1 x {1+}\r\nm"), 1u);
  EXPECT_EQ(messages("a APPEND x CATENATE (URL \"a)\" TEXT {1+}\r\np TEXT {1+}\r\np)"), 0u);
  EXPECT_EQ(messages("a APPEND {1+}\r\n\" catenate (TEXT {1+}\r\np)"), 0u);
  EXPECT_EQ(messages("a APPEND x CATENATE (TEXT {1+}\r\np) (\\Seen) {1+}\r\nm"), 1u);
}

TEST(ImapObserver, PacketsOfALineAreBounded) {
  ImapLimits limits;
  limits.line_packets = 3;
  for (const std::size_t packets : {3u, 4u}) {
    Talk talk(limits);
    for (const char c : std::string("a1 X").substr(0, packets)) talk.Say(kC, std::string(1, c));
    talk.Say(kC, " NOOP\r\n");
    talk.End();
    EXPECT_EQ(talk.sink.exchanges.size(), 1u);
  }
}

TEST(ImapObserver, CommandsInLiteralsAndMessagesAreNone) {
  const std::string message = "Subject: x\r\n\r\n* BYE\r\na2 OK done\r\na3 LOGOUT\r\n+ go\r\n";
  const std::string marker = "{" + std::to_string(message.size());
  const std::string server = "a1 OK\r\n* 1 FETCH (BODY[] " + marker + "}\r\n" + message + ")\r\na2 OK done\r\na9 OK\r\n";
  const std::string client = "a1 SELECT x\r\na2 FETCH 1 BODY[]\r\na9 APPEND y " + marker + "+}\r\n" + message + "\r\n";
  std::vector<std::string> want;
  for (std::size_t chunk = client.size(); chunk > 0; --chunk) {
    Talk talk;
    talk.S("* PREAUTH x");
    for (std::size_t at = 0; at < client.size(); at += chunk) talk.Say(kC, client.substr(at, chunk));
    for (std::size_t at = 0; at < server.size(); at += chunk) talk.Say(kS, server.substr(at, chunk));
    talk.End();
    if (want.empty()) want = talk.sink.exchanges;
    ASSERT_EQ(talk.sink.exchanges, want) << chunk;
    ASSERT_EQ(talk.sink.exchanges.size(), 4u);
    ASSERT_EQ(talk.sink.messages.size(), 2u);
    for (const auto& m : talk.sink.messages) EXPECT_EQ(m.octets, message);
  }
}

TEST(ImapObserver, AMessageIsTheSameAtEverySplitAndWithEveryGap) {
  const std::string before = "* 1 FETCH (UID 7 BODY[] {10}\r\n";
  const std::string message = "a2 OK 6789";
  const std::string server = before + message + ")\r\na2 OK done\r\n";
  for (std::size_t from = 0; from <= server.size(); ++from) {
    for (std::size_t length = 0; from + length <= server.size(); ++length) {
      Talk talk;
      talk.S("* PREAUTH x");
      talk.C("a1 SELECT x");
      talk.S("a1 OK");
      talk.C("a2 UID FETCH 7 BODY[]");
      talk.Say(kS, server.substr(0, from));
      if (length > 0) talk.observer.OnGap(kS, length, Origin{50, 50});
      if (from + length < server.size()) talk.Say(kS, server.substr(from + length));
      talk.C("a3 LOGOUT");
      talk.S("a3 OK bye");
      talk.End();
      // The dialogue after it is taken up again, whatever was lost.
      ASSERT_GE(talk.sink.exchanges.size(), 4u) << from << "+" << length;
      EXPECT_NE(talk.sink.exchanges.back().find("a3 LOGOUT | OK a3 OK bye"), std::string::npos) << from << "+" << length;
      ASSERT_LE(talk.sink.messages.size(), 1u);
      const bool untouched = from + length <= before.size() - 12 || from >= before.size() + message.size() || length == 0;
      if (talk.sink.messages.empty()) {
        EXPECT_TRUE(length > 0 && from < before.size() + 1) << from << "+" << length;
        continue;
      }
      const auto& m = talk.sink.messages[0];
      if (m.octets != message) {
        EXPECT_TRUE(m.end.truncated) << from << "+" << length;
      }
      if (untouched) {
        EXPECT_EQ(m.octets, message) << from << "+" << length;
      }
    }
  }
}

struct Fields {
  static constexpr bool kWanted = true;
  std::string told;
  Octets line;
  void operator()(Field f, OctetRange r, const FieldValue&) {
    told += std::string(Info(f).abbreviation) + "=" + std::string(line.substr(r.offset - 100, r.length)) + ";";
  }
};

TEST(ImapGrammar, FieldsPointAtTheirOctets) {
  Fields fields;
  fields.line = "a1 UID FETCH 1 BODY[]";
  DissectLine(kC, fields.line, 100, fields);
  fields.line = "a1 OK done";
  DissectLine(kS, fields.line, 100, fields);
  fields.line = "* 1 EXISTS";
  DissectLine(kS, fields.line, 100, fields);
  EXPECT_EQ(fields.told,
            "imap.request_tag=a1;imap.request.command=UID FETCH;imap.request=1 BODY[];"
            "imap.response_tag=a1;imap.response.status=OK;imap.response=done;imap.response.command=EXISTS;");
}

}  // namespace
}  // namespace glasspost::imap
