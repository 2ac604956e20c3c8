#include "capture/craft/frame.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/ascii.h"
#include "capture/checksum.h"
#include "capture/craft/dns_record.h"
#include "capture/craft/message.h"
#include "capture/craft/value.h"
#include "capture/describe.h"

namespace glasspost::capture {
namespace {

constexpr Field kComputed[] = {Field::kIpLength,        Field::kIpHeaderLength, Field::kIpChecksum,  Field::kIpv6PayloadLength,
                               Field::kTcpHeaderLength, Field::kTcpChecksum,    Field::kUdpLength,   Field::kUdpChecksum,
                               Field::kEthLength,       Field::kPppoeLength,    Field::kGreChecksum, Field::kIcmpChecksum,
                               Field::kIcmpv6Checksum,  Field::kDnsLength};

constexpr std::size_t kIpv4Fixed = 20, kIpv6Fixed = 40, kTcpFixed = 20, kUdpFixed = 8, kIcmpv6Fixed = 4, kPppoeFixed = 6;
constexpr std::size_t kMostOptions = 40;        // of IPv4 and of TCP: their header length has four bits, of words
constexpr std::uint64_t kSmallestType = 0x600;  // what is larger in Ethernet's header is no length

bool IsHeader(Field field) { return Info(field).abbreviation.find('.') == std::string_view::npos; }

bool IsTrailer(Field field) {
  return field == Field::kEthPadding || field == Field::kEthTrailer || field == Field::kFrameTrailer;
}

bool IsBody(Field field) {
  switch (field) {
    case Field::kTcpPayload:
    case Field::kUdpPayload:
    case Field::kData:
    case Field::kIpFragment:
    case Field::kIpv6Fragment:
      return true;
    default:
      return false;
  }
}

bool IsOptions(Field field) { return field == Field::kIpOptions || field == Field::kTcpOptions; }

PlaceKind KindOfOctets(Field field) {
  switch (field) {
    case Field::kEthDestination:
    case Field::kEthSource:
      return PlaceKind::kMac;
    case Field::kIpSource:
    case Field::kIpDestination:
      return PlaceKind::kIpv4;
    case Field::kIpv6Source:
    case Field::kIpv6Destination:
      return PlaceKind::kIpv6;
    default:
      return PlaceKind::kOctets;
  }
}

std::size_t EndOf(OctetRange r) { return r.offset + r.length; }

}  // namespace

// Hears the decoder: places, and which stretch belongs to which layer. A length that is a lie, or 0 where that means "all", ends
// where the layer around it ends.
class CraftedFrame::Collector {
 public:
  static constexpr bool kWanted = true;
  explicit Collector(CraftedFrame& frame) : f_(frame), end_(frame.octets_.size()) {}

  void operator()(Field field, OctetRange range, const FieldValue& value) {
    if (std::holds_alternative<std::monostate>(value) && IsHeader(field)) {
      f_.layers_.push_back({field, range.offset, EndOf(range), end_});
      return Add(field, range).kind = PlaceKind::kWhole, void();
    }
    Place& p = Add(field, range);
    if (std::holds_alternative<std::monostate>(value)) p.kind = PlaceKind::kWhole;
    if (std::holds_alternative<Bytes>(value)) p.kind = KindOfOctets(field);
    p.part = IsTrailer(field) ? PlacePart::kTrailer : IsBody(field) ? PlacePart::kBody : PlacePart::kHeader;
    p.elastic = p.part != PlacePart::kHeader || IsOptions(field);
  }
  void operator()(Field field, OctetRange range, const FieldValue& value, NumberPlace number) {
    Place& p = Add(field, range);
    p.kind = PlaceKind::kNumber;
    p.number = number;
    if (!f_.layers_.empty()) TakeLength(field, static_cast<std::size_t>(std::get<std::uint64_t>(value)));
  }

