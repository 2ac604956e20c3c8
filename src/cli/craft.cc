#include "cli/craft.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>

#include "analysis/field_lines.h"
#include "analysis/hex_report.h"
#include "base/disk.h"
#include "base/escape.h"
#include "capture/craft/value.h"
#include "capture/pcapng_writer.h"
#include "cli/command_line.h"
#include "cli/craft_packets.h"
#include "cli/craft_send.h"
#include "net/system_clock.h"

namespace glasspost::cli {
namespace {

using capture::Place;
using capture::PlaceKind;

constexpr Timestamp kBetween = 1'000'000;  // ns between packets that have no time of their own

struct Wanted {
  bool fields = false;
  bool hex = false;
  std::string file;
  CraftSending sending;
};

// What may be put there, in a word.
std::string_view KindName(const Place& place, const CommandLine& line) {
  switch (place.kind) {
    case PlaceKind::kNumber:
      return line.Say("number", "数");
    case PlaceKind::kMac:
      return "MAC";
    case PlaceKind::kIpv4:
      return "IPv4";
    case PlaceKind::kIpv6:
      return "IPv6";
    case PlaceKind::kDnsName:
      return line.Say("name", "域名");
    case PlaceKind::kText:
      return line.Say("text", "文本");
    case PlaceKind::kOctets:
      return line.Say("octets", "字节");
    case PlaceKind::kWhole:
      return place.elastic ? line.Say("octets", "字节") : std::string_view();
    case PlaceKind::kCalculated:
      break;
  }
  return {};
}

std::string Value(const Place& place, Octets octets, analysis::Language language) {
  if (place.kind == PlaceKind::kNumber)
    return analysis::FieldValueText(place.field, FieldValue{capture::LoadNumber(octets, place)}, place.range.length, language);
  if (place.kind == PlaceKind::kDnsName) return ForTerminal(place.name);
  if (place.kind == PlaceKind::kText) return {};
  return analysis::FieldValueText(place.field, FieldValue{AsBytes(octets)}, place.range.length, language);
}

// Every field that can be set: where it lies, its name, what it takes, what it has.
std::string FieldsText(const CraftedPacket& packet, std::uint64_t number, const CommandLine& line) {
  constexpr std::size_t kNameWidth = 28, kKindWidth = 6;
  std::string out =
      line.style().Bold(fmt::format(fmt::runtime(line.Say("Packet {}: {}", "第 {} 个分组：{}")), number, packet.frame.Layers())) +
      "\n";
  std::map<Field, std::size_t> seen;
  std::vector<Place> places = packet.frame.Places();
  std::ranges::stable_sort(places, [](const Place& a, const Place& b) {  // what could be put in stands where it would lie
    return a.range.offset != b.range.offset ? a.range.offset < b.range.offset : a.range.length == 0 && b.range.length != 0;
  });
  for (const Place& place : places) {
    const std::size_t occurrence = ++seen[place.field];
    const std::string_view kind = KindName(place, line);
    if (kind.empty()) continue;
    const Octets octets = packet.frame.octets().substr(place.range.offset, place.range.length);
    std::string name(Info(place.field).abbreviation);
    if (occurrence > 1) name += fmt::format("#{}", occurrence);
    std::string value = place.kind == PlaceKind::kText ? '"' + ForTerminal(octets) + '"' : Value(place, octets, line.language());
    if (place.kind == PlaceKind::kText && octets.size() > 60) value = '"' + ForTerminal(octets.substr(0, 60)) + "…\"";
    std::string row =
        fmt::format("  {:04x}  {}{} {}  {}", place.range.offset, analysis::PadRight(analysis::HexOctets(AsBytes(octets), 6), 22),
                    analysis::PadRight(name, kNameWidth), analysis::PadRight(kind, kKindWidth), value);
    row.erase(row.find_last_not_of(' ') + 1);
    out += row + "\n";
  }
  return out + "\n";
}

// Without a packet: the names.
void ListFields(const CommandLine& line) {
  constexpr std::size_t kWidth = 36;
  std::string out;
  for (std::size_t i = 0; i < capture::kFieldCount; ++i) {
    const FieldInfo& info = Info(static_cast<Field>(i));
    out += analysis::PadRight(info.abbreviation, kWidth);
    out.append(" ").append(line.chinese() ? info.label_zh : info.label_en).append("\n");
  }
  std::fwrite(out.data(), 1, out.size(), stdout);
}

std::string HexText(Octets octets) {
  constexpr std::size_t kRow = 16;
  std::string out;
  for (std::size_t at = 0; at < octets.size(); at += kRow) {
    const Octets row = octets.substr(at, kRow);
    std::string ascii;
    for (const char c : row) ascii += c >= 0x20 && c < 0x7f ? c : '.';
    out += fmt::format("{:04x}  {}  {}\n", at, analysis::PadRight(analysis::HexOctets(AsBytes(row), kRow), kRow * 3 - 1), ascii);
  }
  return out + "\n";
}

std::string Pcapng(const std::vector<CraftedPacket>& packets) {
  std::string out;
  capture::PcapngWriter writer(out);
  writer.Section("Glasspost");
  std::vector<capture::LinkType> links;
  const Timestamp now = net::SystemClock().Now();
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const CraftedPacket& p = packets[i];
    auto at = std::ranges::find(links, p.frame.link());
    if (at == links.end()) {
      writer.Interface(p.frame.link());
      at = links.insert(links.end(), p.frame.link());
    }
    const Timestamp time = p.time != 0 ? p.time : now + static_cast<Timestamp>(i) * kBetween;
    writer.Packet(static_cast<std::uint32_t>(at - links.begin()), time, p.frame.octets());
  }
  return out;
}

// For its owner alone: packets hold passwords as they are.
Expected<void> WriteFile(const std::string& path, Octets octets) {
  if (path == "-") {
    if (std::fwrite(octets.data(), 1, octets.size(), stdout) == octets.size()) return {};
    return Fail("cannot be written", "standard output");
  }
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0 && errno == EEXIST) return Fail("is there already", path, "name another file, or take it away");
  if (fd < 0) return SystemError("cannot be written", path);
  auto written = WriteAll(fd, octets, path);
  if (::close(fd) != 0 && written) return SystemError("cannot be written", path);
  return written;
}

