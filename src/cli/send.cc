#include "cli/send.h"

#include <fmt/format.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iterator>

#include "agent/connect.h"
#include "agent/draft.h"
#include "agent/smtp_client.h"
#include "base/ascii.h"
#include "base/escape.h"
#include "base/sha256.h"
#include "base/time_text.h"
#include "cli/account_choice.h"
#include "cli/sendmail_message.h"
#include "cli/terminal.h"
#include "net/host_name.h"
#include "net/system_clock.h"
#include "wire/mime/compose.h"
#include "wire/mime/message_scan.h"
#include "wire/smtp/parameters.h"

namespace glasspost::cli {
namespace {

using Kind = smtp::Outcome::Kind;
using smtp::Stage;
namespace json = server::json;

constexpr std::size_t kWhole = std::size_t{256} << 20;  // octets of a message that comes whole: it is held

struct SendOptions {
  AccountChoice choice;
  std::string from, subject, body, body_file, html_file, message_id, in_reply_to, host, dsn_return, envid;
  std::vector<std::string> to, cc, bcc, reply_to, attach, notify;
  bool whole = false;  // -t
};

}  // namespace

Expected<std::string> ReadAll(const std::string& file, std::size_t most) {
  std::FILE* const in = file == "-" ? stdin : std::fopen(file.c_str(), "rb");
  if (in == nullptr) return Fail("cannot be opened", file);
  std::string text;
  char buffer[65536];
  while (const std::size_t n = std::fread(buffer, 1, sizeof buffer, in)) {
    text.append(buffer, n);
    if (text.size() > most) break;
  }
  const bool failed = std::ferror(in) != 0;
  if (in != stdin) std::fclose(in);
  if (failed) return Fail("cannot be read", file == "-" ? "standard input" : file);
  if (text.size() > most) return Fail("is too long", file == "-" ? "standard input" : file);
  return text;
}

Expected<std::vector<mime::Mailbox>> Mailboxes(const std::vector<std::string>& texts, const char* option) {
  std::vector<mime::Mailbox> all;
  for (const std::string& text : texts) {
    const auto found = mime::ParseAddresses(text);
    for (const mime::Mailbox& mailbox : found) {
      if (!mailbox.address.contains('@')) return Fail("is no address", fmt::format("{} {}", option, text));
      all.push_back(mailbox);
    }
    if (found.empty()) return Fail("is no address", fmt::format("{} {}", option, text));
  }
  return all;
}

namespace {

// <sysexits.h>, as sendmail and msmtp end.
int StatusOf(const smtp::Outcome& outcome) {
  if (outcome.kind == Kind::kAccepted) return EX_OK;
  if (outcome.stage == Stage::kAuth && outcome.kind == Kind::kRefused) return EX_NOPERM;
  if (outcome.kind == Kind::kDeferred) return EX_TEMPFAIL;
  if (outcome.stage == Stage::kRcpt) return outcome.enhanced.starts_with("5.1.") ? EX_NOUSER : EX_UNAVAILABLE;
  if (outcome.stage == Stage::kStartTls) return EX_PROTOCOL;
  return EX_UNAVAILABLE;
}

std::string TextOf(const smtp::Outcome& outcome) {
  std::string text = outcome.code != 0 ? std::to_string(outcome.code) + " " : "";
  if (!outcome.enhanced.empty() && !outcome.text.starts_with(outcome.enhanced)) text += outcome.enhanced + " ";
  text += outcome.text;
  std::ranges::replace(text, '\n', ' ');
  return text;
}

// Counts what is drawn, for the progress bar.
class Watched final : public smtp::MessageSource {
 public:
  Watched(smtp::MessageSource& source, std::uint64_t size, ProgressBar* bar) : source_(source), size_(size), bar_(bar) {}
  Piece Read() override {
    const Piece piece = source_.Read();
    drawn_ += piece.octets.size();
    if (bar_ != nullptr) bar_->Show(drawn_, size_);
    return piece;
  }

 private:
  smtp::MessageSource& source_;
  const std::uint64_t size_;
  ProgressBar* bar_;
  std::uint64_t drawn_ = 0;
};

class Send {
 public:
  Send(const CommandLine& line, const SendOptions& options, agent::Account account)
      : line_(line), options_(options), account_(std::move(account)), bar_(line.language()) {}

  int Run() {
    auto message = options_.whole ? Whole() : Compose();
    if (!message) return Complain(message.error()), EX_DATAERR;
    return Deliver(std::move(*message));
  }

