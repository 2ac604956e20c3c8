// A frame told field by field, octet by octet, with Wireshark's names: for the hex view and the packet tree. The functions are
// those of the decoder's fast path, run with a visitor.
#pragma once

#include <vector>

#include "base/field.h"
#include "capture/decoder.h"
#include "capture/layers/link.h"
#include "capture/packet.h"
#include "capture/raw_frame.h"

namespace glasspost::capture {

struct FrameDescription {
  DecodeResult result{};
  Packet packet;             // where `result` is kPacket; points into the frame
  std::size_t captured = 0;  // octets of the frame that are here
  std::size_t expected = 0;  // octets that it had, as its own headers or the capture file say; more than `captured`: it is cut
};

// Calls visitor(Field, OctetRange, FieldValue) for every field, header by header from the outermost; ranges are offsets in the
// frame. A field that stands for a whole header comes before its parts and has no value; a field that is calculated (a
// checksum's status: ChecksumStatus as a number) has the range of what it is about; a trailer comes right after the header whose
// length shows it. Values point into the frame.
// A visitor with Missing(Field, OctetRange) is told of each field of a known header that lies, wholly or in part, behind the
// last octet that its layer has: the frame is cut, or a length in it is a lie; what stands behind a cut header is not known. A
// fragment is described as it is: of the first one also the transport header.
template <class V>
FrameDescription DescribeFrame(const RawFrame& frame, V& visitor) {
  static_assert(V::kWanted, "without fields, use Decoder");
  FrameDescription d;
  d.captured = frame.octets.size();
  layers::Walk<V> walk(visitor, frame, d.packet, nullptr, nullptr);
  const layers::Slice s = layers::FrameSlice(frame);
  walk.expected = s.length;
  const OctetRange all{0, s.captured};
  visitor(Field::kFrameNumber, all, FieldValue{frame.number});
  visitor(Field::kFrameLength, all, FieldValue{std::uint64_t{s.length}});
  visitor(Field::kFrameCaptured, all, FieldValue{std::uint64_t{d.captured}});
  d.result = layers::OtherLink(walk, s);
  d.expected = walk.expected;
  return d;
}

// The visitor for those who want all fields in a list.
struct FieldList {
  static constexpr bool kWanted = true;
  struct Entry {
    Field field;
    OctetRange range;
    FieldValue value;      // views into the frame
    bool missing = false;  // `range` lies, wholly or in part, behind the last octet that is here; no value
  };
  std::vector<Entry> entries;

  void operator()(Field field, OctetRange range, const FieldValue& value) { entries.push_back({field, range, value}); }
  void Missing(Field field, OctetRange range) { entries.push_back({field, range, {}, true}); }
};

extern template FrameDescription DescribeFrame<FieldList>(const RawFrame&, FieldList&);

}  // namespace glasspost::capture