 private:
  Place& Add(Field field, OctetRange range) {
    const std::size_t layer = f_.layers_.empty() ? 0 : f_.layers_.size() - 1;
    return f_.places_.emplace_back(Place{.field = field, .range = range, .layer = static_cast<std::uint32_t>(layer)});
  }
  void TakeLength(Field field, std::size_t said) {
    const Layer& layer = f_.layers_.back();
    switch (field) {
      case Field::kIpLength:
        return Ends(said >= kIpv4Fixed ? layer.start + said : end_);
      case Field::kIpv6PayloadLength:
        return Ends(said > 0 ? layer.start + kIpv6Fixed + said : end_);
      case Field::kUdpLength:
        return Ends(said >= kUdpFixed ? layer.start + said : end_);
      case Field::kEthLength:
        return Ends(layer.header_end + said);
      case Field::kPppoeLength:
        return Ends(layer.start + kPppoeFixed + said);
      default:
        return;
    }
  }
  void Ends(std::size_t at) { end_ = f_.layers_.back().end = std::min(end_, at); }

  CraftedFrame& f_;
  std::size_t end_;
};

Expected<Assignment> ParseAssignment(Octets text) {
  const std::size_t equals = text.find('=');
  if (equals == Octets::npos || equals == 0) return Fail("says no value", std::string(text), "write it like tcp.dstport=110");
  Assignment a{std::string(Trim(text.substr(0, equals))), 1, std::string(text.substr(equals + 1))};
  if (const std::size_t mark = a.name.find('#'); mark != std::string::npos) {
    const auto number = ParseNumber(Octets(a.name).substr(mark + 1));
    if (!number || *number == 0) return Fail("counts from 1", a.name, "write it like dns.resp.ttl#2=60");
    a.occurrence = static_cast<std::size_t>(*number);
    a.name.resize(mark);
  }
  return a;
}

std::vector<std::string_view> ComputedFields() {
  std::vector<std::string_view> names;
  for (const Field field : kComputed) names.push_back(Info(field).abbreviation);
  return names;
}

Expected<CraftedFrame> CraftedFrame::Take(const RawFrame& frame) {
  if (frame.octets.size() > CraftLimits::kFrame)
    return Fail(fmt::format("has {} octets", frame.octets.size()), fmt::format("frame {}", frame.number),
                fmt::format("at most {} can be edited", CraftLimits::kFrame));
  CraftedFrame f;
  f.octets_ = AsOctets(frame.octets);
  f.link_ = frame.link;
  Collector collector(f);
  const RawFrame own{.number = frame.number,
                     .time = frame.time,
                     .link = frame.link,
                     .wire_length = static_cast<std::uint32_t>(f.octets_.size()),
                     .octets = AsBytes(f.octets_)};
  const FrameDescription d = DescribeFrame(own, collector);
  for (Place& p : f.places_)  // of the frame itself: they lie nowhere in it
    if (p.field == Field::kFrameNumber || p.field == Field::kFrameLength || p.field == Field::kFrameCaptured) p.range = {};
  f.fragment_ = d.result == DecodeResult::kFragment;
  if (d.result == DecodeResult::kPacket) {
    f.transport_ = d.packet.transport;
    f.source_port_ = d.packet.source_port;
    f.destination_port_ = d.packet.destination_port;
  }
  f.AddEmptyPlaces();
  f.spoken_.stream = f.transport_ == kTcp;
  return f;
}

// What a packet may have but this one has not: options, payload.
void CraftedFrame::AddEmptyPlaces() {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const Layer& layer = layers_[i];
    const bool ip = layer.header == Field::kIp, tcp = layer.header == Field::kTcp, last = i + 1 == layers_.size();
    const auto add = [&](Field field, std::size_t at, PlacePart part, PlaceKind kind) {
      if (at > octets_.size() || PlaceOf(field, i) != nullptr) return;
      places_.push_back({.field = field,
                         .range = {at, 0},
                         .kind = kind,
                         .part = part,
                         .elastic = true,
                         .layer = static_cast<std::uint32_t>(i)});
    };
    if (ip && layer.header_end == layer.start + kIpv4Fixed)
      add(Field::kIpOptions, layer.header_end, PlacePart::kHeader, PlaceKind::kOctets);
    if (tcp && layer.header_end == layer.start + kTcpFixed)
      add(Field::kTcpOptions, layer.header_end, PlacePart::kHeader, PlaceKind::kWhole);
    if (last && has_transport())
      add(transport_ == kTcp ? Field::kTcpPayload : Field::kUdpPayload, layer.header_end, PlacePart::kBody, PlaceKind::kOctets);
  }
}

