// Messages on their way out, whichever way they came to be: written by options (`send --body`), or whole (a file, standard
// input).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "agent/draft.h"
#include "agent/smtp_client.h"
#include "base/error.h"
#include "wire/mime/header.h"

namespace glasspost::cli {

struct OutgoingLimits {
  // Octets of a message that comes whole: it is held. Stops an endless standard input.
  static constexpr std::size_t kWhole = std::size_t{256} << 20;
};

struct Outgoing {
  std::string name;  // the file that it came from; empty: none
  std::unique_ptr<agent::ComposedMessage> composed;
  std::string text;                       // or whole, with CRLF
  std::vector<mime::Mailbox> recipients;  // of the envelope
  std::string reverse_path;               // empty: <>
  std::string message_id;
  std::uint64_t size = 0;
  bool eight_bit = false;
  bool utf8 = false;
  bool typed = false;  // by a person, just now
};

// The source of the message's octets, from its beginning; of a composed one the same each time.
class OutgoingSource final : public smtp::MessageSource {
 public:
  explicit OutgoingSource(const Outgoing& message);
  Piece Read() override;

 private:
  const Outgoing& message_;
  agent::TextSource text_;
};

// Addresses as people type them, "Ada <ada@example.org>, bob@example.org"; domains become A-labels where the local part is ASCII,
// so that any server takes them. `origin`: what the error names.
Expected<std::vector<mime::Mailbox>> ParseMailboxes(const std::vector<std::string>& texts, const std::string& origin);

// As ParseMailboxes makes them fit to be sent.
void MakePlain(std::vector<mime::Mailbox>& mailboxes);

// What is typed for the null reverse-path (RFC 5321 §4.5.5): of a message that must never be answered by a report.
inline constexpr Octets kNullPath = "<>";
// Who writes a message without reverse-path, if nobody says: the account's address, else this machine's mail system.
mime::Mailbox AuthorOfReports(const std::string& own_address);

// Each address once; domains without regard to case.
void AddRecipients(std::vector<mime::Mailbox>& all, const std::vector<mime::Mailbox>& more);

// A file whole, "-": standard input; an error where it has more than `most` octets.
Expected<std::string> ReadWhole(const std::string& file, std::size_t most);

// A composed message to `recipients`, of the draft that it was made from.
Outgoing OutgoingOf(std::unique_ptr<agent::ComposedMessage> composed, const agent::Draft& draft,
                    std::vector<mime::Mailbox> recipients);
Expected<Outgoing> Compose(const agent::Draft& draft, std::vector<mime::Mailbox> recipients);

// A message as it lies in a file: made fit to be sent (Bcc taken out, a CR that ends no line made a blank; From, Date and
// Message-ID added where they are missing). `from`: the sender, and the reverse-path; empty: the message's own; kNullPath: no
// reverse-path.
// `header_recipients`: those of its To, Cc and Bcc are added to `recipients`.
Expected<Outgoing> ReadMessage(const std::string& text, const std::string& from, const std::string& own_address,
                               bool header_recipients, std::vector<mime::Mailbox> recipients);

}  // namespace glasspost::cli