  int Deliver(Outgoing message) {
    if (message.recipients.empty())
      return Complain({std::string(line_.Say("nobody to send it to", "没有收件人")),
                       {},
                       std::string(line_.Say("say --to ADDRESS", "请用 --to 地址 指定"))}),
             EX_USAGE;
    if (const auto ready = Prepare(); !ready) return Complain(ready.error()), EX_CONFIG;
    auto login = options_.choice.Login(account_, line_);
    if (!login) return Complain(login.error()), EX_NOPERM;
    credentials_ = std::move(*login);
    world_->Run(Converse(message));
    bar_.Clear();
    if (const auto closed = shown_->Close(); !closed) return Complain(closed.error()), EX_CANTCREAT;
    return Tell(message);
  }

 private:
  Expected<Outgoing> Compose() {
    agent::Draft draft;
    const std::string from = options_.from.empty() ? account_.address : options_.from;
    const auto sender = mime::ParseMailbox(from);
    if (!sender || !sender->address.contains('@'))
      return Fail(from.empty() ? "say --from ADDRESS" : "is no address: " + from, "--from");
    draft.from = *sender;
    if (draft.from.name.empty() && draft.from.address == account_.address) draft.from.name = account_.name;
    std::vector<mime::Mailbox> recipients;
    for (const auto& [texts, option, into] :
         {std::tuple(&options_.to, "--to", &draft.to), std::tuple(&options_.cc, "--cc", &draft.cc),
          std::tuple(&options_.bcc, "--bcc", static_cast<std::vector<mime::Mailbox>*>(nullptr))}) {
      auto mailboxes = Mailboxes(*texts, option);
      if (!mailboxes) return std::unexpected(mailboxes.error());
      recipients.insert(recipients.end(), mailboxes->begin(), mailboxes->end());
      if (into != nullptr) *into = std::move(*mailboxes);
    }
    auto reply_to = Mailboxes(options_.reply_to, "--reply-to");
    if (!reply_to) return std::unexpected(reply_to.error());
    draft.reply_to = std::move(*reply_to);
    draft.subject = options_.subject;
    draft.text = options_.body;
    const bool from_input =
        options_.body.empty() && options_.body_file.empty() && options_.html_file.empty() && options_.attach.empty();
    if (!options_.body_file.empty() || from_input) {
      auto text = ReadAll(from_input ? "-" : options_.body_file, agent::DraftLimits::kText);
      if (!text) return std::unexpected(text.error());
      draft.text = std::move(*text);
    }
    if (!options_.html_file.empty()) {
      auto html = ReadAll(options_.html_file, agent::DraftLimits::kText);
      if (!html) return std::unexpected(html.error());
      draft.html = std::move(*html);
    }
    if (!IsUtf8(draft.text) || !IsUtf8(draft.html)) return Fail("is not UTF-8", "the text", "convert it, or attach it as a file");
    for (const std::string& path : options_.attach) draft.attachments.push_back({path, {}, {}});
    draft.in_reply_to = draft.references = options_.in_reply_to;
    draft.date = net::SystemClock().Now();
    draft.message_id = options_.message_id;
    auto composed = agent::ComposedMessage::Make(draft, SystemRandomness());
    if (!composed) return std::unexpected(composed.error());
    return OutgoingOf(std::move(*composed), draft, std::move(recipients));
  }

