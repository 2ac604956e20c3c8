// A zone file from anybody. Mistakes are bounded and have places within the text; a zone without mistakes, written out record by
// record, is read back as the same, and can be served.
#include <algorithm>
#include <string>

#include "support/require.h"
#include "wire/dns/authority.h"
#include "wire/dns/message.h"
#include "wire/dns/names.h"
#include "wire/dns/zone_file.h"

namespace {

using namespace glasspost;
using namespace glasspost::dns;
using glasspost::test::Require;

std::string Written(const Zone& zone) {
  std::string out;
  for (const ZoneRecord& r : zone.records) {
    AppendName(out, r.name, true);
    out += " " + std::to_string(r.ttl) + " IN ";
    AppendType(out, r.type);
    out += ' ';
    AppendDataText(out, r.type, r.data);
    out += '\n';
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Octets text(reinterpret_cast<const char*>(data), size);
  std::vector<ZoneMistake> mistakes;
  Zone zone = ReadZone(text, mistakes);
  Require(mistakes.size() <= ZoneFileLimits::kMistakes);
  const auto lines = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  for (const ZoneMistake& m : mistakes) Require(m.line <= lines && m.column <= size + 1 && !m.what.empty() && !m.remedy.empty());
  if (!mistakes.empty()) return 0;
  const std::string written = Written(zone);
  const Zone again = ReadZone(written, mistakes);
  Require(mistakes.empty() && again.origin == zone.origin && Written(again) == written);
  Authority authority;
  AuthorityWorkspace work;
  std::string query, answer;
  for (const ZoneRecord& r : zone.records) Require(IsWithin(r.name, zone.origin));
  Message asked;
  asked.AddQuestionOctets(zone.records.front().name, kTypeAny);
  Require(Encode(asked, query));
  Require(authority.Add(std::move(zone)).has_value());
  Require(authority.Answer(query, Transport::kUdp, work, answer) && answer.size() <= AuthorityLimits::kUdpOctets);
  return 0;
}
