#include "analysis/json_report.h"

#include <utility>

#include "analysis/text_writer.h"
#include "analysis/texts.h"
#include "base/escape.h"
#include "base/sha256.h"
#include "base/time_text.h"
#include "wire/dns/message.h"

namespace glasspost::analysis {
namespace {

// `first` says whether a comma is due; used for the elements of arrays.
void Comma(TextWriter& out, bool& first) {
  if (!first) out.push_back(',');
  first = false;
}

void AppendTime(TextWriter& out, Timestamp time) {
  if (time == kNoTime) {
    out += "null";
    return;
  }
  out.push_back('"');
  AppendRfc3339(out, time);
  out.push_back('"');
}

void AppendFrames(TextWriter& out, const FrameList& frames) {
  out += ",\"frames\":";
  char between = '[';
  out.WriteEach(frames, kMostDigits + 1, [&](char* at, std::uint64_t frame) {
    *at = std::exchange(between, ',');
    return PutNumber(at + 1, frame);
  });
  if (frames.empty()) out.push_back('[');
  out.push_back(']');
}

void AppendStringOrNull(TextWriter& out, Octets text) {
  if (text.empty()) {
    out += "null";
  } else {
    AppendJsonString(out, text);
  }
}

template <class Range>
void AppendStrings(TextWriter& out, const Range& texts) {
  out.push_back('[');
  bool first = true;
  for (const auto& t : texts) Comma(out, first), AppendJsonString(out, t);
  out.push_back(']');
}

// Lines joined by LF as a JSON array. An SMTP reply without words is one empty line; an answer without records is none.
void AppendLines(TextWriter& out, Octets text, bool none_if_empty) {
  if (text.empty() && none_if_empty) {
    out += "[]";
    return;
  }
  out.push_back('[');
  for (bool first = true;; first = false) {
    const auto end = text.find('\n');
    if (!first) out.push_back(',');
    AppendJsonString(out, text.substr(0, end));
    if (end == Octets::npos) break;
    text.remove_prefix(end + 1);
  }
  out.push_back(']');
}

void AppendDns(TextWriter& out, const dns::Message* message) {
  out += ",\"dns\":{\"id\":";
  AppendNumber(out, message->id);
  out += ",\"flags\":";
  AppendNumber(out, message->flags);
  out += ",\"counts\":[";
  for (int i = 0; i < 4; ++i) {
    if (i > 0) out.push_back(',');
    AppendNumber(out, message->counts[i]);
  }
  out += "],\"records\":[";
  std::string text;
  bool first = true;
  for (const dns::Record& r : message->records) {
    text.clear();
    dns::AppendRecordText(text, *message, r);
    Comma(out, first);
    AppendJsonString(out, text);
  }
  out += "]}";
}

void AppendRequest(TextWriter& out, const Exchange& e, Protocol protocol) {
  out += "\"request\":";
  if (!e.has_request) {
    out += "null";
    return;
  }
  const Request& r = e.request;
  out += "{\"verb\":";
  AppendJsonString(out, r.verb);
  out += ",\"argument\":";
  AppendJsonString(out, r.argument);
  if (protocol == Protocol::kImap) out += ",\"tag\":", AppendJsonString(out, r.tag);
  if (!r.decoded.empty()) out += ",\"decoded\":", AppendJsonString(out, r.decoded);
  if (r.cut) out += ",\"cut\":true";
  AppendFrames(out, r.span.frames);
  if (e.query != nullptr) AppendDns(out, e.query);
  out.push_back('}');
}

void AppendReply(TextWriter& out, const Reply& r, Protocol protocol, const dns::Message* response) {
  if (protocol == Protocol::kSmtp || protocol == Protocol::kLmtp) {
    out += "{\"code\":";
    AppendNumber(out, static_cast<std::uint64_t>(r.code));
    out += ",\"enhanced\":";
    AppendStringOrNull(out, r.enhanced);
  } else {
    out += "{\"status\":";
    AppendJsonString(out, r.status);
    out += ",\"enhanced\":null";
  }
  out += ",\"text\":";
  AppendLines(out, r.text, protocol == Protocol::kDns);
  if (!r.decoded.empty()) out += ",\"decoded\":", AppendJsonString(out, r.decoded);
  if (r.cut) out += ",\"cut\":true";
  AppendFrames(out, r.span.frames);
  if (response != nullptr) AppendDns(out, response);
  out.push_back('}');
}

void AppendElapsed(TextWriter& out, const Exchange& e) {
  out += ",\"elapsed_ms\":";
  const Timestamp asked = e.request.span.last_time, answered = e.reply.span.first_time;
  // A clock that went backwards, or a reply that did not wait for its command, has no time to tell.
  if (e.has_request && e.has_reply && asked != kNoTime && answered != kNoTime && answered >= asked) {
    AppendMilliseconds(out, answered - asked);
  } else {
    out += "null";
  }
}

void AppendOptional(TextWriter& out, Octets key, const std::optional<Octets>& value) {
  out += key;
  if (value) {
    AppendJsonString(out, *value);
  } else {
    out += "null";
  }
}

void AppendHeader(TextWriter& out, const mime::HeaderDecoder& decoder, bool cut) {
  const mime::HeaderSummary& h = decoder.summary();
  AppendOptional(out, ",\"from\":", h.from);
  AppendOptional(out, ",\"to\":", h.to);
  AppendOptional(out, ",\"cc\":", h.cc);
  AppendOptional(out, ",\"reply_to\":", h.reply_to);
  AppendOptional(out, ",\"subject\":", h.subject);
  AppendOptional(out, ",\"message_id\":", h.message_id);
  AppendOptional(out, ",\"date\":", h.date);
  AppendOptional(out, ",\"x_mailer\":", h.x_mailer);
  out += ",\"received\":";
  AppendStrings(out, h.received);
  out += ",\"headers\":[";
  bool first = true;
  for (const mime::HeaderField& f : decoder.fields()) {
    Comma(out, first);
    out.push_back('[');
    AppendJsonString(out, f.name);
    out.push_back(',');
    AppendJsonString(out, f.value);
    out.push_back(']');
  }
  out.push_back(']');
  if (cut || decoder.cut()) out += ",\"headers_cut\":true";
}

void AppendAttachments(TextWriter& out, const mime::Structure* structure) {
  out += ",\"attachments\":";
  if (structure == nullptr || structure->problem != mime::MimeProblem::kNone) {
    out += "null";
    return;
  }
  out.push_back('[');
  bool first = true;
  for (const mime::Part& p : structure->parts) {
    if (!p.attachment) continue;
    Comma(out, first);
    out += "{\"filename\":";
    AppendStringOrNull(out, p.filename);
    out += ",\"type\":";
    AppendJsonString(out, p.type);
    out += ",\"size\":";
    AppendNumber(out, p.size);
    out += ",\"sha256\":\"" + Hex(p.sha256) + "\"}";
  }
  out.push_back(']');
}

void AppendTls(TextWriter& out, const tls::TlsInfo* t) {
  out += "\"tls\":";
  if (t == nullptr) {
    out += "null";
    return;
  }
  out += "{\"start\":";
  AppendTime(out, t->start);
  out += ",\"version\":";
  AppendStringOrNull(out, t->version);
  out += ",\"cipher\":";
  AppendStringOrNull(out, t->cipher);
  out += ",\"sni\":";
  AppendStringOrNull(out, t->sni);
  out += ",\"alpn\":";
  if (t->alpn_chosen.empty()) {
    AppendStrings(out, t->alpn);
  } else {
    AppendStrings(out, std::initializer_list<std::string>{t->alpn_chosen});
  }
  out += ",\"certificates\":[";
  bool first = true;
  for (const tls::CertificateInfo& c : t->certificates) {
    Comma(out, first);
    out += "{\"subject\":";
    AppendJsonString(out, c.subject);
    out += ",\"issuer\":";
    AppendJsonString(out, c.issuer);
    out += ",\"names\":";
    AppendStrings(out, c.names);
    out += ",\"not_before\":\"";
    AppendBy<AppendRfc3339Seconds>(out, c.not_before);
    out += "\",\"not_after\":\"";
    AppendBy<AppendRfc3339Seconds>(out, c.not_after);
    out += "\"}";
  }
  out += "],\"decrypted\":";
  out += t->decrypted ? "true}" : "false}";
}

// Only of a conversation that was kept, and not whole.
void AppendLeftOut(TextWriter& out, const LeftOut& l) {
  if (l.empty()) return;
  out += "\"left_out\":{\"exchanges\":";
  AppendNumber(out, l.exchanges);
  out += ",\"messages\":";
  AppendNumber(out, l.messages);
  out += ",\"findings\":";
  AppendNumber(out, l.findings);
  out += ",\"message_octets\":";
  AppendNumber(out, l.message_octets);
  out += "},";
}

void AppendEndpoint(TextWriter& out, const Endpoint& e) {
  out += "{\"address\":\"";
  out += e.address.Text();
  out += "\",\"port\":";
  AppendNumber(out, e.port);
  out.push_back('}');
}

void AppendHead(TextWriter& out, const ConversationFacts& f) {
  out += ",\"protocol\":\"";
  out += Name(f.protocol);
  out += f.by_port_only ? "\",\"recognised_by\":\"port\",\"client\":" : "\",\"client\":";
  AppendEndpoint(out, f.client());
  out += ",\"server\":";
  AppendEndpoint(out, f.server());
  out += ",\"start\":";
  AppendTime(out, f.start);
  out += ",\"end\":";
  AppendTime(out, f.end);
  out += ",\"packets\":";
  AppendNumber(out, f.packets);
  out += ",\"bytes\":";
  AppendNumber(out, f.bytes);
  out += f.complete() ? ",\"complete\":true,\"gaps\":[" : ",\"complete\":false,\"gaps\":[";
  bool first = true;
  for (const Gap& g : f.gaps) {
    Comma(out, first);
    out += g.direction == Direction::kToServer ? "{\"direction\":\"to_server\",\"offset\":"
                                               : "{\"direction\":\"to_client\",\"offset\":";
    AppendNumber(out, g.offset);
    out += ",\"length\":";
    AppendNumber(out, g.length);
    out.push_back('}');
  }
  out += "],\"phases\":[";
  first = true;
  for (const PhaseSpan& p : f.phases) {
    Comma(out, first);
    out += "{\"phase\":\"";
    out += Name(p.phase);
    out += "\",\"start\":";
    AppendTime(out, p.start);
    out += ",\"end\":";
    AppendTime(out, p.end);
    out.push_back('}');
  }
  out.push_back(']');
}

void AppendReplies(TextWriter& out, const Exchange& e, Protocol protocol) {
  out += ",\"replies\":[";
  if (e.has_reply) AppendReply(out, e.reply, protocol, nullptr);
  for (const Reply& r : e.more_replies) {
    out.push_back(',');
    AppendReply(out, r, protocol, nullptr);
  }
  out.push_back(']');
}

}  // namespace

void AppendExchangeJson(TextWriter& out, const Exchange& e, Protocol protocol) {
  out += "{\"n\":";
  AppendNumber(out, e.number);
  out += ",\"phase\":\"";
  out += Name(e.phase);
  out += "\",";
  AppendRequest(out, e, protocol);
  out += ",\"reply\":";
  if (e.has_reply) {
    AppendReply(out, e.reply, protocol, e.response);
  } else {
    out += "null";
  }
  if (e.multi_recipient) AppendReplies(out, e, protocol);
  AppendElapsed(out, e);
  out.push_back('}');
}

void AppendFindingJson(TextWriter& out, const Finding& f, Protocol protocol, Language language) {
  const FindingInfo& info = Info(f.id);
  out += "{\"id\":\"";
  out += info.name;
  out += "\",\"severity\":\"";
  out += Name(info.severity);
  out += "\",\"exchange\":";
  if (f.exchange == 0) {
    out += "null";
  } else {
    AppendNumber(out, f.exchange);
  }
  out += ",\"rfc\":\"";
  out += Clause(f.id, protocol);
  out += "\",\"text\":";
  AppendJsonString(out, FindingText(f, language));
  out.push_back('}');
}

namespace {

class JsonTeller final : public Teller {
 public:
  explicit JsonTeller(const JsonReport::Options& options) : options_(options) {}

