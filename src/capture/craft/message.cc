#include "capture/craft/message.h"

#include <fmt/format.h>

#include <algorithm>

#include "capture/craft/dns_record.h"
#include "wire/dns/decoder.h"
#include "wire/dns/framing.h"
#include "wire/imap/grammar.h"
#include "wire/mime/header.h"
#include "wire/pop3/grammar.h"
#include "wire/smtp/grammar.h"
#include "wire/smtp/reply.h"
#include "wire/tls/dissect.h"

namespace glasspost::capture {
namespace {

// Protocols of lines: every field is characters, also a number.
struct TextCollector {
  static constexpr bool kWanted = true;
  std::vector<Place>& places;
  std::size_t base = 0;

  void operator()(Field field, OctetRange range, const FieldValue&) {
    places.push_back({.field = field,
                      .range = {base + range.offset, range.length},
                      .kind = PlaceKind::kText,
                      .part = PlacePart::kBody,
                      .elastic = true});
  }
};

bool BeginsName(Field field) {
  return field == Field::kDnsNameLabelLength || field == Field::kDnsNamePointer || field == Field::kDnsNameEnd;
}

struct DnsCollector {
  static constexpr bool kWanted = true;
  std::vector<Place>& places;
  OctetRange message;
  std::size_t first = places.size();
  std::string told{};  // the last text