  // From standard input, as `sendmail -t` takes it.
  Expected<Outgoing> Whole() {
    auto text = ReadAll("-", kWhole);
    if (!text) return std::unexpected(text.error());
    SendmailHead head;
    Octets rest = *text;
    SendmailHead::State state = SendmailHead::State::kMore;
    while (state == SendmailHead::State::kMore && !rest.empty()) {
      const Octets row = rest.substr(0, std::min(rest.find('\n'), rest.size() - 1) + 1);
      rest.remove_prefix(row.size());
      state = head.TakeLine(row);
    }
    if (state == SendmailHead::State::kTooLong) return Fail("the message's header is too long");
    if (state == SendmailHead::State::kMore) head.End();
    Outgoing out;
    const std::string from = options_.from.empty() ? account_.address : options_.from;
    out.text = agent::WithCrlf(head.Text(from) + head.first_line() + std::string(rest));
    mime::MessageScan scan;
    scan.OnOctets(out.text);
    mime::HeaderDecoder decoder;
    const std::string block(scan.header());
    decoder.Parse(block);
    std::string missing;
    if (!scan.has_message_id()) {
      const std::string drawn = SystemRandomness().Draw(16);
      out.message_id = "<" + Hex(AsBytes(drawn)) + "@" + std::string(Octets(from).substr(from.rfind('@') + 1)) + ">";
      missing += "Message-ID: " + out.message_id + "\r\n";
    } else {
      out.message_id = std::string(decoder.summary().message_id.value_or(Octets()));
    }
    if (!scan.has_date()) {
      missing += "Date: ";
      AppendRfc5322(missing, net::SystemClock().Now());
      missing += "\r\n";
    }
    out.utf8 = smtp::IsEightBit(block);
    out.text.insert(0, missing);
    out.size = out.text.size();
    out.eight_bit = smtp::IsEightBit(out.text);
    for (const auto& texts : {head.Recipients(), options_.to, options_.cc, options_.bcc}) {
      auto mailboxes = Mailboxes(texts, "-t");
      if (!mailboxes) return std::unexpected(mailboxes.error());
      out.recipients.insert(out.recipients.end(), mailboxes->begin(), mailboxes->end());
    }
    const auto sender =
        mime::ParseMailbox(options_.from.empty() ? decoder.summary().from.value_or(Octets(from)) : Octets(options_.from));
    if (!sender) return Fail("names no sender, or several", "From", "say --from ADDRESS");
    out.reverse_path = sender->address;
    return out;
  }

  Expected<void> Prepare() {
    auto world = AgentWorld::Make(options_.choice.name_server);
    if (!world) return std::unexpected(world.error());
    world_ = std::move(*world);
    auto tls = AgentWorld::Tls(account_.verify, account_.authorities);
    if (!tls) return std::unexpected(tls.error());
    tls_ = std::move(*tls);
    auto shown = options_.choice.Show(Protocol::kSmtp, line_);
    if (!shown) return std::unexpected(shown.error());
    shown_ = std::move(*shown);
    return {};
  }

  smtp::Notify NotifyOf() const {
    smtp::Notify notify;
    for (const std::string& when : options_.notify) {
      notify.never |= when == "never";
      notify.success |= when == "success";
      notify.failure |= when == "failure";
      notify.delay |= when == "delay";
    }
    return notify;
  }

  net::Task<void> Converse(Outgoing& message) {
    auto connected = co_await agent::ConnectTo(world_->network(), *account_.smtp, tls_, options_.choice.limits(),
                                               [this] { return shown_->NewTap(); });
    if (!connected) {
      result_.closed.local = true;
      result_.closed.text = connected.error().Text();
      result_.recipients.assign(message.recipients.size(), result_.closed);
      co_return;
    }
    smtp::ClientOptions options;
    const bool clear = account_.smtp->tls == agent::TlsKind::kNone;
    options.host = options_.host;
    options.tls = clear ? smtp::ClientOptions::Tls::kNever : smtp::ClientOptions::Tls::kRequired;
    options.passwords_without_tls = clear;
    options.credentials = credentials_ ? &*credentials_ : nullptr;
    std::vector<smtp::ClientRecipient> recipients;
    for (const mime::Mailbox& mailbox : message.recipients) recipients.push_back({.path = mailbox.address, .notify = NotifyOf()});
    agent::TextSource text(message.text);
    smtp::MessageSource* const source = message.composed ? static_cast<smtp::MessageSource*>(message.composed.get()) : &text;
    Watched watched(*source, message.size, options_.choice.show ? nullptr : &bar_);
    smtp::ClientMessage out;
    out.reverse_path = message.reverse_path;
    out.recipients = recipients;
    out.source = &watched;
    out.size = message.size;
    out.eight_bit = message.eight_bit;
    out.smtputf8 = message.utf8;
    out.ret = options_.dsn_return == "full"   ? smtp::Return::kFull
              : options_.dsn_return == "hdrs" ? smtp::Return::kHeaders
                                              : smtp::Return::kUnsaid;
    out.envid = options_.envid;
    result_ = co_await agent::SendOver(*connected->stream, connected->peer, SystemRandomness(), options, out);
  }