  void OnExchange(const ConversationFacts& facts, const Exchange& e) override {
    TextWriter& out = Writer();
    if (!exchanges_.empty()) out.push_back(',');
    AppendExchangeJson(out, e, facts.protocol);
    exchanges_.Append(out.text());
  }

  void OnMessage(const ConversationFacts&, const MessageFacts& m) override {
    if (!options_.messages) return;
    TextWriter& out = Writer();
    if (!messages_.empty()) out.push_back(',');
    out += "{\"envelope\":";
    if (m.envelope->present) {
      out += "{\"reverse_path\":";
      if (m.envelope->reverse_path_known)
        AppendJsonString(out, m.envelope->reverse_path);
      else
        out += "null";
      out += ",\"forward_paths\":";
      AppendStrings(out, m.envelope->forward_paths);
      out.push_back('}');
    } else {
      out += "null";
    }
    out += ",\"exchange\":";
    AppendNumber(out, m.exchange);
    out += ",\"size\":";
    AppendNumber(out, m.size);
    out += ",\"sha256\":\"" + m.sha256 + '"';
    if (m.header != nullptr) AppendHeader(out, *m.header, m.header_cut);
    out += m.truncated ? ",\"truncated\":true" : ",\"truncated\":false";
    if (options_.attachments) AppendAttachments(out, m.structure);
    out.push_back('}');
    messages_.Append(out.text());
  }

