#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <fstream>
#include <set>

#include "server/config_reader.h"
#include "support/temporary_folder.h"

namespace glasspost::server {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

ReadConfig Read(Octets toml) {
  ConfigReader reader;
  reader.ReadText(toml, "f");
  return reader.Finish();
}

std::vector<std::string> Told(const ReadConfig& read) {
  std::vector<std::string> told;
  for (const Mistake& m : read.mistakes) told.push_back(m.Text());
  return told;
}
std::vector<std::string> Mistakes(Octets toml) { return Told(Read(toml)); }

Config Good(Octets toml) {
  ReadConfig read = Read(toml);
  EXPECT_THAT(Told(read), IsEmpty()) << toml;
  return std::move(read.config);
}

Networks Of(std::initializer_list<Octets> texts) {
  Networks networks;
  for (const Octets t : texts) networks.push_back(ParseNetwork(t).value());
  return networks;
}

TEST(Settings, AreUnderTheirSectionsAndHaveNamesOfTheirOwn) {
  std::set<std::string> keys, variables, flags;
  std::set<std::string_view> sections;
  for (const Section& s : Sections()) EXPECT_TRUE(sections.insert(s.name).second) << s.name;
  for (const Setting& s : Settings()) {
    EXPECT_TRUE(sections.contains(s.section)) << s.section;
    EXPECT_TRUE(keys.insert(s.Key()).second) << s.Key();
    EXPECT_TRUE(variables.insert(s.Variable()).second) << s.Variable();
    EXPECT_TRUE(flags.insert(s.Flag()).second) << s.Flag();
    EXPECT_FALSE(s.comment.empty()) << s.Key();
  }
  EXPECT_FALSE(flags.contains("--config"));
  EXPECT_GT(keys.size(), 90u);
}

// So that a default out of its own bounds, or a comment out of its column, is seen.
TEST(Settings, ShownDefaultsReadBackAsTheDefaults) {
  const std::string shown = WriteConfig({});
  EXPECT_EQ(Good(shown), Config());
  EXPECT_EQ(Good(""), Config());
  for (const Setting& s : Settings())
    EXPECT_THAT(shown, HasSubstr(s.has_rows() ? "\n# [[" + s.Key() + "]]\n" : "\n" + std::string(s.name) + " = ")) << s.Key();
}

constexpr std::string_view kEverything = R"(
[server]
host = "mx.example.org"
data = "/srv/mail \"quoted\" ü"
classroom = true
threads = 4
user = "glasspost"
group = "mail"
shutdown = 10
[listen]
smtp = ["0.0.0.0:25", "[::]:25"]
submission = []
submissions = "192.0.2.1:465"
pop3 = ""
lmtp = ["[::1]:24"]
[tls]
certificate = "/etc/a.crt"
key = "/etc/a.key"
pair = [{certificate = "b.crt", key = "b.key"}, {certificate = "c.crt", key = "c.key"}]
[auth]
apop = true
schemes = ["SCRAM-SHA-256"]
argon2_memory = "1 GiB"
cache = "0 s"
[smtp]
bare_line_ends = "normalise"
relay_networks = ["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"]
[limits]
message = "64 KiB"
recipients = 100
[[access.rule]]
client = ["10.0.0.0/8"]
action = "accept"
[[access.rule]]
sender = [".example.net", "<>", "a+b@example.com"]
recipient = "postmaster@example.org"
action = "defer"
text = "Later, please"
[relay]
tls = "verified"
[[relay.route]]
domain = ".example.net"
host = "192.0.2.9"
port = 2525
tls = "off"
user = "u"
password = "p"
[smarthost]
host = "smart.example.org"
user = "me"
password_file = "/run/secret"
[retry]
first = "90s"
growth = 1.5
[resolver]
name_servers = ["192.0.2.53", "[2001:db8::53]:5353"]
[log]
level = "debug"
format = "json"
)";

