#include "cli/send.h"

#include <fmt/format.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/escape.h"
#include "cli/mail_sender.h"
#include "cli/send_report.h"
#include "net/system_clock.h"
#include "wire/smtp/grammar.h"

namespace glasspost::cli {
namespace {

constexpr std::size_t kLongestEnvid = 100;  // octets as xtext (RFC 3461 §4.4)

struct SendOptions {
  AccountChoice choice;
  SendingOptions sending;
  std::string from, subject, body, body_file, html_file, message_id, in_reply_to, dsn_return;
  std::vector<std::string> to, cc, bcc, reply_to, attach, notify, messages;
  bool whole = false;  // -t: recipients of its header

  bool comes_whole() const { return whole || !messages.empty(); }
};

// The files that were named; of a folder those in it, by name.
Expected<std::vector<std::string>> FilesOf(const std::vector<std::string>& named) {
  std::vector<std::string> files;
  for (const std::string& path : named) {
    std::error_code error;
    if (path == "-" || !std::filesystem::is_directory(path, error)) {
      files.push_back(path);
      continue;
    }
    const std::size_t first = files.size();
    // As `fetch --format eml` and others name them: what else lies there, hidden files and links are no messages.
    for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
      const bool is_message = entry.path().extension() == ".eml" && !entry.path().filename().string().starts_with('.');
      if (is_message && entry.is_regular_file(error) && !entry.is_symlink(error)) files.push_back(entry.path().string());
    }
    if (error) return Fail("cannot be listed: " + error.message(), path);
    std::sort(files.begin() + static_cast<std::ptrdiff_t>(first), files.end());
  }
  return files;
}

// Who interrupts it knows that it did not come to its end, but not that it may have.
int StatusOf(const MailSender& sender, const SendReport& report) {
  const int status = report.Finish();
  return sender.interrupted() != 0 && !report.in_doubt() ? sender.interrupted() : status;
}

class Send {
 public:
  Send(const CommandLine& line, const SendOptions& options, agent::Account account)
      : line_(line), options_(options), account_(std::move(account)), unsent_(line), report_(line) {}

  int Run() {
    if (const auto ready = Prepare(); !ready) return line_.Complain(ready.error()), EX_DATAERR;
    if (first_->typed) unsent_.Hold(*first_);
    int status = EX_OK;
    auto sender = MailSender::Open(options_.choice, line_, account_, options_.sending, status);
    if (!sender) return line_.Complain(sender.error()), status;
    (*sender)->Send([this] { return Next(); },
                    [this](const Outgoing& message, const auto& outcomes) {
                      report_.Tell(message, outcomes);
                      if (message.typed) unsent_.Told(message, outcomes);
                    },
                    [this] { unsent_.Tell(); });
    if (const auto closed = (*sender)->Close(); !closed) return line_.Complain(closed.error()), EX_CANTCREAT;
    return StatusOf(**sender, report_);
  }

 private:
  // The recipients, and the first message: what is wrong with them is said before a server is asked for anything.
  Expected<void> Prepare() {
    for (const auto& [texts, option, into] :
         {std::tuple(&options_.to, "--to", &to_), std::tuple(&options_.cc, "--cc", &cc_),
          std::tuple(&options_.bcc, "--bcc", &bcc_), std::tuple(&options_.reply_to, "--reply-to", &reply_to_)}) {
      auto mailboxes = ParseMailboxes(*texts, option);
      if (!mailboxes) return std::unexpected(mailboxes.error());
      *into = std::move(*mailboxes);
    }
    if (!options_.comes_whole() && TextComesIn() && ::isatty(STDIN_FILENO) != 0)
      fmt::print(stderr, "{}\n", line_.Say("the text, please; ^D ends it", "请输入正文；按 ^D 结束"));
    if (options_.comes_whole()) {
      auto files = FilesOf(options_.messages.empty() ? std::vector<std::string>{"-"} : options_.messages);
      if (!files) return std::unexpected(files.error());
      files_ = std::move(*files);
      if (files_.empty()) return Fail("has no messages", options_.messages.front());
    }
    auto first = options_.comes_whole() ? Read(files_[next_file_++]) : FromOptions();
    if (!first) return std::unexpected(first.error());
    first_ = std::move(*first);
    return {};
  }

  std::vector<mime::Mailbox> Recipients() const {
    std::vector<mime::Mailbox> all;
    for (const auto* some : {&to_, &cc_, &bcc_}) AddRecipients(all, *some);
    return all;
  }

  Expected<void> SomebodyGetsIt(const Outgoing& message) const {
    if (!message.recipients.empty()) return {};
    return Fail(
        std::string(line_.Say("nobody to send it to", "没有收件人")), message.name,
        std::string(options_.comes_whole() && !options_.whole ? line_.Say("say --to ADDRESS, or -t for those of its header",
                                                                          "请用 --to 地址 指定，或用 -t 取首部中的收件人")
                                                              : line_.Say("say --to ADDRESS", "请用 --to 地址 指定")));
  }

