// A message as its octets pass (RFC 5322): size, SHA-256, the header block, and what can be known without keeping the body.
// Any chunking of the same octets gives the same answers. After the header's end an octet costs its digest and an addition.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "base/octets.h"
#include "base/sha256.h"

namespace glasspost::mime {

struct ScanLimits {
  // Octets of the header block that are kept; more is cut and said. Stops a message without an empty line from being held whole.
  std::size_t header_octets = 256 * 1024;
};

struct ScanOptions {
  bool digest = true;
  // Also the journey's message id: SHA-256 of the message from its first line that is no trace field. A second digest of all.
  bool journey = false;
  ScanLimits limits;
};

using Digest = std::array<std::uint8_t, 32>;

class MessageScan {
 public:
  explicit MessageScan(const ScanOptions& options = {}) : options_(options) {}

  // Ready for another message; keeps the memory.
  void Reset();
  void Reset(const ScanOptions& options) {
    options_ = options;
    Reset();
  }

  // Consecutive octets of the message as its sender wrote it. Views are not kept.
  void OnOctets(Octets octets) {
    size_ += octets.size();
    // The body, of which nothing but the size is asked for.
    if (state_ == State::kBody && !options_.digest && !journey_started_) return;
    if (!octets.empty()) Take(octets);
  }
  // `length` octets are missing here. Size and digest go on over what is there; a header that is hit is cut at this place,
  // since what follows cannot be told from body.
  void OnGap(std::uint64_t length);

  std::uint64_t size() const { return size_; }
  std::uint64_t missing() const { return missing_; }

  // The header block without the empty line that ends it, with its line ends; the whole message so far if none came.
  // Good until the next call of OnOctets or Reset.
  Octets header() const { return header_; }
  // The empty line was seen. A bare LF is taken for a line end here: this is reading, nothing is decided by it.
  bool header_ended() const { return state_ == State::kBody; }
  // Only the beginning of the header was kept: over the limit, or a gap lies in it.
  bool header_cut() const { return header_cut_; }
  // Octets of the whole header block, also of what was not kept.
  std::uint64_t header_octets() const { return header_octets_; }
  // Where the body begins in the message; meaningful once the header has ended.
  std::uint64_t body_offset() const { return header_octets_ + end_octets_; }

  // Fields that each message should have (RFC 5322 §3.6); looked for in the whole header, also beyond the limit.
  bool has_date() const { return has_date_; }
  bool has_message_id() const { return has_message_id_; }

  // At the message's end, each at most once until Reset. Zeros if it was not asked for.
  Digest FinishDigest();
  // Nothing but trace fields within the limit: there is no journey id, and it is all zeros.
  Digest FinishJourneyId();

 private:
  enum class State : std::uint8_t { kHeader, kBody, kLost };

  void Take(Octets octets);
  // Takes the header's part of `octets`; tells how much that was, the empty line included.
  std::size_t OnHeaderOctets(Octets octets);
  void OnHeaderLine();
  void Keep(Octets octets);
  void StartJourney();

  static constexpr std::size_t kPrefixOctets = 24;  // of a line: enough for "Message-ID" and some blanks before the colon

  ScanOptions options_;
  State state_ = State::kHeader;
  bool header_cut_ = false;
  bool has_date_ = false;
  bool has_message_id_ = false;
  bool last_cr_ = false;  // the current line's last octet so far is CR
  bool held_cr_ = false;  // a CR that begins a line came last and is not yet kept
  bool journey_started_ = false;
  std::uint8_t end_octets_ = 0;  // 2 or 1: the empty line's
  std::uint64_t size_ = 0;
  std::uint64_t missing_ = 0;
  std::uint64_t header_octets_ = 0;
  std::uint64_t line_octets_ = 0;  // of the current header line so far
  std::array<char, kPrefixOctets> prefix_{};
  std::string header_;
  Sha256 digest_;
  Sha256 journey_;
  bool digest_dirty_ = false;  // digests hold octets of the message before
  bool journey_dirty_ = false;
};

// Octets of the trace fields (Received, Return-Path, Delivered-To, with their continuation lines) that a header begins with.
// `complete`: the header ends here; else a last line of a few octets is not judged, for more of it may come.
struct TracePrefix {
  std::size_t octets = 0;
  bool ended = false;  // a line that is no trace field follows
};
TracePrefix FindTracePrefix(Octets header, bool complete);

}  // namespace glasspost::mime
