#include "analysis/explain.h"

#include <fmt/format.h>

#include <string_view>

namespace glasspost::analysis {
namespace {

struct Pair {
  std::string_view text[2];  // by Language
  std::string_view In(Language l) const { return text[static_cast<int>(l)]; }
};

struct CommandWords {
  Protocol protocol;
  std::string_view verb;
  Pair words;
};
constexpr CommandWords kCommands[] = {
#define GLASSPOST_COMMAND(protocol, verb, en, zh) {Protocol::protocol, verb, {{en, zh}}},
#define GLASSPOST_COMMAND_WITHIN_TLS(protocol, verb, en, zh)
#include "analysis/texts/commands.inc"
#undef GLASSPOST_COMMAND_WITHIN_TLS
#undef GLASSPOST_COMMAND
};
// Looked at first, where it was within TLS.
constexpr CommandWords kCommandsWithinTls[] = {
#define GLASSPOST_COMMAND(protocol, verb, en, zh)
#define GLASSPOST_COMMAND_WITHIN_TLS(protocol, verb, en, zh) {Protocol::protocol, verb, {{en, zh}}},
#include "analysis/texts/commands.inc"
#undef GLASSPOST_COMMAND_WITHIN_TLS
#undef GLASSPOST_COMMAND
};

struct ReplyWords {
  int code;
  Pair words;
};
constexpr ReplyWords kReplies[] = {
#define GLASSPOST_REPLY(code, en, zh) {code, {{en, zh}}},
#include "analysis/texts/replies.inc"
#undef GLASSPOST_REPLY
};

// By the first digit of a reply (RFC 5321 §4.2.1).
constexpr Pair kDigits[] = {
    {{"2 = done", "2 开头＝已完成"}},
    {{"3 = go on", "3 开头＝请继续"}},
    {{"4 = not now, try later", "4 开头＝暂时失败，稍后再试"}},
    {{"5 = failed for good", "5 开头＝永久失败"}},
};

struct SaslWords {
  SaslContent content;
  Pair words;
};
constexpr SaslWords kSasl[] = {
    {SaslContent::kUserPrompt,
     {{"The server asks for the user name; base64 only wraps the words, it hides nothing.",
       "服务器要求用户名；base64 只是换一种写法，并不保密。"}}},
    {SaslContent::kPasswordPrompt, {{"The server asks for the password.", "服务器要求口令。"}}},
    {SaslContent::kUserName,
     {{"The client answers with the user name in base64, which everyone can undo: it is no encryption.",
       "客户端以 base64 回答用户名；任何人都能还原，这不是加密。"}}},
    {SaslContent::kPassword,
     {{"The client answers with the password in base64: it is no encryption, whoever sees the packets has the password.",
       "客户端以 base64 回答口令；这不是加密，看到数据包的人就得到了口令。"}}},
    {SaslContent::kCredentials,
     {{"User name and password together in base64: it is no encryption, whoever sees the packets has both.",
       "用户名和口令一起以 base64 发送；这不是加密，看到数据包的人两者都能得到。"}}},
    {SaslContent::kToken, {{"The client shows an access token in place of a password.", "客户端出示访问令牌以代替口令。"}}},
    {SaslContent::kChallenge,
     {{"The server's challenge: something new each time, so that an old answer is worth nothing.",
       "服务器的质询：每次都不同，旧的回答因此无用。"}}},
    {SaslContent::kDigest,
     {{"The client's answer, calculated from challenge and password; the password itself does not cross the network.",
       "客户端由质询与口令计算出的回答；口令本身不经过网络。"}}},
    {SaslContent::kCancel, {{"The client gives the login up.", "客户端放弃登录。"}}},
    {SaslContent::kOutcome, {{"The server proves, or explains, the outcome.", "服务器证明或说明结果。"}}},
    {SaslContent::kUnknownAnswer,
     {{"The client's answer; which kind of login it is part of is not in the capture, so it may be the password itself.",
       "客户端的回答；捕获中看不到登录方式，因此它可能就是口令本身。"}}},
    {SaslContent::kEmpty, {{"An empty step: nothing is to be said here.", "空的一步：此处无内容。"}}},
};

// The same where TLS hides from others what base64 does not.
constexpr SaslWords kSaslWithinTls[] = {
    {SaslContent::kPassword,
     {{"The client answers with the password in base64, which hides nothing; TLS does, so that only the server reads it.",
       "客户端以 base64 回答口令；base64 并不保密，保密的是 TLS：只有服务器能读到。"}}},
    {SaslContent::kCredentials,
     {{"User name and password together in base64, which hides nothing; TLS does, so that only the server reads them.",
       "用户名和口令一起以 base64 发送；base64 并不保密，保密的是 TLS：只有服务器能读到。"}}},
};

std::string_view SaslSentence(SaslContent content, bool within_tls, Language l) {
  if (within_tls)
    for (const SaslWords& w : kSaslWithinTls)
      if (w.content == content) return w.words.In(l);
  for (const SaslWords& w : kSasl)
    if (w.content == content) return w.words.In(l);
  return {};
}

std::string_view CommandSentence(Protocol protocol, std::string_view verb, bool within_tls, Language l) {
  const auto find = [&](const auto& table) {
    for (const CommandWords& w : table)
      if (w.protocol == protocol && w.verb == verb) return w.words.In(l);
    return std::string_view();
  };
  const std::string_view words = within_tls ? find(kCommandsWithinTls) : std::string_view();
  return words.empty() ? find(kCommands) : words;
}

// Behind another sentence.
void AppendSentence(std::string& text, SaslContent content, bool within_tls, Language l) {
  if (content == SaslContent::kNone) return;
  if (l == Language::kEnglish) text += ' ';
  text += SaslSentence(content, within_tls, l);
}

Protocol TableProtocol(Protocol p) { return p == Protocol::kLmtp ? Protocol::kSmtp : p; }

void Say(std::string& text, std::string_view words) { text.assign(words); }

void SmtpReply(std::string& text, const Exchange& e, const Reply& r, Language l) {
  const bool zh = l == Language::kChinese;
  const int digit = r.code / 100;
  if (digit >= 2 && digit <= 5)
    text = kDigits[digit - 2].In(l);
  else if (r.code > 0)
    text = zh ? "SMTP 没有以这个数字开头的应答" : "SMTP has no reply that begins with this digit";
  for (const ReplyWords& w : kReplies) {
    if (w.code != r.code) continue;
    text += zh ? "：" : ": ";
    text += w.words.In(l);
  }
  if (!text.empty()) text += zh ? "。" : ".";
  if (!e.has_request && r.code == 220)
    text += zh ? "这是服务器的问候，会话由此开始。" : " This is the server's greeting, with which the conversation begins.";
  if (e.has_request && (e.request.verb == "EHLO" || e.request.verb == "LHLO") && r.code == 250)
    text +=
        zh ? "从第二行起，每行是服务器的一项扩展。" : " From the second line on, each line is an extension that the server has.";
  if (e.has_request && e.request.verb == "." && r.code == 250)
    text += zh ? "从此刻起，服务器对这封邮件负责。" : " From now on the server is responsible for the message.";
  AppendSentence(text, r.sasl, false, l);
}

void Pop3Reply(std::string& text, const Exchange& e, const Reply& r, Language l) {
  const bool zh = l == Language::kChinese;
  if (r.status == "+OK") text = zh ? "+OK：成功。" : "+OK: it worked.";
  if (r.status == "-ERR") text = zh ? "-ERR：失败，原因见其后的文字。" : "-ERR: it failed; the words behind it say why.";
  if (r.status == "+")
    text = zh ? "+：请继续，服务器等待登录的下一步。" : "+: go on, the server waits for the next step of the login.";
  AppendSentence(text, r.sasl, false, l);
  if (!e.has_request) {
    if (r.status == "+OK") text += zh ? "这是服务器的问候。" : " This is the server's greeting.";
    return;
  }
  if (r.status != "+OK") return;
  const std::string& verb = e.request.verb;
  const bool list = (verb == "LIST" || verb == "UIDL" || verb == "CAPA" || verb == "RETR" || verb == "TOP") &&
                    (verb == "RETR" || verb == "TOP" || e.request.argument.empty());
  if (verb == "STAT") text += zh ? "先是邮件数，再是总八位组数。" : " First the number of messages, then their octets in all.";
  if (list) text += zh ? "多行应答，以单独一行的点结束。" : " An answer of several lines; a line with a lone dot ends it.";
}

void ImapReply(std::string& text, const Exchange& e, const Reply& r, Language l) {
  const bool zh = l == Language::kChinese;
  if (!e.has_request) {
    if (r.status == "PREAUTH") return Say(text, zh ? "服务器的问候：已经登录。" : "The server's greeting: already logged in.");
    if (r.status == "BYE") return Say(text, zh ? "服务器告别并关闭连接。" : "The server says goodbye and closes.");
    if (e.number == 1) return Say(text, zh ? "这是服务器的问候。" : "This is the server's greeting.");
    return Say(text, zh ? "服务器主动通知。" : "The server tells news without having been asked.");
  }
  if (r.status == "OK")
    return Say(text, zh ? "OK：成功。以 * 开头的行是数据，最后带标签的一行是结果。"
                        : "OK: it worked. Lines that begin with * are data, the line with the tag is the outcome.");
  if (r.status == "NO") return Say(text, zh ? "NO：失败。" : "NO: it failed.");
  if (r.status == "BAD") return Say(text, zh ? "BAD：服务器不理解该命令。" : "BAD: the server does not understand the command.");
  if (r.status == "+") {
    Say(text, zh ? "+：请继续。" : "+: go on.");
    AppendSentence(text, r.sasl, false, l);
  }
}

void DnsReply(std::string& text, const Reply& r, Language l) {
  struct Rcode {
    std::string_view name;
    Pair words;
  };
  static constexpr Rcode kRcodes[] = {
      {"NOERROR", {{"NOERROR: the question was answered.", "NOERROR：查询得到应答。"}}},
      {"NXDOMAIN", {{"NXDOMAIN: there is no such name.", "NXDOMAIN：没有这个域名。"}}},
      {"SERVFAIL", {{"SERVFAIL: the server could not find an answer.", "SERVFAIL：服务器未能得到答案。"}}},
      {"REFUSED", {{"REFUSED: the server does not answer this client or this name.", "REFUSED：服务器拒绝回答。"}}},
      {"FORMERR", {{"FORMERR: the server did not understand the question.", "FORMERR：服务器看不懂该查询。"}}},
      {"NOTIMP", {{"NOTIMP: the server does not do this kind of query.", "NOTIMP：服务器不支持这种查询。"}}},
  };
  for (const Rcode& c : kRcodes)
    if (r.status == c.name) Say(text, c.words.In(l));
}

}  // namespace

void ExplainRequest(std::string& text, const Exchange& e, const ConversationFacts& facts, Language l) {
  text.clear();
  if (!e.has_request) return;
  const Request& r = e.request;
  if (r.verb == "*") {
    if (r.sasl != SaslContent::kNone) return Say(text, SaslSentence(r.sasl, facts.within_tls, l));
    return Say(text, l == Language::kChinese ? "客户端的下一步。" : "The client's next step.");
  }
  if (r.verb == "***")
    return Say(text, l == Language::kChinese ? "这是（或可能是）登录用的口令，因此隐去。"
                                             : "This is, or may be, a secret of the login, so it is masked.");
  text = CommandSentence(TableProtocol(facts.protocol), r.verb, facts.within_tls, l);
  if (text.empty())
    text = l == Language::kChinese ? "此协议中没有的命令，或少见的扩展命令。"
                                   : "A command that this protocol does not have, or a rare extension.";
  AppendSentence(text, r.sasl, facts.within_tls, l);
}

void ExplainReply(std::string& text, const Exchange& e, const Reply& r, const ConversationFacts& facts, Language l) {
  text.clear();
  switch (TableProtocol(facts.protocol)) {
    case Protocol::kSmtp:
      return SmtpReply(text, e, r, l);
    case Protocol::kPop3:
      return Pop3Reply(text, e, r, l);
    case Protocol::kImap:
      return ImapReply(text, e, r, l);
    case Protocol::kDns:
      return DnsReply(text, r, l);
    default:
      return;
  }
}

std::string ExplainPacket(PacketRole role, bool from_client, Language l) {
  const bool zh = l == Language::kChinese;
  const std::string_view who = from_client ? (zh ? "客户端" : "The client") : (zh ? "服务器" : "The server");
  switch (role) {
    case PacketRole::kSyn:
      return fmt::format(
          fmt::runtime(zh ? "第一次握手：{}请求建立连接，并给出自己的初始序号。"
                          : "First step of the handshake: {} asks for a connection and gives its initial sequence number."),
          zh            ? who
          : from_client ? "the client"
                        : "the server");
    case PacketRole::kSynAck:
      return fmt::format(fmt::runtime(zh ? "第二次握手：{}同意（ACK），并给出自己的初始序号（SYN）。"
                                         : "Second step: {} agrees (ACK) and gives its own initial sequence number (SYN)."),
                         zh            ? who
                         : from_client ? "the client"
                                       : "the server");
    case PacketRole::kHandshakeAck:
      return fmt::format(fmt::runtime(zh ? "第三次握手：{}确认，连接建立。" : "Third step: {} confirms, the connection stands."),
                         zh            ? who
                         : from_client ? "the client"
                                       : "the server");
    case PacketRole::kFin:
      return fmt::format(
          fmt::runtime(zh ? "{}不再发送（FIN），开始关闭连接。" : "{} will send nothing more (FIN): the close begins."), who);
    case PacketRole::kFinAck:
      return fmt::format(fmt::runtime(zh ? "{}也不再发送（FIN）。" : "{} will send nothing more either (FIN)."), who);
    case PacketRole::kLastAck:
      return fmt::format(
          fmt::runtime(zh ? "{}确认对方的 FIN，连接关闭。" : "{} confirms the other's FIN; the connection is closed."), who);
    case PacketRole::kReset:
      return fmt::format(fmt::runtime(zh ? "{}重置连接（RST）：立即中断，不再确认。"
                                         : "{} resets the connection (RST): it ends at once, without goodbye."),
                         who);
  }
  return {};
}

}  // namespace glasspost::analysis