Place* CraftedFrame::PlaceOf(Field field, std::size_t layer) {
  const auto at = std::ranges::find_if(places_, [&](const Place& p) { return p.field == field && p.layer == layer; });
  return at == places_.end() ? nullptr : &*at;
}

std::size_t CraftedFrame::PayloadPlace() const {
  const Field field = transport_ == kTcp ? Field::kTcpPayload : Field::kUdpPayload;
  const auto at = std::find_if(places_.rbegin(), places_.rend(), [&](const Place& p) { return p.field == field; });
  return at == places_.rend() ? places_.size() : static_cast<std::size_t>(places_.rend() - at) - 1;
}

Octets CraftedFrame::payload() const {
  const std::size_t at = has_transport() ? PayloadPlace() : places_.size();
  if (at == places_.size()) return {};
  return Octets(octets_).substr(places_[at].range.offset, places_[at].range.length);
}

std::vector<Place> CraftedFrame::InMessage() const { return MessagePlaces(spoken_, payload()); }

std::vector<Place> CraftedFrame::Places() const {
  std::vector<Place> all = places_;
  const std::size_t base = has_transport() && !payload().empty() ? places_[PayloadPlace()].range.offset : 0;
  for (Place& p : InMessage()) {
    p.range.offset += base;
    p.layer = static_cast<std::uint32_t>(layers_.size());
    all.push_back(p);
  }
  return all;
}

std::optional<CraftedFrame::IpPart> CraftedFrame::OuterIp() const {
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const bool v6 = layers_[i].header == Field::kIpv6;
    if (!v6 && layers_[i].header != Field::kIp) continue;
    const auto of = [&](Field field) {
      const auto at = std::ranges::find_if(places_, [&](const Place& p) { return p.field == field && p.layer == i; });
      if (at == places_.end()) return Address{};
      const auto* const octets = reinterpret_cast<const std::uint8_t*>(octets_.data()) + at->range.offset;
      return v6 ? Address::V6(octets) : Address::V4(octets);
    };
    const OctetRange range{layers_[i].start, layers_[i].end - layers_[i].start};
    return IpPart{range, of(v6 ? Field::kIpv6Source : Field::kIpSource), of(v6 ? Field::kIpv6Destination : Field::kIpDestination),
                  v6};
  }
  return {};
}

std::string CraftedFrame::Layers() const {
  std::string text;
  for (const Layer& layer : layers_) text += (text.empty() ? "" : ", ") + std::string(Info(layer.header).label_en);
  if (spoken_.protocol != Protocol::kUnknown && !payload().empty()) text += ", " + UpperCase(Name(spoken_.protocol));
  return text.empty() ? "no layer that is known here" : text;
}

Expected<void> CraftedFrame::Keep(Octets name) {
  if (name.empty()) return keep_all_ = true, Expected<void>();
  const auto* at = std::ranges::find_if(kComputed, [&](Field f) { return EqualsNoCase(Info(f).abbreviation, name); });
  if (at == std::end(kComputed)) {
    std::string all;
    for (const std::string_view field : ComputedFields()) all += (all.empty() ? "" : ", ") + std::string(field);
    return Fail("is not computed, so it is kept anyway", std::string(name), "computed are " + all);
  }
  kept_.insert(*at);
  return {};
}

Expected<CraftedFrame::Target> CraftedFrame::Find(const Assignment& a) const {
  const auto field = FieldNamed(a.name);
  if (!field) {
    const std::string_view nearest = NearestField(a.name);
    return Fail("there is no such field", a.name,
                nearest.empty() ? "glasspost craft --fields lists them" : fmt::format("did you mean {}?", nearest));
  }
  std::size_t seen = 0;
  for (std::size_t i = 0; i < places_.size(); ++i)
    if (places_[i].field == *field && ++seen == a.occurrence) return Target{false, i, places_[i]};
  const std::vector<Place> message = InMessage();
  for (std::size_t i = 0; i < message.size(); ++i)
    if (message[i].field == *field && ++seen == a.occurrence) return Target{true, i, message[i]};
  if (seen > 0) return Fail(fmt::format("there are only {} in this packet", seen), fmt::format("{}#{}", a.name, a.occurrence));
  return Fail("is not in this packet", a.name, "it has " + Layers());
}

