#include "capture/hex_dump.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <utility>

#include "base/ascii.h"
#include "capture/hex_line.h"

namespace glasspost::capture {
namespace {

constexpr std::size_t kMaxOffsetDigits = 16;
constexpr std::size_t kMinOffsetDigits = 3;
constexpr std::size_t kBrokenLine = 32;  // octets in a line of a packet that takes several

bool HasKnownEtherType(Bytes frame) {
  if (frame.size() < 14) return false;
  const std::uint16_t type = Load16(frame.data() + 12);
  for (const std::uint16_t known : {0x0800, 0x86dd, 0x0806, 0x8100, 0x88a8, 0x9100, 0x8847, 0x8848, 0x8863, 0x8864})
    if (type == known) return true;
  return false;
}

bool BeginsFrame(Bytes octets) { return HasKnownEtherType(octets) || GuessLinkType(octets) == LinkType::kRaw; }

// Whether, and in which number system, lines begin with offsets.
enum class Form : std::uint8_t { kPlain = 0, kHex = 16, kOctal = 8, kDecimal = 10 };

// Goes over the lines once in one form.
class Parser {
 public:
  Parser(const std::vector<HexLine>& lines, Form form, const HexDumpLimits& limits)
      : lines_(lines), form_(form), limits_(limits) {}

  HexDump Parse() {
    bool between = false;  // behind a blank line or a label
    for (const HexLine& line : lines_) {
      if (auto fault = Take(line)) {
        // What a blank line ended is whole; a packet that is broken off in the midst is none.
        if (between) static_cast<void>(EndPacket());
        dump_.octets.resize(dump_.octets.size() - length_);
        dump_.fault = std::move(fault);
        return std::move(dump_);
      }
      if (line.kind != HexLine::Kind::kComment) between = line.kind == HexLine::Kind::kBoundary;
    }
    dump_.fault = EndPacket();
    dump_.octets.resize(dump_.octets.size() - length_);
    if (!dump_.fault && dump_.packets.empty())
      dump_.fault = Error{"no packet in the hex dump", {}, "give octets as two hex digits each"};
    return std::move(dump_);
  }

 private:
  using Fault = std::optional<Error>;
  // A line whose number of octets becomes known by the offset of the next.
  struct Pending {
    const HexLine* line = nullptr;
    std::size_t at = 0;      // where the octets begin in it
    std::size_t offset = 0;  // what it says
  };

  static Error At(const HexLine& line, std::size_t column, std::string what, std::string remedy = {}) {
    return Error{std::move(what), fmt::format("line {}, column {}", line.number, column + 1), std::move(remedy)};
  }

  Fault Take(const HexLine& line) {
    switch (line.kind) {
      case HexLine::Kind::kComment:
        return {};
      case HexLine::Kind::kBoundary:
        // With offsets, these say where a packet begins: a blank line inside a packet is none.
        return form_ == Form::kPlain ? EndPacket() : Fault{};
      case HexLine::Kind::kRepeat:
        if (form_ == Form::kPlain || pending_.line == nullptr) return At(line, 0, "\"*\" without a line to repeat");
        repeat_ = true;
        return {};
      case HexLine::Kind::kData:
        break;
    }
    if (form_ != Form::kPlain) return TakeWithOffset(line);
    std::vector<std::uint8_t> octets;
    if (auto error = ReadUnbounded(line, 0, octets)) return error;
    rows_.push_back(octets.size());
    return Append(line, octets);
  }

