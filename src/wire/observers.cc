#include "wire/observers.h"

#include "wire/imap/observer.h"
#include "wire/pop3/observer.h"
#include "wire/smtp/observer.h"

namespace glasspost {

std::unique_ptr<Observer> MakeObserver(Protocol protocol, ObserverSink& sink, const ObserverOptions& options) {
  switch (protocol) {
    case Protocol::kImap:
      return std::make_unique<imap::ImapObserver>(sink, options);
    case Protocol::kLmtp:
    case Protocol::kSmtp:
      return std::make_unique<smtp::SmtpObserver>(sink, options, smtp::SmtpLimits{}, protocol);
    case Protocol::kPop3:
      return std::make_unique<pop3::Pop3Observer>(sink, options);
    default:
      return nullptr;
  }
}

}  // namespace glasspost
