// The talk over the administration socket, in frames: four octets of length (of what follows the type; most significant first),
// one octet of type, the content.
//
//   'J'  a JSON object: a request, or an answer
//   'O'  octets: of a message, of a kept conversation
//   'E'  the end of the octets that the client sends; empty
//
// A request is {"do": "user.add", …} (server/admin.h has the list). The server answers with any number of
//   {"rows": [{…}, …]}   of a listing
//   octets               of a message or a conversation
// and then one {"ok": true, …} or {"ok": false, "fault": "not-found", "error": "…"}, which ends the answer; the next request may
// follow. Only "submit" has octets of the client's: once {"go": true} has come it sends them, then the end.
#pragma once

#include <cstdint>
#include <string>

#include "base/octets.h"

namespace glasspost::server {

enum class FrameType : char { kJson = 'J', kOctets = 'O', kEnd = 'E' };

struct FrameLimits {
  // A request: stops a client from having the server hold more for it. (1000 recipients of 256 octets fit.)
  static constexpr std::size_t kRequest = std::size_t{1} << 20;
  // An answer; the longest is an alias with all its targets.
  static constexpr std::size_t kAnswer = std::size_t{16} << 20;
  // Octets at once.
  static constexpr std::size_t kOctets = std::size_t{64} << 10;
  // Rows are gathered up to so much.
  static constexpr std::size_t kRows = std::size_t{64} << 10;
  static constexpr std::size_t kHead = 5;
};

struct Frame {
  FrameType type = FrameType::kJson;
  Octets content;  // good until the reader is touched again
};

void AppendFrame(std::string& out, FrameType type, Octets content);

// Takes frames out of a stream of octets, however they come.
class FrameReader {
 public:
  enum class State : std::uint8_t { kMore, kDone, kBroken };

  explicit FrameReader(std::size_t json_limit) : json_limit_(json_limit) {}
  void Feed(Octets octets);
  // kDone: `frame` is the next one. kBroken: no frame, or too long; nothing more can be read.
  State Next(Frame& frame);
  // Octets that are held.
  std::size_t held() const { return held_.size() - taken_; }

 private:
  std::size_t json_limit_;
  std::string held_;
  std::size_t taken_ = 0;
};

}  // namespace glasspost::server