TEST(Config, EachTypeIsTaken) {
  const Config c = Good(kEverything);
  EXPECT_EQ(c.server.host, "mx.example.org");
  EXPECT_EQ(c.server.data, "/srv/mail \"quoted\" ü");
  EXPECT_TRUE(c.server.classroom);
  EXPECT_EQ(c.server.shutdown, Seconds(10));
  EXPECT_THAT(c.listen.smtp, ElementsAre(ParseEndpoint("0.0.0.0:25").value(), ParseEndpoint("[::]:25").value()));
  EXPECT_THAT(c.listen.submission, IsEmpty());
  EXPECT_THAT(c.listen.submissions, ElementsAre(ParseEndpoint("192.0.2.1:465").value()));
  EXPECT_THAT(c.listen.pop3, IsEmpty());
  EXPECT_THAT(c.listen.pop3s, ElementsAre(Loopback(1995)));
  EXPECT_THAT(PairsOf(c), ElementsAre(CertificatePair{"/etc/a.crt", "/etc/a.key"}, CertificatePair{"b.crt", "b.key"},
                                      CertificatePair{"c.crt", "c.key"}));
  EXPECT_EQ(c.auth.argon2_memory, GiB(1));
  EXPECT_EQ(c.smtp.bare_line_ends, BareLineEndRule::kNormalise);
  EXPECT_EQ(c.smtp.relay_networks, Of({"192.0.2.0/24", "2001:db8::/32", "198.51.100.7"}));
  ASSERT_EQ(c.access.rule.size(), 2u);
  EXPECT_EQ(
      c.access.rule[0],
      (AccessRule{.client = Of({"10.0.0.0/8"}), .sender = {}, .recipient = {}, .action = AccessAction::kAccept, .text = {}}));
  EXPECT_EQ(c.access.rule[1], (AccessRule{.client = {},
                                          .sender = {".example.net", "<>", "a+b@example.com"},
                                          .recipient = {"postmaster@example.org"},
                                          .action = AccessAction::kDefer,
                                          .text = "Later, please"}));
  ASSERT_EQ(c.relay.route.size(), 1u);
  EXPECT_EQ(c.relay.route[0].domain, ".example.net");
  EXPECT_EQ(c.relay.route[0].to, (NextHop{"192.0.2.9", 2525, TlsRule::kOff, false, "u", "p", {}}));
  EXPECT_EQ(c.smarthost, (NextHop{"smart.example.org", 587, TlsRule::kRequired, false, "me", {}, "/run/secret"}));
  EXPECT_EQ(c.retry.first, Seconds(90));
  EXPECT_EQ(c.retry.growth, 1.5);
  EXPECT_THAT(c.resolver.name_servers,
              ElementsAre(ParseEndpoint("192.0.2.53:53").value(), ParseEndpoint("[2001:db8::53]:5353").value()));
  EXPECT_EQ(c.log.level, LogLevel::kDebug);
  EXPECT_EQ(c.log.format, LogFormat::kJson);
}

TEST(Config, WhatIsWrittenReadsBackTheSame) {
  const Config c = Good(kEverything);
  EXPECT_EQ(Good(WriteConfig(c)), c);
}

