// Any frame, any field, any value: the first octet is the link type, the second what the payload speaks, the third which fields
// are set; then a length in two octets, as many octets of the frame, and the rest is values. What was set stands there
// afterwards, and every step stays within the frame.
#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "capture/craft/frame.h"
#include "capture/craft/value.h"
#include "capture/describe.h"
#include "support/require.h"

namespace {

using namespace glasspost;
using namespace glasspost::capture;
using glasspost::test::Require;

constexpr LinkType kLinks[] = {LinkType::kEthernet, LinkType::kNull, LinkType::kPpp,      LinkType::kPppHdlc,
                               LinkType::kPppEther, LinkType::kRaw,  LinkType::kLinuxSll, LinkType::kLinuxSll2,
                               LinkType::kLoop,     LinkType{147}};
constexpr Protocol kProtocols[] = {Protocol::kUnknown, Protocol::kSmtp, Protocol::kPop3, Protocol::kImap, Protocol::kDns};

std::string Hex(Octets octets) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text = "hex:";
  for (const char c : octets) {
    text += kDigits[static_cast<std::uint8_t>(c) >> 4];
    text += kDigits[static_cast<std::uint8_t>(c) & 0xf];
  }
  return text;
}

void CheckPlaces(const CraftedFrame& frame) {
  for (const Place& p : frame.Places()) Require(p.range.offset + p.range.length <= frame.octets().size());
}

// The n-th of its name.
std::size_t Occurrence(const std::vector<Place>& places, std::size_t index) {
  std::size_t n = 0;
  for (std::size_t i = 0; i <= index; ++i) n += places[i].field == places[index].field ? 1 : 0;
  return n;
}

void SetOne(CraftedFrame& frame, std::size_t index, Octets value) {
  const std::vector<Place> places = frame.Places();
  const Place& place = places[index];
  const std::string name(Info(place.field).abbreviation);
  const bool number = place.kind == PlaceKind::kNumber;
  std::uint64_t wanted = 0;
  for (const char c : value.substr(0, 8)) wanted = wanted << 8 | static_cast<std::uint8_t>(c);
  const std::uint64_t most = LargestNumber(place);
  if (number) wanted = most == ~std::uint64_t{0} ? wanted : wanted % (most + 1) / place.number.unit * place.number.unit;
  const std::size_t size = frame.octets().size();
  const auto done = frame.Set({{name, Occurrence(places, index), number ? std::to_string(wanted) : Hex(value)}});
  CheckPlaces(frame);
  if (number) {
    Require(done.has_value());
    Require(frame.octets().size() == size);
    Require(LoadNumber(frame.octets().substr(place.range.offset), place) == wanted);
  } else if (done && frame.spoken().protocol != Protocol::kDns) {
    Require(frame.octets().size() == size - place.range.length + value.size());
    Require(frame.octets().substr(place.range.offset, value.size()) == value);
  }
}

constexpr Field kAlone[] = {Field::kEthDestination, Field::kEthSource,   Field::kIpId,          Field::kIpTtl,
                            Field::kIpChecksum,     Field::kIpSource,    Field::kIpDestination, Field::kIpv6HopLimit,
                            Field::kIpv6Flow,       Field::kIpv6Source,  Field::kTcpSourcePort, Field::kTcpDestinationPort,
                            Field::kTcpSequence,    Field::kTcpChecksum, Field::kTcpWindow,     Field::kTcpUrgentPointer,
                            Field::kUdpChecksum,    Field::kTcpFlagSyn,  Field::kTcpFlagFin,    Field::kIpDontFragment};

// Sets each of these to the complement of what it is.
void CheckFoundAgain(const CraftedFrame& original) {
  const std::vector<Place> places = original.Places();
  for (std::size_t i = 0; i < places.size(); ++i) {
    const Place& place = places[i];
    if (std::ranges::find(kAlone, place.field) == std::end(kAlone)) continue;
    std::string octets(original.octets().substr(place.range.offset, place.range.length));
    for (char& c : octets) c = static_cast<char>(~c);
    const std::uint64_t number = LargestNumber(place) - LoadNumber(original.octets().substr(place.range.offset), place);
    const bool is_number = place.kind == PlaceKind::kNumber;
    CraftedFrame frame = original;
    const std::string value = is_number ? std::to_string(number) : Hex(octets);
    Require(frame.Set({{std::string(Info(place.field).abbreviation), Occurrence(places, i), value}}).has_value());
    const RawFrame raw{.number = 1,
                       .time = 0,
                       .link = frame.link(),
                       .wire_length = static_cast<std::uint32_t>(frame.octets().size()),
                       .octets = AsBytes(frame.octets())};
    const auto again = CraftedFrame::Take(raw);
    Require(again.has_value());
    const std::vector<Place> found = again->Places();
    const auto at = std::ranges::find_if(found, [&](const Place& p) { return p.field == place.field && p.range == place.range; });
    Require(at != found.end());
    const Octets there = again->octets().substr(at->range.offset, at->range.length);
    Require(is_number ? LoadNumber(there, *at) == number : there == octets);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kPreface = 5;
  if (size < kPreface) return 0;
  const std::size_t length = std::min<std::size_t>(Load16(data + 3), size - kPreface);
  const std::vector<std::uint8_t> octets(data + kPreface, data + kPreface + length);
  const RawFrame raw{.number = 1,
                     .time = 0,
                     .link = kLinks[data[0] % std::size(kLinks)],
                     .wire_length = static_cast<std::uint32_t>(length),
                     .octets = octets};
  auto frame = CraftedFrame::Take(raw);
  Require(frame.has_value() == (length <= CraftLimits::kFrame));
  if (!frame) return 0;
  frame->Speak({kProtocols[data[1] % std::size(kProtocols)], (data[1] & 0x80) != 0 ? Direction::kToClient : Direction::kToServer,
                (data[1] & 0x40) != 0});
  CheckPlaces(*frame);
  CheckFoundAgain(*frame);
  std::size_t next = data[2];
  for (Octets rest = AsOctets(Bytes(data, size)).substr(kPreface + length); !rest.empty();) {
    const std::size_t count = frame->Places().size();
    if (count == 0) break;
    const Octets value = rest.substr(0, 1 + static_cast<std::uint8_t>(rest.front()) % 32);
    rest.remove_prefix(value.size());
    SetOne(*frame, next % count, value);
    next = next * 31 + static_cast<std::uint8_t>(value.back()) + 1;
  }
  const std::string before(frame->octets());
  if (frame->Finish()) {
    Require(frame->octets().size() == before.size());
    const std::string once(frame->octets());
    Require(frame->Finish().has_value() && frame->octets() == once);  // there is nothing left to do
  }
  CheckPlaces(*frame);
  return 0;
}