int Tell(const CommandLine& line, const Wanted& wanted, const std::vector<CraftedPacket>& packets) {
  for (std::size_t i = 0; i < packets.size(); ++i) {
    std::string text;
    if (wanted.fields) text = FieldsText(packets[i], i + 1, line);
    if (wanted.hex) text += HexText(packets[i].frame.octets());
    const bool shown = wanted.fields || wanted.hex || !wanted.file.empty() || wanted.sending.wanted;
    if (!shown) text = analysis::DescribeFrameText(packets[i].Raw(i + 1), nullptr, line.language(), line.style());
    std::fwrite(text.data(), 1, text.size(), stdout);
  }
  if (wanted.file.empty()) return kDone;
  if (const auto written = WriteFile(wanted.file, Pcapng(packets)); !written) return Complain(written.error()), kCannotOpen;
  if (wanted.file != "-" && !wanted.sending.wanted)
    fmt::print(fmt::runtime(line.Say(packets.size() == 1 ? "{} packet written to {}.\n" : "{} packets written to {}.\n",
                                     "已将 {} 个分组写入 {}。\n")),
               packets.size(), ForTerminal(wanted.file));
  return kDone;
}

}  // namespace

int RunCraft(std::vector<std::string> words) {
  CommandLine line("craft", false);
  auto orders = TakePacketOrders(words);
  if (!orders) return line.Misused(ForTerminal(orders.error().Text()));
  Wanted wanted;
  TakeSendOption(words, wanted.sending);
  CLI::App& app = line.app();
  app.add_flag("--fields", wanted.fields);
  app.add_flag("--hex", wanted.hex);
  app.add_option("-w", wanted.file);
  AddSendingOptions(app, wanted.sending);
  if (const auto status = line.Parse(std::move(words))) return *status;
  if (!line.words().empty()) return line.Misused("takes options only, not " + ForTerminal(line.words().front()));
  if (orders->empty() && wanted.fields) return ListFields(line), Finish(kDone);
  if (orders->empty()) return line.Misused("say which packet: --from FILE --frame N, or --template NAME");
  if (const auto together = CheckSending(wanted.sending); !together) return line.Misused(ForTerminal(together.error().Text()));
  if (wanted.file == "-" && (wanted.fields || wanted.hex || wanted.sending.wanted))
    return line.Misused(std::string(
        line.Say("-w - leaves no room on standard output for what --fields, --hex and --send tell there: write to a file",
                 "-w - 已占用标准输出，--fields、--hex 与 --send 的内容无处可写：请写入文件")));
  auto packets = MakePackets(*orders, wanted.sending.wanted && wanted.sending.target.empty());
  if (!packets) return Complain(packets.error()), kRefused;
  int status = Tell(line, wanted, *packets);
  if (status == kDone && wanted.sending.wanted) status = SendPackets(line, wanted.sending, *packets);
  return Finish(status);
}

}  // namespace glasspost::cli