  void operator()(Field field, OctetRange range, const FieldValue& value) {
    Place& p = Add(field, range);
    if (std::holds_alternative<Octets>(value)) p.kind = PlaceKind::kText;
    if (p.kind == PlaceKind::kText) told = std::get<Octets>(value);
    if (std::holds_alternative<Bytes>(value) || field == Field::kDnsData) p.kind = PlaceKind::kOctets;
    // One whole question or record is told as text; it lies there otherwise.
    if (field == Field::kDnsQuestion || field == Field::kDnsRecord) p.kind = PlaceKind::kOctets;
    if (field == Field::kDnsA) p.kind = PlaceKind::kIpv4;
    if (field == Field::kDnsAaaa) p.kind = PlaceKind::kIpv6;
    p.elastic = p.kind == PlaceKind::kText || p.kind == PlaceKind::kOctets;
  }
  void operator()(Field field, OctetRange range, const FieldValue&, NumberPlace number) {
    // A name is told, then what it is made of.
    if (BeginsName(field) && places.size() > first && places.back().range.offset == message.offset + range.offset &&
        places.back().kind == PlaceKind::kText) {
      places.back().kind = PlaceKind::kDnsName;
      places.back().name = told;
    }
    Place& p = Add(field, range);
    p.kind = PlaceKind::kNumber;
    p.number = number;
  }
  Place& Add(Field field, OctetRange range) {
    return places.emplace_back(Place{
        .field = field, .range = {message.offset + range.offset, range.length}, .part = PlacePart::kBody, .message = message});
  }
};

void AddDns(Octets payload, OctetRange at, std::vector<Place>& places) {
  dns::Message message;
  DnsCollector collector{places, at};
  dns::DecodeFields(payload.substr(at.offset, at.length), at.length, message, collector);
}

void AddDnsStream(Octets payload, std::vector<Place>& places) {
  constexpr std::size_t kPrefix = 2;
  dns::TcpSplitter splitter;
  dns::Framed framed;
  Octets rest = payload;
  for (std::size_t at = 0; payload.size() - at >= kPrefix; at += kPrefix + framed.message.size()) {
    const bool whole = splitter.Next(rest, framed) == dns::TcpSplitter::Step::kMessage;
    if (!whole && !splitter.Partial(framed)) return;
    const OctetRange message{at + kPrefix, framed.message.size()};
    places.push_back({.field = Field::kDnsLength,
                      .range = {at, kPrefix},
                      .kind = PlaceKind::kNumber,
                      .part = PlacePart::kBody,
                      .message = message});
    AddDns(payload, message, places);
    if (!whole) return;
  }
}

// Calls each(line, offset) without the line ends.
template <class Each>
void ForEachLine(Octets payload, Each&& each) {
  for (std::size_t at = 0; at < payload.size();) {
    const std::size_t lf = payload.find('\n', at);
    const std::size_t next = lf == Octets::npos ? payload.size() : lf + 1;
    Octets line = payload.substr(at, next - at);
    if (line.ends_with('\n')) line.remove_suffix(1);
    if (line.ends_with('\r')) line.remove_suffix(1);
    each(line, at);
    at = next;
  }
}

bool IsHeader(Octets text) {
  mime::FieldReader reader(text);
  mime::RawField field;
  return reader.Next(field) && field.name_range.offset == 0;
}

Octets FirstLine(Octets payload) { return payload.substr(0, payload.find_first_of("\r\n")); }

void AddSmtp(Direction direction, Octets payload, std::vector<Place>& places) {
  TextCollector collector{places};
  const Octets first = FirstLine(payload);
  const bool said = smtp::LooksLikeCommand(first) || smtp::LooksLikeAnswer(first);
  if (direction == Direction::kToServer && !said && IsHeader(payload)) return mime::ReportHeader(payload, 0, collector);
  smtp::Command command;
  ForEachLine(payload, [&](Octets line, std::size_t at) {
    if (direction == Direction::kToServer) {
      command.Clear();
      smtp::ParseCommand(line, command);
      smtp::ReportCommand(line, command, at, collector);
    } else if (smtp::ReplyLine reply; smtp::ParseReplyLine(line, reply)) {
      smtp::ReportReply(line, reply, at, collector);
    }
  });
}

void AddPop3(Direction direction, Octets payload, std::vector<Place>& places) {
  TextCollector collector{places};
  ForEachLine(payload, [&](Octets line, std::size_t at) {
    collector.base = at;
    if (direction == Direction::kToServer)
      pop3::ParseCommand(line, collector);
    else
      pop3::ParseStatus(line, collector);
  });
  const std::size_t first = payload.find('\n');
  if (direction == Direction::kToServer || first == Octets::npos) return;
  collector.base = 0;
  if (const Octets message = payload.substr(first + 1); IsHeader(message)) mime::ReportHeader(message, first + 1, collector);
}

bool IsDnsLength(Field field) {
  switch (field) {
    case Field::kDnsRecordLength:
    case Field::kDnsNameLabelLength:
    case Field::kDnsTxtLength:
    case Field::kDnsSpfLength:
    case Field::kDnsStringLength:
    case Field::kDnsNsec3SaltLength:
    case Field::kDnsNsec3HashLength:
    case Field::kDnsTsigMacLength:
    case Field::kDnsTsigOtherLength:
    case Field::kDnsCaaTagLength:
    case Field::kDnsOptionLength:
    case Field::kDnsSvcbValueLength:
      return true;
    default:
      return false;
  }
}

bool IsTlsLength(Field field) {
  switch (field) {
    case Field::kTlsRecordLength:
    case Field::kTlsHandshakeLength:
    case Field::kTlsHandshakeExtensionsLength:
    case Field::kTlsHandshakeExtensionLength:
    case Field::kTlsHandshakeServerNameListLength:
    case Field::kTlsHandshakeServerNameLength:
      return true;
    default:
      return false;
  }
}

struct TlsCollector {
  static constexpr bool kWanted = true;
  std::vector<Place>& places;