  Fault TakeWithOffset(const HexLine& line) {
    const HexToken token = NextHexToken(line.text, 0);
    std::uint64_t value = 0;
    const char* const end = token.digits.data() + token.digits.size();
    const auto [stop, error] = std::from_chars(token.digits.data(), end, value, static_cast<int>(form_));
    const bool colon = token.end < line.text.size() && line.text[token.end] == ':';
    if (token.digits.empty() || (token.digits.size() < kMinOffsetDigits && !colon) || error != std::errc{} || stop != end)
      return At(line, token.column, "the line does not begin with an offset, as the lines before it do");
    if (value > limits_.packet_octets) return At(line, token.column, fmt::format("an offset beyond {}", limits_.packet_octets));
    const std::size_t offset = value;
    const bool begins = offset == 0 && (pending_.line != nullptr || length_ > 0);
    if (begins) {
      if (auto fault = EndPacket()) return fault;
    } else if (pending_.line != nullptr) {
      if (auto fault = Settle(line, token.column, offset)) return fault;
    } else if (offset != length_) {
      return At(line, token.column, fmt::format("the dump begins at offset {:#x}, not at 0", offset), "give the whole packet");
    }
    pending_ = {&line, token.end + (colon ? 1U : 0U), offset};
    return {};
  }

  // The pending line ends where the offset of `next` begins.
  Fault Settle(const HexLine& next, std::size_t column, std::size_t offset) {
    const HexLine& line = *pending_.line;
    if (offset <= pending_.offset)
      return At(next, column, fmt::format("offset {:#x} does not come after {:#x}", offset, pending_.offset));
    const std::size_t octets = offset - pending_.offset;
    std::vector<std::uint8_t> row;
    if (!repeat_) {
      if (auto error = ReadExactly(line, pending_.at, octets, row)) return error;
      return Append(line, row);
    }
    repeat_ = false;
    if (auto error = ReadUnbounded(line, pending_.at, row)) return error;
    if (row.empty() || octets % row.size() != 0)
      return At(next, column, fmt::format("{} octets up to this offset cannot be repeated lines of {}", octets, row.size()));
    for (std::size_t i = 0; i < octets; i += row.size())
      if (auto error = Append(line, row)) return error;
    return {};
  }

  Fault EndPacket() {
    if (pending_.line != nullptr) {
      const HexLine& line = *pending_.line;
      if (repeat_) return At(line, 0, "the dump ends with \"*\": how often the line is repeated is not said");
      std::vector<std::uint8_t> row;
      if (auto error = ReadUnbounded(line, pending_.at, row)) return error;
      if (auto error = Append(line, row)) return error;
    }
    pending_ = {};
    const std::size_t begin = dump_.octets.size() - length_;
    if (HoldsOnePacketALine(begin)) {
      for (std::size_t at = begin, i = 0; i < rows_.size(); at += rows_[i++]) dump_.packets.push_back({at, rows_[i]});
    } else if (length_ > 0) {
      dump_.packets.push_back({begin, length_});
    }
    rows_.clear();
    length_ = 0;
    return {};
  }

  // Lines without offsets, so long that no program breaks a packet into such; unless all are as long as the first, but for the
  // last, and only the first begins like a frame: that is one packet, broken all the same.
  bool HoldsOnePacketALine(std::size_t begin) const {
    if (rows_.size() < 2 || std::ranges::any_of(rows_, [](std::size_t row) { return row <= kBrokenLine; })) return false;
    bool broken = rows_.back() <= rows_.front();
    for (std::size_t i = 1, at = begin + rows_[0]; i < rows_.size() && broken; at += rows_[i++])
      broken = (rows_[i] == rows_[0] || i + 1 == rows_.size()) && !BeginsFrame(Bytes(dump_.octets).subspan(at, rows_[i]));
    return !broken;
  }

  Fault Append(const HexLine& line, const std::vector<std::uint8_t>& octets) {
    if (octets.size() > limits_.packet_octets - length_)
      return At(line, 0, fmt::format("a packet of more than {} octets", limits_.packet_octets), "part packets by blank lines");
    if (octets.size() > limits_.total_octets - dump_.octets.size())
      return At(line, 0, fmt::format("more than {} octets in all", limits_.total_octets), "give it in several files");
    dump_.octets.insert(dump_.octets.end(), octets.begin(), octets.end());
    length_ += octets.size();
    return {};
  }

