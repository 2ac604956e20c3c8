// The commands of the envelope and of the connection: HELO, EHLO, LHLO, MAIL, RCPT, RSET, STARTTLS, and those that only talk.
#include "base/ascii.h"
#include "wire/smtp/server_session.h"

namespace glasspost::smtp {
namespace {

// Names that are no domains and yet are said by many honest clients: "my_laptop", "host.local.", "192.0.2.1".
bool IsTolerated(Octets name) {
  for (const char c : name)
    if (!IsAlpha(c) && !IsDigit(c) && c != '-' && c != '.' && c != '_' && c != ':') return false;
  return !name.empty() && name.size() <= 255;
}

}  // namespace

void ServerSession::DoHello(const Command& command) {
  const bool named = command.strict_ok() || (command.fault == Fault::kBadDomain && IsTolerated(command.domain));
  if (!named) return SayError(501, {}, "Syntax: " + std::string(Name(command.verb)) + " hostname");
  asked_hello_ = command.domain;
  Put(Ask::kHello, command.verb, handler_.OnHello({command.verb, command.domain}));
}

void ServerSession::ApplyHello(const Answer& answer) {
  if (!answer.yes()) {
    Answer plain = answer;
    if (!MayAnswer(ask_verb_, plain.code)) plain.code = plain.code / 100 == 4 ? 451 : 550;
    Say(plain.code, {}, plain.text.empty() ? "Refused" : plain.text);
    asked_hello_.clear();
    if (plain.code == 421) Finish();
    return;
  }
  // RFC 5321 §4.1.4: it resets as RSET does.
  EndTransaction(Reset::kAsked);
  if (closing_) return;
  const bool again = !hello_.empty();
  hello_ = std::exchange(asked_hello_, {});
  esmtp_ = ask_verb_ != Verb::kHelo;
  Move(ask_verb_, 250);
  SayHello(answer.text);
  if (again) CountIdle();
}

Extensions ServerSession::Offered() const {
  if (!esmtp_) return {};
  Extensions e = options_.extensions;
  e.smtputf8 = e.smtputf8 && e.eight_bit_mime;  // RFC 6531 §3.1
  e.starttls = e.starttls && !tls_;
  e.auth = !options_.mechanisms.empty();
  e.binary_mime = false;
  return e;
}

void ServerSession::SayHello(std::string_view text) {
  std::string lines = options_.host;
  if (!text.empty()) (lines += ' ') += text.substr(0, text.find('\n'));
  const auto offer = [&](bool offered, std::string_view line) {
    if (offered) (lines += '\n') += line;
  };
  if (esmtp_) {
    const Extensions e = Offered();
    const std::uint64_t limit = options_.limits.message_octets;
    offer(e.pipelining, "PIPELINING");
    offer(e.size, limit == 0 ? "SIZE" : "SIZE " + std::to_string(limit));
    offer(e.starttls, "STARTTLS");
    const sasl::MechanismSet mechanisms = OfferedMechanisms();
    offer(!mechanisms.empty(), "AUTH" + NamesOf(mechanisms));
    offer(e.enhanced_status_codes, "ENHANCEDSTATUSCODES");
    offer(e.eight_bit_mime, "8BITMIME");
    offer(e.dsn, "DSN");
    offer(e.smtputf8, "SMTPUTF8");
    offer(e.chunking, "CHUNKING");
  }
  Say(250, {}, lines);
}

// True: the path was refused.
bool ServerSession::RefusesPath(const Command& command) {
  const bool mail = command.verb == Verb::kMail;
  switch (command.fault) {
    case Fault::kMissingArgument:
    case Fault::kMissingFromOrTo:
    case Fault::kSpaceAfterColon:
    case Fault::kNoAngleBrackets:
    case Fault::kUnclosedBracket:
      SayError(501, "5.5.4", mail ? "Syntax: MAIL FROM:<address>" : "Syntax: RCPT TO:<address>");
      return true;
    case Fault::kBadLocalPart:
    case Fault::kLocalPartTooLong:
    case Fault::kBadDomain:
    case Fault::kDomainTooLong:
    case Fault::kPathTooLong:
      SayError(501, mail ? "5.1.7" : "5.1.3",
               std::string(mail ? "Bad sender address: " : "Bad recipient address: ") += Text(command.fault));
      return true;
    default:
      return false;
  }
}

// True: they were refused.
bool ServerSession::RefusesParameters(ParameterFault fault) {
  if (fault == ParameterFault::kUnknown) SayError(555, "5.5.4", "Parameter not recognized or not implemented");
  if (fault == ParameterFault::kBadValue) SayError(501, "5.5.4", "Bad parameter");
  return fault != ParameterFault::kNone;
}

void ServerSession::DoMail(const Command& command) {
  if (options_.require_auth && user_.empty()) return SayError(530, "5.7.0", "Authentication required");
  if (RefusesPath(command)) return;
  Mail mail{.path = &command.path};
  if (RefusesParameters(ReadMail(command, Offered(), mail.parameters))) return;
  // RFC 6531 §3.5.
  if (IsEightBit(command.path.text) && !mail.parameters.smtputf8)
    return SayError(553, "5.6.7", "Address is not ASCII: SMTPUTF8 is needed");
  const std::uint64_t limit = options_.limits.message_octets;
  if (limit != 0 && mail.parameters.size.value_or(0) > limit)
    return SayError(552, "5.3.4", "Message size exceeds fixed limit of " + std::to_string(limit));
  transaction_ = {};
  transaction_.smtputf8 = mail.parameters.smtputf8;
  Put(Ask::kMail, Verb::kMail, handler_.OnMail(mail));
}

void ServerSession::ApplyMail(const Answer& answer) {
  // Before anything can end the session: from a yes on, the handler is told of the end.
  transaction_.open = answer.yes();
  const int code = SayAnswer(Verb::kMail, answer, "2.1.0", "Ok");
  if (closing_) return;
  if (transaction_.open) return Move(Verb::kMail, code);
  ForgetTransaction();
}

void ServerSession::DoRcpt(const Command& command) {
  if (RefusesPath(command)) return;
  Recipient recipient{.path = &command.path};
  if (RefusesParameters(ReadRcpt(command, Offered(), recipient.parameters))) return;
  if (IsEightBit(command.path.text) && !transaction_.smtputf8)
    return SayError(553, "5.6.7", "Address is not ASCII: SMTPUTF8 is needed");
  const std::size_t most = std::max(options_.limits.recipients, ServerLimits::kFewestRecipients);
  if (transaction_.recipients >= most) {
    const Answer answer = Answer::No(452, "4.5.3", "Too many recipients");
    if (!std::exchange(transaction_.too_many_recipients, true)) handler_.OnTooManyRecipients(answer);
    return Say(answer.code, answer.enhanced, answer.text);
  }
  Put(Ask::kRecipient, Verb::kRcpt, handler_.OnRecipient(recipient));
}

void ServerSession::ApplyRecipient(const Answer& answer) {
  if (!answer.yes()) {
    transaction_.refused_recipients = true;
    if (++refused_recipients_ > options_.limits.refused_recipients)
      return End(Answer::No(421, "4.7.0", options_.host + " Too many refused recipients"));
  }
  const int code = SayAnswer(Verb::kRcpt, answer, "2.1.5", "Ok");
  if (closing_ || !answer.yes()) return;
  ++transaction_.recipients;
  Move(Verb::kRcpt, code);
}

void ServerSession::DoReset() {
  EndTransaction(Reset::kAsked);
  if (closing_) return;
  Move(Verb::kRset, 250);
  Say(250, "2.0.0", "Ok");
  CountIdle();
}

void ServerSession::DoStartTls() { Put(Ask::kStartTls, Verb::kStartTls, handler_.OnStartTls()); }

void ServerSession::DoOther(const Command& command) {
  switch (command.verb) {
    case Verb::kVrfy:
      if (command.argument.empty()) return SayError(501, "5.5.4", "Syntax: VRFY address");
      Say(252, "2.0.0", "Cannot verify the user, but send the message and see");
      return CountIdle();
    case Verb::kHelp:
      Say(214, "2.0.0",
          options_.product + " at " + options_.host +
              "\nHELO EHLO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY HELP STARTTLS AUTH\nRFC 5321 tells the rest");
      return CountIdle();
    case Verb::kQuit:
      Say(221, "2.0.0", options_.host + " Bye");
      return Finish();
    default:
      Say(250, "2.0.0", "Ok");
      return CountIdle();
  }
}

}  // namespace glasspost::smtp
