// An answer to a message, or its passing on, as a person begins to write it: RFC 5322 §3.6.2 to §3.6.5. What it gives goes into a
// Draft (draft.h). Pure.
#pragma once

#include <string>
#include <vector>

#include "base/octets.h"
#include "wire/mime/header.h"

namespace glasspost::agent {

struct ReplyLimits {
  static constexpr std::size_t kReferences = 41;  // ids of a thread: the first and the last of them; stops a header that grows on
  static constexpr std::size_t kIdOctets = 512;   // of one; a longer one is none
  static constexpr std::size_t kRecipients = 1000;
};

struct ReplyHeader {
  std::vector<mime::Mailbox> to, cc;
  std::string subject;
  std::string in_reply_to;  // "<id>"; empty: the message has none
  std::string references;   // "<id> <id>"
};

// To those whom Reply-To names, else to the author; an answer to what one wrote oneself goes to whom it went. `self`: the address
// that answers. `all`: a copy to all others whom the message names but oneself, under any address of one's `own`. `header` is the
// message's block.
ReplyHeader ReplyTo(Octets header, Octets self, const std::vector<std::string>& own, bool all);

// "Re: …" once, "Fwd: …", whatever of the kind in front of it, in the languages that mail programs have it in.
std::string ReplySubject(Octets subject);
std::string ForwardSubject(Octets subject);

// Each line with "> " before it, and without the signature (RFC 3676 §4.3: what follows "-- "). Lines end in LF.
std::string Quoted(Octets text);

// "<a@b> <c@d>": what are ids in it, in their order.
std::vector<std::string> MessageIds(Octets value);

}  // namespace glasspost::agent
