// A conversation as a person would tell it: its phases with their times, the packets of handshake and close, each command and
// reply with its packets and a sentence, the message as envelope, header and body, and what was found.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>

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
    bool at_once = false;  // where there is one conversation only: each line is out as soon as it is told
  };
  // `heads`: of the conversations that will come, by the numbers that they have in the capture as a whole (ConversationHeads).
  // Where there is one only, it is written as it is read, by the thread that observes it; several come out one after the other.
  DialogueReport(std::FILE* out, const Options& options, const std::map<std::uint64_t, std::string>& heads);

  Wants wants() const override { return WantsOf(options_); }
  static Wants WantsOf(const Options& o) {
    return {.packets = true, .message_octets = o.full, .attachments = true, .show_secrets = o.show_secrets};
  }
  std::unique_ptr<Teller> NewTeller() const override;
  void Write(std::uint64_t rank, Octets note, TextStore& text) override;

 private:
  std::FILE* out_;
  Options options_;
  std::vector<std::string> heads_;  // with the title, by the rank of the conversation's first packet
};

}  // namespace glasspost::analysis
