// A journey as people and programs read it.
#include <fmt/format.h>

#include <algorithm>

#include "analysis/journey.h"
#include "base/ascii.h"
#include "base/escape.h"
#include "base/time_text.h"
#include "wire/dns/message.h"

namespace glasspost::analysis {
namespace {

struct Words {
  JourneyKind kind;
  std::string_view text[2];  // by Language
};
constexpr Words kWords[] = {
#define GLASSPOST_JOURNEY_WORDS(kind, en, zh) {JourneyKind::kind, {en, zh}},
#include "analysis/texts/journey.inc"
#undef GLASSPOST_JOURNEY_WORDS
};

// The table stands in the order of the kinds, and has words for each.
constexpr bool InOrder() {
  int i = 1;
  for (const Words& w : kWords)
    if (static_cast<int>(w.kind) != i++) return false;
  return i == static_cast<int>(JourneyKind::kDropped) + 1;
}
static_assert(InOrder(), "texts/journey.inc must follow base/journey.h");

constexpr std::size_t kTimeWidth = 15, kIndent = 2 + kTimeWidth + 2;
constexpr Timestamp kDay = Timestamp{86'400} * 1'000'000'000;

std::string Value(const JourneyRecord& r, std::string_view name) {
  if (name == "recipient") return r.recipient.empty() ? std::string() : "<" + r.recipient + ">";
  if (name == "sender") return "<" + r.sender + ">";
  if (name == "queue_id") return r.queue_id;
  return std::string(FindDetail(r.detail, name));
}

// Fills what stands between brackets, or outside of them. False: a name in it has no value.
bool FillPart(std::string& out, std::string_view part, const JourneyRecord& r) {
  bool whole = true;
  while (!part.empty()) {
    const std::size_t open = std::min(part.find('{'), part.size());
    out += part.substr(0, open);
    part.remove_prefix(open);
    if (part.empty()) break;
    const std::size_t close = part.find('}');
    const std::string value = Value(r, part.substr(1, close - 1));
    whole &= !value.empty();
    AppendForTerminal(out, value);
    part.remove_prefix(close + 1);
  }
  return whole;
}

std::string Sentence(const JourneyRecord& r, Language language) {
  std::string_view form = kWords[static_cast<std::size_t>(r.kind) - 1].text[static_cast<std::size_t>(language)];
  std::string out;
  while (!form.empty()) {
    const std::size_t open = std::min(form.find('['), form.size());
    FillPart(out, form.substr(0, open), r);
    form.remove_prefix(open);
    if (form.empty()) break;
    const std::size_t close = form.find(']');
    std::string part;
    if (FillPart(part, form.substr(1, close - 1), r)) out += part;
    form.remove_prefix(close + 1);
  }
  return out;
}

struct Lookup {
  std::string question, answer, security, failure;
};

// A look-up begins with each "question".
std::vector<Lookup> LookupsIn(Octets detail) {
  std::vector<Lookup> lookups;
  Octets name, value;
  while (TakeDetail(detail, name, value)) {
    if (name == "question") lookups.push_back({std::string(value), {}, {}, {}});
    if (lookups.empty()) continue;
    if (name == "answer") lookups.back().answer = value;
    if (name == "security") lookups.back().security = value;
    if (name == "failure") lookups.back().failure = value;
  }
  return lookups;
}

// Of the answer section; with none, why: "NXDOMAIN", "no such record".
std::vector<std::string> RecordsOf(const Lookup& lookup, std::string& rcode) {
  std::vector<std::string> texts;
  if (lookup.answer.empty()) return texts;
  dns::Message message;
  dns::Decode(lookup.answer, message);
  dns::AppendRcode(rcode, message.rcode());
  for (const dns::Record& record : message.records) {
    if (record.section != dns::Section::kAnswer) continue;
    texts.emplace_back();
    dns::AppendRecordText(texts.back(), message, record);
  }
  return texts;
}

class Story {
 public:
  Story(const Journey& journey, Language language, const Style& style)
      : journey_(journey), zh_(language == Language::kChinese), language_(language), style_(style), many_(journey.hosts() > 1) {
    for (const JourneyLeg& leg : journey.legs) host_width_ = std::max(host_width_, DisplayWidth(ForTerminal(leg.host)));
  }

  std::string Tell() {
    Title();
    for (const JourneyStep& step : journey_.steps) Step(step);
    Remarks();
    return std::move(out_);
  }

 private:
  void Title() {
    const std::string id = journey_.message_id.empty() ? std::string(zh_ ? "（无 Message-ID）" : "a message without Message-ID")
                                                       : ForTerminal(journey_.message_id);
    const std::string took = DurationText(journey_.steps.back().told - journey_.steps.front().told);
    const std::size_t hosts = journey_.hosts();
    const std::string title = zh_ ? fmt::format("邮件 {} 的旅程：{} 台主机，历时 {}", id, hosts, took)
                                  : fmt::format("Journey of {}: {} host{}, {}", id, hosts, hosts == 1 ? "" : "s", took);
    out_ += style_.Bold(title) + "\n";
  }

  void Step(const JourneyStep& step) {
    if (step.told / kDay != day_) {
      day_ = step.told / kDay;
      std::string date;
      AppendRfc3339Seconds(date, step.told / 1'000'000'000);
      out_ += "  " + style_.Dim(date.substr(0, 10) + " (UTC)") + "\n";
    }
    std::string time;
    AppendTimeOfDay(time, step.told);
    out_ += "  " + style_.Dim(PadRight(time, kTimeWidth)) + "  ";
    std::size_t at = kIndent;
    if (many_) {
      out_ += style_.Cyan(PadRight(ForTerminal(step.record.host), host_width_)) + "  ";
      at += host_width_ + 2;
    }
    std::string sentence = Sentence(step.record, language_);
    if (step.record.conversation != 0)
      sentence += fmt::format(" [{} {}]", zh_ ? "会话" : "conversation", step.record.conversation);
    AppendWrapped(out_, sentence, at, style_.columns);
    out_ += '\n';
    Below(step.record, at);
  }

  // What is worth a line of its own: what was answered, when it goes on.
  void Below(const JourneyRecord& r, std::size_t at) {
    const auto line = [&](const std::string& text) { out_ += std::string(at + 2, ' ') + text + "\n"; };
    for (const Lookup& lookup : LookupsIn(r.detail)) {
      std::string rcode;
      const std::vector<std::string> records = RecordsOf(lookup, rcode);
      std::string head = (zh_ ? "问 " : "asked ") + ForTerminal(lookup.question);
      if (!lookup.security.empty()) head += fmt::format(" (DNSSEC: {})", ForTerminal(lookup.security));
      if (!lookup.failure.empty()) {
        head += ": " + ForTerminal(lookup.failure);
      } else if (records.empty() && !rcode.empty()) {
        head += ": " + rcode + (zh_ ? "，没有这样的记录" : ", no such record");
      }
      line(head);
      for (const std::string& record : records) line("  " + style_.Green(ForTerminal(record)));
    }
    const Octets reply = FindDetail(r.detail, "reply");
    const bool local = !FindDetail(r.detail, "local").empty();
    for (Octets rest = reply; !rest.empty();) {
      const std::size_t end = std::min(rest.find('\n'), rest.size());
      line((local ? std::string(zh_ ? "原因：" : "because: ") : "S: ") + ForTerminal(Trim(rest.substr(0, end))));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    if (const auto due = ParseNumber(FindDetail(r.detail, "due")); due && r.kind == JourneyKind::kDeferred) {
      std::string time;
      AppendRfc3339Seconds(time, static_cast<std::int64_t>(*due / 1'000'000'000));
      line((zh_ ? "下次尝试：" : "next attempt: ") + time);
    }
  }

  void Remarks() {
    for (std::size_t i = 0; i < journey_.legs.size(); ++i) {
      const JourneyLeg& leg = journey_.legs[i];
      const std::string host = ForTerminal(leg.host);
      if (leg.joint == Joint::kMessageId)
        out_ +=
            "  " +
            style_.Yellow(
                zh_ ? fmt::format("{} 上的 {} 仅凭 Message-ID 相连：很可能是同一封邮件，但不确定。", host, leg.queue_id)
                    : fmt::format("{} on {} is joined by its Message-ID alone: probably the same message.", leg.queue_id, host)) +
            "\n";
      if (leg.ahead == 0) continue;
      const std::string by = DurationText(std::abs(leg.ahead));
      out_ += "  " +
              style_.Dim(zh_ ? fmt::format("{} 的时钟{} {}；其时间已校正。", host, leg.ahead > 0 ? "快" : "慢", by)
                             : fmt::format("The clock of {} is {} {}; its times are told without that.", host, by,
                                           leg.ahead > 0 ? "ahead" : "behind")) +
              "\n";
    }
  }

  const Journey& journey_;
  const bool zh_;
  const Language language_;
  const Style& style_;
  const bool many_;
  std::size_t host_width_ = 0;
  Timestamp day_ = kNoTime;
  std::string out_;
};

// JSON, member by member.
class Members {
 public:
  explicit Members(std::string& out) : out_(out) { out_ += '{'; }
  ~Members() { out_ += '}'; }
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;
  void Name(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    AppendJsonString(out_, name);
    out_ += ':';
  }
  void Text(std::string_view name, Octets value) {
    Name(name);
    AppendJsonString(out_, value);
  }
  void Some(std::string_view name, Octets value) {
    if (!value.empty()) Text(name, value);
  }
  void Number(std::string_view name, std::int64_t value) {
    Name(name);
    out_ += std::to_string(value);
  }
  void Flag(std::string_view name, bool value) {
    Name(name);
    out_ += value ? "true" : "false";
  }
  void Time(std::string_view name, Timestamp value) {
    std::string text;
    AppendRfc3339(text, value);
    Text(name, text);
  }

 private:
  std::string& out_;
  bool first_ = true;
};

std::string Hex(Octets octets) {
  std::string out;
  for (const char c : octets) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

void AppendLookups(std::string& out, const std::vector<Lookup>& lookups) {
  out += '[';
  for (std::size_t i = 0; i < lookups.size(); ++i) {
    if (i > 0) out += ',';
    Members members(out);
    members.Text("question", lookups[i].question);
    std::string rcode;
    const std::vector<std::string> records = RecordsOf(lookups[i], rcode);
    members.Some("dnssec", lookups[i].security);
    members.Some("rcode", rcode);
    members.Some("failure", lookups[i].failure);
    members.Name("records");
    out += '[';
    for (std::size_t k = 0; k < records.size(); ++k) {
      if (k > 0) out += ',';
      AppendJsonString(out, records[k]);
    }
    out += ']';
    members.Some("answer", Hex(lookups[i].answer));
  }
  out += ']';
}

void AppendStep(std::string& out, const JourneyStep& step) {
  const JourneyRecord& r = step.record;
  Members members(out);
  members.Time("time", step.told);
  members.Text("host", r.host);
  members.Text("event", Name(r.kind));
  members.Some("queue_id", r.queue_id);
  if (r.conversation != 0) members.Number("conversation", static_cast<std::int64_t>(r.conversation));
  if (r.kind == JourneyKind::kAccepted) members.Text("sender", r.sender);
  members.Some("recipient", r.recipient);
  Octets detail = r.detail, name, value;
  while (TakeDetail(detail, name, value)) {
    if (name == "question" || name == "answer" || name == "security" || name == "failure") continue;  // below
    const auto number = ParseNumber(value);
    if (name == "due" && number) {
      members.Time("due", static_cast<Timestamp>(*number));
    } else if (number && (name == "octets" || name == "uid")) {
      members.Number(name, static_cast<std::int64_t>(*number));
    } else if (name == "local") {
      members.Flag("local", true);
    } else if (name == "host") {  // the one that it was taken to; the event's own is above
      members.Text("next_host", value);
    } else {
      members.Text(name, value);
    }
  }
  if (const auto lookups = LookupsIn(r.detail); !lookups.empty()) {
    members.Name("lookups");
    AppendLookups(out, lookups);
  }
}

}  // namespace

std::string JourneyText(const Journey& journey, Language language, const Style& style) {
  return Story(journey, language, style).Tell();
}

std::string JourneyJson(const Journey& journey) {
  std::string out;
  {
    Members members(out);
    members.Some("message_id", journey.message_id);
    members.Some("digest", journey.digest);
    members.Text("sender", journey.sender);
    members.Flag("probable", journey.probable());
    members.Name("legs");
    out += '[';
    for (std::size_t i = 0; i < journey.legs.size(); ++i) {
      if (i > 0) out += ',';
      Members leg(out);
      leg.Text("host", journey.legs[i].host);
      leg.Some("queue_id", journey.legs[i].queue_id);
      leg.Text("joined_by", Name(journey.legs[i].joint));
      if (journey.legs[i].ahead != 0) leg.Number("clock_ahead_ns", journey.legs[i].ahead);
    }
    out += ']';
    members.Name("events");
    out += '[';
    for (std::size_t i = 0; i < journey.steps.size(); ++i) {
      if (i > 0) out += ',';
      AppendStep(out, journey.steps[i]);
    }
    out += ']';
  }
  return out;
}

}  // namespace glasspost::analysis
