#include "analysis/dns_report.h"

#include <fmt/format.h>

#include <iterator>

#include "analysis/explain.h"
#include "analysis/field_lines.h"
#include "analysis/json_report.h"
#include "analysis/text_writer.h"
#include "analysis/texts.h"
#include "base/ascii.h"
#include "base/escape.h"
#include "wire/dns/observer.h"

namespace glasspost::analysis {
namespace {

struct RecordWords {
  std::uint16_t type;
  std::string_view begins;
  std::string_view words[2];  // by Language
};
#define GLASSPOST_DNS_SECTION(en, zh)
#define GLASSPOST_DNS_MEANING(field, value, en, zh)
constexpr RecordWords kRecords[] = {
#define GLASSPOST_DNS_RECORD(type, begins, en, zh) {dns::type, begins, {en, zh}},
#include "analysis/texts/dns.inc"
#undef GLASSPOST_DNS_RECORD
};
#undef GLASSPOST_DNS_SECTION
#undef GLASSPOST_DNS_MEANING

constexpr std::size_t kWordsOfData = 9;  // that a sentence can name

// Listens to the two messages; calls `on_exchange` and `on_finding` while they live.
template <class OnExchangeT, class OnFindingT>
class Sink final : public ObserverSink {
 public:
  Sink(OnExchangeT on_exchange, OnFindingT on_finding) : on_exchange_(on_exchange), on_finding_(on_finding) {}
  void OnExchange(const Exchange& e) override { on_exchange_(e); }
  void OnFinding(const Finding& f) override { on_finding_(f); }
  void OnMessageStart(Direction, std::uint64_t, const Envelope&) override {}
  void OnMessageOctets(Direction, Octets) override {}
  void OnMessageGap(Direction, std::uint64_t) override {}
  void OnMessageEnd(Direction, const MessageEnd&) override {}
  void OnTlsStart(const Origin&) override {}
  void OnProtocol(Protocol) override {}

 private:
  OnExchangeT on_exchange_;
  OnFindingT on_finding_;
};

template <class OnExchangeT, class OnFindingT>
void Listen(const DnsLookup& lookup, OnExchangeT on_exchange, OnFindingT on_finding) {
  Sink<OnExchangeT, OnFindingT> sink(on_exchange, on_finding);
  dns::DnsObserver observer(sink, {}, {}, false);
  observer.OnOctets(Direction::kToServer, lookup.query, {0, lookup.sent});
  if (!lookup.answer.empty()) observer.OnOctets(Direction::kToClient, lookup.answer, {0, lookup.received});
  observer.OnEnd({0, lookup.received}, false);
}

ConversationFacts FactsOf() {
  ConversationFacts facts;
  facts.protocol = Protocol::kDns;
  facts.udp = true;
  return facts;
}

class Answer {
 public:
  Answer(std::string& out, const DnsLookup& lookup, Language language, const Style& style)
      : out_(out), lookup_(lookup), language_(language), zh_(language == Language::kChinese), style_(style) {}

  void Tell() {
    std::string findings;
    Listen(
        lookup_, [&](const Exchange& e) { OnExchange(e); },
        [&](const Finding& f) {
          findings += "  " + style_.Yellow(SeverityName(Info(f.id).severity, language_)) + "  " +
                      ForTerminal(FindingText(f, language_)) + "\n";
        });
    out_ += findings;
  }

 private:
  void Row(std::string_view label, std::string_view text) {
    constexpr std::size_t kLabelWidth = 10;
    out_.append(style_.Bold(PadRight(label, kLabelWidth)));
    AppendWrapped(out_, text, kLabelWidth, style_.columns);
    out_ += '\n';
  }

  void OnExchange(const Exchange& e) {
    Row(zh_ ? "问题" : "Question", ForTerminal(e.request.argument));
    std::string server = fmt::format("{} ({}", lookup_.server.Text(), UpperCase(lookup_.transport));
    if (e.has_reply) {
      server += fmt::format(", {:.2f}", static_cast<double>(lookup_.received - lookup_.sent) / 1e6);
      server += zh_ ? fmt::format(" 毫秒，查询 {} 字节，应答 {} 字节)", lookup_.query.size(), lookup_.answer.size())
                    : fmt::format(" ms, {} octets asked, {} octets answered)", lookup_.query.size(), lookup_.answer.size());
    } else {
      server += ')';
    }
    Row(zh_ ? "服务器" : "Server", server);
    if (!e.has_reply) return;
    std::string words;
    ExplainReply(words, e, e.reply, FactsOf(), language_);
    Row(zh_ ? "应答" : "Answer", words.empty() ? e.reply.status : words);
    Flags(*e.response);
    Records(*e.response);
  }

  void Flags(const dns::Message& m) {
    std::string flags;
    dns::AppendFlags(flags, m);
    const auto meaning = [&](Field field, std::uint64_t value) {
      flags.append(zh_ ? "；" : "; ").append(FieldMeaning(field, value, language_));
    };
    meaning(Field::kDnsFlagAuthoritative, (m.flags & dns::kFlagAa) != 0 ? 1 : 0);
    meaning(Field::kDnsFlagRecursionAvailable, (m.flags & dns::kFlagRa) != 0 ? 1 : 0);
    if (m.truncated()) meaning(Field::kDnsFlagTruncated, 1);
    if ((m.flags & dns::kFlagAd) != 0) meaning(Field::kDnsFlagAuthenticated, 1);
    Row(zh_ ? "标志" : "Flags", flags);
  }

