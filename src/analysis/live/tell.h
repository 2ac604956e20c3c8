// Tells kept conversations (events.h) as `analyze` tells those of a capture: the dialogue, JSON, and the line of a list.
#pragma once

#include <cstdio>
#include <memory>

#include "analysis/dialogue_report.h"
#include "analysis/json_report.h"
#include "analysis/live/events.h"

namespace glasspost::analysis {

// False: the events are damaged, or end too early; what can be read is told all the same.
bool TellDialogue(std::FILE* out, std::uint64_t number, Octets events, const DialogueReport::Options& options);
bool TellJson(std::FILE* out, std::uint64_t number, Octets events, const JsonReport::Options& options);

// The dialogue of a conversation that still runs, as its parts come. How it ends is not known yet: its head is only who and when.
class Follower {
 public:
  Follower(std::FILE* out, std::uint64_t number, const DialogueReport::Options& options);
  ~Follower();
  bool Feed(Octets part);
  void Finish();

 private:
  class LateReport;
  std::uint64_t number_;
  std::unique_ptr<LateReport> report_;
  std::unique_ptr<EventsReader> reader_;
};

// The list of `glasspost conversations`: a heading, then a line each; as wide or narrow as TableReport's.
void WriteListHeading(std::FILE* out, Language language, const Style& style);
// `running`: it has no end yet, and no summary.
void WriteListLine(std::FILE* out, const EventsHead& head, bool running, Language language, const Style& style);

}  // namespace glasspost::analysis