  int Tell(const Outgoing& message) const {
    int status = EX_OK;
    json::array recipients;
    for (std::size_t i = 0; i < message.recipients.size(); ++i) {
      const smtp::Outcome& outcome = result_.recipients[i];
      const std::string& address = message.recipients[i].address;
      if (status == EX_OK) status = StatusOf(outcome);
      const char* const what = outcome.kind == Kind::kAccepted   ? "accepted"
                               : outcome.kind == Kind::kDeferred ? "deferred"
                                                                 : "refused";
      recipients.push_back(
          json::object{{"address", server::JsonText(address)}, {"outcome", what}, {"reply", server::JsonText(TextOf(outcome))}});
      if (outcome.kind != Kind::kAccepted)
        Complain({TextOf(outcome), address, {}});
      else if (!line_.json())
        fmt::print("{}: {}\n", ForTerminal(address), ForTerminal(TextOf(outcome)));
    }
    if (message.composed && !message.composed->error().empty())
      Complain({message.composed->error(), {}, {}}), status = EX_NOINPUT;
    if (line_.json())
      fmt::print("{}\n",
                 std::string_view(json::serialize(json::object{
                     {"message_id", server::JsonText(message.message_id)}, {"size", message.size}, {"recipients", recipients}})));
    return std::fflush(stdout) == 0 ? status : EX_IOERR;
  }

  const CommandLine& line_;
  const SendOptions& options_;
  const agent::Account account_;
  ProgressBar bar_;
  std::unique_ptr<AgentWorld> world_;
  std::shared_ptr<const net::TlsContext> tls_;
  std::unique_ptr<ShownConversation> shown_;
  std::optional<sasl::Credentials> credentials_;
  agent::SendResult result_;
};

std::string OwnName() {
  char name[256] = "localhost";
  ::gethostname(name, sizeof name - 1);
  return name;
}

}  // namespace

Outgoing OutgoingOf(std::unique_ptr<agent::ComposedMessage> composed, const agent::Draft& draft,
                    std::vector<mime::Mailbox> recipients) {
  Outgoing out;
  out.composed = std::move(composed);
  out.recipients = std::move(recipients);
  out.reverse_path = draft.from.address;
  out.message_id = out.composed->message_id();
  out.size = out.composed->size();
  out.utf8 = out.eight_bit = out.composed->utf8();
  return out;
}

int SendOutgoing(const CommandLine& line, const AccountChoice& choice, agent::Account account, Outgoing message) {
  SendOptions options;
  options.choice = choice;
  options.host = OwnName();
  return Send(line, options, std::move(account)).Deliver(std::move(message));
}

int RunSend(const std::vector<std::string>& words) {
  CommandLine line("send", false);
  line.AddJson();
  SendOptions options;
  options.host = OwnName();
  options.choice.AddTo(line);
  CLI::App& app = line.app();
  app.add_option("--from", options.from);
  for (const auto& [name, into] :
       {std::pair("--to", &options.to), std::pair("--cc", &options.cc), std::pair("--bcc", &options.bcc),
        std::pair("--reply-to", &options.reply_to), std::pair("--attach", &options.attach)})
    app.add_option(name, *into)->allow_extra_args(false);
  app.add_option("--subject", options.subject);
  app.add_option("--body", options.body);
  app.add_option("--body-file", options.body_file);
  app.add_option("--html", options.html_file);
  app.add_option("--message-id", options.message_id);
  app.add_option("--in-reply-to", options.in_reply_to);
  app.add_option("--hello", options.host);
  app.add_option("--notify", options.notify)->delimiter(',')->check(CLI::IsMember({"never", "success", "failure", "delay"}));
  app.add_option("--return", options.dsn_return)->check(CLI::IsMember({"full", "hdrs"}));
  app.add_option("--envid", options.envid);
  app.add_flag("-t", options.whole);
  if (const auto status = line.Parse(words)) return *status == kUsage ? EX_USAGE : *status;
  const auto misused = [&](const std::string& what) { return line.Misused(what), EX_USAGE; };
  if (!line.words().empty()) {  // sendmail's way: addresses
    options.to.insert(options.to.end(), line.words().begin(), line.words().end());
  }
  if (!options.body.empty() && !options.body_file.empty()) return misused("--body and --body-file do not go together");
  if (options.whole &&
      (!options.subject.empty() || !options.body.empty() || !options.attach.empty() || !options.html_file.empty()))
    return misused("-t takes the whole message from standard input");
  auto account = options.choice.Choose(agent::Service::kSmtp, line);
  if (!account) return Complain(account.error()), EX_CONFIG;
  return Send(line, options, std::move(*account)).Run();
}

}  // namespace glasspost::cli
