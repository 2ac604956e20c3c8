// Frames told octet by octet: each field of Ethernet, IP, TCP or UDP with its octets, its name, Wireshark's name and its value.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

#include "analysis/language.h"
#include "analysis/style.h"
#include "analysis/teller.h"
#include "capture/frame_source.h"

namespace glasspost::analysis {

// Finds the frames of one exchange of the conversations it is given. 0: the first that has both sides; where none has, the first
// that there is; where there is none, the conversation's first packets.
class ExchangeFrames final : public Report {
 public:
  explicit ExchangeFrames(std::uint64_t exchange) : exchange_(exchange) {}
  Wants wants() const override { return {.packets = true, .message_header = false, .message_digest = false}; }
  std::unique_ptr<Teller> NewTeller() const override;
  void Write(std::uint64_t number, Octets note, TextStore& text) override;
  // In ascending order. After the run.
  const std::vector<std::uint64_t>& frames() const { return frames_; }
  // Exchanges of the conversation that has most. After the run.
  std::uint64_t most_exchanges() const { return most_exchanges_; }

 private:
  class Finder;
  std::uint64_t exchange_;
  std::vector<std::uint64_t> frames_;
  std::uint64_t most_exchanges_ = 0;
};

// Writes the description of the frames with these numbers (null: all). Files that cannot be read are passed over.
void WriteFrames(std::FILE* out, capture::FrameSource& source, const std::vector<std::uint64_t>* wanted, Language language,
                 const Style& style);

// The description of one frame, for tests and for the page.
std::string DescribeFrameText(const capture::RawFrame& frame, Language language, const Style& style);

}  // namespace glasspost::analysis
