#include "wire/mime/structure.h"

#include <algorithm>
#include <optional>

#include "base/ascii.h"
#include "base/escape.h"
#include "base/sha256.h"
#include "wire/mime/charset.h"
#include "wire/mime/gmime_tree.h"
#include "wire/mime/html_text.h"
#include "wire/mime/parameter.h"

namespace glasspost::mime {
namespace {

constexpr std::size_t kMaxSavedName = 200;  // octets of a file's name; file systems take 255

// Where a message inside lies: the outline knows it, GMime keeps no range of it.
OctetRange MessageContent(const Outline& outline, const TreeNode& node) {
  if (node.header_at == TreeNode::kNowhere) return {};
  const auto& entities = outline.entities;
  auto at = std::upper_bound(entities.begin(), entities.end(), node.header_at,
                             [](std::size_t offset, const Entity& e) { return offset < e.header.offset; });
  if (at == entities.begin()) return {};
  --at;
  // The message inside is the entity right after the one that holds it.
  if (node.header_is_inner && at != entities.begin()) --at;
  return at->message ? at->content : OctetRange{};
}

// "1", "1.2": parts of one multipart count from 1; a message inside adds its own level (RFC 9051 §6.4.5).
class Numbering {
 public:
  std::string Of(const TreeNode& node) {
    levels_.resize(node.depth + 1);
    Level& level = levels_[node.depth];
    if (node.depth == 0) {
      level.prefix = "";
      level.number = node.multipart ? "0" : "1";
    } else {
      Level& parent = levels_[node.depth - 1];
      // The multipart that a message inside consists of has the message's own number.
      const bool body_of_message = parent.message;
      level.number = body_of_message && node.multipart ? parent.number : parent.prefix + std::to_string(++parent.children);
    }
    level.message = node.message;
    level.children = 0;
    level.prefix = level.number == "0" ? "" : level.number + ".";
    return level.number;
  }

 private:
  struct Level {
    std::string number;
    std::string prefix;
    std::size_t children = 0;
    bool message = false;
  };
  std::vector<Level> levels_;
};

void TellNames(const TreeNode& node, Part& part) {
  const ParameterizedValue type = ParseParameters(node.type_field);
  const ParameterizedValue disposition = ParseParameters(node.disposition_field);
  if (const std::string* charset = type.Find("charset")) part.charset = *charset;
  for (char& c : part.charset) c = ToLower(c);
  part.disposition = disposition.word;
  const std::string* name = disposition.Find("filename");
  if (name == nullptr || name->empty()) name = type.Find("name");
  if (name != nullptr) part.filename = *name;
  part.attachment = !part.multipart && (part.disposition == "attachment" || !part.filename.empty());
}

void Digest(Octets message, Part& part) {
  Sha256 digest;
  ReadPart(message, part, [&](Octets piece) {
    digest.Update(piece);
    part.size += piece.size();
    return true;
  });
  part.sha256 = digest.Finish();
}

// The charset that an HTML document names for itself, near its beginning.
std::string MetaCharset(Octets html) {
  constexpr std::size_t kLook = 1024;
  const std::string head = UpperCase(html.substr(0, kLook));
  std::size_t at = head.find("CHARSET=");
  if (at == std::string::npos) return {};
  at += 8;
  while (at < head.size() && (head[at] == '"' || head[at] == '\'' || head[at] == ' ')) ++at;
  std::size_t end = at;
  while (end < head.size() && (IsAlpha(head[end]) || IsDigit(head[end]) || head[end] == '-' || head[end] == '_')) ++end;
  return head.substr(at, end - at);
}

class BodyText {
 public:
  BodyText(Octets message, const MimeLimits& limits, Structure& structure)
      : message_(message), limits_(limits), structure_(structure) {}

  // Plain text of the message itself goes before its HTML, and both before those of messages inside it.
  void Find(const std::vector<TreeNode>& nodes) {
    for (const bool in_message : {false, true})
      for (const std::string_view type : {"text/plain", "text/html"})
        for (std::size_t i = 0; i < nodes.size(); ++i) {
          const Part& part = structure_.parts[i];
          if (nodes[i].in_message != in_message || part.type != type || part.attachment) continue;
          if (Read(nodes[i], part)) return;
        }
  }

 private:
  // False if there is nothing but blanks in it.
  bool Read(const TreeNode& node, const Part& part) {
    std::string octets;
    bool cut = false;
    TransferDecoder decoder(node.encoding);
    decoder.Run(message_.substr(part.content.offset, part.content.length), [&](Octets piece) {
      const std::size_t room = limits_.text_octets - octets.size();
      octets.append(piece.substr(0, room));
      cut = cut || piece.size() > room;
      return !cut;
    });
    const bool html = part.type == "text/html";
    std::string charset = part.charset;
    if (charset.empty() && html) charset = MetaCharset(octets);
    std::string text;
    AppendDecoded(text, octets, charset);
    // The limit cut a character in two: its beginning says nothing.
    while (cut && text.ends_with("\xef\xbf\xbd")) text.resize(text.size() - 3);
    if (html) {
      std::string stripped;
      cut = !AppendHtmlText(stripped, text, limits_.text_octets) || cut;
      text = std::move(stripped);
    }
    if (text.find_first_not_of(" \t\r\n") == std::string::npos) return false;
    structure_.text = std::move(text);
    structure_.text_from_html = html;
    structure_.text_cut = cut;
    return true;
  }

