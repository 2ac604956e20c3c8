// A message in any chunking gives the same scan; header, structure and text of any octets stay within their bounds and end.
#include <algorithm>
#include <cstdint>
#include <string>

#include "base/escape.h"
#include "support/require.h"
#include "wire/mime/date.h"
#include "wire/mime/encoded_word.h"
#include "wire/mime/gmime_tree.h"
#include "wire/mime/header.h"
#include "wire/mime/message_scan.h"
#include "wire/mime/parameter.h"
#include "wire/mime/structure.h"

namespace {

using namespace glasspost;
using namespace glasspost::mime;
using glasspost::test::Require;

void CheckScan(Octets message, std::size_t step) {
  ScanOptions options{.digest = true, .journey = true, .limits = {}};
  options.limits.header_octets = 64;  // so that small inputs pass it
  MessageScan whole(options), chunked(options);
  whole.OnOctets(message);
  for (std::size_t at = 0; at < message.size(); at += step) chunked.OnOctets(message.substr(at, step));
  Require(whole.size() == chunked.size() && whole.header() == chunked.header() && whole.header_ended() == chunked.header_ended());
  Require(whole.header_cut() == chunked.header_cut() && whole.header_octets() == chunked.header_octets());
  Require(whole.body_offset() == chunked.body_offset() && whole.has_date() == chunked.has_date());
  Require(whole.has_message_id() == chunked.has_message_id() && whole.header().size() <= options.limits.header_octets);
  Require(whole.FinishDigest() == chunked.FinishDigest() && whole.FinishJourneyId() == chunked.FinishJourneyId());
}

void CheckHeader(Octets block) {
  HeaderDecoder decoder;
  decoder.Parse(block);
  for (const HeaderField& f : decoder.fields()) {
    Require(!f.name.empty());
    ParseDate(f.value);
    ParseAddresses(f.value);
    ParseParameters(f.value);
  }
}

struct InRange {
  static constexpr bool kWanted = true;
  std::size_t size;
  void operator()(Field, OctetRange range, const FieldValue&) const {
    Require(range.offset <= size && range.length <= size - range.offset);
  }
};

void CheckStructure(Octets message) {
  StructureOptions options;
  options.limits.depth = 8;
  options.limits.parts = 20;
  options.limits.header_octets = 4096;
  options.limits.text_octets = 500;
  const Structure s = ReadStructure(message, options);
  Require(s.parts.empty() == (s.problem != MimeProblem::kNone) && s.parts.size() <= options.limits.parts);
  for (const Part& p : s.parts) {
    Require(p.content.offset <= message.size() && p.content.length <= message.size() - p.content.offset);
    const std::string name = SafeFilename(p);
    Require(!name.empty() && name.size() <= 230 && name.find('/') == std::string::npos && IsUtf8(name));
  }
  Require(IsUtf8(s.text));
  for (const Part& p : s.parts)
    if (!p.multipart && !p.message) Require(IsUtf8(PartText(message, p)));
  InRange visitor{message.size()};
  ReportMessage(message, 0, visitor, options.limits);
}

// The outline is there to say what GMime will build: it must never say less.
void CheckOutline(Octets message) {
  const Outline outline = OutlineOf(message);
  if (outline.problem != MimeProblem::kNone) return;
  std::size_t depth = 0;
  for (const Entity& e : outline.entities) depth = std::max<std::size_t>(depth, e.depth);
  const auto nodes = ReadTree(message, message.size() + 2, message.size() + 2);
  Require(nodes.size() <= outline.entities.size());
  for (const TreeNode& node : nodes) Require(node.depth < depth);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Octets input = AsOctets({data, size});
  const std::size_t step = size == 0 ? 1 : data[0] % 7 + 1u;
  CheckScan(input, step);
  CheckHeader(input);
  CheckStructure(input);
  CheckOutline(input);
  Require(IsUtf8(DecodeValue(input, ValueKind::kAddress)));
  return 0;
}
