// One SMTP connection to us: the session machine of wire/smtp over a stream, with accounts, policy and store behind it.
// Lives on the thread of its io_context; the coroutine of Run owns it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "net/admissions.h"
#include "net/completion.h"
#include "net/stream.h"
#include "server/message_intake.h"
#include "server/sessions.h"
#include "server/smtp_envelope.h"
#include "server/smtp_service.h"

namespace glasspost::server {

// A connection that was taken.
struct SmtpArrival {
  net::Socket socket;  // of the worker's io_context
  net::Admissions::Place place;
  std::unique_ptr<Tap> tap = nullptr;
  std::uint64_t conversation = 0;  // 0: none is kept
};
// Runs it to its end. On the worker's thread.
void ServeSmtp(const Worker& worker, const SmtpContext& context, std::shared_ptr<const SmtpService> service, SmtpArrival arrival);

class SmtpConnection final : public Session, private smtp::ServerHandler {
 public:
  SmtpConnection(const Worker& worker, const SmtpContext& context, std::shared_ptr<const SmtpService> service,
                 SmtpArrival arrival);
  ~SmtpConnection() override;

  // From the greeting to the close.
  net::Task<void> Run();

  SessionInfo Info() const override;
  // Ends when the running transaction has.
  void Finish() override;
  void Cancel() override;

 private:
  // What the coroutine is to find out before the session goes on.
  enum class Question : std::uint8_t { kNone, kConnect, kHello, kMail, kRecipient, kEnd, kPassword, kVerifiers, kProof };

  // smtp::ServerHandler
  smtp::Decision OnConnect() override;
  smtp::Decision OnHello(const smtp::Hello& hello) override;
  smtp::Decision OnMail(const smtp::Mail& mail) override;
  smtp::Decision OnRecipient(const smtp::Recipient& recipient) override;
  smtp::Decision OnMessageStart(bool chunked) override;
  void OnMessageOctets(Octets octets) override;
  smtp::Decision OnMessageEnd(const smtp::Content& content) override;
  void OnReset(smtp::Reset why) override;
  void OnTooManyRecipients(const smtp::Answer& said) override;
  void OnEnded(const smtp::Answer& why) override;
  smtp::Decision OnPassword(Octets user, Octets password) override;
  std::optional<std::vector<std::string>> OnVerifiers(Octets user) override;
  bool MayWelcome() override;
  smtp::Decision OnProof(Octets user, bool good) override;

  // The dialogue (smtp_connection.cc).
  net::Task<void> Talk();
  net::Task<bool> Receive();
  net::Task<bool> SendOutput();
  net::Task<bool> Handshake();
  net::Task<void> AnswerQuestion();
  std::chrono::nanoseconds ReadTime() const;
  smtp::Decision Ask(Question question) {
    question_ = question;
    return smtp::kLater;
  }

  // The decisions (smtp_decisions.cc).
  template <class Step>
  net::Task<smtp::Answer> AskPolicies(Step step);
  net::Task<smtp::Answer> Decide(Question question);
  net::Task<smtp::Answer> DecideConnect();
  net::Task<smtp::Answer> DecideHello();
  net::Task<smtp::Answer> DecideMail();
  net::Task<smtp::Answer> DecideRecipient();
  net::Task<smtp::Answer> DecideEnd();
  net::Task<smtp::Answer> DecidePassword();
  net::Task<smtp::Answer> DecideProof();
  net::Task<void> FindVerifiers();
  std::optional<smtp::Answer> Place(const store::Resolution& resolution);
  net::Task<smtp::Answer> LogIn(LoginResult result);
  smtp::Answer LoginRefusal(LoginResult::Kind kind) const;
  net::Task<bool> MayUse(store::AddressName sender);
  smtp::Answer QuotaAnswer() const;
  smtp::Answer FaultAnswer(const store::Failure& failure) const;
  void TellJourney(store::Plan& plan);
  void NoteRefusal(std::string_view stage, const smtp::Answer& answer);
  bool submission() const { return service_->session.role == smtp::Role::kSubmission; }
  std::string TlsText() const;

  const SmtpContext& context_;
  const std::shared_ptr<const SmtpService> service_;
  net::Stream stream_;
  net::Admissions::Place place_;
  net::Waiter waiter_;
  smtp::ServerSession session_;
  SmtpFacts facts_;
  SmtpEnvelope envelope_;
  std::unique_ptr<MessageIntake> intake_;
  std::unique_ptr<EnvelopeRecipient> recipient_;  // that is asked about
  store::AddressName recipient_name_;
  std::string header_lines_;  // of policies
  std::string user_;          // that is asked about
  std::string password_;
  FoundVerifiers found_;
  smtp::Content content_;
  std::int64_t began_ = 0;       // Steady()
  std::int64_t busy_since_ = 0;  // Steady() when the command line, or the message, began
  Question question_ = Question::kNone;
  bool proof_ = false;
  bool more_input_ = false;  // read, and not yet taken by the session
  bool cancelled_ = false;
};

}  // namespace glasspost::server