  Expected<agent::Draft> DraftOf() const {
    agent::Draft draft;
    const bool null_path = options_.from == kNullPath;
    const std::string from = null_path               ? AuthorOfReports(account_.address).address
                             : options_.from.empty() ? account_.address
                                                     : options_.from;
    const auto sender = ParseMailboxes({from}, "--from");
    if (from.empty()) return Fail(std::string(line_.Say("nobody to send it as", "没有发件人")), {}, "--from ADDRESS");
    if (!sender) return std::unexpected(sender.error());
    if (sender->size() != 1) return Fail("names several senders; one sends", "--from " + from);
    draft.from = null_path ? AuthorOfReports(account_.address) : sender->front();
    if (draft.from.name.empty() && draft.from.address == account_.address) draft.from.name = account_.name;
    draft.to = to_;
    draft.cc = cc_;
    draft.reply_to = reply_to_;
    draft.subject = options_.subject;
    for (const std::string& path : options_.attach) draft.attachments.push_back({path, {}, {}});
    draft.in_reply_to = draft.references = options_.in_reply_to;
    draft.date = net::SystemClock().Now();
    draft.message_id = options_.message_id;
    return draft;
  }

  // On standard input: where nothing else is said. Attachments alone are a message, too, but what is piped is not passed over.
  bool TextComesIn() const {
    return options_.body.empty() && options_.body_file.empty() && options_.html_file.empty() &&
           (options_.attach.empty() || ::isatty(STDIN_FILENO) == 0);
  }

  Expected<Outgoing> FromOptions() const {
    auto draft = DraftOf();
    if (!draft) return std::unexpected(draft.error());
    draft->text = options_.body;
    const std::string body_file = TextComesIn() ? "-" : options_.body_file;
    for (const auto& [file, into] : {std::pair(body_file, &draft->text), std::pair(options_.html_file, &draft->html)}) {
      if (file.empty()) continue;
      auto text = ReadWhole(file, agent::DraftLimits::kText);
      if (!text) return std::unexpected(text.error());
      *into = std::move(*text);
    }
    for (const std::string* text : {&draft->subject, &draft->text, &draft->html})
      if (!IsUtf8(*text)) return Fail("is not UTF-8", "the text", "convert it, or attach it as a file");
    auto composed = Compose(*draft, Recipients());
    if (!composed) return composed;
    if (options_.from == kNullPath) composed->reverse_path.clear();
    if (const auto somebody = SomebodyGetsIt(*composed); !somebody) return std::unexpected(somebody.error());
    composed->typed = body_file == "-" && ::isatty(STDIN_FILENO) != 0;
    return composed;
  }

  Expected<Outgoing> Read(const std::string& file) const {
    const auto text = ReadWhole(file, OutgoingLimits::kWhole);
    if (!text) return std::unexpected(text.error());
    auto message = ReadMessage(*text, options_.from, account_.address, options_.whole, Recipients());
    if (!message)
      return Fail(message.error().what, (file == "-" ? "" : file + ": ") + message.error().where, message.error().remedy);
    if (file != "-") message->name = file;
    message->typed = file == "-" && ::isatty(STDIN_FILENO) != 0;
    if (const auto somebody = SomebodyGetsIt(*message); !somebody) return std::unexpected(somebody.error());
    return message;
  }

  // One that cannot be sent does not hold up the rest.
  Outgoing* Next() {
    if (first_) {
      current_ = std::move(*std::exchange(first_, std::nullopt));
      return &current_;
    }
    while (next_file_ < files_.size()) {
      auto message = Read(files_[next_file_++]);
      if (message) {
        current_ = std::move(*message);
        return &current_;
      }
      line_.Complain(message.error());
      report_.Note(EX_DATAERR);
    }
    return nullptr;
  }

  const CommandLine& line_;
  const SendOptions& options_;
  const agent::Account account_;
  std::vector<mime::Mailbox> to_, cc_, bcc_, reply_to_;
  std::vector<std::string> files_;
  std::size_t next_file_ = 0;
  std::optional<Outgoing> first_;
  Outgoing current_;
  Unsent unsent_;
  SendReport report_;
};

void AddOptions(CommandLine& line, SendOptions& options) {
  options.choice.AddTo(line);
  CLI::App& app = line.app();
  app.add_option("--from", options.from);
  for (const auto& [name, into] : {std::pair("--to", &options.to), std::pair("--cc", &options.cc),
                                   std::pair("--bcc", &options.bcc), std::pair("--reply-to", &options.reply_to),
                                   std::pair("--attach", &options.attach), std::pair("--message", &options.messages)})
    app.add_option(name, *into)->allow_extra_args(false);
  app.add_option("--subject", options.subject);
  app.add_option("--body", options.body);
  app.add_option("--body-file", options.body_file);
  app.add_option("--html", options.html_file);
  app.add_option("--message-id", options.message_id);
  app.add_option("--in-reply-to", options.in_reply_to);
  app.add_option("--hello", options.sending.host);
  app.add_option("--notify", options.notify)->delimiter(',')->check(CLI::IsMember({"never", "success", "failure", "delay"}));
  app.add_option("--return", options.dsn_return)->check(CLI::IsMember({"full", "hdrs"}));
  app.add_option("--envid", options.sending.envid);
  app.add_flag("--mx", options.sending.by_mx);
  app.add_flag("!--no-chunking", options.sending.chunking);
  app.add_option("--port", options.sending.port);
  app.add_flag("-t", options.whole);
}

bool IsHello(Octets text) {
  constexpr std::size_t kLongest = 255;
  return text.size() <= kLongest &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c != 0x7f && c != '<' && c != '>'; });
}

