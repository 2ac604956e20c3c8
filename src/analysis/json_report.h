// One JSON object a line for each conversation; docs/json.md describes it.
#pragma once

#include <cstdio>
#include <memory>

#include "analysis/language.h"
#include "analysis/teller.h"

namespace glasspost::analysis {

class TextWriter;

class JsonReport final : public Report {
 public:
  struct Options {
    bool messages = true;
    bool attachments = false;
    bool show_secrets = false;
    Language language = Language::kEnglish;  // of the findings' texts
  };
  // `out` stays the caller's; write errors are seen by ferror(out).
  JsonReport(std::FILE* out, const Options& options) : out_(out), options_(options) {}

  Wants wants() const override;
  std::unique_ptr<Teller> NewTeller() const override;
  void Write(std::uint64_t number, Octets note, TextStore& text) override;

 private:
  std::FILE* out_;
  Options options_;
};

// One exchange, one finding, as they stand in the object of their conversation; for those who have no conversation around them.
void AppendExchangeJson(TextWriter& out, const Exchange& exchange, Protocol protocol);
void AppendFindingJson(TextWriter& out, const Finding& finding, Protocol protocol, Language language);

}  // namespace glasspost::analysis
