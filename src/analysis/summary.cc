#include "analysis/summary.h"

#include <fmt/format.h>

#include "base/ascii.h"
#include "wire/dns/message.h"

namespace glasspost::analysis {
namespace {

// Joins parts with a comma of the language.
class Parts {
 public:
  explicit Parts(Language language) : chinese_(language == Language::kChinese) {}
  void Add(std::string part) {
    if (part.empty()) return;
    if (!text_.empty()) text_ += chinese_ ? "，" : ", ";
    text_ += part;
  }
  // `one` and `many` for English, `zh` for Chinese, each with {} for the number.
  void Count(std::uint64_t n, fmt::string_view one, fmt::string_view many, fmt::string_view zh) {
    if (n > 0) Add(fmt::format(fmt::runtime(chinese_ ? zh : n == 1 ? one : many), n));
  }
  std::string Take() { return std::move(text_); }
  bool chinese() const { return chinese_; }

 private:
  bool chinese_;
  std::string text_;
};

std::string_view Word(Octets argument) { return argument.substr(0, argument.find(' ')); }

}  // namespace

std::string SizeText(std::uint64_t octets) {
  if (octets < 1000) return fmt::format("{} B", octets);
  const double kb = static_cast<double>(octets) / 1e3;
  if (kb < 9.95) return fmt::format("{:.1f} kB", kb);
  if (kb < 999.5) return fmt::format("{:.0f} kB", kb);
  if (kb < 999'500) return fmt::format("{:.1f} MB", kb / 1e3);
  return fmt::format("{:.1f} GB", kb / 1e6);
}

void Summary::OnExchange(const Exchange& e, Protocol protocol) {
  ++exchanges_;
  switch (protocol) {
    case Protocol::kSmtp:
    case Protocol::kLmtp:
      return OnSmtp(e);
    case Protocol::kPop3:
      return OnPop3(e);
    case Protocol::kImap:
      return OnImap(e);
    case Protocol::kDns:
      return OnDns(e);
    default:
      return;
  }
}

void Summary::OnSmtp(const Exchange& e) {
  const int code = e.has_reply ? e.reply.code : 0;
  if (!e.has_request) {
    if (greeting_code_ == 0) greeting_code_ = code;
    return;
  }
  const std::string& verb = e.request.verb;
  if (auth_outcome_ == Outcome::kOk && code == 503) return;  // once is enough (RFC 4954 §4): the login stands
  if (verb == "AUTH") auth_ = "AUTH " + UpperCase(Word(e.request.argument)), auth_outcome_ = Outcome::kNone;
  if ((verb == "AUTH" || verb == "*") && code != 0 && code != 334) auth_outcome_ = code == 235 ? Outcome::kOk : Outcome::kFailed;
  if (verb == "STARTTLS" && code == 220) starttls_ = true;
  if (verb == "RCPT" && code >= 400) ++refused_recipients_;
  if ((verb == "." || verb == "BDAT") && code >= 400) ++refused_messages_;
}

void Summary::OnPop3(const Exchange& e) {
  if (!e.has_request) return;
  const std::string& verb = e.request.verb;
  const bool ok = e.has_reply && e.reply.status == "+OK";
  const bool failed = e.has_reply && e.reply.status == "-ERR";
  if (verb == "USER" || verb == "APOP") auth_ = verb == "USER" ? "USER/PASS" : "APOP";
  if (verb == "AUTH" && !e.request.argument.empty()) auth_ = "AUTH " + UpperCase(Word(e.request.argument));
  const bool ends_auth = verb == "PASS" || verb == "APOP" || verb == "*" || (verb == "AUTH" && !e.request.argument.empty());
  if (ends_auth && (ok || failed)) auth_outcome_ = ok ? Outcome::kOk : Outcome::kFailed;
  if (verb == "DELE" && ok) ++deleted_;
  if (verb == "STLS" && ok) starttls_ = true;
}

void Summary::OnImap(const Exchange& e) {
  if (!e.has_request) return;
  const std::string& verb = e.request.verb;
  const bool ok = e.reply.status == "OK";
  const bool failed = e.reply.status == "NO" || e.reply.status == "BAD";
  if (verb == "LOGIN") auth_ = "LOGIN", in_auth_ = true;
  if (verb == "AUTHENTICATE") auth_ = "AUTHENTICATE " + UpperCase(Word(e.request.argument)), in_auth_ = true;
  if (in_auth_ && e.has_reply && (ok || failed)) auth_outcome_ = ok ? Outcome::kOk : Outcome::kFailed, in_auth_ = false;
  if (verb == "STARTTLS" && ok) starttls_ = true;
}

void Summary::OnDns(const Exchange& e) {
  if (!e.has_request) return;
  ++queries_;
  if (queries_ > 1) return;
  first_query_ = e.request.argument;
  first_answer_ = e.has_reply ? e.reply.status : "";
  if (e.response != nullptr && e.response->counts[1] > 0) first_answer_ = fmt::format("{}", e.response->counts[1]);
}

void Summary::OnMessage(const MessageFacts& m) {
  ++messages_;
  octets_ += m.size;
  truncated_ += m.truncated ? 1 : 0;
  if (m.envelope->present) recipients_ += m.envelope->forward_paths.size();
}

std::string Summary::Words(const ConversationFacts& f, Language language) const {
  Parts p(language);
  const bool zh = p.chinese();
  if (f.by_port_only) {
    std::string name = UpperCase(Name(f.protocol));
    p.Add(zh ? fmt::format("TCP 到端口 {}，可能是 {}：没有数据，只能看端口", f.server().port, name)
             : fmt::format("TCP to port {}, probably {}: no data, only the port says so", f.server().port, name));
    return p.Take() + (!f.reset_seen ? "" : zh ? "；连接被拒绝或重置" : "; refused or reset");
  }
  if (starttls_) p.Add("STARTTLS");
  if (f.tls != nullptr) {
    std::string t = f.tls->version.empty() ? "TLS" : f.tls->version;
    if (!f.tls->sni.empty()) t += " " + f.tls->sni;
    if (f.tls->plain_server)
      p.Add(t + (zh ? "：服务器以明文应答" : ": the server answers in the clear"));
    else
      p.Add(f.tls->decrypted ? t : t + (zh ? "（加密）" : " (encrypted)"));
  }
  if (!auth_.empty()) {
    const char* outcome = auth_outcome_ == Outcome::kOk       ? (zh ? " 成功" : " ok")
                          : auth_outcome_ == Outcome::kFailed ? (zh ? " 失败" : " failed")
                                                              : "";
    p.Add(auth_ + outcome);
  }
  if (f.protocol == Protocol::kDns && queries_ > 0) {
    const bool counted = !first_answer_.empty() && IsDigit(first_answer_[0]);
    std::string answer = first_answer_.empty() ? (zh ? "无应答" : "no answer")
                         : counted
                             ? (zh ? first_answer_ + " 条记录" : first_answer_ + (first_answer_ == "1" ? " record" : " records"))
                             : first_answer_;
    p.Add(first_query_ + " → " + answer);
    if (queries_ > 1) p.Count(queries_ - 1, "{} more query", "{} more queries", "另有 {} 个查询");
  }
  if (messages_ > 0 && recipients_ > 0) {
    p.Add(zh ? fmt::format("{} 封邮件给 {} 个收件人", messages_, recipients_)
             : fmt::format("{} message{} to {} recipient{}", messages_, messages_ == 1 ? "" : "s", recipients_,
                           recipients_ == 1 ? "" : "s"));
  } else {
    p.Count(messages_, "{} message", "{} messages", "{} 封邮件");
  }
  if (messages_ > 0) p.Add(SizeText(octets_));
  p.Count(truncated_, "{} not whole", "{} not whole", "{} 封不完整");
  p.Count(refused_messages_, "{} message refused", "{} messages refused", "{} 封邮件被拒");
  p.Count(refused_recipients_, "{} recipient refused", "{} recipients refused", "{} 个收件人被拒");
  p.Count(deleted_, "{} deleted", "{} deleted", "删除 {} 封");
  std::string words = p.Take();
  if (!words.empty()) return words;
  if (greeting_code_ >= 400)
    return zh ? fmt::format("服务器拒绝服务：{}", greeting_code_) : fmt::format("turned away with {}", greeting_code_);
  p.Count(exchanges_, "{} exchange", "{} exchanges", "{} 次交互");
  return p.Take();
}

}  // namespace glasspost::analysis
