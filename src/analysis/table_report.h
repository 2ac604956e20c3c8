// The table of conversations, one line each, and the summary below it.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>

#include "analysis/language.h"
#include "analysis/style.h"
#include "analysis/teller.h"

namespace glasspost::analysis {

// What a line of the table says of a conversation.
struct TableRow {
  Timestamp start = 0;
  Timestamp end = 0;
  std::string protocol;  // "SMTP", "SMTP?"
  std::string client;
  std::string server;
  std::array<std::uint64_t, 3> findings{};  // by Severity
  std::string words;                        // not escaped
};
// With its line end; a terminal that is narrow gets two lines. The number comes before it.
std::string TableHeading(Language language, const Style& style);
std::string TableNumber(std::uint64_t number, const Style& style);
std::string TableLine(const TableRow& row, Language language, const Style& style);

class TableReport final : public Report {
 public:
  struct Totals {
    std::array<std::uint64_t, 7> conversations{};  // by Protocol
    std::array<std::uint64_t, 3> findings{};       // by Severity
    std::uint64_t messages = 0;
    std::uint64_t message_octets = 0;
    std::uint64_t gaps = 0;
  };

  TableReport(std::FILE* out, Language language, Style style) : out_(out), language_(language), style_(style) {}

  Wants wants() const override { return {.message_header = false, .message_digest = false}; }
  std::unique_ptr<Teller> NewTeller() const override;
  void Write(std::uint64_t number, Octets note, TextStore& text) override;
  // After the last conversation. `frames`: read in all.
  void WriteSummary(std::uint64_t frames);

  const Totals& totals() const { return totals_; }

 private:
  std::FILE* out_;
  Language language_;
  Style style_;
  bool headed_ = false;
  Totals totals_;
};

}  // namespace glasspost::analysis