TEST(Config, EachMistakeHasItsPlace) {
  EXPECT_THAT(Mistakes("clasroom = 1\nlimits = 3\n[limit]\n[server]\nclasroom = true\n  message = 1\n"),
              ElementsAre("f:1:1: clasroom: there is no such setting (did you mean server.classroom?)",
                          "f:2:1: limits: is a section, not a whole number (its settings stand behind [limits])",
                          "f:3:2: limit: there is no such section (did you mean [limits]?)",
                          "f:5:1: server.clasroom: there is no such setting (did you mean server.classroom?)",
                          "f:6:3: server.message: there is no such setting (did you mean limits.message?)"));
  EXPECT_THAT(Mistakes("[server]\nthreads = '4'\nhost = 4\nclassroom = 'yes'\nuser = 1979-05-27\ndata = [ ]\nshutdown = 1.5\n"),
              ElementsAre("f:2:11: server.threads: must be a whole number, not \"4\"",
                          "f:3:8: server.host: must be a text, not a whole number (put it into \"quotes\")",
                          "f:4:13: server.classroom: must be true or false, not \"yes\"",
                          "f:5:8: server.user: must be a text, not a date or time (put it into \"quotes\")",
                          "f:6:8: server.data: must be a text, not a list (put it into \"quotes\")",
                          "f:7:12: server.shutdown: must be a time as \"5 min\" (s, min, h, d), not a number with a fraction"));
  EXPECT_THAT(
      Mistakes("[listen]\nsmtp = ['127.0.0.1:25',\n  'foo:25', 3,\n  '127.0.0.1']"),
      ElementsAre("f:3:3: listen.smtp: \"foo:25\" is no address with a port (write it as 127.0.0.1:25 or [::1]:25; all "
                  "addresses are 0.0.0.0 and [::])",
                  "f:3:13: listen.smtp: must be a list of addresses with ports, but this is a whole number",
                  "f:4:3: listen.smtp: \"127.0.0.1\" is no address with a port (write it as 127.0.0.1:25 or [::1]:25; all "
                  "addresses are 0.0.0.0 and [::])"));
  EXPECT_THAT(
      Mistakes("[[access.rule]]\naction = 'refuse'\n[[access.rule]]\nclient = '10.0.0.0/8'\nreject = 1\nsendr = 'a@b'"),
      ElementsAre("f:1:1: access.rule[0]: names nobody: it would fit all (name a client, sender or recipient; all clients are "
                  "[\"0.0.0.0/0\", \"::/0\"])",
                  "f:3:1: access.rule[1]: lacks \"action\"", "f:5:1: access.rule[1].reject: there is no such setting",
                  "f:6:1: access.rule[1].sendr: there is no such setting (did you mean sender?)"));
  EXPECT_THAT(Mistakes("[tls]\npair = 3"),
              ElementsAre("f:2:8: tls.pair: must be a list of tables (begin each with [[tls.pair]])"));
  EXPECT_THAT(
      Mistakes("[auth]\nschemes = ['argon2id']"),
      ElementsAre("f:2:12: auth.schemes: \"argon2id\" is wrong: it must be ARGON2ID or SCRAM-SHA-256, not \"argon2id\" (did you "
                  "mean \"ARGON2ID\"?)"));
}

