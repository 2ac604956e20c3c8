#include "capture/hex_dump.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <random>

namespace glasspost::capture {
namespace {

// A SYN to port 110 and its answer, as a lab report prints them.
constexpr Octets kSyn =
    "00 0F E2 45 B9 C2 00 E5 7C 07 DF 45 08 00 45 00 00 40 CE F2 40 00 40 06 79 87 0A 84 FE 9F DC B5 0C 65 08 B7 00 6E 93 9D 52 "
    "22 "
    "00 00 00 00 B0 02 FF FF 54 DB 00 00 02 04 05 B4 01 03 03 03 01 01 08 0A 00 00 00 00 00 00 00 00 01 01 04 02 0C";
constexpr Octets kAnswer =
    "00 E5 7C 07 DF 45 00 0F E2 45 B9 C2 08 00 45 00 00 34 00 00 40 00 35 06 53 86 DC B5 0C 65 0A 84 FE 9F 00 6E 08 B7 6B 9C 45 "
    "4F "
    "93 9D 52 23 80 12 16 D0 C6 21 00 00 02 04 05 B4 01 01 04 02 01 03 03 07 00";

std::string Hex(Bytes octets, Octets between = " ") {
  std::string out;
  for (const std::uint8_t o : octets) {
    if (!out.empty()) out += between;
    out += fmt::format("{:02X}", o);
  }
  return out;
}

// All packets in upper case, one a line; or the error.
std::string Parsed(Octets text, const HexDumpLimits& limits = {}) {
  const Expected<HexDump> dump = ParseHexDump(text, limits);
  if (!dump) return dump.error().Text();
  std::string out;
  for (std::size_t i = 0; i < dump->packets.size(); ++i) out += (i == 0 ? "" : "\n") + Hex(dump->packet(i));
  if (dump->fault) out += "\n" + dump->fault->Text();
  return out;
}

// How programs print the octets. Each is written as its own loop, apart from the parser's tables.
std::string TextOf(Bytes row) {
  std::string text;
  for (const std::uint8_t o : row) text += o >= 0x20 && o < 0x7f ? static_cast<char>(o) : '.';
  return text;
}
std::string Xxd(Bytes octets, std::size_t columns, std::size_t group) {
  std::string out;
  for (std::size_t at = 0; at < octets.size(); at += columns) {
    const Bytes row = octets.subspan(at, std::min(columns, octets.size() - at));
    std::string hex;
    std::size_t width = 0;
    for (std::size_t i = 0; i < columns; ++i) {
      width += 2;
      if (i < row.size()) hex += fmt::format("{:02x}", row[i]);
      if (i % group == group - 1) {
        ++width;
        if (i < row.size()) hex += ' ';
      }
    }
    out += fmt::format("{:08x}: {:<{}} {}\n", at, hex, width, TextOf(row));
  }
  return out;
}
std::string HexdumpC(Bytes octets, bool squeeze) {
  std::string out;
  Bytes last;
  bool starred = false;
  for (std::size_t at = 0; at < octets.size(); at += 16) {
    const Bytes row = octets.subspan(at, std::min<std::size_t>(16, octets.size() - at));
    if (squeeze && row.size() == 16 && std::equal(row.begin(), row.end(), last.begin(), last.end())) {
      if (!starred) out += "*\n";
      starred = true;
      continue;
    }
    starred = false;
    last = row;
    std::string hex;
    for (std::size_t i = 0; i < 16; ++i) {
      hex += i < row.size() ? fmt::format("{:02x} ", row[i]) : "   ";
      if (i == 7) hex += ' ';
    }
    out += fmt::format("{:08x}  {} |{}|\n", at, hex, TextOf(row));
  }
  return out + fmt::format("{:08x}\n", octets.size());
}
std::string Wireshark(Bytes octets, Octets gap, bool text) {
  std::string out;
  for (std::size_t at = 0; at < octets.size(); at += 16) {
    const Bytes row = octets.subspan(at, std::min<std::size_t>(16, octets.size() - at));
    out += fmt::format("{:04x}{}{:<47}", at, gap, Hex(row));
    out += text ? "   " + TextOf(row) + "\n" : "\n";
  }
  return out + "\n";
}
std::string Od(Bytes octets, Octets form, bool text) {
  std::string out;
  const auto offset = [&](std::size_t at) {
    if (form == "x") return fmt::format("{:06x}", at);
    return form == "d" ? fmt::format("{:07d}", at) : fmt::format("{:07o}", at);
  };
  for (std::size_t at = 0; at < octets.size(); at += 16) {
    const Bytes row = octets.subspan(at, std::min<std::size_t>(16, octets.size() - at));
    out += fmt::format("{} {:<47}", offset(at), Hex(row));
    out += text ? "  >" + TextOf(row) + "<\n" : "\n";
  }
  return out + offset(octets.size()) + "\n";
}
std::string Tcpdump(Bytes octets, bool text) {
  std::string out = "12:34:56.789012 IP 10.132.254.159.2231 > 220.181.12.101.110: Flags [S], length 0\n";
  for (std::size_t at = 0; at < octets.size(); at += 16) {
    const Bytes row = octets.subspan(at, std::min<std::size_t>(16, octets.size() - at));
    std::string hex;
    for (std::size_t i = 0; i < row.size(); ++i) hex += fmt::format("{:02x}{}", row[i], i % 2 == 1 ? " " : "");
    out += fmt::format("\t0x{:04x}:  {:<40}{}\n", at, hex, text ? " " + TextOf(row) : "");
  }
  return out;
}

std::vector<std::string> EveryForm(Bytes octets) {
  std::string columns_of_20;
  for (std::size_t i = 0; i < octets.size(); ++i) columns_of_20 += fmt::format("{:02x}{}", octets[i], i % 20 == 19 ? "\n" : "");
  return {Hex(octets),
          Hex(octets, ""),
          Hex(octets, ":"),
          Hex(octets, ", "),
          "0x" + Hex(octets, ", 0x"),
          "\\x" + Hex(octets, "\\x"),
          "\"\\x" + Hex(octets, "\\x") + "\"",
          columns_of_20,
          Xxd(octets, 16, 2),
          Xxd(octets, 16, 1),
          Xxd(octets, 8, 4),
          Xxd(octets, 24, 3),
          HexdumpC(octets, true),
          HexdumpC(octets, false),
          Wireshark(octets, "  ", true),
          Wireshark(octets, "   ", true),
          Wireshark(octets, "  ", false),
          Od(octets, "x", false),
          Od(octets, "x", true),
          Od(octets, "o", false),
          Od(octets, "d", false),
          Tcpdump(octets, false),
          Tcpdump(octets, true)};
}

TEST(HexDump, LongLinesWithoutOffsetsArePackets) {
  const Octets syn = kSyn, answer = kAnswer;
  EXPECT_EQ(Parsed(std::string(syn) + "\n" + std::string(answer) + "\n"), std::string(syn) + "\n" + std::string(answer));
  EXPECT_EQ(Parsed(std::string(syn) + "\n" + std::string(syn)), std::string(syn) + "\n" + std::string(syn));
  // A label or a blank line still parts, and one long line is one packet.
  EXPECT_EQ(Parsed(std::string(syn) + "\n\n" + std::string(answer)), std::string(syn) + "\n" + std::string(answer));
  // At the limit, and one past it: 32 octets in a line are a part of a packet.
  const std::string a32 = Hex(std::vector<std::uint8_t>(32, 0xaa)), b33 = Hex(std::vector<std::uint8_t>(33, 0xbb));
  EXPECT_EQ(Parsed(a32 + "\n" + b33), a32 + " " + b33);
  EXPECT_EQ(Parsed(b33 + " aa\n" + b33 + " bb cc"), Hex(std::vector<std::uint8_t>(33, 0xbb)) + " AA\n" + b33 + " BB CC");
  // One packet that is broken at 64 octets all the same.
  const std::string c64 = Hex(std::vector<std::uint8_t>(64, 0xcc));
  EXPECT_EQ(Parsed(c64 + "\n" + c64 + "\n" + b33), c64 + " " + c64 + " " + b33);
}

TEST(HexDump, FramesOfTheLabReport) {
  EXPECT_EQ(Parsed(kSyn), kSyn);
  EXPECT_EQ(Parsed(kAnswer), kAnswer);
  EXPECT_EQ(ParseHexDump(kSyn)->octets.size(), 79U);
  EXPECT_EQ(ParseHexDump(kAnswer)->octets.size(), 67U);
  EXPECT_EQ(Parsed(kSyn.substr(0, 32 * 3)), kSyn.substr(0, 32 * 3 - 1));
  EXPECT_EQ(Parsed(fmt::format("{}\r\n\r\n{}\r\n", kSyn, kAnswer)), fmt::format("{}\n{}", kSyn, kAnswer));
  EXPECT_EQ(GuessLinkType(ParseHexDump(kSyn)->packet(0)), LinkType::kEthernet);
}

TEST(HexDump, EveryFormOfEveryLength) {
  std::mt19937 random(1);
  // Octets whose text columns look like hex, like spaces, like the bars around text columns, and any.
  const std::array<std::string, 4> alphabets = {"0123456789abcdef 0A", "  \x20 ab", "|>*#:0 ", ""};
  for (std::size_t length = 1; length <= 70; ++length) {
    for (const std::string& alphabet : alphabets) {
      std::vector<std::uint8_t> octets(length);
      for (std::uint8_t& o : octets)
        o = static_cast<std::uint8_t>(alphabet.empty() ? random() : alphabet[random() % alphabet.size()]);
      std::size_t form = 0;
      for (const std::string& text : EveryForm(octets)) EXPECT_EQ(Parsed(text), Hex(octets)) << form++ << "\n" << text;
    }
  }
}

TEST(HexDump, SeveralPackets) {
  const std::vector<std::uint8_t> a(20, 0x61);
  const std::vector<std::uint8_t> b(33, 0x0b);
  const std::string expected = Hex(a) + "\n" + Hex(b) + "\n" + Hex(a);
  EXPECT_EQ(Parsed(Xxd(a, 16, 2) + Xxd(b, 16, 2) + Xxd(a, 16, 2)), expected) << "offsets that begin again";
  EXPECT_EQ(Parsed(Hex(a) + "\n\n\n" + Hex(b) + "\n \t\n" + Hex(a)), expected) << "blank lines";
  EXPECT_EQ(Parsed(Wireshark(a, "  ", true) + Wireshark(b, "  ", true) + Wireshark(a, "  ", true)), expected);
  EXPECT_EQ(Parsed(Tcpdump(a, true) + Tcpdump(b, true) + Tcpdump(a, true)), expected);
  EXPECT_EQ(Parsed(HexdumpC(a, true) + HexdumpC(b, true) + HexdumpC(a, true)), expected);
  EXPECT_EQ(Parsed("# one\n" + Hex(a) + "\nFrame 2:\n" + Hex(b) + "\n2024-01-02 03:04:05 x\n" + Hex(a)), expected);
}

TEST(HexDump, OnlyFramesOfWhatTsharkPrints) {
  const std::vector<std::uint8_t> a(20, 0x61);
  const std::vector<std::uint8_t> all(300, 0x62);
  EXPECT_EQ(Parsed("Frame (20 bytes):\n" + Wireshark(a, "  ", true) + "Reassembled TCP (300 bytes):\n" +
                   Wireshark(all, "  ", true) + "Packet (20 bytes):\n" + Wireshark(a, "  ", true)),
            Hex(a) + "\n" + Hex(a));
  // A packet whose text column ends as such a label does.
  const Octets label = "Frame (4 bytes):Frame (4 bytes):";
  EXPECT_EQ(Parsed(Wireshark(AsBytes(label), "  ", true)), Hex(AsBytes(label)));
}

TEST(HexDump, BlankLineInsideADumpWithOffsetsIsNoEnd) {
  EXPECT_EQ(Parsed("0000  01 02 03 04\n\n0004  05 06\n"), "01 02 03 04 05 06");
}

TEST(HexDump, CopiesThatLostTheirSpaces) {
  EXPECT_EQ(Parsed("0000 61 62 63 64 abcd\n0004 61 62 63 64 abcd\n0008 61 62 ab\n"), "61 62 63 64 61 62 63 64 61 62");
  EXPECT_EQ(Parsed("0000 00 48 65 6c 6c 6f .Hello"), "00 48 65 6C 6C 6F");
  EXPECT_EQ(Parsed("0000  00 41   \xc2\xb7"
                   "A\n"),
            "00 41")
      << "the middle dot of newer Wiresharks";
}

TEST(HexDump, GroupsAreNoOffsets) {
  EXPECT_EQ(Parsed("0000 0000 0000 0000 0000 0000 0800 4500"), "00 00 00 00 00 00 00 00 00 00 00 00 08 00 45 00");
  EXPECT_EQ(Parsed("0000 0000 0000 0000\n0000 0000 0800 4500"), "00 00 00 00 00 00 00 00 00 00 00 00 08 00 45 00");
  EXPECT_EQ(Parsed("000000000000 000000000000 0800 4500"), "00 00 00 00 00 00 00 00 00 00 00 00 08 00 45 00");
  EXPECT_EQ(Parsed("000fe245b9c2 00e57c07df45 0800 4500"), "00 0F E2 45 B9 C2 00 E5 7C 07 DF 45 08 00 45 00");
  EXPECT_EQ(Parsed("00: 00 0f e2\n03: 45 b9\n"), "00 0F E2 45 B9") << "short offsets, but marked";
  EXPECT_EQ(Parsed("00: 0f: e2: 45"), "00 0F E2 45");
}

TEST(HexDump, RepeatedLines) {
  EXPECT_EQ(Parsed("0000  01 02\n*\n0006  03\n0007\n"), "01 02 01 02 01 02 03");
  EXPECT_EQ(Parsed("0000  01 02\n*\n0005  03\n"), "line 3, column 1: 5 octets up to this offset cannot be repeated lines of 2");
  EXPECT_EQ(Parsed("0000  01 02\n*\n"), "line 1, column 1: the dump ends with \"*\": how often the line is repeated is not said");
  EXPECT_EQ(Parsed("*\n0000  01 02\n"), "line 1, column 1: \"*\" without a line to repeat");
  EXPECT_EQ(Parsed("01 02\n*\n"), "line 2, column 1: \"*\" without a line to repeat");
}

TEST(HexDump, ErrorsNameLineAndColumn) {
  EXPECT_EQ(Parsed(""), "no packet in the hex dump (give octets as two hex digits each)");
  EXPECT_EQ(Parsed("\n# nothing\n"), "no packet in the hex dump (give octets as two hex digits each)");
  EXPECT_EQ(Parsed("00 0f\n00 zz 0f"), "line 2, column 4: not a hex digit (each octet is two hex digits)");
  EXPECT_EQ(Parsed("hello"), "line 1, column 1: not a hex digit (each octet is two hex digits)");
  EXPECT_EQ(Parsed("00 0f e"), "line 1, column 7: an odd number of hex digits (each octet is two hex digits)");
  EXPECT_EQ(Parsed("0000  00 0f e\n0003  11\n"), "line 1, column 13: an odd number of hex digits (each octet is two hex digits)");
  EXPECT_EQ(Parsed("0000  00 0f e2\n0004  11\n"),
            "line 1, column 15: 3 octets in the line, but the next offset says 4 (each octet is two hex digits)");
  EXPECT_EQ(Parsed("0000  00 0f e2 45\n0003  11\n"),
            "line 1, column 15: more octets in the line than the 3 that the next offset says");
  EXPECT_EQ(Parsed("0000  00 0f e2 45\n0004  11\n0002  11\n"), "line 3, column 1: offset 0x2 does not come after 0x4");
  EXPECT_EQ(Parsed("0010  00 0f e2 45\n0014  11\n"),
            "line 1, column 1: the dump begins at offset 0x10, not at 0 (give the whole packet)");
  for (const Octets line : {"zzzz  11", "11 22", "11"})
    EXPECT_EQ(Parsed(fmt::format("0000  00 0f\n{}\n0004  22", line)),
              "line 2, column 1: the line does not begin with an offset, as the lines before it do")
        << line;
  EXPECT_EQ(
      Parsed("0000000 0f00 45e2\n0000004\n"),
      "words of 16 bits: which of two octets comes first is not to be seen (print it with xxd, hexdump -C or od -A x -t x1)");
}

TEST(HexDump, WhatComesBeforeAFaultIsRead) {
  EXPECT_EQ(Parsed("0000  0a 0b\n0002  0c\n\nzz zz\n"),
            "0A 0B 0C\nline 4, column 1: the line does not begin with an offset, as the lines before it do");
  // Two packets, and a third that is broken off.
  EXPECT_EQ(Parsed("0000  0a 0b\n0000  0c 0d\n0000  0e\nzz\n"),
            "0A 0B\n0C 0D\nline 4, column 1: the line does not begin with an offset, as the lines before it do");
  EXPECT_EQ(Parsed("0a 0b\n\n0c zz\n"), "0A 0B\nline 3, column 4: not a hex digit (each octet is two hex digits)");
}

// At each token the rest of the line was compared with a text column: half a minute for 40 kB.
TEST(HexDump, ALongLineTakesTimeInProportion) {
  for (const Octets token : {"41  ", "20  ", "33  "}) {
    std::string line;
    for (int i = 0; i < 50'000; ++i) line += token;
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_NO_THROW(static_cast<void>(ParseHexDump(line)));
    EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30)) << token;
  }
}

TEST(HexDump, WordsBeforeTheDumpArePassedOver) {
  EXPECT_EQ(Parsed("My first packet, a SYN:\n0000  0a 0b\n0002  0c\n"), "0A 0B 0C");
  EXPECT_EQ(Parsed("the packet\nin hex\n\n0a 0b 0c\n"), "0A 0B 0C");
  EXPECT_EQ(Parsed("the packet\n"), "line 1, column 1: not a hex digit (each octet is two hex digits)");
}

TEST(HexDump, LimitsAndOnePast) {
  HexDumpLimits limits;
  limits.packet_octets = 4;
  EXPECT_EQ(Parsed("01 02 03 04\n\n05", limits), "01 02 03 04\n05");
  EXPECT_EQ(Parsed("01 02 03 04\n05", limits), "line 2, column 1: a packet of more than 4 octets (part packets by blank lines)");
  EXPECT_EQ(Parsed("0000  01 02\n*\n0004\n", limits), "01 02 01 02");
  EXPECT_EQ(Parsed("0000  01 02\n*\n0006\n", limits), "line 3, column 1: an offset beyond 4");
  limits = {};
  limits.total_octets = 3;
  EXPECT_EQ(Parsed("01 02\n\n03", limits), "01 02\n03");
  EXPECT_EQ(Parsed("01 02\n\n03 04", limits), "01 02\nline 3, column 1: more than 3 octets in all (give it in several files)");
  limits = {};
  limits.text_octets = 5;
  EXPECT_EQ(Parsed("01 02", limits), "01 02");
  EXPECT_EQ(Parsed("01 02\n", limits), "the hex dump is longer than 5 octets (give it in several files)");
}

TEST(HexDump, LinkTypeIsGuessed) {
  const auto guess = [](Octets hex) { return GuessLinkType(ParseHexDump(hex)->packet(0)); };
  const Octets ip = kSyn.substr(14 * 3);
  EXPECT_EQ(guess(ip), LinkType::kRaw);
  EXPECT_EQ(guess("45 00"), LinkType::kEthernet) << "too little to tell";
  EXPECT_EQ(guess("45 00 00 13 CE F2 40 00 40 06 79 87 0A 84 FE 9F DC B5 0C 65"), LinkType::kEthernet)
      << "shorter than its header";
  EXPECT_EQ(guess("45 0F E2 45 B9 C2 00 E5 7C 07 DF 45 08 00 45 00 00 40 CE F2"), LinkType::kEthernet);
  EXPECT_EQ(
      guess("60 00 00 00 00 14 06 40 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 "
            "00 01"),
      LinkType::kRaw);
  EXPECT_EQ(guess("60 0F E2 45 B9 C2 00 E5 7C 07 DF 45 86 DD 60 00"), LinkType::kEthernet);
}

}  // namespace
}  // namespace glasspost::capture