Expected<void> CraftedFrame::Set(const std::vector<Assignment>& assignments) {
  std::vector<bool> done(assignments.size());
  for (const bool last : {false, true}) {
    for (std::size_t i = 0; i < assignments.size(); ++i) {
      if (done[i]) continue;
      const auto target = Find(assignments[i]);
      if (!target && last) return std::unexpected(target.error());
      if (!target) continue;  // a value that comes later may bring it
      if (!last && !target->place.elastic && target->place.kind != PlaceKind::kDnsName) continue;
      if (const auto put = Put(assignments[i], *target); !put) return put;
      done[i] = true;
    }
  }
  return {};
}

Expected<void> CraftedFrame::Put(const Assignment& a, const Target& target) {
  const Place& place = target.place;
  if (place.kind == PlaceKind::kCalculated || (place.kind == PlaceKind::kWhole && !place.elastic))
    return Fail(place.kind == PlaceKind::kCalculated ? "is calculated from other octets" : "is a whole; its parts can be set",
                a.name, "glasspost craft --fields lists what can be set");
  const std::size_t base = target.in_message ? places_[PayloadPlace()].range.offset : 0;
  if (place.kind == PlaceKind::kNumber && !IsHex(a.value)) {
    const auto number = NumberOf(place, a.value);
    if (!number) return std::unexpected(number.error());
    StoreNumber(octets_.data() + base + place.range.offset, place, *number);
  } else {
    Place parsed = place;
    parsed.elastic = place.elastic || place.kind == PlaceKind::kDnsName;
    const auto octets = OctetsOf(parsed, a.value);
    if (!octets) return std::unexpected(octets.error());
    if (!parsed.elastic) {
      octets_.replace(base + place.range.offset, place.range.length, *octets);
    } else if (!target.in_message) {
      return Replace(target.index, *octets);
    } else {
      const std::vector<Place> message = InMessage();
      const bool keep = keep_all_ || kept_.contains(Field::kDnsLength);
      const auto payload = ReplaceInMessage(spoken_, this->payload(), message, target.index, *octets, keep);
      return payload ? SetPayload(*payload) : std::unexpected(payload.error());
    }
  }
  if (!target.in_message) places_[target.index].set = true;
  return {};
}

Expected<void> CraftedFrame::Add(const Assignment& record) {
  const auto target = Find(record);
  if (!target) return std::unexpected(target.error());
  if (!target->in_message || !CountsRecords(target->place.field))
    return Fail("nothing can be added there", record.name,
                "dns.count.queries, dns.count.answers, dns.count.auth_rr or dns.count.add_rr");
  const bool keep = keep_all_ || kept_.contains(Field::kDnsLength);
  const auto payload = AddToMessage(this->payload(), InMessage(), target->index, record.value, keep);
  return payload ? SetPayload(*payload) : std::unexpected(payload.error());
}

Expected<void> CraftedFrame::SetPayload(Octets octets) {
  const std::size_t at = has_transport() ? PayloadPlace() : places_.size();
  if (at == places_.size())
    return Fail("there is no TCP or UDP whose payload it could be", "payload", "the packet has " + Layers());
  return Replace(at, octets);
}

Expected<void> CraftedFrame::Replace(std::size_t index, Octets octets) {
  const Place place = places_[index];
  const std::size_t at = place.range.offset, old = place.range.length;
  if (octets_.size() - old + octets.size() > CraftLimits::kFrame)
    return Fail("the frame would be too long", std::string(Info(place.field).abbreviation),
                fmt::format("a frame has at most {} octets", CraftLimits::kFrame));
  if (IsOptions(place.field) && (octets.size() % 4 != 0 || octets.size() > kMostOptions))
    return Fail(fmt::format("cannot have {} octets", octets.size()), std::string(Info(place.field).abbreviation),
                fmt::format("a multiple of 4, at most {}", kMostOptions));
  const std::string own(octets);  // it may be a view into the frame
  octets_.replace(at, old, own);
  MoveLayers(place, own.size());
  MovePlaces(index, own.size());
  return {};
}

