// glasspost mail reply, forward: a message answered or passed on, and sent as `glasspost send` sends.
#include <fmt/format.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>

#include "agent/account_file.h"
#include "agent/reply.h"
#include "base/ascii.h"
#include "base/escape.h"
#include "cli/ask.h"
#include "cli/mail_save.h"
#include "cli/mail_view.h"
#include "cli/send.h"
#include "net/system_clock.h"
#include "wire/mime/compose.h"
#include "wire/mime/date.h"

namespace glasspost::cli {
namespace {

class Answer {
 public:
  Answer(const MailCall& call, bool forward)
      : call_(call), line_(call.line), options_(call.options), forward_(forward), unsent_(call.line) {}

  int Run() {
    const auto place = FindMessage(call_, call_.words.front());
    if (!place) return EX_NOINPUT;
    auto message = LoadMessage(call_.place.source(), *place);
    if (!message) return call_.place.Failed(message.error());
    message_ = std::move(*message);
    decoder_.Parse(message_.header);
    // Nobody waits for a person who writes.
    if (const int status = call_.place.Close(); status != EX_OK) return status;
    if (const int status = ChooseAccount(); status != EX_OK) return status;
    if (const auto addressed = Address(); !addressed) return line_.Complain(addressed.error()), EX_DATAERR;
    int status = WriteText();
    if (status == EX_OK && forward_) {
      if (const auto attached = AttachOriginals(); !attached) line_.Complain(attached.error()), status = EX_CANTCREAT;
    }
    if (status == EX_OK) status = Send();
    if (status != EX_OK) Hold();
    if (status != EX_OK || options_.print) return status;
    using Flag = agent::MailSource::Flag;
    const auto marked = call_.place.source().Mark(*place, forward_ ? Flag::kPassed : Flag::kAnswered);
    return marked ? EX_OK : call_.place.Failed(marked.error());
  }

 private:
  // The one that it was sent to answers it, if nobody says otherwise.
  int ChooseAccount() {
    AccountChoice& choice = choice_ = options_.choice;
    const std::string path = choice.file.empty() ? agent::AccountsPath() : choice.file;
    const auto accounts = agent::LoadAccounts(path);
    if (accounts) {
      for (const agent::Account& account : *accounts) own_.push_back(account.address);
      if (choice.address.empty()) choice.address = call_.place.account();
      if (choice.address.empty() && choice.server.empty()) choice.address = Addressee(*accounts);
    }
    if (options_.print) {  // nothing is sent: no server is needed
      if (accounts && !choice.address.empty()) {
        if (const auto* const found = agent::FindAccount(*accounts, choice.address)) account_ = *found;
      } else if (accounts && accounts->size() == 1) {
        account_ = accounts->front();
      }
    } else {
      auto account = choice.Choose(agent::Service::kSmtp, line_);
      if (!account) return line_.Complain(account.error()), EX_CONFIG;
      account_ = std::move(*account);
    }
    const std::string from = options_.from.empty() ? account_.address : options_.from;
    const auto sender = mime::ParseMailbox(from);
    if (!sender || !sender->address.contains('@'))
      return line_.Complain({std::string(from.empty() ? line_.Say("nobody is said to write it", "没有说明由谁发出")
                                                      : line_.Say("is no address", "不是地址")),
                             from, std::string(line_.Say("say --from ADDRESS", "请用 --from 地址 指定"))}),
             EX_USAGE;
    draft_.from = *sender;
    if (draft_.from.name.empty() && draft_.from.address == account_.address) draft_.from.name = account_.name;
    return EX_OK;
  }

  std::string Addressee(const std::vector<agent::Account>& accounts) const {
    const mime::HeaderSummary& fields = decoder_.summary();
    for (const auto& field : {fields.to, fields.cc}) {
      if (!field) continue;
      for (const mime::Mailbox& mailbox : mime::ParseAddresses(*field))
        if (const auto* const found = agent::FindAccount(accounts, mailbox.address)) return found->address;
    }
    return {};
  }