TEST(Config, SyntaxHasItsPlace) {
  for (const auto& [toml, place] : {std::pair{"[server]\nhost = x\n", "f:2:"},
                                    {"[server]\nhost = 'a'\nhost = 'b'\n", "f:3:"},
                                    {"a = [\n", "f:1:"},
                                    {"\xff", "f:1:"},
                                    {"[a]\n[a]\n", "f:2:"},
                                    {"x = \"\\q\"", "f:1:"},
                                    {"\u0428 = 1", "f:1:1"},
                                    {"x =\u00e9 1", "f:1:4"}}) {
    const auto told = Mistakes(toml);
    ASSERT_EQ(told.size(), 1u) << toml;
    EXPECT_THAT(told[0], testing::StartsWith(place));
    EXPECT_THAT(told[0], HasSubstr("is no TOML"));
  }
  // Too long, by one.
  EXPECT_THAT(Mistakes(std::string(ValueLimits::kFileOctets, '\n')), IsEmpty());
  EXPECT_THAT(Mistakes(std::string(ValueLimits::kFileOctets + 1, '\n')),
              ElementsAre("f: is too long for a configuration (at most 1 MiB)"));
  EXPECT_EQ(Mistakes("a=" + std::string(100'000, '[')).size(), 1u);
}

// Each bound of each setting: itself is taken, one beyond is not.
TEST(Config, Bounds) {
  unsigned bounded = 0;
  for (const Setting& s : Settings()) {
    if (s.constraint.high == 0) continue;
    ++bounded;
    const auto take = [&](double n) {
      ConfigReader reader;
      reader.ReadText(
          "[" + std::string(s.section) + "]\n" + std::string(s.name) + " = " + std::to_string(static_cast<std::int64_t>(n)), "f");
      const ReadConfig read = reader.Finish();
      return std::none_of(read.mistakes.begin(), read.mistakes.end(),
                          [](const Mistake& m) { return m.what.find("must be from") != std::string::npos; });
    };
    EXPECT_TRUE(take(s.constraint.low)) << s.Key();
    EXPECT_TRUE(take(s.constraint.high)) << s.Key();
    EXPECT_FALSE(take(s.constraint.low - 1)) << s.Key();
    EXPECT_FALSE(take(s.constraint.high + 1)) << s.Key();
  }
  EXPECT_GT(bounded, 40u);
  EXPECT_THAT(Mistakes("[limits]\nrecipients = 99\nmessage = '63 KiB'\n[retry]\ngrowth = nan"),
              ElementsAre("f:2:14: limits.recipients: must be from 100 to 100000",
                          "f:3:11: limits.message: must be from 64 KiB to 1 TiB", "f:5:10: retry.growth: must be from 1 to 10"));
}

TEST(Config, Units) {
  EXPECT_EQ(Good("[limits]\nmessage = '1MiB'").limits.message, MiB(1));
  EXPECT_EQ(Good("[limits]\nmessage = ' 1 mib '").limits.message, MiB(1));
  EXPECT_EQ(Good("[limits]\nmessage = 65537").limits.message.octets, 65537u);
  EXPECT_EQ(Good("[retry]\ngive_up = '120h'").retry.give_up, Seconds(5 * 86'400));
  for (const char* bad :
       {"'1 MB'", "'MiB'", "'-1 MiB'", "'1.5 MiB'", "''", "'1 MiB 1'", "'99999999999999999999'", "'17179869184 PiB'"})
    EXPECT_EQ(Mistakes(std::string("[limits]\nmessage = ") + bad).size(), 1u) << bad;
}

TEST(Config, Texts) {
  for (const char* good : {"mx", "mx.example.org", "192.0.2.1", "2001:db8::1", "my_relay", ""})
    EXPECT_THAT(Mistakes(std::string("[server]\nhost = '") + good + "'"), IsEmpty()) << good;
  for (const char* bad : {"a b", "a..b", ".a", "a.", "-a", "a-", "ü.org", "a:b"})
    EXPECT_EQ(Mistakes(std::string("[server]\nhost = '") + bad + "'").size(), 1u) << bad;
  const std::string label(63, 'a');
  EXPECT_THAT(Mistakes("[server]\nhost = '" + label + "'"), IsEmpty());
  EXPECT_EQ(Mistakes("[server]\nhost = '" + label + "a'").size(), 1u);
  EXPECT_THAT(Mistakes("[server]\ndata = '/" + std::string(SettingLimits::kTextOctets - 1, 'a') + "'"), IsEmpty());
  EXPECT_EQ(Mistakes("[server]\ndata = '/" + std::string(SettingLimits::kTextOctets, 'a') + "'").size(), 1u);
  EXPECT_EQ(Mistakes("[server]\ndata = \"a\\u0000b\"").size(), 1u);
  EXPECT_EQ(Mistakes("[server]\ndata = \"a\\nb\"").size(), 1u);
  EXPECT_EQ(Mistakes("[[access.rule]]\nclient='::/0'\naction='refuse'\ntext=\"a\\u00fc\"").size(), 1u);
  EXPECT_EQ(Mistakes("[server]\nuser = 'a/b'").size(), 1u);
  for (const char* bad : {"@example.org", "a@", "a@-x", "a b@example.org", ""})
    EXPECT_EQ(Mistakes(std::string("[[access.rule]]\naction='refuse'\nsender=['") + bad + "']").size(), 1u) << bad;
}

TEST(Config, SecretsAreNotRepeated) {
  const auto told = Mistakes("[smarthost]\nhost='h'\nuser='u'\npassword = \"se\\ncret\"");
  ASSERT_EQ(told.size(), 1u);
  EXPECT_THAT(told[0], testing::Not(HasSubstr("cret")));
}

TEST(Config, Contradictions) {
  const std::pair<const char*, const char*> cases[] = {
      {"[listen]\npop3 = '127.0.0.1:1025'", "f:2:8: listen.pop3: 127.0.0.1:1025 is also listen.smtp's"},
      {"[listen]\nsmtp = '127.0.0.1:1110'", "f:2:8: listen.pop3: 127.0.0.1:1110 is also listen.smtp's"},
      {"[listen]\nsmtp=[]\nsubmission=[]\nsubmissions=[]\npop3=[]\npop3s=[]", "f:2:6: listen.smtp: nothing is listened on"},
      {"[tls]\nkey = 'k'", "f:2:7: tls.key: there is no certificate for it"},
      {"[tls]\ncertificate = 'k'", "f:2:15: tls.certificate: there is no key for it"},
      {"[server]\ngroup = 'k'", "f:2:9: server.group: there is no user"},
      {"[auth]\nschemes = []", "f:2:11: auth.schemes: names none"},
      {"[record]\nfile = '2 GiB'", "f:2:8: record.file: is more than record.total"},
      {"[record]\ntotal = '1 MiB'", "f:2:9: record.file: is more than record.total"},
      {"[smarthost]\nhost = 'a'\nuser = 'u'", "f:3:8: smarthost.user: has no password"},
      {"[smarthost]\nuser = 'u'\npassword = 'p'", "f:2:8: smarthost.user: there is no host"},
      {"[smarthost]\nhost = 'a'\npassword = 'p'", "f:3:12: smarthost.password: has no user"},
      {"[smarthost]\nhost = 'a'\nuser='u'\npassword = 'p'\npassword_file = 'f'",
       "f:5:17: smarthost.password_file: there is a password"},
      {"[smarthost]\nhost = 'a'\ntls = 'off'\nimplicit_tls = true", "f:4:16: smarthost.implicit_tls: TLS is off"},
      {"[[relay.route]]\ndomain = 'a'\n[[relay.route]]\ndomain = 'a'",
       "f:4:10: relay.route[1].domain: there is a route for a already"},
      {"[retry]\nfirst = '5 h'", "f:2:9: retry.first: is longer than retry.maximum"},
      {"[retry]\nmaximum = '1 s'", "f:2:11: retry.first: is longer than retry.maximum"},
      {"[retry]\nmaximum = '6 d'", "f:2:11: retry.maximum: is longer than retry.give_up"},
      {"[retry]\ndelay_notice = '5 d'", "f:2:16: retry.delay_notice: comes no sooner than retry.give_up"},
      {"[resolver]\nrecursive = true\nname_servers = '192.0.2.1'", "f:2:13: resolver.recursive: name servers are given, too"},
      {"[greylist]\ndelay = '1 d'\nretry_within = '1 d'", "f:2:9: greylist.delay: is not shorter"},
  };
  for (const auto& [toml, wanted] : cases) {
    const auto told = Mistakes(toml);
    ASSERT_EQ(told.size(), 1u) << toml;
    EXPECT_THAT(told[0], testing::StartsWith(wanted)) << toml;
  }
  EXPECT_THAT(Mistakes("[listen]\nsmtp = '127.0.0.1:0'\npop3 = '127.0.0.1:0'"), IsEmpty());
  EXPECT_THAT(Mistakes("[retry]\ndelay_notice = 0"), IsEmpty());
}

TEST(Config, FlagsBeatTheEnvironmentWhichBeatsTheFile) {
  const TemporaryFolder folder;
  const std::string file = folder / "c.toml";
  std::ofstream(file) << "[limits]\nrecipients = 200\nfailed_logins = 5\nerrors = 50\n";
  const char* const environment[] = {"HOME=/x",
                                     "GLASSPOST_LIMITS_RECIPIENTS=300",
                                     "GLASSPOST_LIMITS_FAILED_LOGINS=6",
                                     "GLASSPOST_LISTEN_SMTP=127.0.0.1:2525, [::1]:2525",
                                     "GLASSPOST_HTTP_LISTEN=",
                                     "GLASSPOST_SMTP_DSN=off",
                                     "GLASSPOST_CAPTURES=/elsewhere",
                                     nullptr};
  std::vector<std::string> words{"--limits-recipients", "400",  "--config", file, "--classroom",
                                 "--log-format=json",   "left", "-x",       "--", "--data",
                                 "/not/taken"};
  const ReadConfig read = LoadConfig(words, environment);
  EXPECT_THAT(Told(read), IsEmpty());
  EXPECT_EQ(read.config.limits.recipients, 400u);
  EXPECT_EQ(read.config.limits.failed_logins, 6u);
  EXPECT_EQ(read.config.limits.errors, 50u);
  EXPECT_EQ(read.config.listen.smtp.size(), 2u);
  EXPECT_THAT(read.config.http.listen, IsEmpty());
  EXPECT_FALSE(read.config.smtp.dsn);
  EXPECT_TRUE(read.config.server.classroom);
  EXPECT_EQ(read.config.log.format, LogFormat::kJson);
  EXPECT_THAT(words, ElementsAre("left", "-x", "--", "--data", "/not/taken"));
  // The file is named by the environment, too, and the flag beats that.
  const std::string named = "GLASSPOST_CONFIG=" + file;
  const char* const naming[] = {named.c_str(), nullptr};
  words.clear();
  EXPECT_EQ(LoadConfig(words, naming).config.limits.recipients, 200u);
  words = {"--config=" + (folder / "missing")};
  const ReadConfig missing = LoadConfig(words, naming);
  EXPECT_TRUE(missing.unreadable);
  EXPECT_THAT(Told(missing), ElementsAre((folder / "missing") + ": cannot be read: No such file or directory"));
}

TEST(Config, MistakesOfEnvironmentAndFlags) {
  const char* const environment[] = {"GLASSPOST_LIMITS_MESAGE=1", "GLASSPOST_LIMITS_ERRORS=many", "GLASSPOST_TLS_PAIR=x",
                                     "GLASSPOST_SERVER_CLASSROOM=perhaps", nullptr};
  std::vector<std::string> words{"--log-level",       "loud",  "--classroom=no", "--smarthost-user", "me",
                                 "--retry-growth=2x", "--data"};
  EXPECT_THAT(Told(LoadConfig(words, environment)),
              ElementsAre("GLASSPOST_LIMITS_MESAGE: there is no such setting (did you mean GLASSPOST_LIMITS_MESSAGE?)",
                          "GLASSPOST_LIMITS_ERRORS: limits.errors: must be a whole number, not \"many\"",
                          "GLASSPOST_TLS_PAIR: there is no such setting (did you mean GLASSPOST_TLS_KEY?)",
                          "GLASSPOST_SERVER_CLASSROOM: server.classroom: must be true or false, not \"perhaps\"",
                          "--log-level: log.level: must be one of \"error\", \"warning\", \"info\", \"debug\", not \"loud\"",
                          "--retry-growth: retry.growth: must be a number, not \"2x\"", "--data: needs a value (write --data=…)",
                          "--smarthost-user: smarthost.user: has no password (set smarthost.password_file)",
                          "--smarthost-user: smarthost.user: there is no host to log in to (set smarthost.host)"));
  words = {"--config"};
  EXPECT_THAT(Told(LoadConfig(words, nullptr)), ElementsAre("--config: needs a file's name"));
}

TEST(Config, FlagsOfYesOrNoMayHaveTheirWord) {
  std::vector<std::string> words{"--smtp-smtputf8", "false", "--classroom", "--smtp-dsn", "no", "--smtp-chunking", "x"};
  const ReadConfig read = LoadConfig(words, nullptr);
  EXPECT_THAT(Told(read), IsEmpty());
  EXPECT_FALSE(read.config.smtp.smtputf8);
  EXPECT_TRUE(read.config.server.classroom);
  EXPECT_FALSE(read.config.smtp.dsn);
  EXPECT_TRUE(read.config.smtp.chunking);
  EXPECT_THAT(words, ElementsAre("x"));
}

TEST(Config, ListsOfFlagsAreWrittenEitherWay) {
  for (const char* list : {R"(["127.0.0.1:1", "[::1]:2"])", "127.0.0.1:1,[::1]:2", "127.0.0.1:1 [::1]:2"}) {
    std::vector<std::string> words{"--listen-smtp", list, "--listen-pop3", "[]", "--listen-lmtp", "[::1]:24"};
    const ReadConfig read = LoadConfig(words, nullptr);
    EXPECT_THAT(Told(read), IsEmpty()) << list;
    ASSERT_EQ(read.config.listen.smtp.size(), 2u);
    EXPECT_EQ(read.config.listen.smtp[1].Text(), "[::1]:2");
    EXPECT_TRUE(read.config.listen.pop3.empty());
    EXPECT_EQ(read.config.listen.lmtp.size(), 1u);
  }
  std::vector<std::string> words{"--listen-smtp", R"(["127.0.0.1:1")"};
  EXPECT_THAT(Told(LoadConfig(words, nullptr)), ElementsAre(HasSubstr("is not whole")));
}

TEST(Config, LeastFree) {
  EXPECT_THAT(Mistakes("[limits]\nfree = \"2 MiB\"\n"), ElementsAre(HasSubstr("must be from 16 MiB to 1 TiB")));
  EXPECT_THAT(Mistakes("[limits]\nfree = \"16 MiB\"\n"), IsEmpty());
}

TEST(Config, OnlySoManyMistakesAreTold) {
  std::string toml = "[server]\n";
  for (std::size_t i = 0; i < ConfigLimits::kMistakes; ++i) toml += "x" + std::to_string(i) + " = 1\n";
  EXPECT_EQ(Mistakes(toml).size(), ConfigLimits::kMistakes);
  EXPECT_EQ(Mistakes(toml + "y = 1\n").size(), ConfigLimits::kMistakes);
}

TEST(Config, WhatAReloadCannotChange) {
  Config running;
  Config wanted = running;
  EXPECT_THAT(NeedRestart(running, wanted), IsEmpty());
  wanted.limits.message = MiB(1);
  wanted.tls.pair.push_back({"a", "b"});
  EXPECT_THAT(NeedRestart(running, wanted), IsEmpty());
  wanted.listen.smtp.clear();
  wanted.server.threads = 3;
  wanted.log.format = LogFormat::kJson;
  EXPECT_THAT(NeedRestart(running, wanted), ElementsAre("server.threads", "listen.smtp", "log.format"));
  KeepUntilRestart(running, wanted);
  EXPECT_THAT(NeedRestart(running, wanted), IsEmpty());
  EXPECT_EQ(wanted.listen, running.listen);
  EXPECT_EQ(wanted.log.format, LogFormat::kText);
  EXPECT_EQ(wanted.limits.message, MiB(1));
  EXPECT_EQ(wanted.tls.pair.size(), 1u);
}

TEST(Config, DataFolder) {
  Config c;
  c.server.data = "/srv";
  EXPECT_EQ(DataFolder(c), "/srv");
  EXPECT_EQ(AdminSocketPath(c), "/srv/glasspost.sock");
  c.admin.socket = "/run/g.sock";
  EXPECT_EQ(AdminSocketPath(c), "/run/g.sock");
  c.server.data.clear();
  ::setenv("STATE_DIRECTORY", "/var/lib/unit:/var/lib/other", 1);
  EXPECT_EQ(DataFolder(c), "/var/lib/unit");
  ::unsetenv("STATE_DIRECTORY");
  EXPECT_THAT(DataFolder(c), testing::EndsWith("/glasspost"));
  EXPECT_FALSE(OwnHostName(c).empty());
  c.server.host = "mx.example.org";
  EXPECT_EQ(OwnHostName(c), "mx.example.org");
}

TEST(Config, PasswordOfANextHop) {
  const TemporaryFolder folder;
  NextHop hop;
  hop.password = "here";
  EXPECT_EQ(PasswordOf(hop).value(), "here");
  hop.password_file = folder / "secret";
  EXPECT_FALSE(PasswordOf(hop));
  std::ofstream(hop.password_file) << "there\r\nsecond\n";
  EXPECT_EQ(PasswordOf(hop).value(), "there");
  std::ofstream(hop.password_file) << "\n";
  EXPECT_FALSE(PasswordOf(hop));
  std::ofstream(hop.password_file) << std::string(4096, 'a');
  EXPECT_EQ(PasswordOf(hop).value().size(), 4096u);
  std::ofstream(hop.password_file) << std::string(4097, 'a');
  EXPECT_FALSE(PasswordOf(hop));
}

}  // namespace
}  // namespace glasspost::server
