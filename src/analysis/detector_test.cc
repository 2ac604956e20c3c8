#include "analysis/detector.h"

#include <gtest/gtest.h>

#include <string>

namespace glasspost::analysis {
namespace {

using State = Detection::State;

// `a` is what side 0 (from port 40000 unless said otherwise) says, `b` the other.
Detection Try(Octets a, Octets b, std::uint16_t port, bool mid_stream = false, bool ended = false) {
  FirstWords w;
  w.said[0] = a;
  w.said[1] = b;
  w.port[0] = 40000;
  w.port[1] = port;
  w.mid_stream = mid_stream;
  w.ended = ended;
  return Detect(w);
}

void Expect(const Detection& d, Protocol protocol, int client) {
  EXPECT_EQ(d.state, State::kFound);
  EXPECT_EQ(d.protocol, protocol) << Name(d.protocol);
  EXPECT_EQ(d.client_side, client);
}

TEST(Detector, GreetingsOnTheirPortsAreEnough) {
  Expect(Try("", "220 mail ready\r\n", 25), Protocol::kSmtp, 0);
  Expect(Try("", "+OK ready\r\n", 110), Protocol::kPop3, 0);
  Expect(Try("", "* OK ready\r\n", 143), Protocol::kImap, 0);
}

TEST(Detector, OnOtherPortsTheWordsDecide) {
  Expect(Try("", "220 mail ESMTP\r\n", 7), Protocol::kSmtp, 0);
  EXPECT_EQ(Try("", "220 welcome\r\n", 7).state, State::kMore);
  Expect(Try("EHLO me\r\n", "220 welcome\r\n", 7), Protocol::kSmtp, 0);
  Expect(Try("USER a\r\n", "+OK hello\r\n", 7), Protocol::kPop3, 0);
  Expect(Try("* OK IMAP4rev1\r\n", "", 7), Protocol::kImap, 1);
}

TEST(Detector, FtpAndHttpAreNoMail) {
  EXPECT_EQ(Try("USER a\r\n", "220 FTP server\r\n", 21).state, State::kNotMail);
  EXPECT_EQ(Try("GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n", 80).state, State::kNotMail);
  EXPECT_EQ(Try("GET / HTTP/1.1\r\n", "", 80, false, true).state, State::kNotMail);
}

TEST(Detector, TheServerMaySpeakFromEitherSide) { Expect(Try("220 mail ESMTP\r\n", "EHLO me\r\n", 25), Protocol::kSmtp, 1); }

TEST(Detector, TlsOnAnyPort) {
  const Octets hello("\x16\x03\x01\x00\x80\x01\x00\x00\x7c\x03\x03rest", 15);
  Expect(Try(hello, "", 4711), Protocol::kTls, 0);
  Expect(Try("", hello, 4711), Protocol::kTls, 1);
}

TEST(Detector, TlsDataMidStream) {
  const Octets data("\x17\x03\x03\x00\x02xy\x17\x03\x03\x00\x09part", 16);
  Expect(Try("", data, 993, true), Protocol::kTls, 0);
  Expect(Try(data, "", 443, true), Protocol::kTls, 0);
  Expect(Try("", data.substr(0, 7), 50000, true), Protocol::kTls, 1);
  EXPECT_NE(Try("", data, 993).state, State::kFound);  // a stream does not begin so
  EXPECT_NE(Try("", data.substr(0, 6), 993, true).state, State::kFound);
  EXPECT_NE(Try("", data.substr(2), 993, true).state, State::kFound);
}

TEST(Detector, GreetingWithoutEnd) {
  Expect(Try("EHLO me\r\n", "220 " + std::string(kFirstWordsLimit, 'A'), 25), Protocol::kSmtp, 0);
  Expect(Try("", "220 ESMTP" + std::string(kFirstWordsLimit, 'A'), 4711), Protocol::kSmtp, 0);
}

TEST(Detector, ALongGreetingOnAnotherPortWaitsForTheClient) {
  const std::string lines = "220-" + std::string(kFirstWordsLimit, 'a') + "\r\n";
  EXPECT_EQ(Try("", lines, 7).state, State::kMore);
  EXPECT_EQ(Try("", "+OK " + lines, 7).state, State::kMore);
  Expect(Try("EHLO me\r\n", lines, 7), Protocol::kSmtp, 0);
  Expect(Try("CAPA\r\n", "+OK " + lines, 7), Protocol::kPop3, 0);
  EXPECT_EQ(Try("", lines, 7, false, true).state, State::kNotMail);
}

TEST(Detector, MidStream) {
  Expect(Try("RCPT TO:<a@b>\r\n", "", 9999, true), Protocol::kSmtp, 0);
  Expect(Try("RETR 1\r\n", "+OK 120 octets\r\n", 9999, true), Protocol::kPop3, 0);
  Expect(Try("in the middle of a message\r\n", "", 25, true, true), Protocol::kSmtp, 0);
  EXPECT_EQ(Try("whatever\r\n", "", 9999, true, true).state, State::kNotMail);
}

TEST(Detector, LooksNoFurtherThanItsLimit) {
  const std::string silence(kFirstWordsLimit, 'x');
  EXPECT_EQ(Try(Octets(silence).substr(1), "", 25).state, State::kMore);
  EXPECT_EQ(Try(silence, "", 25).state, State::kNotMail);
}

}  // namespace
}  // namespace glasspost::analysis
