// Hands messages to a server over SMTP: to the account's (submission), all over one connection; or each to the servers of its
// recipients' domains, as a relay does (RFC 5321 §5.1). One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "agent/smtp_client.h"
#include "cli/account_choice.h"
#include "cli/outgoing.h"
#include "cli/terminal.h"
#include "relay/routing.h"

namespace glasspost::cli {

struct SendingOptions {
  std::string host;  // EHLO; empty: this machine's name
  smtp::Notify notify;
  smtp::Return ret = smtp::Return::kUnsaid;
  std::string envid;        // xtext
  bool by_mx = false;       // not through the account's server
  bool chunking = true;     // BDAT where it is offered
  std::uint16_t port = 25;  // of the hosts that an MX names
};

class MailSender {
 public:
  // `choice`, `line`: they outlive it. Reads the password, if there is a user to log in as. `status`: how the program ends
  // (<sysexits.h>) if there is an error.
  static Expected<std::unique_ptr<MailSender>> Open(const AccountChoice& choice, const CommandLine& line, agent::Account account,
                                                    const SendingOptions& options, int& status);
  ~MailSender();

  using Next = std::function<Outgoing*()>;  // null: no more; what it gives lives until the next call
  using Done = std::function<void(const Outgoing&, const std::vector<smtp::Outcome>&)>;  // one outcome each recipient
  // SIGINT, SIGTERM and SIGHUP end it: a message that is on its way gets its outcomes (in doubt, if only the reply was missing),
  // others are not begun. Where no connection is, the program ends as AgentWorld says, after `farewell`.
  void Send(const Next& next, const Done& done, std::function<void()> farewell);
  // The status to end with because of a signal; 0: none came.
  int interrupted() const { return interrupted_; }
  // The capture is whole when this returns.
  Expected<void> Close();

 private:
  class Batch;
  class Held;
  struct Domain;
  MailSender(const AccountChoice& choice, const CommandLine& line, agent::Account account, const SendingOptions& options);

  bool Interrupt(int status);
  void WarnOfReports(bool offered);
  net::Task<void> Submit(Batch& batch);
  net::Task<void> SendByMx(Batch& batch);
  net::Task<void> SendToDomain(Batch& batch, Outgoing& message, const Domain& domain, std::vector<smtp::Outcome>& outcomes);
  net::Task<agent::SendResult> SendToHost(Batch& batch, Outgoing& message, const Domain& domain, const relay::Hop& hop,
                                          smtp::ClientOptions::Tls tls);

  const AccountChoice& choice_;
  const CommandLine& line_;
  const agent::Account account_;
  const SendingOptions options_;
  ProgressBar bar_;
  std::unique_ptr<AgentWorld> world_;
  std::shared_ptr<const net::TlsContext> tls_;
  std::unique_ptr<ShownConversation> shown_;
  std::optional<sasl::Credentials> credentials_;
  std::function<void()> farewell_;
  net::Stream* stream_ = nullptr;  // over which messages go now
  int interrupted_ = 0;
  bool warned_ = false;  // that no reports will come
};

}  // namespace glasspost::cli
