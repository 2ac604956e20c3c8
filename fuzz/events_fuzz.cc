// Any octets as a kept conversation: nothing breaks, and in pieces they are told as at once.
#include <cstdio>
#include <cstdlib>
#include <string>

#include "analysis/dialogue_report.h"
#include "analysis/json_report.h"
#include "analysis/live/events.h"

namespace {

using namespace glasspost;
using namespace glasspost::analysis;

std::string Told(Octets events, std::size_t piece) {
  char* text = nullptr;
  std::size_t size = 0;
  std::FILE* out = open_memstream(&text, &size);
  JsonReport report(out, {.attachments = true});
  EventsReader reader(report);
  for (std::size_t at = 0; at < events.size(); at += piece)
    if (!reader.Feed(events.substr(at, piece))) break;
  reader.Finish(1);
  std::fclose(out);
  std::string told(text, size);
  std::free(text);
  return told;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Octets events(reinterpret_cast<const char*>(data), size);
  if (Told(events, size + 1) != Told(events, 1)) std::abort();
  static std::FILE* const nowhere = std::fopen("/dev/null", "w");
  for (const Language language : {Language::kEnglish, Language::kChinese}) {
    DialogueReport report(nowhere, {.language = language, .style = {}, .full = true}, {{1, "head\n"}});
    EventsReader reader(report);
    reader.Feed(events);
    reader.Finish(1);
  }
  return 0;
}