  Expected<void> Address() {
    if (forward_) {
      draft_.subject = agent::ForwardSubject(decoder_.summary().subject.value_or(Octets()));
    } else {
      agent::ReplyHeader reply = agent::ReplyTo(message_.header, draft_.from.address, own_, options_.all);
      draft_.to = std::move(reply.to);
      draft_.cc = std::move(reply.cc);
      MakePlain(draft_.to);  // headers may have U-labels; names stay as they are
      MakePlain(draft_.cc);
      draft_.subject = std::move(reply.subject);
      draft_.in_reply_to = std::move(reply.in_reply_to);
      draft_.references = std::move(reply.references);
    }
    if (!options_.subject.empty()) draft_.subject = options_.subject;
    auto to = ParseMailboxes(options_.to, "--to"), cc = ParseMailboxes(options_.cc, "--cc"),
         bcc = ParseMailboxes(options_.bcc, "--bcc");
    for (const auto* const read : {&to, &cc, &bcc})
      if (!*read) return std::unexpected(read->error());
    if (!to->empty()) draft_.to = std::move(*to);
    draft_.cc.insert(draft_.cc.end(), cc->begin(), cc->end());
    recipients_ = draft_.to;
    recipients_.insert(recipients_.end(), draft_.cc.begin(), draft_.cc.end());
    recipients_.insert(recipients_.end(), bcc->begin(), bcc->end());
    if (recipients_.empty())
      return Fail(std::string(line_.Say("nobody to send it to", "没有收件人")), {},
                  std::string(line_.Say("say --to ADDRESS", "请用 --to 地址 指定")));
    return {};
  }

  // "On 2026-11-23 09:15, Ada wrote:" and the text in quotes; or, forwarded, its fields and the text.
  std::string Original() const {
    if (options_.no_quote) return {};
    const BodyText body = TextOf(message_, false);
    const mime::HeaderSummary& fields = decoder_.summary();
    if (forward_) {
      std::string out(line_.Say("---------- Forwarded message ----------\n", "---------- 转发的邮件 ----------\n"));
      for (const auto& [name, value] : {std::pair("From", fields.from), std::pair("To", fields.to), std::pair("Cc", fields.cc),
                                        std::pair("Date", fields.date), std::pair("Subject", fields.subject)})
        if (value) out += fmt::format("{}: {}\n", name, *value);
      return out + "\n" + body.text;
    }
    const auto date = fields.date ? mime::ParseDate(*fields.date) : std::nullopt;
    const std::string when = date ? LocalTime(date->time) : std::string();
    std::string who(fields.from.value_or(Octets()));
    std::ranges::replace_if(
        who, [](char c) { return static_cast<unsigned char>(c) < ' '; }, ' ');  // one line, whatever was encoded
    const std::string quoted = agent::Quoted(body.text);
    if (line_.chinese()) return fmt::format("{}{}{} 写道：\n{}", when, when.empty() ? "" : "，", who, quoted);
    return fmt::format("{}{}{} wrote:\n{}", when.empty() ? "" : "On ", when, when.empty() ? who : ", " + who, quoted);
  }

  int WriteText() {
    const std::string original = Original();
    std::string text = options_.body;
    if (options_.body.empty() && options_.body_file.empty() && ::isatty(STDIN_FILENO) != 0) {
      auto edited = Edit("\n\n" + original);
      if (!edited) return line_.Complain(edited.error()), EX_UNAVAILABLE;
      if (!*edited)
        return line_.Complain({std::string(line_.Say("nothing was written; not sent", "没有改动，未发送")), {}, {}}), EX_NOINPUT;
      edited_ = true;
      text = std::move(**edited);
    } else {
      if (options_.body.empty()) {
        auto read = ReadWhole(options_.body_file.empty() ? "-" : options_.body_file, agent::DraftLimits::kText);
        if (!read) return line_.Complain(read.error()), EX_NOINPUT;
        text = std::move(*read);
      }
      if (!text.empty() && !text.ends_with('\n')) text += '\n';
      if (!original.empty()) text += (text.empty() ? "" : "\n") + original;
    }
    draft_.text = std::move(text);
    if (!IsUtf8(draft_.text))
      return line_.Complain({std::string(line_.Say("the text is not UTF-8", "正文不是 UTF-8")),
                             {},
                             std::string(line_.Say("convert it, or attach it as a file", "请转换，或作为附件"))}),
             EX_DATAERR;
    for (const std::string& path : options_.attach) draft_.attachments.push_back({path, {}, {}});
    return EX_OK;
  }

