#include "agent/account.h"

#include <gtest/gtest.h>

namespace glasspost::agent {
namespace {

std::string Parsed(Service service, Octets text, std::optional<TlsKind> tls = {}) {
  const auto server = ParseServer(service, text, tls);
  return server ? server->Text() : server.error().Text();
}

TEST(ParseServer, AsPeopleTypeThem) {
  EXPECT_EQ(Parsed(Service::kPop3, "Pop.Example.test"), "pop.example.test:995 (implicit)");
  EXPECT_EQ(Parsed(Service::kPop3, "h:110"), "h:110 (starttls)");
  EXPECT_EQ(Parsed(Service::kPop3, "h:110", TlsKind::kNone), "h:110 (none)");
  EXPECT_EQ(Parsed(Service::kPop3, "h", TlsKind::kNone), "h:110 (none)");
  EXPECT_EQ(Parsed(Service::kPop3, "pop3://h"), "h:110 (starttls)");
  EXPECT_EQ(Parsed(Service::kPop3, "pop3s://h:9950/"), "h:9950 (implicit)");
  EXPECT_EQ(Parsed(Service::kSmtp, "h"), "h:465 (implicit)");
  EXPECT_EQ(Parsed(Service::kSmtp, "h:25"), "h:25 (starttls)");
  EXPECT_EQ(Parsed(Service::kSmtp, "submission://h"), "h:587 (starttls)");
  EXPECT_EQ(Parsed(Service::kSmtp, "smtp://h:2525", TlsKind::kNone), "h:2525 (none)");
  EXPECT_EQ(Parsed(Service::kImap, "imaps://h"), "h:993 (implicit)");
  EXPECT_EQ(Parsed(Service::kPop3, "192.0.2.1:995"), "192.0.2.1:995 (implicit)");
  EXPECT_EQ(Parsed(Service::kPop3, "[2001:db8::1]:995"), "[2001:db8::1]:995 (implicit)");
  EXPECT_EQ(Parsed(Service::kPop3, "2001:db8::1"), "[2001:db8::1]:995 (implicit)");
  EXPECT_EQ(Parsed(Service::kPop3, "m\xc3\xbcnchen.test"), "xn--mnchen-3ya.test:995 (implicit)");
}

TEST(ParseServer, WhatIsNone) {
  EXPECT_EQ(Parsed(Service::kPop3, "h:1234"),
            "h:1234: the port does not tell how TLS begins (say --tls implicit, starttls or none)");
  EXPECT_EQ(Parsed(Service::kPop3, "smtps://h"), "smtps://h: is no scheme of POP3 (pop3:// or pop3s://)");
  EXPECT_EQ(Parsed(Service::kSmtp, "smtps://h", TlsKind::kNone),
            "smtps://h: says that TLS comes first, and --tls says something else");
  for (const char* none : {"", "h:0", "h:65536", "h:", "a b", "[::1", "h/x", "h\r\nQUIT"}) {
    EXPECT_FALSE(ParseServer(Service::kPop3, none, TlsKind::kImplicit)) << none;
  }
  EXPECT_TRUE(ParseServer(Service::kPop3, "h:65535", TlsKind::kImplicit));
  EXPECT_TRUE(ParseServer(Service::kPop3, std::string(253, 'a'), {}));
  EXPECT_FALSE(ParseServer(Service::kPop3, std::string(254, 'a'), {}));
}

TEST(SplitAddress, LocalPartAndDomain) {
  EXPECT_EQ(SplitAddress("Bob@Example.TEST")->domain, "example.test");
  EXPECT_EQ(SplitAddress("Bob@Example.TEST")->local, "Bob");
  EXPECT_EQ(SplitAddress("bob@[192.0.2.1]")->domain, "[192.0.2.1]");
  for (const char* none : {"", "bob", "bob@", "@x.test", "a b@x.test", "bob@x y", "bob@x.test\r\n"})
    EXPECT_FALSE(SplitAddress(none)) << none;
}

}  // namespace
}  // namespace glasspost::agent