  Octets message_;
  MimeLimits limits_;
  Structure& structure_;
};

// GMime makes no tree of a message that begins with something else than a field: it is one text.
TreeNode PlainNode(const Outline& outline) {
  TreeNode node;
  node.type = "text/plain";
  node.has_content = true;
  node.content = outline.entities.front().content;
  return node;
}

std::string_view ExtensionFor(std::string_view type) {
  static constexpr std::pair<std::string_view, std::string_view> kRows[] = {
      {"text/plain", "txt"},    {"text/html", "html"},    {"image/jpeg", "jpg"},      {"image/png", "png"},
      {"image/gif", "gif"},     {"text/csv", "csv"},      {"application/pdf", "pdf"}, {"application/zip", "zip"},
      {"text/calendar", "ics"}, {"message/rfc822", "eml"}};
  for (const auto& [t, extension] : kRows)
    if (t == type) return extension;
  return "bin";
}

}  // namespace

Structure ReadStructure(Octets message, const StructureOptions& options) {
  Structure structure;
  const Outline outline = OutlineOf(message, options.limits);
  structure.problem = outline.problem;
  if (outline.problem != MimeProblem::kNone) return structure;
  // Where GMime would see more than the outline did, its tree is cut at the same limits.
  std::vector<TreeNode> nodes = ReadTree(message, options.limits.parts, options.limits.depth);
  if (nodes.empty()) nodes.push_back(PlainNode(outline));
  Numbering numbering;
  for (const TreeNode& node : nodes) {
    Part part;
    part.number = numbering.Of(node);
    part.depth = node.depth;
    part.type = node.type;
    part.multipart = node.multipart;
    part.message = node.message;
    part.encoding = EncodingName(node.encoding);
    part.content = node.message ? MessageContent(outline, node) : node.content;
    TellNames(node, part);
    if (options.digests && !part.multipart) Digest(message, part);
    structure.parts.push_back(std::move(part));
  }
  if (options.text) BodyText(message, options.limits, structure).Find(nodes);
  return structure;
}

void ReadPart(Octets message, const Part& part, const std::function<bool(Octets)>& sink) {
  const Octets content = message.substr(std::min(part.content.offset, message.size()), part.content.length);
  if (part.message)
    sink(content);
  else
    TransferDecoder(EncodingOf(part.encoding)).Run(content, sink);
}

std::string PartText(Octets message, const Part& part) {
  std::string octets;
  ReadPart(message, part, [&](Octets piece) {
    octets.append(piece);
    return true;
  });
  std::string text;
  AppendDecoded(text, octets, part.charset.empty() && part.type == "text/html" ? MetaCharset(octets) : part.charset);
  return text;
}

std::string SafeFilename(const Part& part) {
  Octets name = part.filename;
  const std::size_t slash = name.find_last_of("/\\");
  if (slash != Octets::npos) name.remove_prefix(slash + 1);
  std::string safe;
  while (!name.empty()) {
    char32_t c = 0;
    const std::size_t n = Utf8Length(name, c);
    const std::size_t taken = n == 0 ? 1 : n;
    // Also what an escape for terminals would change: controls, bidirectional and invisible characters.
    const bool bad = n == 0 || (n == 1 && (c < 0x20 || c == 0x7f || Octets(":*?\"<>|").find(name[0]) != Octets::npos)) ||
                     (n > 1 && ForTerminal(name.substr(0, n)) != name.substr(0, n));
    if (safe.size() + taken > kMaxSavedName) break;
    bad ? safe.push_back('_') : void(safe.append(name.substr(0, n)));
    name.remove_prefix(taken);
  }
  // No hidden files, no "." and "..", no blanks at the ends, nothing that a command would take for an option.
  const std::size_t first = safe.find_first_not_of(". -");
  safe.erase(0, first);
  while (safe.ends_with('.') || safe.ends_with(' ')) safe.pop_back();
  if (safe.empty()) return "part-" + part.number + "." + std::string(ExtensionFor(part.type));
  return safe;
}

std::vector<std::pair<std::string, std::string>> DescribeHeader(Octets block) {
  HeaderDecoder decoder;
  decoder.Parse(block);
  std::vector<std::pair<std::string, std::string>> fields;
  fields.reserve(decoder.fields().size());
  for (const HeaderField& f : decoder.fields()) fields.emplace_back(f.name, f.value);
  return fields;
}

}  // namespace glasspost::mime
