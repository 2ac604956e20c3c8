#include "agent/autoconfig.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace glasspost::agent {
namespace {

using testing::HasSubstr;

const AddressParts kBob = {"bob", "example.test"};

std::string Told(const std::string& xml) {
  const auto read = ReadAutoconfig(xml, kBob);
  if (!read) return "error: " + read.error().Text();
  std::string text;
  for (const OfferedServer& s : *read)
    text += std::string(Name(s.service)) + " " + s.server.Text() + " " + s.user + (s.oauth_only ? " oauth" : "") + "\n";
  return text;
}
std::string Document(const std::string& servers) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<clientConfig version=\"1.1\"><emailProvider id=\"example.test\">" +
         servers + "</emailProvider></clientConfig>\n";
}
std::string Incoming(const std::string& host, const std::string& more = "") {
  return "<incomingServer type=\"pop3\"><hostname>" + host + "</hostname><port>995</port><socketType>SSL</socketType>" + more +
         "</incomingServer>";
}

TEST(Autoconfig, ServersInTheirOrder) {
  EXPECT_EQ(Told(Document("<domain>example.test</domain><displayName>X &amp; Y</displayName>"
                          "<incomingServer type=\"imap\"><hostname>imap.%EMAILDOMAIN%</hostname><port>143</port>"
                          "<socketType>STARTTLS</socketType><username>%EMAILADDRESS%</username></incomingServer>"
                          "<incomingServer type=\"exchange\"><hostname>x</hostname></incomingServer>" +
                          Incoming(" pop.example.test\n",
                                   "<username>%EMAILLOCALPART%</username>"
                                   "<authentication>OAuth2</authentication>") +
                          "<outgoingServer type=\"smtp\"><hostname><![CDATA[smtp.example.test]]></hostname><port>587</port>"
                          "<socketType>STARTTLS</socketType><authentication>OAuth2</authentication>"
                          "<authentication>password-cleartext</authentication></outgoingServer>"
                          "<outgoingServer type=\"smtp\"><hostname>smtp.example.test</hostname><socketType>plain</socketType>"
                          "</outgoingServer>")),
            "imap imap.example.test:143 (starttls) bob@example.test\n"
            "pop3 pop.example.test:995 (implicit) bob oauth\n"
            "smtp smtp.example.test:587 (starttls) \n"
            "smtp smtp.example.test:587 (none) \n");
}

TEST(Autoconfig, WhatMakesNoSenseIsLeftOut) {
  EXPECT_EQ(Told(Document(Incoming("") + Incoming("a b/c") + Incoming("pop..test") + Incoming("pop.test..") +
                          Incoming(".pop.test") + Incoming("pop3s://evil.test") + Incoming("h:1:2") +
                          "<incomingServer type=\"smtp\"><hostname>h</hostname><socketType>SSL</socketType></incomingServer>"
                          "<incomingServer type=\"pop3\"><hostname>h</hostname><port>0</port><socketType>SSL</socketType>"
                          "</incomingServer>"
                          "<incomingServer type=\"pop3\"><hostname>h</hostname><socketType>magic</socketType></incomingServer>")),
            "");
  EXPECT_EQ(Told("<clientConfig><webMail><a>" + Incoming("h") + "</a></webMail></clientConfig>"), "") << "at another place";
}

TEST(Autoconfig, Hostile) {
  EXPECT_THAT(Told(""), HasSubstr("error: line 1: is no such document"));
  EXPECT_THAT(Told("<html><body></html>"), HasSubstr("error: line 1: is no such document"));
  EXPECT_EQ(Told("<html></html>"), "error: is no <clientConfig>");
  EXPECT_THAT(Told("<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>" + Document(Incoming("&b;"))),
              HasSubstr("error: "));
  testing::internal::CaptureStderr();
  EXPECT_EQ(Told("\n" + Document(Incoming("\xff\xfe"))), "error: line 3: is no such document: no UTF-8 text");
  EXPECT_EQ(Told("<plain\xff/socketType><plain\xff/socketType>"), "error: line 1: is no such document: no UTF-8 text");
  EXPECT_EQ(Told(Document(Incoming(std::string("pop.test\0.evil.test", 19)))),
            "error: line 2: is no such document: no UTF-8 text");
  EXPECT_EQ(Told(Document("<!-- \xe9 -->" + Incoming("h"))), "error: line 2: is no such document: no UTF-8 text");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "") << "the library's own complaints";
  EXPECT_THAT(Told(Document(Incoming("h")) + "<x/>"), HasSubstr("error: ")) << "something after it";
  EXPECT_THAT(Told(Document("<incomingServer type=\"pop3\"><hostname>a</hostname>")), HasSubstr("error: "));
}

TEST(Autoconfig, Bounds) {
  const std::string fits = Document(Incoming("h"));
  EXPECT_EQ(Told(fits + std::string(AutoconfigLimits::kOctets - fits.size(), ' ')), "pop3 h:995 (implicit) \n");
  EXPECT_EQ(Told(fits + std::string(AutoconfigLimits::kOctets - fits.size() + 1, ' ')), "error: the document is too long");
  const auto nested = [](std::size_t depth) {
    std::string open, close;
    for (std::size_t i = 2; i < depth; ++i) open += "<a>", close += "</a>";
    return Document(open + close);
  };
  EXPECT_EQ(Told(nested(AutoconfigLimits::kDepth)), "");
  EXPECT_THAT(Told(nested(AutoconfigLimits::kDepth + 1)), HasSubstr("too many elements within each other"));
  const auto many = [](std::size_t n) {
    std::string all;
    for (std::size_t i = 2; i < n; ++i) all += "<a/>";
    return Document(all);
  };
  EXPECT_EQ(Told(many(AutoconfigLimits::kElements)), "");
  EXPECT_THAT(Told(many(AutoconfigLimits::kElements + 1)), HasSubstr("too many elements"));
  const std::string user(AutoconfigLimits::kTextOctets, 'u');
  EXPECT_EQ(Told(Document(Incoming("h", "<username>" + user + "</username>"))), "pop3 h:995 (implicit) " + user + "\n");
  EXPECT_THAT(Told(Document(Incoming("h", "<username>" + user + "u</username>"))), HasSubstr("a value that is too long"));
  std::string servers;
  for (std::size_t i = 0; i <= AutoconfigLimits::kServers; ++i) servers += Incoming("h");
  EXPECT_EQ(ReadAutoconfig(Document(servers), kBob)->size(), AutoconfigLimits::kServers);
}

}  // namespace
}  // namespace glasspost::agent