  void operator()(Field field, OctetRange range, const FieldValue& value) {
    Place& p = places.emplace_back(Place{.field = field, .range = range, .part = PlacePart::kBody});
    if (std::holds_alternative<Octets>(value)) p.kind = PlaceKind::kText;
    if (std::holds_alternative<Bytes>(value)) p.kind = PlaceKind::kOctets;
    // Those of which every length around them is known by its field.
    p.elastic = field == Field::kTlsHandshakeServerName || field == Field::kTlsAppData;
  }
  void operator()(Field field, OctetRange range, const FieldValue&, NumberPlace number) {
    places.push_back({.field = field, .range = range, .kind = PlaceKind::kNumber, .part = PlacePart::kBody, .number = number});
  }
};

void AddTls(Octets payload, std::vector<Place>& places) {
  TlsCollector collector{places};
  tls::DissectRecords(AsBytes(payload), 0, false, collector);
}

std::uint64_t MostOf(const Place& length) {
  constexpr std::uint64_t kMostInLabel = 63;
  if (length.field == Field::kDnsNameLabelLength) return kMostInLabel;
  return length.field == Field::kTlsRecordLength ? tls::kMaxRecordBody : LargestNumber(length);
}

std::size_t EndOf(OctetRange r) { return r.offset + r.length; }
bool Contains(OctetRange outer, OctetRange inner) { return outer.offset <= inner.offset && EndOf(inner) <= EndOf(outer); }

// `octets` with `value` at `place`; each length that counts them counts it too.
Expected<std::string> Splice(Octets octets, const std::vector<Place>& places, const Place& place, Octets value) {
  std::string out(octets);
  for (const Place& p : places) {
    if (!(IsDnsLength(p.field) || IsTlsLength(p.field)) || p.kind != PlaceKind::kNumber) continue;
    const std::uint64_t length = LoadNumber(octets.substr(p.range.offset), p);
    if (!Contains({EndOf(p.range), length}, place.range)) continue;
    const std::uint64_t now = length - place.range.length + value.size();
    const std::uint64_t most = MostOf(p);
    if (now > most)
      return Fail("is too long", std::string(Info(place.field).abbreviation),
                  fmt::format("{} says at most {}", Info(p.field).abbreviation, most));
    StoreNumber(out.data() + p.range.offset, p, now);
  }
  out.replace(place.range.offset, place.range.length, value);
  return out;
}

// Of DNS, which has a length of its own to keep within.
Expected<std::string> SpliceDns(Octets octets, const std::vector<Place>& places, const Place& place, Octets value) {
  auto out = Splice(octets, places, place, value);
  if (out && out->size() > dns::kMaxMessage) return Fail("is too long", std::string(Info(place.field).abbreviation));
  return out;
}

// The index of the field like places[index] (by name, and how many of them come before it) in `others`.
std::optional<std::size_t> SameIn(const std::vector<Place>& others, const std::vector<Place>& places, std::size_t index) {
  auto before = std::count_if(places.begin(), places.begin() + static_cast<std::ptrdiff_t>(index),
                              [&](const Place& p) { return p.field == places[index].field; });
  for (std::size_t i = 0; i < others.size(); ++i)
    if (others[i].field == places[index].field && before-- == 0) return i;
  return {};
}

// A label is a part of its name, which may go on elsewhere: where the name is written out it is found by its name. The index of
// the label in `plain`.
std::optional<std::size_t> LabelIn(const std::vector<Place>& plain, const std::vector<Place>& places, std::size_t index) {
  std::size_t name = index, label = 0;
  while (name > 0 && places[name].kind != PlaceKind::kDnsName) label += places[name--].field == Field::kDnsNameLabel ? 1 : 0;
  if (places[name].kind != PlaceKind::kDnsName) return {};
  auto at = SameIn(plain, places, name);
  for (std::size_t i = at.value_or(plain.size()); i < plain.size(); ++i)
    if (plain[i].field == Field::kDnsNameLabel && --label == 0) return i;
  return {};
}

// Of one message of DNS.
Expected<std::string> ReplaceInDns(Octets octets, std::size_t index, Octets value) {
  std::vector<Place> places;
  AddDns(octets, {0, octets.size()}, places);
  dns::Message message;
  dns::Decode(octets, message);
  const auto broken = [&] {
    std::string fault;
    dns::AppendFault(fault, message.fault);
    return Fail("the message is broken, so no length in it can change: " + fault,
                std::string(Info(places[index].field).abbreviation), "set the whole payload");
  };
  std::string plain;
  if (message.malformed() || !dns::Encode(message, plain, dns::kMaxMessage, false)) return broken();
  std::vector<Place> plain_places;
  AddDns(plain, {0, plain.size()}, plain_places);
  const bool label = places[index].field == Field::kDnsNameLabel;
  const auto at = label ? LabelIn(plain_places, places, index) : SameIn(plain_places, places, index);
  if (!at) return broken();
  auto spliced = SpliceDns(plain, plain_places, plain_places[*at], value);
  const bool compressed = std::ranges::any_of(places, [](const Place& p) { return p.field == Field::kDnsNamePointer; });
  if (!spliced || !compressed) return spliced;
  dns::Decode(*spliced, message);
  std::string again;
  if (message.malformed() || !dns::Encode(message, again)) return spliced;
  return again;
}

// `message` in the place of the one that lies at `whole`.
std::string PutMessage(Octets payload, const std::vector<Place>& places, OctetRange whole, Octets message, bool keep_length) {
  std::string out(payload);
  out.replace(whole.offset, whole.length, message);
  for (const Place& p : places)
    if (p.field == Field::kDnsLength && p.message == whole && !keep_length)
      StoreNumber(out.data() + p.range.offset, p, message.size());
  return out;
}

}  // namespace

std::vector<Place> MessagePlaces(const Spoken& spoken, Octets payload) {
  std::vector<Place> places;
  switch (spoken.protocol) {
    case Protocol::kDns:
      if (spoken.stream)
        AddDnsStream(payload, places);
      else if (!payload.empty())
        AddDns(payload, {0, payload.size()}, places);
      break;
    case Protocol::kSmtp:
    case Protocol::kLmtp:
      AddSmtp(spoken.direction, payload, places);
      break;
    case Protocol::kPop3:
      AddPop3(spoken.direction, payload, places);
      break;
    case Protocol::kImap: {
      TextCollector collector{places};
      ForEachLine(payload, [&](Octets line, std::size_t at) { imap::DissectLine(spoken.direction, line, at, collector); });
      break;
    }
    case Protocol::kTls:
      AddTls(payload, places);
      break;
    case Protocol::kUnknown:
      break;
  }
  return places;
}

Expected<std::string> AddToMessage(Octets payload, const std::vector<Place>& places, std::size_t index, Octets record,
                                   bool keep_length) {
  const OctetRange whole = places[index].message;
  dns::Message message;
  dns::Decode(payload.substr(whole.offset, whole.length), message);
  const std::string name(Info(places[index].field).abbreviation);
  if (message.malformed()) {
    std::string fault;
    dns::AppendFault(fault, message.fault);
    return Fail("the message is broken, so nothing can be added: " + fault, name, "set the whole payload");
  }
  if (const auto added = AddRecord(message, places[index].field, record); !added) return std::unexpected(added.error());
  std::string octets;
  if (!dns::Encode(message, octets)) return Fail("the message would be too long", name);
  return PutMessage(payload, places, whole, octets, keep_length);
}

Expected<std::string> ReplaceInMessage(const Spoken& spoken, Octets payload, const std::vector<Place>& places, std::size_t index,
                                       Octets value, bool keep_length) {
  const Place& place = places[index];
  if (spoken.protocol == Protocol::kTls) return Splice(payload, places, place, value);
  if (spoken.protocol != Protocol::kDns) {
    std::string out(payload);
    out.replace(place.range.offset, place.range.length, value);
    return out;
  }
  const OctetRange whole = place.message;
  const auto first =
      std::ranges::find_if(places, [&](const Place& p) { return p.message == whole && p.field != Field::kDnsLength; });
  auto message =
      ReplaceInDns(payload.substr(whole.offset, whole.length), index - static_cast<std::size_t>(first - places.begin()), value);
  if (!message) return message;
  return PutMessage(payload, places, whole, *message, keep_length);
}

}  // namespace glasspost::capture