  void Records(const dns::Message& m) {
    auto section = dns::Section::kQuestion;
    for (const dns::Record& r : m.records) {
      if (r.section != section) {
        section = r.section;
        out_ += "\n" + style_.Bold(DnsSectionName(1 + static_cast<std::size_t>(section), language_)) + "\n";
      }
      std::string text;
      dns::AppendRecordText(text, m, r);
      out_ += "  " + style_.Cyan(text) + "\n";
      const std::string meaning = DnsRecordMeaning(m, r, language_);
      if (meaning.empty()) continue;
      out_ += "      ";
      AppendWrapped(out_, meaning, 6, style_.columns);
      out_ += '\n';
    }
  }

  std::string& out_;
  const DnsLookup& lookup_;
  Language language_;
  bool zh_;
  const Style& style_;
};

// The first words of a record's data; the last of them is all the rest.
std::vector<Octets> WordsOf(Octets data) {
  std::vector<Octets> words;
  while (!data.empty() && words.size() + 1 < kWordsOfData) {
    const std::size_t blank = std::min(data.find(' '), data.size());
    words.push_back(data.substr(0, blank));
    data.remove_prefix(std::min(blank + 1, data.size()));
  }
  if (!data.empty()) words.push_back(data);
  return words;
}

}  // namespace

std::string DnsRecordMeaning(const dns::Message& message, const dns::Record& record, Language language) {
  std::string data;
  dns::AppendRecordData(data, message, record);
  const RecordWords* found = nullptr;
  for (const RecordWords& r : kRecords)
    if (found == nullptr && r.type == record.type && data.starts_with(r.begins)) found = &r;
  if (found == nullptr || record.opaque) return {};
  std::string name;
  dns::AppendName(name, message.NameOctets(record.name), false);
  const std::vector<Octets> words = WordsOf(data);
  std::string out;
  for (std::string_view form = found->words[static_cast<int>(language)]; !form.empty();) {
    const std::size_t open = std::min(form.find('{'), form.size());
    out += form.substr(0, open);
    form.remove_prefix(open);
    if (form.empty()) break;
    const std::size_t close = form.find('}');
    const std::string_view key = form.substr(1, close - 1);
    if (key == "name") {
      out += name;
    } else if (const auto number = ParseNumber(key); number && *number - 1 < words.size()) {
      Octets word = words[*number - 1];
      if (word.size() > 1 && word.ends_with('.')) word.remove_suffix(1);
      out += word;
    }
    form.remove_prefix(close + 1);
  }
  return out;
}

void AppendDnsAnswer(std::string& out, const DnsLookup& lookup, Language language, const Style& style) {
  Answer(out, lookup, language, style).Tell();
}

void AppendDnsShort(std::string& out, Octets answer) {
  dns::Message message;
  dns::Decode(answer, message);
  for (const dns::Record& r : message.records) {
    if (r.section != dns::Section::kAnswer) continue;
    dns::AppendRecordData(out, message, r);
    out += '\n';
  }
}

void AppendDnsJson(std::string& out, const DnsLookup& lookup, Language language) {
  TextWriter exchange, findings, rest;
  Listen(
      lookup, [&](const Exchange& e) { AppendExchangeJson(exchange, e, Protocol::kDns); },
      [&](const Finding& f) {
        if (!findings.text().empty()) findings.push_back(',');
        AppendFindingJson(findings, f, Protocol::kDns, language);
      });
  fmt::format_to(std::back_inserter(out), R"({{"server":{{"address":"{}","port":{}}},"transport":"{}","exchange":{},"events":[)",
                 lookup.server.address.Text(), lookup.server.port, lookup.transport, exchange.text());
  for (std::size_t i = 0; i < lookup.events.size(); ++i) {
    fmt::format_to(std::back_inserter(out), R"({}{{"event":"{}","detail":)", i == 0 ? "" : ",", lookup.events[i].name);
    glasspost::AppendJsonString(out, lookup.events[i].detail);
    out += '}';
  }
  out += R"(],"failure":)";
  lookup.failure.empty() ? void(out += "null") : glasspost::AppendJsonString(out, lookup.failure);
  out.append(R"(,"findings":[)").append(findings.text()).append("]}\n");
}

void AppendDnsOctets(std::string& out, const DnsLookup& lookup, Language language, const Style& style) {
  const FieldLines lines(language, style);
  const bool zh = language == Language::kChinese;
  const auto tell = [&](std::string_view label, Octets message) {
    lines.Heading(out, label, "dns", message.size());
    AppendDnsFields(out, message, 0, language, style);
  };
  tell(zh ? "查询" : "Query", lookup.query);
  if (lookup.answer.empty()) return;
  out += '\n';
  tell(zh ? "应答" : "Answer", lookup.answer);
}

}  // namespace glasspost::analysis
