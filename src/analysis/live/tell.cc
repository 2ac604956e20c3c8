#include "analysis/live/tell.h"

#include <map>
#include <string>
#include <utility>

#include "analysis/conversation_heads.h"
#include "analysis/table_report.h"
#include "base/ascii.h"
#include "base/escape.h"
#include "base/time_text.h"

namespace glasspost::analysis {
namespace {

bool Replay(Report& report, std::uint64_t number, Octets events) {
  EventsReader reader(report);
  const bool read = reader.Feed(events);
  const bool ended = reader.ended();
  reader.Finish(number);
  return read && ended && reader.damaged() == 0;
}

}  // namespace

// Two passes, as of a capture: what stands at the top is known at the end.
bool TellDialogue(std::FILE* out, std::uint64_t number, Octets events, const DialogueReport::Options& options) {
  ConversationHeads heads({number}, options.language, options.style);
  Replay(heads, number, events);
  if (heads.heads().empty()) return false;
  DialogueReport report(out, options, heads.heads());
  return Replay(report, number, events);
}

bool TellJson(std::FILE* out, std::uint64_t number, Octets events, const JsonReport::Options& options) {
  JsonReport report(out, options);
  return Replay(report, number, events);
}

// A dialogue whose head is written when the beginning was read.
class Follower::LateReport final : public Report {
 public:
  LateReport(std::FILE* out, std::uint64_t number, const DialogueReport::Options& options)
      : out_(out), number_(number), options_(options) {
    options_.at_once = true;
  }
  Wants wants() const override { return DialogueReport::WantsOf(options_); }
  std::unique_ptr<Teller> NewTeller() const override { return std::make_unique<LateTeller>(*this); }
  void Write(std::uint64_t, Octets, TextStore&) override {}

 private:
  class LateTeller final : public Teller {
   public:
    explicit LateTeller(const LateReport& owner) : owner_(owner) {}
    void OnExchange(const ConversationFacts& f, const Exchange& e) override { Inner(f).OnExchange(f, e); }
    void OnMessage(const ConversationFacts& f, const MessageFacts& m) override { Inner(f).OnMessage(f, m); }
    void OnFinding(const ConversationFacts& f, const Finding& x) override { Inner(f).OnFinding(f, x); }
    void OnMessageOctets(Direction d, Octets octets) override {
      if (inner_ != nullptr) inner_->OnMessageOctets(d, octets);
    }
    void Finish(const ConversationFacts& f, TextStore& text) override { Inner(f).Finish(f, text); }

   private:
    Teller& Inner(const ConversationFacts& f) {
      if (inner_ != nullptr) return *inner_;
      std::string start;
      AppendRfc3339(start, f.start);
      const std::string head = "  " + owner_.options_.style.Bold(UpperCase(Name(f.protocol))) + "  " + f.client().Text() + " → " +
                               f.server().Text() + "\n  " + start.substr(0, 26) + "Z\n";
      report_ = std::make_unique<DialogueReport>(owner_.out_, owner_.options_,
                                                 std::map<std::uint64_t, std::string>{{owner_.number_, head}});
      inner_ = report_->NewTeller();
      return *inner_;
    }
    const LateReport& owner_;
    std::unique_ptr<DialogueReport> report_;
    std::unique_ptr<Teller> inner_;
  };

  std::FILE* out_;
  std::uint64_t number_;
  DialogueReport::Options options_;
};

Follower::Follower(std::FILE* out, std::uint64_t number, const DialogueReport::Options& options)
    : number_(number),
      report_(std::make_unique<LateReport>(out, number, options)),
      reader_(std::make_unique<EventsReader>(*report_)) {}
Follower::~Follower() = default;

bool Follower::Feed(Octets part) { return reader_->Feed(part); }
void Follower::Finish() { reader_->Finish(number_); }

void WriteListHeading(std::FILE* out, Language language, const Style& style) {
  const std::string text = TableHeading(language, style);
  std::fwrite(text.data(), 1, text.size(), out);
}

void WriteListLine(std::FILE* out, const EventsHead& head, bool running, Language language, const Style& style) {
  const EventsSummary s = EventsSummary::Decode(head.summary);
  TableRow row;
  row.start = head.begin;
  row.end = head.end;
  row.protocol = UpperCase(head.protocol) + (s.recognised ? "" : "?");
  row.client = ForTerminal(s.client);
  row.server = ForTerminal(s.server);
  row.findings = s.findings;
  const bool zh = language == Language::kChinese;
  if (running) {
    row.words = zh ? "进行中" : "still running";
  } else {
    row.words = zh ? s.words_zh : s.words_en;
  }
  const std::string text = TableNumber(head.number, style) + TableLine(row, language, style);
  std::fwrite(text.data(), 1, text.size(), out);
}

}  // namespace glasspost::analysis