// `place` was replaced by as many octets: layers around it end later, layers behind it begin later.
void CraftedFrame::MoveLayers(const Place& place, std::size_t length) {
  const std::size_t at = place.range.offset, behind = EndOf(place.range);
  const auto moved = [&](std::size_t position) { return position - place.range.length + length; };
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    Layer& layer = layers_[i];
    const bool around = place.part == PlacePart::kTrailer ? layer.start <= at && at < layer.end : i <= place.layer;
    if (around) {
      if (layer.end >= behind) layer.end = moved(layer.end);
      const bool options = place.part == PlacePart::kHeader && i == place.layer;
      if (options && layer.header_end >= behind) layer.header_end = moved(layer.header_end);
    } else if (layer.start >= behind) {
      layer.start = moved(layer.start), layer.header_end = moved(layer.header_end), layer.end = moved(layer.end);
    }
  }
}

// Likewise; what was a part of it is gone.
void CraftedFrame::MovePlaces(std::size_t index, std::size_t length) {
  const Place place = places_[index];  // the list may move
  const std::size_t at = place.range.offset, behind = EndOf(place.range);
  const auto moved = [&](std::size_t position) { return position - place.range.length + length; };
  const bool inserted = place.range.length == 0;
  std::size_t self = index;
  for (std::size_t i = 0; i < places_.size(); ++i) {
    Place& p = places_[i];
    if (i == self) continue;
    const bool part =
        !inserted && p.range.length > 0 && p.layer == place.layer && p.range.offset >= at && EndOf(p.range) <= behind;
    // What lies at the very place of an insertion is behind it if it is of an inner layer or of a later part of this one.
    const bool later = p.range.offset > at || p.part > place.part || p.layer > place.layer;
    const bool whole = p.kind == PlaceKind::kWhole && p.layer == place.layer && p.range.length > 0;
    if (part) {
      places_.erase(places_.begin() + static_cast<std::ptrdiff_t>(i--));
      if (i + 1 < self) --self;
    } else if (p.range.offset >= behind && (!inserted || later)) {
      p.range.offset = moved(p.range.offset);
    } else if (whole && p.range.offset <= at && EndOf(p.range) >= behind && place.part == PlacePart::kHeader) {
      p.range.length = moved(p.range.length);
    }
  }
  places_[self].range.length = length;
  places_[self].set = true;
}

bool CraftedFrame::Computes(const Place& place) const { return !keep_all_ && !place.set && !kept_.contains(place.field); }

Expected<void> CraftedFrame::Write(Field field, std::size_t layer, std::uint64_t value) {
  const Place* const place = PlaceOf(field, layer);
  if (place == nullptr || !Computes(*place)) return {};
  const std::uint64_t most = field == Field::kEthLength ? kSmallestType - 1 : LargestNumber(*place);
  if (value > most || value % place->number.unit != 0)
    return Fail(fmt::format("has no room for {}", value), std::string(Info(field).abbreviation),
                fmt::format("at most {}; or keep it as it is: --keep {}", most, Info(field).abbreviation));
  StoreNumber(octets_.data() + place->range.offset, *place, value);
  return {};
}

Expected<void> CraftedFrame::WriteLengths(std::size_t i) {
  const Layer& layer = layers_[i];
  const auto from = [&](std::size_t start) { return std::uint64_t{layer.end - std::min(start, layer.end)}; };
  const auto header = std::uint64_t{layer.header_end - layer.start};
  Expected<void> done;
  switch (layer.header) {
    case Field::kIp:
      done = Write(Field::kIpHeaderLength, i, header);
      if (done) done = Write(Field::kIpLength, i, from(layer.start));
      return done;
    case Field::kIpv6:
      return Write(Field::kIpv6PayloadLength, i, from(layer.start + kIpv6Fixed));
    case Field::kTcp:
      return Write(Field::kTcpHeaderLength, i, header);
    case Field::kUdp:
      return Write(Field::kUdpLength, i, from(layer.start));
    case Field::kEth:
      return Write(Field::kEthLength, i, from(layer.header_end));
    case Field::kPppoe:
      return Write(Field::kPppoeLength, i, from(layer.start + kPppoeFixed));
    default:
      return {};
  }
}

