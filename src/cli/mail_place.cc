#include "cli/mail_place.h"

#include <fmt/format.h>
#include <sysexits.h>

#include <cstdlib>
#include <ctime>
#include <filesystem>

#include "agent/mail_folder.h"
#include "agent/maildrop.h"
#include "base/escape.h"
#include "cli/pop3_status.h"
#include "wire/mime/message_scan.h"

namespace glasspost::cli {
namespace {

namespace fs = std::filesystem;

class FolderPlace final : public MailPlace {
 public:
  FolderPlace(const CommandLine& line, std::unique_ptr<agent::MailSource> source) : MailPlace(line), source_(std::move(source)) {}
  agent::MailSource& source() override { return *source_; }
  const std::string& account() const override { return account_; }
  int StatusOfError() const override { return EX_IOERR; }
  int Close() override { return EX_OK; }

 private:
  std::unique_ptr<agent::MailSource> source_;
  const std::string account_;
};

// A conversation that lasts as long as this does, or until Close.
class DropPlace final : public MailPlace, public agent::MailSource {
 public:
  DropPlace(const CommandLine& line, const AccountChoice& choice, agent::Account account)
      : MailPlace(line), choice_(choice), account_(std::move(account)) {}
  ~DropPlace() override { DropPlace::Finish(); }

  // The exit status.
  int Enter() {
    if (const auto ready = Prepare(); !ready) return line_.Complain(ready.error()), unready_;
    auto login = choice_.Login(account_, line_);
    if (!login) return line_.Complain(login.error()), EX_NOPERM;
    if (!*login)
      return line_.Complain({std::string(line_.Say("nobody to log in as", "没有登录名")),
                             {},
                             std::string(line_.Say("say --user NAME", "请用 --user 指定"))}),
             EX_USAGE;
    credentials_ = std::move(**login);
    const bool clear = account_.pop3->tls == agent::TlsKind::kNone;
    session_.tls = clear ? pop3::ClientOptions::Tls::kNever : pop3::ClientOptions::Tls::kRequired;
    session_.passwords_without_tls = clear;
    session_.credentials = &credentials_;
    const auto entered = world_->Run(Converse());
    if (entered) return EX_OK;
    const int status = drop_ ? StatusOfError() : EX_TEMPFAIL;
    Finish();
    return line_.Complain(entered.error()), status;
  }

  agent::MailSource& source() override { return *this; }
  const std::string& account() const override { return account_.address; }
  int StatusOfError() const override {
    const int status = drop_->closed() ? Pop3Status(drop_->closed()->kind) : EX_OK;
    return status == EX_OK ? EX_UNAVAILABLE : status;
  }
  int Close() override {
    const auto finished = Finish();
    return finished ? EX_OK : Failed(finished.error());
  }

  std::size_t count() const override { return drop_->messages().size(); }
  agent::MailEntry Entry(std::size_t place) const override {
    const agent::MaildropMessage& message = drop_->messages()[place];
    agent::MailEntry entry;
    entry.number = message.number;
    entry.id = message.id;
    return entry;
  }
  Expected<void> ReadHeads(std::span<const std::size_t> places, const OnHead& on_head) override {
    const agent::Maildrop::OnHead hand_on = [&](std::size_t place, const agent::MailHead& head) {
      on_head(place, Entry(place), head);
    };
    return world_->Run(drop_->ReadHeads(places, hand_on));
  }
  Expected<void> Read(std::size_t place, const Sink& sink) override { return world_->Run(drop_->Read(place, sink)); }
  Expected<void> Mark(std::size_t, Flag) override { return {}; }
  Expected<void> Remove(std::span<const std::size_t> places) override { return world_->Run(drop_->Remove(places)); }

 private:
  Expected<void> Prepare() {
    auto world = AgentWorld::Make(choice_.name_server);
    if (!world) return std::unexpected(world.error());
    world_ = std::move(*world);
    auto tls = AgentWorld::Tls(account_.verify, account_.authorities);
    if (!tls) return std::unexpected(tls.error());
    tls_ = std::move(*tls);
    unready_ = EX_CANTCREAT;
    auto shown = choice_.Show(Protocol::kPop3, line_);
    if (!shown) return std::unexpected(shown.error());
    shown_ = std::move(*shown);
    world_->TidyWhenInterrupted([this] { static_cast<void>(shown_->Close()); });
    return {};
  }

  net::Task<Expected<void>> Converse() {
    auto connected =
        co_await agent::ConnectTo(world_->network(), *account_.pop3, tls_, choice_.limits(), [this] { return shown_->NewTap(); });
    if (!connected) co_return std::unexpected(connected.error());
    drop_.emplace(std::move(*connected), SystemRandomness(), session_);
    auto entered = co_await drop_->Enter();
    co_return entered;
  }

