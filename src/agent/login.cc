#include "agent/login.h"

#include "agent/connect.h"
#include "agent/login_secrets.h"

namespace glasspost::agent {
namespace {

using Result = Trial::Result;

constexpr std::string_view kResultNames[] = {"ok", "unreachable", "tls-failed", "login-refused", "refused"};

template <class Options>
Options OptionsFor(const ServerAddress& server, const sasl::Credentials* credentials) {
  Options options;
  const bool clear = server.tls == TlsKind::kNone;
  options.tls = clear ? Options::Tls::kNever : Options::Tls::kRequired;
  options.credentials = credentials;
  options.passwords_without_tls = clear;
  return options;
}

class Pop3Trial final : public pop3::ClientHandler {
 public:
  Pop3Trial(const pop3::ClientOptions& options, Randomness& randomness, Trial& trial)
      : session(*this, options, randomness),
        trial_(trial),
        secrets_(SecretsOf(options.credentials)),
        anonymous_(options.credentials == nullptr) {}
  pop3::ClientSession session;

 private:
  void OnReady() override {
    session.Stat();
    session.Quit();
  }
  void OnReply(pop3::Command, std::uint64_t, const pop3::StatusLine&) override {}
  void OnListed(pop3::Command command, const pop3::ListingLine& line) override {
    if (command == pop3::Command::kStat) trial_.messages = line.number;
  }
  void OnMessageOctets(Octets) override {}
  void OnEnd(pop3::Command, std::uint64_t) override {}
  void OnClosed(const pop3::ClientOutcome& outcome) override {
    using Kind = pop3::ClientOutcome::Kind;
    trial_.text = outcome.local ? outcome.text : secrets_.Redacted(outcome.text);
    trial_.own_words = !outcome.local && outcome.kind != Kind::kDone;
    switch (outcome.kind) {
      case Kind::kDone:
        trial_.result = Result::kOk;
        break;
      case Kind::kNoMechanism:  // all that comes before the login went well
        trial_.result = anonymous_ ? Result::kOk : Result::kLoginRefused;
        break;
      case Kind::kLoginRefused:
      case Kind::kLoginLater:
      case Kind::kImpostor:
        trial_.result = Result::kLoginRefused;
        break;
      case Kind::kNoTls:
      case Kind::kTlsFailed:
      case Kind::kInjected:
        trial_.result = Result::kTlsFailed;
        break;
      case Kind::kTimedOut:
      case Kind::kLost:
        trial_.result = Result::kUnreachable;
        break;
      default:
        trial_.result = Result::kRefused;
    }
  }
  Trial& trial_;
  const Secrets secrets_;
  bool anonymous_;
};

// As the server said them.
std::string Words(const smtp::Outcome& outcome, const Secrets& secrets) {
  std::string text = std::to_string(outcome.code) + " ";
  if (!outcome.enhanced.empty()) text += outcome.enhanced + " ";
  return text + secrets.Redacted(outcome.text);
}

class SmtpTrial final : public smtp::ClientHandler {
 public:
  SmtpTrial(const smtp::ClientOptions& options, Randomness& randomness, Trial& trial)
      : session(*this, options, randomness), trial_(trial), secrets_(SecretsOf(options.credentials)) {}
  smtp::ClientSession session;

 private:
  void OnReady() override {
    ready_ = true;
    session.Quit();
  }
  void OnRecipient(std::size_t, const smtp::Outcome&) override {}
  void OnClosed(const smtp::Outcome& outcome) override {
    using smtp::Stage;
    if (ready_) return void(trial_.result = Result::kOk);
    trial_.own_words = !outcome.local;
    trial_.text = outcome.local ? outcome.text : Words(outcome, secrets_);
    const bool lost = outcome.local && outcome.enhanced == "4.4.2";
    const bool tls = outcome.stage == Stage::kStartTls || outcome.enhanced == "4.7.5" ||
                     (outcome.local && outcome.stage == Stage::kHello && outcome.enhanced == "4.7.4");
    trial_.result = lost                            ? Result::kUnreachable
                    : tls                           ? Result::kTlsFailed
                    : outcome.stage == Stage::kAuth ? Result::kLoginRefused
                                                    : Result::kRefused;
  }
  Trial& trial_;
  const Secrets secrets_;
  bool ready_ = false;
};

template <class T, class Options>
net::Task<void> Converse(net::Stream& stream, const Peer& peer, const Options& options, Randomness& randomness, Trial& trial) {
  T handler(options, randomness, trial);
  const bool begun = co_await Begin(stream, handler.session, peer);
  if (begun) co_await Drive(stream, handler.session, peer);
  if (const auto info = stream.tls_info()) trial.tls = info->version;
}

}  // namespace

std::string_view Name(Result result) { return kResultNames[static_cast<int>(result)]; }

net::Task<Trial> Try(const Network& network, Service service, const ServerAddress& server,
                     std::shared_ptr<const net::TlsContext> tls, const sasl::Credentials* credentials,
                     const TrialLimits& limits) {
  Trial trial;
  if (service == Service::kImap) {
    trial.result = Result::kRefused;
    trial.text = "IMAP is not spoken here";
    co_return trial;
  }
  auto connected = co_await ConnectTo(network, server, std::move(tls), limits, {});
  if (!connected) {
    trial.text = connected.error().what;
    co_return trial;
  }
  net::Stream* const stream = connected->stream.get();
  const Peer& peer = connected->peer;
  trial.address = peer.endpoint.Text();
  if (service == Service::kPop3) {
    const auto options = OptionsFor<pop3::ClientOptions>(server, credentials);
    co_await Converse<Pop3Trial>(*stream, peer, options, network.randomness, trial);
  } else {
    const auto options = OptionsFor<smtp::ClientOptions>(server, credentials);
    co_await Converse<SmtpTrial>(*stream, peer, options, network.randomness, trial);
  }
  co_await stream->Close(std::chrono::seconds(2));
  co_return trial;
}

}  // namespace glasspost::agent
