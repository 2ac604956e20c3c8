#include "cli/journey.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <set>

#include "analysis/journey.h"
#include "base/base64.h"
#include "base/escape.h"
#include "cli/administration.h"
#include "cli/command_line.h"

namespace glasspost::cli {
namespace {

using analysis::JourneyRecord;
using server::FlagIn;
using server::NumberIn;
using server::TextIn;
using server::json::object;

constexpr std::size_t kAsked = 1000;  // keys; stops a mailing list's address from drawing in the whole world

struct Source {
  Administration administration;
  std::set<std::string> asked;
};

std::optional<JourneyRecord> RecordOf(const object& row) {
  const auto kind = JourneyKindOf(static_cast<int>(NumberIn(row, "kind")));
  if (!kind) return std::nullopt;  // of a newer server
  JourneyRecord r;
  r.host = TextIn(row, "host");
  r.time = static_cast<Timestamp>(NumberIn(row, "time"));
  r.queue_id = TextIn(row, "id");
  r.kind = *kind;
  r.conversation = NumberIn(row, "conversation");
  r.sender = TextIn(row, "sender");
  r.recipient = TextIn(row, "recipient");
  r.message_id = TextIn(row, "message_id");
  r.digest = TextIn(row, "digest");
  r.detail = DecodeBase64(TextIn(row, "detail")).value_or(std::string());
  return r;
}

// Asks every host for the key, and then for what the answers name: the message's digest, its Message-ID, the queue id that it has
// at the next hop.
class Search {
 public:
  explicit Search(std::deque<Source>& sources) : sources_(sources) {}

  // A status: it failed.
  std::optional<int> Run(const std::string& key) {
    // Several messages may have this address, but what they lead to is one message each: no further address is asked for.
    keys_.push_back(key);
    for (std::size_t i = 0; i < keys_.size() && i < kAsked; ++i) {
      for (Source& source : sources_)
        if (const auto status = Ask(source, keys_[i])) return status;
    }
    return std::nullopt;
  }
  std::vector<JourneyRecord> TakeRecords() { return std::move(records_); }
  const object& refusal() const { return refusal_; }

 private:
  std::optional<int> Ask(Source& source, const std::string& key) {
    if (!source.asked.insert(key).second) return std::nullopt;
    object request;
    request["do"] = "journey";
    request["key"] = server::JsonText(key);
    const auto answer = source.administration->Call(request, [&](const object& row) {
      if (auto record = RecordOf(row)) {
        if (sources_.size() > 1) Follow(*record, TextIn(row, "digest"));
        records_.push_back(*std::move(record));
      }
      return true;
    });
    if (!answer) return Complain(answer.error()), kCannotOpen;
    if (!FlagIn(*answer, "ok")) {
      if (TextIn(*answer, "fault") != "not-found") return Refusal(*answer);
      if (refusal_.empty()) refusal_ = *answer;
    }
    return std::nullopt;
  }
  void Follow(const JourneyRecord& record, const std::string& digest) {
    const std::string next(FindDetail(record.detail, "next_id"));
    for (const std::string& key : {digest, record.message_id, next})
      if (!key.empty() && std::ranges::find(keys_, key) == keys_.end()) keys_.push_back(key);
  }

  std::deque<Source>& sources_;
  std::vector<std::string> keys_;
  std::vector<JourneyRecord> records_;
  object refusal_;
};

// Each "--data FOLDER" and "--admin-socket PATH" is a host of its own, where there are several; `words` keeps the last.
std::vector<std::vector<std::string>> Hosts(std::vector<std::string>& words) {
  std::vector<std::vector<std::string>> hosts;
  std::vector<std::string> others;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const bool bare = words[i] == "--data" || words[i] == "--admin-socket";
    if (bare && i + 1 < words.size()) {
      hosts.push_back({words[i], words[i + 1]});
      ++i;
    } else if (words[i].starts_with("--data=") || words[i].starts_with("--admin-socket=")) {
      hosts.push_back({words[i]});
    } else {
      others.push_back(words[i]);
    }
  }
  words = std::move(others);
  if (hosts.empty()) hosts.emplace_back();
  return hosts;
}

}  // namespace

int RunJourney(std::vector<std::string> words) {
  const auto hosts = Hosts(words);
  std::deque<Source> sources;
  std::optional<CommandLine> line;
  for (const auto& host : hosts) {
    std::vector<std::string> all = host;
    all.insert(all.end(), words.begin(), words.end());
    line.emplace("journey");
    line->AddJson();
    if (const auto status = line->Parse(std::move(all))) return *status;
    if (line->words().size() != 1) return line->Misused("needs a Message-ID, a queue id or an address");
    const bool socket = !host.empty() && host.front().starts_with("--admin-socket");
    auto opened =
        socket ? Administration::OpenSocket(server::AdminSocketPath(line->config())) : Administration::Open(line->config());
    if (!opened) return Complain(opened.error()), kCannotOpen;
    sources.push_back({*std::move(opened), {}});
  }
  Search search(sources);
  if (const auto status = search.Run(line->words().front())) return *status;
  const std::vector<analysis::Journey> journeys = analysis::JoinJourneys(search.TakeRecords());
  if (journeys.empty()) return Refusal(search.refusal());
  for (std::size_t i = 0; i < journeys.size(); ++i) {
    if (line->json()) {
      fmt::print("{}\n", analysis::JourneyJson(journeys[i]));
    } else {
      fmt::print("{}{}", i == 0 ? "" : "\n", analysis::JourneyText(journeys[i], line->language(), line->style()));
    }
  }
  return Finish(kDone);
}

}  // namespace glasspost::cli