Expected<void> CraftedFrame::Finish() {
  for (std::size_t i = 0; i < layers_.size(); ++i)
    if (auto done = WriteLengths(i); !done) return done;
  // A checksum covers those of the layers within.
  for (std::size_t i = layers_.size(); i-- > 0;) WriteChecksums(i);
  return {};
}

void CraftedFrame::WriteChecksums(std::size_t i) {
  const Layer& layer = layers_[i];
  const Bytes all = AsBytes(octets_);
  const auto put = [&](const Place& place, std::uint16_t sum) {
    if (Computes(place)) StoreNumber(octets_.data() + place.range.offset, place, sum);
  };
  WriteTransportChecksum(i);
  if (const Place* const p = PlaceOf(Field::kIpChecksum, i); p != nullptr && layer.header_end - layer.start >= kIpv4Fixed)
    put(*p, CheckIpv4Header(all.subspan(layer.start, layer.header_end - layer.start)).calculated);
  // RFC 2784 §2.5, RFC 792: of header and payload, with zeros in its own place.
  const bool whole = !fragment_ || i + 1 < layers_.size();
  const Place* const p = PlaceOf(layer.header == Field::kGre ? Field::kGreChecksum : Field::kIcmpChecksum, i);
  if (p != nullptr && whole && layer.end >= EndOf(p->range)) {
    const std::uint64_t sum = AddWords(0, all.subspan(layer.start, layer.end - layer.start));
    put(*p, static_cast<std::uint16_t>(~Fold(sum - LoadNumber(Octets(octets_).substr(p->range.offset), *p))));
  }
}

// Those that count the addresses of the IP header, too.
struct CraftedFrame::Transport {
  Field header;
  Field checksum;
  std::uint8_t protocol;
  std::size_t shortest;
};

void CraftedFrame::WriteTransportChecksum(std::size_t i) {
  static constexpr Transport kTransports[] = {{Field::kTcp, Field::kTcpChecksum, kTcp, kTcpFixed},
                                              {Field::kUdp, Field::kUdpChecksum, kUdp, kUdpFixed},
                                              {Field::kIcmpv6, Field::kIcmpv6Checksum, layers::kIcmpv6Protocol, kIcmpv6Fixed}};
  const Layer& layer = layers_[i];
  const auto* const t = std::ranges::find(kTransports, layer.header, &Transport::header);
  if (t == std::end(kTransports)) return;
  const Place* const place = PlaceOf(t->checksum, i);
  const bool last = i + 1 == layers_.size();
  if (place == nullptr || !Computes(*place) || (fragment_ && last)) return;
  std::size_t ip = i;
  while (ip > 0 && layers_[ip].header != Field::kIp && layers_[ip].header != Field::kIpv6) --ip;
  const bool v6 = layers_[ip].header == Field::kIpv6;
  const Place* const source = PlaceOf(v6 ? Field::kIpv6Source : Field::kIpSource, ip);
  const Place* const destination = PlaceOf(v6 ? Field::kIpv6Destination : Field::kIpDestination, ip);
  if (source == nullptr || destination == nullptr) return;
  const Octets octets = octets_;
  // RFC 768: who sends none wants none; behind a route that is still to be gone, another destination counts.
  if (t->protocol == kUdp && !v6 && LoadNumber(octets.substr(place->range.offset), *place) == 0) return;
  if (!v6 && layers::HasSourceRoute(AsBytes(octets).subspan(
                 layers_[ip].start + kIpv4Fixed,
                 std::max(layers_[ip].header_end, layers_[ip].start + kIpv4Fixed) - layers_[ip].start - kIpv4Fixed)))
    return;
  for (const Place& p : places_)
    if (p.field == Field::kIpv6RoutingLeft && p.layer > ip && p.layer < i && LoadNumber(octets.substr(p.range.offset), p) != 0)
      return;
  if (layer.end < layer.start || layer.end - layer.start < t->shortest) return;
  const auto slice = [&](OctetRange r) { return AsBytes(octets.substr(r.offset, r.length)); };
  const ChecksumResult sum = CheckTransport(slice(source->range), slice(destination->range), t->protocol,
                                            slice({layer.start, layer.end - layer.start}), place->range.offset - layer.start);
  StoreNumber(octets_.data() + place->range.offset, *place, sum.calculated);
}

}  // namespace glasspost::capture