  // `count` octets stand in the line from `at` on; what comes behind them is the text column.
  Fault ReadExactly(const HexLine& line, std::size_t at, std::size_t count, std::vector<std::uint8_t>& row) {
    while (row.size() < count) {
      const HexToken token = NextHexToken(line.text, at);
      if (token.kind != HexToken::Kind::kDigits)
        return At(line, token.column,
                  token.odd ? "an odd number of hex digits"
                            : fmt::format("{} octets in the line, but the next offset says {}", row.size(), count),
                  "each octet is two hex digits");
      AppendDigits(token.digits, row);
      at = token.end;
    }
    if (row.size() > count || !MayBeTextColumn(line.text, at, row))
      return At(line, at, fmt::format("more octets in the line than the {} that the next offset says", count));
    text_column_ = text_column_ || NextHexToken(line.text, at).kind != HexToken::Kind::kEnd;
    hex_end_ = std::max(hex_end_, at);
    width_ = std::max(width_, count);
    return {};
  }

  // How many octets the line holds must be seen from the line itself.
  Fault ReadUnbounded(const HexLine& line, std::size_t at, std::vector<std::uint8_t>& row) {
    const bool offsets = form_ != Form::kPlain;
    for (;;) {
      const std::size_t before = at;
      const HexToken token = NextHexToken(line.text, at);
      if (token.kind == HexToken::Kind::kEnd) return {};
      const bool wide = token.spaces >= 2;
      if (!row.empty()) {
        if (token.kind == HexToken::Kind::kBar) return {};
        if (offsets && wide && (row.size() == width_ || (hex_end_ > 0 && token.column >= hex_end_))) return {};
        if ((wide || text_column_ || token.kind == HexToken::Kind::kOther) && IsTextColumn(line.text, before, row)) return {};
      }
      if (token.kind != HexToken::Kind::kDigits) {
        if (!row.empty() && offsets && wide) return {};
        return At(line, token.column, token.odd ? "an odd number of hex digits" : "not a hex digit",
                  "each octet is two hex digits");
      }
      AppendDigits(token.digits, row);
      at = token.end;
    }
  }

