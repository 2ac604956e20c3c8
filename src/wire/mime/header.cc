#include "wire/mime/header.h"

#include <cstring>

#include "base/ascii.h"
#include "wire/mime/charset.h"
#include "wire/mime/encoded_word.h"
#include "wire/mime/parameter.h"

namespace glasspost::mime {
namespace {

constexpr bool IsBlank(char c) { return c == ' ' || c == '\t'; }
constexpr bool IsSpace(char c) { return IsBlank(c) || c == '\r' || c == '\n'; }

// RFC 5322 §3.6.8: printable ASCII but the colon.
bool IsFieldName(Octets name) {
  for (const char c : name)
    if (c <= ' ' || c > '~') return false;
  return !name.empty();
}

// Encoded words have no meaning in these (RFC 2047 §5), and what looks like one is part of an identifier.
bool IsVerbatim(Octets name) {
  static constexpr std::string_view kNames[] = {
      "Received",       "Message-ID", "In-Reply-To",           "References", "Return-Path",
      "DKIM-Signature", "ARC-Seal",   "ARC-Message-Signature", "Content-ID", "X-Google-DKIM-Signature",
      "Delivered-To",   "Date"};
  for (const std::string_view n : kNames)
    if (EqualsNoCase(name, n)) return true;
  return false;
}

bool IsAddressField(Octets name) {
  static constexpr std::string_view kNames[] = {"From",
                                                "To",
                                                "Cc",
                                                "Bcc",
                                                "Reply-To",
                                                "Sender",
                                                "Resent-From",
                                                "Resent-To",
                                                "Resent-Cc",
                                                "Resent-Bcc",
                                                "Resent-Sender",
                                                "Errors-To",
                                                "Disposition-Notification-To"};
  for (const std::string_view n : kNames)
    if (EqualsNoCase(name, n)) return true;
  return false;
}

}  // namespace

bool FieldReader::NextLine(RawField& field) {
  const char* const data = block_.data();
  if (at_ < block_.size()) {
    const std::size_t start = at_;
    const auto line_end = [&](std::size_t from) {
      const void* lf = std::memchr(data + from, '\n', block_.size() - from);
      return lf == nullptr ? block_.size() : static_cast<std::size_t>(static_cast<const char*>(lf) - data);
    };
    std::size_t end = line_end(start);
    at_ = end < block_.size() ? end + 1 : end;
    if (end == start || (end == start + 1 && data[start] == '\r')) {
      at_ = block_.size();
      return false;
    }
    const void* colon = std::memchr(data + start, ':', end - start);
    std::size_t name_end = colon == nullptr ? start : static_cast<std::size_t>(static_cast<const char*>(colon) - data);
    std::size_t value = name_end + 1;
    while (name_end > start && IsBlank(data[name_end - 1])) --name_end;
    if (colon == nullptr || !IsFieldName(block_.substr(start, name_end - start))) {
      ++malformed_lines_;
      while (end > start && IsSpace(data[end - 1])) --end;
      field = {.name = {},
               .value = block_.substr(start, end - start),
               .folded = false,
               .name_range = {},
               .value_range = {start, end - start}};
      return true;
    }
    field.folded = false;
    while (at_ < block_.size() && IsBlank(data[at_])) {
      field.folded = true;
      end = line_end(at_);
      at_ = end < block_.size() ? end + 1 : end;
    }
    while (value < end && IsSpace(data[value])) ++value;
    while (end > value && IsSpace(data[end - 1])) --end;
    field.name = block_.substr(start, name_end - start);
    field.value = block_.substr(value, end - value);
    field.name_range = {start, name_end - start};
    field.value_range = {value, end - value};
    return true;
  }
  return false;
}

void AppendUnfolded(std::string& out, Octets value) {
  while (!value.empty()) {
    const std::size_t lf = value.find('\n');
    Octets line = value.substr(0, lf);
    value.remove_prefix(lf == Octets::npos ? value.size() : lf + 1);
    if (lf != Octets::npos && line.ends_with('\r')) line.remove_suffix(1);
    out.append(line);
  }
}

void HeaderDecoder::Parse(Octets block) {
  fields_.clear();
  strays_.clear();
  places_.clear();
  text_.clear();
  cut_ = false;
  // Most headers are plain ASCII: one look at the whole block spares one at each value.
  const bool plain = !NeedsDecoding(block);
  const std::string hint = plain ? std::string() : StatedCharset(block);
  FieldReader reader(block);
  RawField field;
  while (reader.NextLine(field)) {
    if (fields_.size() == limits_.fields || strays_.size() == limits_.fields) {
      cut_ = true;
      break;
    }
    if (field.name.empty()) {
      strays_.push_back(field.value);
      continue;
    }
    fields_.push_back({field.name, field.value});
    if (field.folded || !plain) Decode(field, hint);
  }
  malformed_lines_ = reader.malformed_lines();
  for (const Place& p : places_) fields_[p.field].value = Octets(text_).substr(p.offset, p.length);
  Summarize();
}

void HeaderDecoder::Decode(const RawField& field, Octets hint) {
  const bool decode = NeedsDecoding(field.value) && (HasEightBit(field.value) || !IsVerbatim(field.name));
  if (!decode && !field.folded) return;
  const std::size_t start = text_.size();
  if (!decode) {
    AppendUnfolded(text_, field.value);
  } else {
    unfolded_.clear();
    AppendUnfolded(unfolded_, field.value);
    if (IsVerbatim(field.name)) {
      AppendGuessed(text_, unfolded_, hint);
    } else {
      AppendDecodedValue(text_, unfolded_, IsAddressField(field.name) ? ValueKind::kAddress : ValueKind::kText, hint);
    }
  }
  places_.push_back({fields_.size() - 1, start, text_.size() - start});
}

void HeaderDecoder::Summarize() {
  summary_.from.reset(), summary_.to.reset(), summary_.cc.reset(), summary_.reply_to.reset(), summary_.subject.reset();
  summary_.message_id.reset(), summary_.date.reset(), summary_.x_mailer.reset();
  summary_.received.clear();
  const auto take = [](const HeaderField& field, std::string_view name, std::optional<Octets>& to) {
    if (!to && EqualsNoCase(field.name, name)) to = field.value;
  };
  for (const HeaderField& field : fields_) {
    switch (ToLower(field.name.front())) {
      case 'c':
        take(field, "Cc", summary_.cc);
        break;
      case 'd':
        take(field, "Date", summary_.date);
        break;
      case 'f':
        take(field, "From", summary_.from);
        break;
      case 'm':
        take(field, "Message-ID", summary_.message_id);
        break;
      case 'r':
        take(field, "Reply-To", summary_.reply_to);
        if (EqualsNoCase(field.name, "Received")) summary_.received.push_back(field.value);
        break;
      case 's':
        take(field, "Subject", summary_.subject);
        break;
      case 't':
        take(field, "To", summary_.to);
        break;
      case 'x':
        take(field, "X-Mailer", summary_.x_mailer);
        break;
      default:
        break;
    }
  }
}

std::string StatedCharset(Octets block) {
  FieldReader reader(block);
  RawField field;
  while (reader.Next(field)) {
    if (!EqualsNoCase(field.name, "Content-Type")) continue;
    const ParameterizedValue type = ParseParameters(field.value);
    const std::string* charset = type.Find("charset");
    if (charset != nullptr && !EqualsNoCase(*charset, "us-ascii")) return *charset;
    break;
  }
  return std::string(FirstWordCharset(block));
}

namespace {

// Takes an address list apart, octet by octet (RFC 5322 §3.4), where GMime's reader would need the decoded words undone.
class AddressReader {
 public:
  AddressReader(Octets text, std::size_t limit) : text_(text), limit_(limit) {}