  Expected<void> AttachOriginals() {
    const auto parts = Attachments(message_.structure);
    if (parts.empty()) return {};
    auto folder = TemporaryFolder::Make();
    if (!folder) return std::unexpected(folder.error());
    folder_.emplace(std::move(*folder));
    for (const mime::Part* const part : parts) {
      const auto path = SavePart(message_, *part, folder_->path());
      if (!path) return std::unexpected(path.error());
      const bool encodable = !part->type.starts_with("message/");  // RFC 2046 §5.2.1: those must not be in base64
      draft_.attachments.push_back({*path, mime::SafeFilename(*part), encodable ? part->type : "application/octet-stream"});
    }
    return {};
  }

  int Send() {
    draft_.date = net::SystemClock().Now();
    auto composed = agent::ComposedMessage::Make(draft_, SystemRandomness());
    if (!composed) return line_.Complain(composed.error()), EX_DATAERR;
    if (options_.print) return Print(**composed);
    Outgoing outgoing = OutgoingOf(std::move(*composed), draft_, recipients_);
    if (edited_) unsent_.Hold(outgoing);
    if (edited_ && !options_.yes) {
      std::string to;
      for (const mime::Mailbox& mailbox : recipients_) to += (to.empty() ? "" : ", ") + mailbox.address;
      const auto confirmed = Confirm(line_, fmt::format(fmt::runtime(line_.Say("Send to {}?", "发送给 {}？")), to));
      if (!confirmed) return line_.Complain(confirmed.error()), EX_USAGE;
      if (!*confirmed) return line_.Complain({std::string(line_.Say("not sent", "未发送")), {}, {}}), EX_NOINPUT;
    }
    return SendOutgoing(line_, choice_, account_, std::move(outgoing), unsent_);
  }

  // What was typed and did not get as far as a message, for a reason that the attachments are most often: without them.
  void Hold() {
    if (!edited_) return;
    draft_.attachments.clear();
    auto composed = agent::ComposedMessage::Make(draft_, SystemRandomness());
    if (composed) unsent_.Hold(OutgoingOf(std::move(*composed), draft_, recipients_));
  }

  int Print(agent::ComposedMessage& composed) const {
    using Kind = smtp::MessageSource::Piece::Kind;
    const bool terminal = ::isatty(STDOUT_FILENO) != 0;
    auto piece = composed.Read();
    for (; piece.kind == Kind::kOctets; piece = composed.Read()) {
      const std::string shown = terminal ? TextForTerminal(piece.octets) : std::string(piece.octets);
      std::fwrite(shown.data(), 1, shown.size(), stdout);
    }
    return piece.kind == Kind::kEnd ? EX_OK : (line_.Complain({composed.error(), {}, {}}), EX_NOINPUT);
  }

  const MailCall& call_;
  const CommandLine& line_;
  const MailOptions& options_;
  const bool forward_;
  LoadedMessage message_;
  mime::HeaderDecoder decoder_;
  AccountChoice choice_;
  agent::Account account_;
  std::vector<std::string> own_;  // addresses of the person
  agent::Draft draft_;
  std::vector<mime::Mailbox> recipients_;
  std::optional<TemporaryFolder> folder_;
  Unsent unsent_;
  bool edited_ = false;
};

}  // namespace

int ReplyMail(const MailCall& call) { return Answer(call, false).Run(); }
int ForwardMail(const MailCall& call) { return Answer(call, true).Run(); }

}  // namespace glasspost::cli
