// Real clients fetch from the server, in the clear, after STLS and with TLS from the start.
#include <gmock/gmock.h>

#include <array>
#include <cstdio>
#include <cstdlib>

#include "server/pop3_test_support.h"

namespace glasspost::server::test {
namespace {

using testing::HasSubstr;

bool Has(const std::string& program) { return std::system(("command -v " + program + " >/dev/null").c_str()) == 0; }

class Pop3Peers : public Pop3Server {
 public:
  void SetUp() override {
    Pop3Server::SetUp();
    Deliver("alice", "Subject: one\r\n\r\n.dot\r\n..two\r\n");
    Deliver("alice", MessageOf(300'000));
    settings_.protocol.plaintext_without_tls = false;
    settings_.protocol.apop = false;
    settings_.protocol.mechanisms = {sasl::Mechanism::kPlain, sasl::Mechanism::kLogin};
  }
  // PORT, TLSPORT and CA are replaced.
  std::string Run(std::string command) {
    const std::pair<std::string, std::string> words[] = {
        {"TLSPORT", std::to_string(tls_port_)}, {"PORT", std::to_string(port_)}, {"CA", folder_ / "mx.test.crt"}};
    for (const auto& [word, value] : words)
      for (std::size_t at = 0; (at = command.find(word, at)) != std::string::npos; at += value.size())
        command.replace(at, word.size(), value);
    FILE* const pipe = popen(("timeout 30 " + command + " 2>&1").c_str(), "r");
    std::string output;
    std::array<char, 4096> room;
    for (std::size_t n = 0; pipe && (n = fread(room.data(), 1, room.size(), pipe)) > 0;) output.append(room.data(), n);
    status_ = pipe ? pclose(pipe) : -1;
    return output;
  }
  int status_ = -1;
};

TEST_F(Pop3Peers, CurlWithTls) {
  if (!Has("curl")) GTEST_SKIP() << "no curl";
  Start();
  const std::string common = "curl -sS --cacert CA -u alice@a.test:secret ";
  for (const std::string how : {"--resolve mx.test:TLSPORT:127.0.0.1 pop3s://mx.test:TLSPORT/",
                                "--resolve mx.test:PORT:127.0.0.1 --ssl-reqd pop3://mx.test:PORT/"}) {
    EXPECT_EQ(Run(common + how), "1 29\r\n2 " + std::to_string(MessageOf(300'000).size()) + "\r\n") << how;
    EXPECT_EQ(Run(common + how + "1"), "Subject: one\r\n\r\n.dot\r\n..two\r\n");
    EXPECT_EQ(Run(common + how + "2"), MessageOf(300'000));
    EXPECT_EQ(status_, 0);
  }
  // Mechanisms by name, and a wrong password.
  for (const std::string mechanism : {"PLAIN", "LOGIN"})
    EXPECT_THAT(
        Run(common + "--login-options AUTH=" + mechanism + " --resolve mx.test:TLSPORT:127.0.0.1 pop3s://mx.test:TLSPORT/1"),
        HasSubstr("Subject: one"));
  EXPECT_NE(Run("curl -sS --cacert CA -u alice:wrong --resolve mx.test:TLSPORT:127.0.0.1 pop3s://mx.test:TLSPORT/1"), "");
  EXPECT_NE(status_, 0);
  EXPECT_NE(Run("curl -sS -u alice:secret pop3://127.0.0.1:PORT/1"), "");  // no password in the clear
  EXPECT_NE(status_, 0);
}

TEST_F(Pop3Peers, PoplibDeletes) {
  if (!Has("python3")) GTEST_SKIP() << "no python3";
  Start();
  EXPECT_EQ(Run("python3 -c 'import poplib,ssl\n"
                "c = ssl.create_default_context(cafile=\"CA\")\n"
                "p = poplib.POP3(\"127.0.0.1\", PORT, 10); p.stls(c); p.user(\"alice\"); p.pass_(\"secret\")\n"
                "print(p.stat()[0], p.retr(1)[1]); p.dele(1); p.rset(); p.dele(1)\n"
                "q = poplib.POP3_SSL(\"127.0.0.1\", TLSPORT, context=c); q.user(\"alice\")\n"
                "try: q.pass_(\"secret\")\n"
                "except poplib.error_proto as e: print(\"IN-USE\" in str(e))\n"
                "p.quit(); q.user(\"alice\"); q.pass_(\"secret\"); print(q.stat()[0], sum(len(l) + 2 for l in q.retr(1)[1])); "
                "q.quit()'"),
            "2 [b'Subject: one', b'', b'.dot', b'..two']\nTrue\n1 " + std::to_string(MessageOf(300'000).size()) + "\n");
  EXPECT_EQ(Find("alice").messages, 1u);
}

}  // namespace
}  // namespace glasspost::server::test