  std::vector<Mailbox> Read() {
    for (at_ = 0; at_ < text_.size() && result_.size() < limit_; ++at_) Step(text_[at_]);
    if (result_.size() < limit_) Finish();
    return std::move(result_);
  }

 private:
  void Step(char c) {
    switch (c) {
      case '"':
        Quoted();
        break;
      case '(':
        Comment();
        break;
      case '<':
        Angle();
        break;
      case ',':
      case ';':
        Finish();
        break;
      case ':':  // a group's name (or a route, which is inside angle brackets)
        phrase_.clear(), comment_.clear();
        break;
      default:
        phrase_.push_back(IsSpace(c) ? ' ' : c);
    }
  }
  void Quoted() {
    for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      phrase_.push_back(text_[at_]);
    }
  }
  void Comment() {
    std::size_t depth = 0;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == ')' && --depth == 0) return;
      if (c == '(' && depth++ == 0) continue;
      if (c == '\\' && at_ + 1 < text_.size()) ++at_;
      comment_.push_back(text_[at_]);
    }
  }
  void Angle() {
    const std::size_t end = text_.find('>', at_);
    address_ = text_.substr(at_ + 1, end == Octets::npos ? Octets::npos : end - at_ - 1);
    angle_ = true;
    at_ = end == Octets::npos ? text_.size() : end;
  }
  void Finish() {
    Mailbox mailbox;
    if (angle_) {
      mailbox.name = DecodeValue(Trim(phrase_));
      Octets spec = address_;
      // A route (RFC 5322 §4.4) is of no use to anybody any more.
      if (spec.starts_with('@') && spec.find(':') != Octets::npos) spec.remove_prefix(spec.find(':') + 1);
      for (const char c : spec)
        if (!IsSpace(c)) mailbox.address.push_back(c);
    } else {
      const Octets bare = Trim(phrase_);
      if (bare.find('@') != Octets::npos) {
        mailbox.address = bare;
      } else if (!bare.empty()) {
        mailbox.name = DecodeValue(bare);
      }
    }
    if (mailbox.name.empty()) mailbox.name = DecodeValue(Trim(comment_));
    if (angle_ || !mailbox.address.empty() || !mailbox.name.empty()) result_.push_back(std::move(mailbox));
    phrase_.clear(), comment_.clear(), address_.clear();
    angle_ = false;
  }

  Octets text_;
  std::size_t limit_;
  std::size_t at_ = 0;
  std::vector<Mailbox> result_;
  std::string phrase_, comment_, address_;
  bool angle_ = false;
};

}  // namespace

