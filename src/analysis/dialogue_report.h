// A conversation as a person would tell it: its phases with their times, the packets of handshake and close, each command and
// reply with its packets and a sentence, the message as envelope, header and body, and what was found.
#pragma once

#include <cstdio>
#include <memory>

#include "analysis/language.h"
#include "analysis/style.h"
#include "analysis/teller.h"

namespace glasspost::analysis {

class DialogueReport final : public Report {
 public:
  struct Options {
    Language language = Language::kEnglish;
    Style style;
    bool full = false;  // all of a message, and of long replies
    bool show_secrets = false;
  };
  DialogueReport(std::FILE* out, const Options& options) : out_(out), options_(options) {}

  Wants wants() const override {
    return {.packets = true, .message_octets = options_.full, .attachments = true, .show_secrets = options_.show_secrets};
  }
  std::unique_ptr<Teller> NewTeller() const override;
  // `number` is what the reader asked for; the pipeline's own count is not used (see OverrideNumber).
  void Write(std::uint64_t number, TextStore& text) override;
  // Told conversations carry the numbers of the whole capture, in the order in which they come out.
  void SetNumbers(std::vector<std::uint64_t> numbers) { numbers_ = std::move(numbers); }

 private:
  std::FILE* out_;
  Options options_;
  std::vector<std::uint64_t> numbers_;  // by the rank of the first packet
};

}  // namespace glasspost::analysis