  const std::vector<HexLine>& lines_;
  Form form_;
  HexDumpLimits limits_;
  HexDump dump_;
  std::size_t length_ = 0;         // octets of the packet so far
  std::vector<std::size_t> rows_;  // octets of each of its lines, where these have no offsets
  Pending pending_;
  std::size_t hex_end_ = 0;   // the column behind the last octet of the longest line whose number of octets is certain
  std::size_t width_ = 0;     // the most octets of such a line
  bool text_column_ = false;  // such a line had one
  bool repeat_ = false;
};

// What the beginnings of the lines say about offsets.
struct Evidence {
  bool possible = false;  // every line may begin with one
  bool strong = false;    // they look different from the octets behind them
  bool words = false;     // the octets behind them stand in words, as by hexdump without -C
  bool from_zero = false;
  bool beyond_zero = false;  // some line's is not 0
  bool only_digits = true;   // they may be octal or decimal
};

// A number that is followed by ":" and a space or nothing.
bool IsMarked(Octets text, const HexToken& token) {
  return token.end < text.size() && text[token.end] == ':' &&
         (token.end + 1 == text.size() || text[token.end + 1] == ' ' || text[token.end + 1] == '\t');
}

Evidence Weigh(const std::vector<HexLine>& lines) {
  Evidence e;
  bool first = true;
  bool certain = false;
  bool octets_seen = false;
  bool words = true;
  bool different = true;
  for (const HexLine& line : lines) {
    if (line.kind != HexLine::Kind::kData) continue;
    const HexToken token = NextHexToken(line.text, 0);
    const HexToken second = NextHexToken(line.text, token.end);
    const bool marked = IsMarked(line.text, token) && !IsMarked(line.text, second);
    if (token.digits.empty() || token.digits.size() > kMaxOffsetDigits || (!marked && token.digits.size() < kMinOffsetDigits)) {
      if (!certain) return {};
      continue;  // the first line had one, so this line is at fault, and the parser says so
    }
    const bool zero = token.digits.find_first_not_of('0') == Octets::npos;
    if (first) {
      e.from_zero = zero;
      certain = marked || (zero && second.digits.size() == 2);
    }
    e.beyond_zero = e.beyond_zero || !zero;
    first = false;
    e.strong = e.strong || marked;
    e.only_digits = e.only_digits && !token.prefixed && std::all_of(token.digits.begin(), token.digits.end(), IsDigit);
    if (second.digits.empty()) continue;
    octets_seen = true;
    different = different && token.digits.size() != second.digits.size();
    words = words && !marked && token.digits.size() >= 6 && (second.digits.size() == 4 || second.digits.size() == 6);
  }
  e.strong = e.strong || certain || (octets_seen && different);
  e.possible = octets_seen && (e.strong || e.beyond_zero);
  e.words = octets_seen && different && words;
  // Octets in groups whose first happens to be longer are no offsets; lines cut out of a dump are.
  if (!e.from_zero && octets_seen && e.strong) {
    const HexLine& line =
        *std::find_if(lines.begin(), lines.end(), [](const HexLine& l) { return l.kind == HexLine::Kind::kData; });
    const HexToken token = NextHexToken(line.text, 0);
    e.possible =
        IsMarked(line.text, token) || (token.digits.size() <= 8 && NextHexToken(line.text, token.end).digits.size() == 2);
  }
  return e;
}

// Lines that come before every line of digits say what the dump is of.
void PassOverWords(std::vector<HexLine>& lines) {
  const auto digits = std::ranges::find_if(lines, [](const HexLine& line) {
    return line.kind == HexLine::Kind::kData && NextHexToken(line.text, 0).kind == HexToken::Kind::kDigits;
  });
  if (digits == lines.end()) return;  // then the first of them is at fault
  for (auto line = lines.begin(); line != digits; ++line)
    if (line->kind == HexLine::Kind::kData) line->kind = HexLine::Kind::kComment;
}

Expected<HexDump> Whole(HexDump dump) {
  if (dump.fault && dump.packets.empty()) return std::unexpected(std::move(*dump.fault));
  return dump;
}

}  // namespace

Expected<HexDump> ParseHexDump(Octets text, const HexDumpLimits& limits) {
  if (text.size() > limits.text_octets)
    return Fail(fmt::format("the hex dump is longer than {} octets", limits.text_octets), {}, "give it in several files");
  std::vector<HexLine> lines = SplitHexLines(text);
  PassOverWords(lines);
  const Evidence evidence = Weigh(lines);
  const auto in = [&](Form form) { return Parser(lines, form, limits).Parse(); };
  if (!evidence.possible) return Whole(in(Form::kPlain));
  if (evidence.words && evidence.from_zero)
    return Fail("words of 16 bits: which of two octets comes first is not to be seen", {},
                "print it with xxd, hexdump -C or od -A x -t x1");
  HexDump hex = in(Form::kHex);
  if (!hex.fault) return hex;
  if (evidence.only_digits) {
    for (const Form form : {Form::kOctal, Form::kDecimal})
      if (HexDump dump = in(form); !dump.fault) return dump;
  }
  return Whole(evidence.strong ? std::move(hex) : in(Form::kPlain));
}

LinkType GuessLinkType(Bytes frame) {
  if (HasKnownEtherType(frame)) return LinkType::kEthernet;
  if (frame.empty()) return LinkType::kEthernet;
  const int version = frame[0] >> 4;
  if (version == 4 && frame.size() >= 20) {
    const unsigned header = (frame[0] & 0x0fU) * 4;
    if (header >= 20 && Load16(frame.data() + 2) >= header) return LinkType::kRaw;
  }
  if (version == 6 && frame.size() >= 40 && frame[7] != 0)  // a hop limit
    for (const int next : {0, 6, 17, 43, 44, 50, 51, 58, 59, 60})
      if (frame[6] == next) return LinkType::kRaw;
  return LinkType::kEthernet;
}

}  // namespace glasspost::capture
