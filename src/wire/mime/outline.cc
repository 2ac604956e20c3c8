#include "wire/mime/outline.h"

#include <cstring>
#include <utility>

#include "base/ascii.h"
#include "wire/mime/gmime_tree.h"
#include "wire/mime/header.h"

namespace glasspost::mime {
namespace {

constexpr std::size_t kMaxBoundary = 1000;  // stops lines from being compared with endless ones; RFC 2046 §5.1.1 allows 70

constexpr bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

// Delivery reports, receipts and fragments are plain text in the form of headers: nothing to descend into.
bool HoldsMessage(Octets type) {
  return type == "message/rfc822" || type == "message/global" || type == "message/news" || type == "message/external-body" ||
         type == "message/rfc2822";
}

// RFC 2046 §5.2.1 forbids to encode a message inside a message; one that is, is a leaf.
bool IsEncoded(Octets encoding) {
  return EqualsNoCase(encoding, "base64") || EqualsNoCase(encoding, "quoted-printable") || EqualsNoCase(encoding, "x-uuencode") ||
         EqualsNoCase(encoding, "uuencode") || EqualsNoCase(encoding, "x-uue");
}

class Outliner {
 public:
  Outliner(Octets message, const MimeLimits& limits) : message_(message), limits_(limits) {}

  Outline Run() {
    if (message_.size() > limits_.message_octets) {
      outline_.problem = MimeProblem::kTooLarge;
      return std::move(outline_);
    }
    Begin(0, "text/plain");
    std::size_t at = 0;
    while (at < message_.size() && outline_.problem == MimeProblem::kNone) {
      const void* lf = std::memchr(message_.data() + at, '\n', message_.size() - at);
      const std::size_t end =
          lf == nullptr ? message_.size() : static_cast<std::size_t>(static_cast<const char*>(lf) - message_.data()) + 1;
      OnLine(at, end);
      at = end;
    }
    if (outline_.problem == MimeProblem::kNone && in_header_) EndHeader(message_.size(), message_.size(), false);
    CloseTo(0, message_.size());
    return std::move(outline_);
  }

 private:
  struct Open {
    std::size_t entity;
    std::string boundary;  // of a multipart; empty for a message inside a message
    bool digest = false;   // RFC 2046 §5.1.5: its parts are messages unless they say otherwise
  };

  void OnLine(std::size_t at, std::size_t end) {
    const Octets line = message_.substr(at, end - at);
    if (line.size() > 2 && line[0] == '-' && line[1] == '-' && OnBoundary(WithoutLineEnd(line), at, end)) return;
    if (!in_header_) return;
    if (line == "\n" || line == "\r\n") {
      EndHeader(at, end, end < message_.size());
    } else if (end - header_begin_ > limits_.header_octets) {
      outline_.problem = MimeProblem::kHeaderTooLarge;
    }
  }

  // `line` without its end, which is part of no boundary, though an encoded one may end in CR or LF.
  bool OnBoundary(Octets line, std::size_t at, std::size_t end) {
    for (std::size_t level = open_.size(); level-- > 0;) {
      const std::string& boundary = open_[level].boundary;
      if (!outline_.entities[open_[level].entity].multipart || !line.substr(2).starts_with(boundary)) continue;
      Octets rest = line.substr(2 + boundary.size());
      const bool last = rest.starts_with("--");
      if (last) rest.remove_prefix(2);
      while (!rest.empty() && IsBlank(rest.back())) rest.remove_suffix(1);
      if (!rest.empty()) continue;
      if (in_header_) {
        // What its header turns out to say counts for this very line: a multipart with the same boundary has its first part here.
        EndHeader(at, at, false);
        return outline_.problem != MimeProblem::kNone || OnBoundary(line, at, end);
      }
      outline_.boundaries.push_back({{at, end - at}, open_[level].entity, last});
      CloseTo(level + 1, ContentEnd(at));
      if (last) {
        // What follows, up to the next boundary of an outer multipart, is the trailer and belongs to nothing.
        outline_.entities[open_[level].entity].delimited_end = true;
        CloseTo(level, end);
      } else {
        Begin(end, open_[level].digest ? "message/rfc822" : "text/plain");
      }
      return true;
    }
    return false;
  }

  // The line end before a boundary belongs to the boundary.
  std::size_t ContentEnd(std::size_t at) const {
    if (at > 0 && message_[at - 1] == '\n') --at;
    if (at > 0 && message_[at - 1] == '\r') --at;
    return at;
  }

  void Begin(std::size_t at, std::string_view default_type) {
    if (outline_.entities.size() == limits_.parts) {
      outline_.problem = MimeProblem::kTooManyParts;
      return;
    }
    if (open_.size() == limits_.depth) {
      outline_.problem = MimeProblem::kTooDeep;
      return;
    }
    Entity entity;
    entity.header = {at, 0};
    entity.content = {at, 0};
    entity.depth = static_cast<std::uint16_t>(open_.size() + 1);
    open_.push_back({outline_.entities.size(), {}, false});
    outline_.entities.push_back(entity);
    in_header_ = true;
    header_begin_ = at;
    default_type_ = default_type;
  }

  // The current entity's header is [header_begin_, end), its content begins at `content`.
  // `descend`: there is content, which may be a message.
  void EndHeader(std::size_t end, std::size_t content, bool descend) {
    in_header_ = false;
    Entity& entity = outline_.entities.back();
    entity.header.length = end - header_begin_;
    entity.content.offset = content;
    if (entity.header.length > limits_.header_octets) {
      outline_.problem = MimeProblem::kHeaderTooLarge;
      return;
    }
    ContentType type;
    bool encoded = false;
    FieldReader reader(message_.substr(header_begin_, entity.header.length));
    RawField field;
    while (reader.Next(field)) {
      if (entity.depth > 1 && field.value.size() > limits_.field_octets) {
        outline_.problem = MimeProblem::kHeaderTooLarge;
        return;
      }
      if (EqualsNoCase(field.name, "Content-Type")) type = ReadContentType(field.value);
      if (EqualsNoCase(field.name, "Content-Transfer-Encoding")) encoded = IsEncoded(field.value);
    }
    // What GMime cannot read it takes for the default, as if there were no field.
    if (!type.readable) type.type = default_type_;
    if (type.type.starts_with("multipart/") && type.has_boundary) {
      if (type.boundary.size() > kMaxBoundary) {
        outline_.problem = MimeProblem::kHeaderTooLarge;
        return;
      }
      entity.multipart = true;
      open_.back().boundary = type.boundary;
      open_.back().digest = type.digest;
    } else if (HoldsMessage(type.type) && descend && !encoded) {
      entity.message = true;
      Begin(content, "text/plain");
    }
  }

  // Entities of the open levels from `level` on end at `at`.
  void CloseTo(std::size_t level, std::size_t at) {
    for (; open_.size() > level; open_.pop_back()) {
      Entity& e = outline_.entities[open_.back().entity];
      e.content.length = at > e.content.offset ? at - e.content.offset : 0;
    }
  }

  Octets message_;
  MimeLimits limits_;
  Outline outline_;
  std::vector<Open> open_;
  bool in_header_ = false;
  std::size_t header_begin_ = 0;
  std::string_view default_type_;
};

}  // namespace

std::string_view Name(MimeProblem problem) {
  static constexpr std::string_view kNames[] = {"none", "too-large", "too-deep", "too-many-parts", "header-too-large"};
  return kNames[static_cast<int>(problem)];
}

Outline OutlineOf(Octets message, const MimeLimits& limits) { return Outliner(message, limits).Run(); }

}  // namespace glasspost::mime
