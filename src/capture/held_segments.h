// Segments of one direction that cannot be told yet: copies of their octets, sorted by stream position, without overlap. Where
// two bring the same octets, those that came first stay.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "base/origin.h"

namespace glasspost::capture {

// What is kept of the packet that brought a piece.
struct HeldSource {
  // No acknowledgement: the piece waits for nothing of the other side. Smaller than any position.
  static constexpr std::int64_t kNoAcknowledgement = std::numeric_limits<std::int64_t>::min();
  std::int64_t acknowledges = kNoAcknowledgement;  // position in the other side's stream
  std::uint64_t arrival = 0;                       // which packet of the connection
  Origin origin;
};

struct HeldPiece {
  std::int64_t offset = 0;
  std::uint32_t length = 0;
  std::unique_ptr<char[]> octets;  // null: the snap length cut them off, they will be a gap
  HeldSource source;
  std::int64_t end() const { return offset + length; }
};

class HeldSegments {
 public:
  struct Overlap {
    std::uint64_t octets = 0;  // that were held already
    bool conflict = false;     // with other contents
  };
  // Keeps those octets of [offset, offset + length) that are not held. Null `octets`: they are known to be missing, which real
  // ones that come later put right. Octets that two packets brought wait for the less of their acknowledgements (a
  // retransmission acknowledges more than the original did).
  Overlap Insert(std::int64_t offset, std::uint32_t length, const char* octets, const HeldSource& source);

  bool empty() const { return head_ == pieces_.size(); }
  std::size_t size() const { return pieces_.size() - head_; }
  std::size_t octets() const { return octets_; }  // held in memory
  // What they take of it with what is kept beside: many tiny pieces cost more than their octets.
  static constexpr std::size_t kPieceCost = sizeof(HeldPiece) + 16;
  std::size_t cost() const { return octets_ + size() * kPieceCost; }
  const HeldPiece& front() const { return pieces_[head_]; }
  HeldPiece PopFront();
  void Clear();
  // The stream's (or the other stream's) position 0 moved.
  void ShiftOffsets(std::int64_t by);
  void ShiftAcknowledgements(std::int64_t by);

 private:
  std::size_t FirstEndingAfter(std::int64_t offset) const;
  void Split(std::size_t i, std::int64_t at);
  void CarveMissing(std::int64_t from, std::int64_t to);

  std::vector<HeldPiece> pieces_;  // from head_ on
  std::size_t head_ = 0;
  std::size_t octets_ = 0;
};

}  // namespace glasspost::capture
