// glasspost mail delete: messages taken away for good, once that was confirmed.
#include <fmt/format.h>
#include <sysexits.h>

#include <algorithm>

#include "agent/mail_summary.h"
#include "base/escape.h"
#include "cli/ask.h"
#include "cli/mail_options.h"
#include "cli/mail_place.h"

namespace glasspost::cli {

int DeleteMail(const MailCall& call) {
  std::vector<std::size_t> places;
  for (const std::string& word : call.words) {
    const auto place = FindMessage(call, word);
    if (!place) return EX_NOINPUT;
    if (std::ranges::count(places, *place) == 0) places.push_back(*place);
  }
  if (!call.options.yes) {
    agent::MailSummarizer summarizer;
    const auto read =
        call.place.source().ReadHeads(places, [&](std::size_t, const agent::MailEntry& entry, const agent::MailHead& head) {
          const agent::MailSummary summary = summarizer.Summarize(entry, head);
          fmt::print(stderr, "{}  {}  {}\n", entry.number, ForTerminal(summary.from), ForTerminal(summary.subject));
        });
    if (!read) return call.place.Failed(read.error());
    const auto confirmed =
        Confirm(call.line, fmt::format(fmt::runtime(call.line.Say("Delete {} for good?", "永久删除这 {} 封？")), places.size()));
    if (!confirmed) return call.line.Complain(confirmed.error()), EX_USAGE;
    if (!*confirmed) return call.line.Complain({std::string(call.line.Say("nothing was deleted", "未删除")), {}, {}}), EX_NOINPUT;
  }
  if (const auto removed = call.place.source().Remove(places); !removed) return call.place.Failed(removed.error());
  if (const int status = call.place.Close(); status != EX_OK) return status;
  fmt::print(fmt::runtime(call.line.Say("{} deleted\n", "已删除 {} 封\n")), places.size());
  return EX_OK;
}

}  // namespace glasspost::cli