std::vector<Mailbox> ParseAddresses(Octets value, std::size_t limit) { return AddressReader(value, limit).Read(); }

Field FieldOf(Octets name) {
  struct Row {
    std::string_view name;
    Field field;
  };
  static constexpr Row kRows[] = {
      {"Date", Field::kImfDate},
      {"From", Field::kImfFrom},
      {"Sender", Field::kImfSender},
      {"Reply-To", Field::kImfReplyTo},
      {"To", Field::kImfTo},
      {"Cc", Field::kImfCc},
      {"Bcc", Field::kImfBcc},
      {"Message-ID", Field::kImfMessageId},
      {"In-Reply-To", Field::kImfInReplyTo},
      {"References", Field::kImfReferences},
      {"Subject", Field::kImfSubject},
      {"Comments", Field::kImfComments},
      {"Keywords", Field::kImfKeywords},
      {"User-Agent", Field::kImfUserAgent},
      {"Resent-Date", Field::kImfResentDate},
      {"Resent-From", Field::kImfResentFrom},
      {"Resent-Sender", Field::kImfResentSender},
      {"Resent-To", Field::kImfResentTo},
      {"Resent-Cc", Field::kImfResentCc},
      {"Resent-Bcc", Field::kImfResentBcc},
      {"Resent-Message-ID", Field::kImfResentMessageId},
      {"Return-Path", Field::kImfReturnPath},
      {"Received", Field::kImfReceived},
      {"Delivered-To", Field::kImfDeliveredTo},
      {"Content-Type", Field::kImfContentType},
      {"Content-Transfer-Encoding", Field::kImfContentTransferEncoding},
      {"Content-ID", Field::kImfContentId},
      {"Content-Description", Field::kImfContentDescription},
      {"Content-Disposition", Field::kMimeContentDisposition},
      {"Content-Language", Field::kImfContentLanguage},
      {"MIME-Version", Field::kImfMimeVersion},
      {"Importance", Field::kImfImportance},
      {"Priority", Field::kImfPriority},
      {"Sensitivity", Field::kImfSensitivity},
      {"Precedence", Field::kImfPrecedence},
      {"Lines", Field::kImfLines},
      {"Thread-Index", Field::kImfThreadIndex},
      {"X-Mailer", Field::kImfXMailer},
      {"X-MimeOLE", Field::kImfXMimeOle},
      {"X-UIDL", Field::kImfXUidl},
      {"X-Virus-Scanned", Field::kImfXVirusScanned},
      {"X-Original-To", Field::kImfXOriginalTo},
  };
  for (const Row& row : kRows)
    if (EqualsNoCase(name, row.name)) return row.field;
  return Field::kImfExtension;
}

}  // namespace glasspost::mime
