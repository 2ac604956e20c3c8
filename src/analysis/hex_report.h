// Frames told octet by octet: each field of Ethernet, IP, TCP or UDP with its octets, its name, Wireshark's name and its value.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

#include "analysis/language.h"
#include "analysis/style.h"
#include "analysis/teller.h"
#include "analysis/veils.h"
#include "capture/frame_source.h"

namespace glasspost::analysis {

// Finds the frames of one exchange of the conversations it is given. 0: the first that has both sides; where none has, the first
// that there is; where there is none, the conversation's first packets. kAll: all frames. Unless secrets are to be shown, it
// knows what of the frames must be hidden.
class ExchangeFrames final : public Report {
 public:
  static constexpr std::uint64_t kAll = static_cast<std::uint64_t>(-1);

  explicit ExchangeFrames(std::uint64_t exchange, bool show_secrets = false) : exchange_(exchange), show_secrets_(show_secrets) {}
  Wants wants() const override {
    return {.packets = true,
            .message_header = false,
            .message_digest = false,
            .show_secrets = show_secrets_,
            .secrets = !show_secrets_};
  }
  std::unique_ptr<Teller> NewTeller() const override;
  void Write(std::uint64_t number, Octets note, TextStore& text) override;
  // In ascending order. After the run.
  const std::vector<std::uint64_t>& frames() const { return frames_; }
  // Exchanges of the conversation that has most. After the run.
  std::uint64_t most_exchanges() const { return most_exchanges_; }
  // After the run; null where all is shown.
  const Veils* veils() const { return show_secrets_ ? nullptr : &veils_; }

 private:
  class Finder;
  std::uint64_t exchange_;
  bool show_secrets_;
  mutable Veils veils_;  // filled by the Tellers, on any thread
  std::vector<std::uint64_t> frames_;
  std::uint64_t most_exchanges_ = 0;
};

// Writes the description of the frames with these numbers (null: all). `veils`: what of them is hidden; null: nothing. Files that
// cannot be read are passed over.
void WriteFrames(std::FILE* out, capture::FrameSource& source, const std::vector<std::uint64_t>* wanted, const Veils* veils,
                 Language language, const Style& style);

// The description of one frame, for tests and for the page.
std::string DescribeFrameText(const capture::RawFrame& frame, const Veils* veils, Language language, const Style& style);

}  // namespace glasspost::analysis
