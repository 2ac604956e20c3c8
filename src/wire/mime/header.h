// The header block of a message (RFC 5322 §2.2, §3.6): its fields, unfolded and decoded to UTF-8, and what a reader looks for
// first. Tolerant: lines that are no fields are passed over and kept apart, line ends may be bare LF.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/field.h"
#include "base/octets.h"

namespace glasspost::mime {

// One field as it lies in the header block. Views into it; ranges count from its first octet.
struct RawField {
  Octets name;   // without the colon and blanks before it
  Octets value;  // as sent: still folded, without the blanks at both ends and the last line end
  bool folded = false;
  OctetRange name_range;
  OctetRange value_range;
};

// Walks the fields of a header block. No allocation.
class FieldReader {
 public:
  explicit FieldReader(Octets block) : block_(block) {}
  // False at the end of the block or at its empty line.
  bool Next(RawField& field) {
    while (NextLine(field))
      if (!field.name.empty()) return true;
    return false;
  }
  // The same, but a line that is neither a field nor the continuation of one is given, too: without a name, its words the value.
  bool NextLine(RawField& field);
  // Lines so far that are neither a field nor the continuation of one.
  std::uint64_t malformed_lines() const { return malformed_lines_; }

 private:
  Octets block_;
  std::size_t at_ = 0;
  std::uint64_t malformed_lines_ = 0;
};

// Appends `value` without its line ends (RFC 5322 §2.2.3: the blank that follows them stays).
void AppendUnfolded(std::string& out, Octets value);

// A decoded field; views that live as long as the HeaderDecoder's last Parse and the block that was parsed.
struct HeaderField {
  Octets name;
  Octets value;  // unfolded, UTF-8; raw octets where nothing could be made of them. Not escaped
};

// The first field of each name; nothing where there is none.
struct HeaderSummary {
  std::optional<Octets> from, to, cc, reply_to, subject, message_id, date, x_mailer;
  std::vector<Octets> received;  // all of them, the newest (topmost) first
};

struct HeaderLimits {
  std::size_t fields = 10'000;  // more are left out; stops a header of two-octet fields from growing the list without end
};

// Reused from message to message; keeps its memory. One thread at a time; any number of decoders at once.
class HeaderDecoder {
 public:
  explicit HeaderDecoder(const HeaderLimits& limits = {}) : limits_(limits) {}

  // `block` must outlive the views that are handed out.
  void Parse(Octets block);

  const std::vector<HeaderField>& fields() const { return fields_; }
  // Lines that are no fields, as many as there may be fields, in their order; a message without an empty line, and so without a
  // body, may say all it has to say in them.
  const std::vector<Octets>& strays() const { return strays_; }
  const HeaderSummary& summary() const { return summary_; }
  std::uint64_t malformed_lines() const { return malformed_lines_; }
  bool cut() const { return cut_; }  // more fields than the limit

 private:
  struct Place {
    std::size_t field;
    std::size_t offset;
    std::size_t length;
  };
  void Decode(const RawField& field, Octets hint);
  void Summarize();

  HeaderLimits limits_;
  std::vector<HeaderField> fields_;
  std::vector<Octets> strays_;
  std::vector<Place> places_;  // values that lie in text_
  std::string text_;           // values that are not as they stand in the block
  std::string unfolded_;       // scratch
  HeaderSummary summary_;
  std::uint64_t malformed_lines_ = 0;
  bool cut_ = false;
};

// The charset that the message states for itself: of its Content-Type, else of its first encoded word. For raw octets.
std::string StatedCharset(Octets block);

struct Mailbox {
  std::string name;     // decoded display name or comment; may be empty
  std::string address;  // local@domain as sent; empty for the name of a group
};
// The mailboxes of an address list (RFC 5322 §3.4), groups taken apart. At most `limit` of them.
std::vector<Mailbox> ParseAddresses(Octets value, std::size_t limit = 1000);

// What Wireshark calls a header field; kImfExtension for those that have no name there.
Field FieldOf(Octets name);

// Reports each field of a header block that begins at `base` in the message: its value's range under its own id, its name's
// range under kImfFieldName, malformed lines under nothing.
template <class V>
void ReportHeader(Octets block, std::size_t base, V& visitor) {
  if constexpr (V::kWanted) {
    FieldReader reader(block);
    RawField field;
    while (reader.Next(field)) {
      Report(visitor, Field::kImfFieldName, base + field.name_range.offset, field.name_range.length, field.name);
      Report(visitor, FieldOf(field.name), base + field.value_range.offset, field.value_range.length, field.value);
    }
  }
}

}  // namespace glasspost::mime