  Expected<void> Finish() {
    if (finished_) return {};
    finished_ = true;
    Expected<void> left;
    if (drop_) left = world_->Run(drop_->Leave());
    if (shown_) {
      if (const auto closed = shown_->Close(); !closed && left) left = closed;
    }
    return left;
  }

  const AccountChoice choice_;
  const agent::Account account_;
  std::unique_ptr<AgentWorld> world_;
  std::shared_ptr<const net::TlsContext> tls_;
  std::unique_ptr<ShownConversation> shown_;
  sasl::Credentials credentials_;
  pop3::ClientOptions session_;
  std::optional<agent::Maildrop> drop_;
  int unready_ = EX_CONFIG;  // if it cannot begin
  bool finished_ = false;
};

// Where mail is, if nobody says where: as mutt and mail look for it.
std::string UsualFolder() {
  std::error_code error;
  if (const char* const maildir = std::getenv("MAILDIR"); maildir != nullptr && *maildir != '\0') return maildir;
  if (const char* const home = std::getenv("HOME"); home != nullptr) {
    const std::string maildir = std::string(home) + "/Maildir";
    if (fs::is_directory(maildir + "/cur", error)) return maildir;
  }
  if (const char* const mail = std::getenv("MAIL"); mail != nullptr && fs::exists(mail, error)) return mail;
  return {};
}

}  // namespace

std::expected<std::unique_ptr<MailPlace>, int> MailPlace::Open(const CommandLine& line, const MailOptions& options) {
  std::error_code error;
  AccountChoice choice = options.choice;
  const bool address = options.in.contains('@') && !fs::exists(options.in, error);
  if (address) choice.address = options.in;
  std::string folder = address ? std::string() : options.in;
  if (folder.empty() && choice.address.empty() && choice.server.empty()) folder = UsualFolder();
  if (!folder.empty()) {
    auto source = agent::OpenMailFolder(folder);
    if (!source) return line.Complain(source.error()), std::unexpected(EX_NOINPUT);
    if (const std::string damage = (*source)->damage(); !damage.empty()) line.Complain({damage, folder, {}});
    return std::make_unique<FolderPlace>(line, std::move(*source));
  }
  auto account = choice.Choose(agent::Service::kPop3, line);
  if (!account) return line.Complain(account.error()), std::unexpected(EX_CONFIG);
  auto place = std::make_unique<DropPlace>(line, choice, std::move(*account));
  if (const int status = place->Enter(); status != EX_OK) return std::unexpected(status);
  return place;
}

int MailPlace::Failed(const Error& error) const {
  line_.Complain(error);
  return StatusOfError();
}

std::optional<std::size_t> FindMessage(const MailCall& call, const std::string& word) {
  const auto found = call.place.source().Find(word);
  if (!found)
    call.line.Complain({std::string(call.line.Say("there is no such message", "没有这封邮件")), word,
                        std::string(call.line.Say("glasspost mail list tells what there is", "glasspost mail list 可列出全部"))});
  return found;
}

Expected<LoadedMessage> LoadMessage(agent::MailSource& source, std::size_t place) {
  const mime::MimeLimits limits;
  LoadedMessage message;
  const auto read = source.Read(place, [&](Octets piece) -> Expected<void> {
    message.size += piece.size();
    const std::size_t room = limits.message_octets - message.octets.size();
    if (message.octets.capacity() - message.octets.size() < std::min(room, piece.size()))  // never more than the limit
      message.octets.reserve(std::min(limits.message_octets, std::max(message.octets.capacity() * 2, piece.size())));
    message.octets += piece.substr(0, room);
    return {};
  });
  if (!read) return std::unexpected(read.error());
  message.cut = message.size > message.octets.size();
  mime::MessageScan scan({.digest = false, .journey = false, .limits = {}});
  scan.OnOctets(Octets(message.octets).substr(0, agent::MailSourceLimits::kHeader * 2));
  message.header = scan.header();
  if (!message.cut) message.structure = mime::ReadStructure(message.octets);
  return message;
}

std::string LocalTime(Timestamp time) {
  constexpr std::int64_t kSecond = 1'000'000'000;
  if (time == kNoTime) return {};
  const std::time_t seconds = time / kSecond;
  std::tm local{};
  if (::localtime_r(&seconds, &local) == nullptr) return {};
  char text[64];
  return std::string(text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M", &local));
}

}  // namespace glasspost::cli
