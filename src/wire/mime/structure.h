// The MIME structure of a message (RFC 2045, 2046, 2183, 2231): its parts, what they are called, how large they are and what
// their octets are once the transfer encoding is undone; and the text that a person would read. The tree is GMime's, after
// OutlineOf has bounded it. Needs the whole message in memory; any number of threads may read different messages at once.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "base/field.h"
#include "base/octets.h"
#include "wire/mime/outline.h"

namespace glasspost::mime {

struct Part {
  std::string number;                     // "1.2" as IMAP counts (RFC 9051 §6.4.5); "0" for the message itself
  std::size_t depth = 0;                  // 0 for the message itself
  std::string type;                       // "text/plain", lower case
  std::string charset;                    // as stated, lower case; empty if it is not
  std::string disposition;                // "attachment", "inline"; empty if none is stated
  std::string encoding;                   // "base64" as GMime understood it; "7bit" where nothing is stated
  std::string filename;                   // decoded to UTF-8 as its sender wrote it, not escaped; empty if there is none
  OctetRange content;                     // still encoded, in the message
  std::uint64_t size = 0;                 // octets of the decoded content; 0 for a multipart
  std::array<std::uint8_t, 32> sha256{};  // of the decoded content; zeros for a multipart
  bool multipart = false;
  bool message = false;     // a message inside; its content is also told as parts below it
  bool attachment = false;  // no multipart, and said to be an attachment or given a name
};

struct Structure {
  MimeProblem problem = MimeProblem::kNone;  // over a limit: there are no parts
  std::vector<Part> parts;                   // in the order in which they begin; the first is the message itself
  std::string text;                          // of the body, UTF-8, line ends as in the message; not escaped
  bool text_from_html = false;               // there was HTML only
  bool text_cut = false;                     // longer than the limit
};

struct StructureOptions {
  MimeLimits limits;
  bool digests = true;  // size and SHA-256 of each part
  bool text = true;     // the body's text
};

// Reads `message`; always gives something. Views are not kept.
Structure ReadStructure(Octets message, const StructureOptions& options = {});

// The decoded content of a leaf of a text type as UTF-8, all of it; line ends as in the message, not escaped. `message` is what
// ReadStructure read.
std::string PartText(Octets message, const Part& part);

// The decoded content of any part, in pieces, until `sink` returns false; of a message inside, the message as it is.
void ReadPart(Octets message, const Part& part, const std::function<bool(Octets)>& sink);

// A name under which a part may be saved: the last component of `filename`, without controls, path separators and what shells and
// file systems take amiss, at most 200 octets of whole characters; "part-N.EXT" by number and type where nothing is left.
std::string SafeFilename(const Part& part);

// The header as a person reads it: every field in its order, decoded. UTF-8, not escaped.
std::vector<std::pair<std::string, std::string>> DescribeHeader(Octets block);

// Reports header and multipart structure of a whole message that begins at `base`: each header field (also of the parts), each
// part's and boundary's range.
template <class V>
void ReportMessage(Octets message, std::size_t base, V& visitor, const MimeLimits& limits = {});

}  // namespace glasspost::mime

#include "wire/mime/structure_fields.h"
