// A DNS message from any octets. Whatever it is: every reading is plain ASCII, fields lie within the octets, the visitor changes
// nothing; a sound message is encoded and read back as the same, and its data are read back from their zone-file form.
#include <string>

#include "support/require.h"
#include "wire/dns/decoder.h"
#include "wire/dns/message.h"
#include "wire/dns/recognise.h"

namespace {

using namespace glasspost;
using glasspost::test::Require;

struct InRange {
  static constexpr bool kWanted = true;
  std::size_t size;
  void operator()(Field, OctetRange range, const FieldValue&) const {
    Require(range.offset <= size && range.length <= size - range.offset);
  }
};

void CheckText(const dns::Message& m) {
  std::string text;
  for (const dns::Question& q : m.questions) dns::AppendQuestionText(text, m, q);
  for (const dns::Record& r : m.records) {
    dns::AppendRecordText(text, m, r);
    if (text.size() > 1 << 20) break;
  }
  dns::AppendFault(text, m.fault);
  for (const char c : text) Require(c >= ' ' && c <= '~');
}

void CheckDataText(const dns::Message& m) {
  std::string text, data;
  for (const dns::Record& r : m.records) {
    if (r.type == dns::kTypeOpt) continue;
    text.clear(), data.clear();
    dns::AppendRecordData(text, m, r);
    // An AAAA may be written in two ways only to the eye; all else gives its octets back.
    if (dns::ParseData(r.type, text, data)) {
      std::string again;
      dns::AppendDataText(again, r.type, data);
      std::string first;
      dns::AppendDataText(first, r.type, m.Data(r));
      Require(r.opaque || again == first);
    }
    if (text.size() > 1 << 16) break;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Octets wire(reinterpret_cast<const char*>(data), size);
  dns::Message m, seen, again;
  dns::Decode(wire, m);
  CheckText(m);
  CheckDataText(m);
  Require(m.fault.offset <= size);
  InRange visitor{size};
  dns::DecodeFields(wire, size, seen, visitor);
  Require(dns::SameContent(m, seen) && m.fault == seen.fault);
  dns::Decode(wire, size + 1, seen);
  Require(seen.cut);
  (void)dns::LooksLikeDns(wire, 40000, 5300);
  (void)dns::LooksLikeDnsStream(wire, 40000, 5300);
  if (m.malformed() || m.opcode() == dns::kOpcodeDso) return 0;
  std::string encoded;
  if (!dns::Encode(m, encoded)) return 0;
  dns::Decode(encoded, again);
  Require(!again.malformed() && dns::SameContent(m, again));
  return 0;
}