// What is wrong with the options together; empty: nothing.
std::string Misuse(const SendOptions& options) {
  const bool written = !options.subject.empty() || !options.body.empty() || !options.body_file.empty() ||
                       !options.attach.empty() || !options.html_file.empty() || !options.cc.empty() || !options.reply_to.empty();
  if (options.comes_whole() && written) return "-t and --message take whole messages: nothing can be written into them";
  if (!options.body.empty() && !options.body_file.empty()) return "--body and --body-file do not go together";
  if (options.body_file == "-" && options.html_file == "-") return "standard input can be read only once";
  if (std::ranges::count(options.messages, "-") > 1) return "standard input can be read only once";
  const bool never = std::ranges::find(options.notify, "never") != options.notify.end();
  if (never && options.notify.size() > 1) return "--notify never goes alone";
  if (options.sending.by_mx && (!options.choice.server.empty() || !options.choice.user.empty()))
    return "--mx goes to the servers of the recipients: no --server, no --user";
  if (options.sending.by_mx && options.choice.tls == "implicit") return "--mx: TLS is none or starttls there";
  if (!options.sending.by_mx && options.sending.port != 25) return "--port goes with --mx; otherwise --server HOST:PORT";
  if (!options.sending.host.empty() && !IsHello(options.sending.host)) return "--hello takes a domain or an address literal";
  if (!options.message_id.empty() && !agent::IsMessageId(options.message_id))
    return "--message-id is written like <local@domain>";
  if (smtp::EncodeXtext(options.sending.envid).size() > kLongestEnvid) return "--envid is too long";
  return {};
}

void Settle(SendOptions& options) {
  for (const std::string& when : options.notify) {
    options.sending.notify.never |= when == "never";
    options.sending.notify.success |= when == "success";
    options.sending.notify.failure |= when == "failure";
    options.sending.notify.delay |= when == "delay";
  }
  if (options.dsn_return == "full") options.sending.ret = smtp::Return::kFull;
  if (options.dsn_return == "hdrs") options.sending.ret = smtp::Return::kHeaders;
  options.sending.envid = smtp::EncodeXtext(options.sending.envid);
}

}  // namespace

int SendOutgoing(const CommandLine& line, const AccountChoice& choice, agent::Account account, Outgoing message, Unsent& unsent) {
  const SendingOptions options;
  int status = EX_OK;
  auto sender = MailSender::Open(choice, line, std::move(account), options, status);
  if (!sender) return line.Complain(sender.error()), status;
  SendReport report(line);
  Outgoing* next = &message;
  (*sender)->Send([&] { return std::exchange(next, nullptr); },
                  [&](const Outgoing& sent, const auto& outcomes) {
                    report.Tell(sent, outcomes);
                    unsent.Told(sent, outcomes);
                  },
                  [&] { unsent.Tell(); });
  if (const auto closed = (*sender)->Close(); !closed) return line.Complain(closed.error()), EX_CANTCREAT;
  return StatusOf(**sender, report);
}

int RunSend(const std::vector<std::string>& words) {
  CommandLine line("send", false);
  line.AddJson();
  SendOptions options;
  AddOptions(line, options);
  if (const auto status = line.Parse(words)) return *status == kUsage ? EX_USAGE : *status;
  options.to.insert(options.to.end(), line.words().begin(), line.words().end());  // as with sendmail
  if (const std::string wrong = Misuse(options); !wrong.empty()) return line.Misused(wrong), EX_USAGE;
  Settle(options);
  agent::Account account;
  if (options.sending.by_mx) {
    if (options.from != kNullPath) account.address = options.from;
    account.verify = !options.choice.no_verify;
    account.authorities = options.choice.authorities;
  } else {
    auto chosen = options.choice.Choose(agent::Service::kSmtp, line);
    if (!chosen) return line.Complain(chosen.error()), EX_CONFIG;
    account = std::move(*chosen);
  }
  return Send(line, options, std::move(account)).Run();
}

}  // namespace glasspost::cli