  void OnFinding(const ConversationFacts& facts, const Finding& f) override {
    TextWriter& out = Writer();
    if (!findings_.empty()) out.push_back(',');
    AppendFindingJson(out, f, facts.protocol, options_.language);
    findings_.Append(out.text());
  }

  std::size_t TextHeld() const override {
    return exchanges_.memory().size() + messages_.memory().size() + findings_.memory().size();
  }
  void SpillText() override {
    for (TextStore* text : {&exchanges_, &messages_, &findings_}) text->Spill();
  }

  void Finish(const ConversationFacts& facts, TextStore& text) override {
    TextWriter& out = Writer();
    AppendHead(out, facts);
    out += ",\"exchanges\":[";
    const std::size_t head = out.text().size();
    out += "],";
    AppendLeftOut(out, facts.left_out);
    AppendTls(out, facts.tls.get());
    out += ",\"findings\":[";
    const std::string_view all = out.text();
    text.Reserve(all.size() + exchanges_.size() + messages_.size() + findings_.size() + 32);
    text.Append(all.substr(0, head));
    text.Append(std::move(exchanges_));
    if (options_.messages) {
      text.Append("],\"messages\":[");
      text.Append(std::move(messages_));
    }
    text.Append(all.substr(head));
    text.Append(std::move(findings_));
    text.Append("]}\n");
  }

 private:
  // One a thread: what it holds is taken over before it is used again.
  static TextWriter& Writer() {
    thread_local TextWriter writer;
    writer.Clear();
    return writer;
  }
  const JsonReport::Options& options_;
  TextStore exchanges_;
  TextStore messages_;
  TextStore findings_;
};

}  // namespace

Report::Wants JsonReport::wants() const {
  return {.packets = false,
          .message_header = options_.messages,
          .message_digest = options_.messages,
          .message_octets = false,
          .attachments = options_.messages && options_.attachments,
          .show_secrets = options_.show_secrets};
}

std::unique_ptr<Teller> JsonReport::NewTeller() const { return std::make_unique<JsonTeller>(options_); }

void JsonReport::Write(std::uint64_t number, Octets /*note*/, TextStore& text) {
  std::fputs("{\"conversation\":", out_);
  char digits[kMostDigits];
  std::fwrite(digits, 1, static_cast<std::size_t>(PutNumber(digits, number) - digits), out_);
  text.ForEachPiece([this](std::string_view piece) { std::fwrite(piece.data(), 1, piece.size(), out_); });
}

}  // namespace glasspost::analysis
