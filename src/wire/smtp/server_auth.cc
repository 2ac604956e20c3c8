// AUTH (RFC 4954).
#include "wire/smtp/server_session.h"

namespace glasspost::smtp {

sasl::MechanismSet ServerSession::OfferedMechanisms() const {
  const bool passwords = tls_ || options_.passwords_without_tls;
  return passwords ? options_.mechanisms : options_.mechanisms.WithoutPasswords();
}

void ServerSession::DoAuth(const Command& command) {
  if (options_.mechanisms.empty()) return SayError(503, "5.5.1", "Authentication is not offered");
  if (!esmtp_) return SayError(503, "5.5.1", "Say EHLO first");
  if (!user_.empty()) return SayError(503, "5.5.1", "Already authenticated");
  const sasl::Mechanism mechanism = sasl::ServerMechanism(command.mechanism);
  if (!command.mechanism.empty() && options_.mechanisms.Has(mechanism) && !OfferedMechanisms().Has(mechanism))
    return SayError(538, "5.7.11", "Encryption required for this mechanism");
  if (command.fault == Fault::kBadParameterValue) return SayError(501, "5.5.2", "Cannot decode the initial response");
  if (!command.strict_ok()) return SayError(501, "5.5.4", "Syntax: AUTH mechanism [initial-response]");
  if (mechanism == sasl::Mechanism::kUnknown || !OfferedMechanisms().Has(mechanism))
    return SayError(504, "5.5.4", "Mechanism not recognized");
  if (failed_logins_ >= options_.limits.failed_logins)
    return End(Answer::No(421, "4.7.0", options_.host + " Too many failed logins"));
  sasl_ = std::make_unique<sasl::ServerExchange>(mechanism, options_.sasl, randomness_);
  AfterSasl(sasl_->Begin(command.initial_response));
}

void ServerSession::OnAuthLine(Octets line) { AfterSasl(sasl_->OnLine(line)); }

void ServerSession::GiveVerifiers(std::span<const std::string> verifiers) {
  if (closing_ || ask_ != Ask::kVerifiers) return;
  ask_ = Ask::kNothing;
  AfterSasl(sasl_->Verifiers(verifiers));
}

void ServerSession::AfterSasl(sasl::ServerExchange::State state) {
  using enum sasl::ServerExchange::State;
  switch (state) {
    case kChallenge:
      Say(334, {}, sasl_->challenge());
      return Move(Verb::kAuth, 334);
    case kAskPassword:
      return Put(Ask::kLogin, Verb::kAuthAnswer, handler_.OnPassword(sasl_->user(), sasl_->password()));
    case kAskVerifiers: {
      const auto verifiers = handler_.OnVerifiers(sasl_->user());
      if (verifiers) return AfterSasl(sasl_->Verifiers(*verifiers));
      ask_ = Ask::kVerifiers;
      return;
    }
    case kAskWelcome:
      return AfterSasl(sasl_->Welcome(handler_.MayWelcome()));
    case kProven:
    case kRefused:
      return Put(Ask::kLogin, Verb::kAuthAnswer, handler_.OnProof(sasl_->user(), state == kProven));
    case kMalformed:
      EndAuth(501);
      return SayError(501, "5.5.2", "Cannot decode the response");
    case kCancelled:
      EndAuth(501);
      return SayError(501, "5.7.0", "Authentication cancelled");
  }
}

void ServerSession::AnswerLogin(const Answer& answer) {
  Answer said = answer;
  if (sasl_->state() == sasl::ServerExchange::State::kRefused && said.yes()) said = Answer{535, {}, {}};
  // A no without a sensible code must not tell one reason from the other.
  if (!said.yes() && !Holds(RuleOf(Verb::kAuthAnswer).refused, said.code) && said.code != 421 && said.code != 451)
    said = Answer{535, {}, {}};
  const bool yes = said.yes();
  if (yes) {
    user_ = sasl_->user();
    mechanism_ = sasl_->mechanism();
  } else {
    ++failed_logins_;
  }
  const int code = SayAnswer(Verb::kAuthAnswer, said, "2.7.0", "Authentication successful");
  if (!closing_) EndAuth(code);
}

// Over, one way or the other; without a yes all is as it was before.
void ServerSession::EndAuth(int code) {
  sasl_.reset();
  Move(Verb::kAuthAnswer, code);
}

}  // namespace glasspost::smtp
