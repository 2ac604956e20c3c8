// The first lines of a told conversation: who spoke with whom, when, how much, and what happened in a few words. They are known
// only at its end, so that a first pass gathers them, and the second can tell as it reads.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "analysis/language.h"
#include "analysis/style.h"
#include "analysis/teller.h"

namespace glasspost::analysis {

class ConversationHeads final : public Report {
 public:
  // `wanted`: numbers in ascending order.
  ConversationHeads(std::vector<std::uint64_t> wanted, Language language, const Style& style)
      : wanted_(std::move(wanted)), language_(language), style_(style) {}

  Wants wants() const override { return {.message_header = false, .message_digest = false}; }
  std::unique_ptr<Teller> NewTeller() const override;
  void Write(std::uint64_t number, Octets note, TextStore& text) override;

  // By number. After the run.
  const std::map<std::uint64_t, std::string>& heads() const { return heads_; }

 private:
  class HeadTeller;
  std::vector<std::uint64_t> wanted_;
  Language language_;
  Style style_;
  std::map<std::uint64_t, std::string> heads_;
};

}  // namespace glasspost::analysis
