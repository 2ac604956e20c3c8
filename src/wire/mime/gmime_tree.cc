#include "wire/mime/gmime_tree.h"

#include <gmime/gmime.h>

#include <algorithm>
#include <memory>

#include "base/ascii.h"
#include "wire/mime/charset.h"

namespace glasspost::mime {
namespace {

struct Unref {
  void operator()(void* object) const {
    if (object != nullptr) g_object_unref(object);
  }
};
template <class T>
using Ref = std::unique_ptr<T, Unref>;

struct FreeText {
  void operator()(char* text) const { g_free(text); }
};

// A GMime stream over octets that it does not own: the byte array borrows them and gives them back before it is freed.
class BorrowedStream {
 public:
  explicit BorrowedStream(Octets octets) : array_(g_byte_array_new()), stream_(g_mime_stream_mem_new()) {
    // GMime writes into a stream only when told to, and nobody tells it.
    array_->data = const_cast<guint8*>(AsBytes(octets).data());
    array_->len = static_cast<guint>(octets.size());
    GMimeStreamMem* mem = reinterpret_cast<GMimeStreamMem*>(stream_.get());
    g_mime_stream_mem_set_byte_array(mem, array_);  // frees the stream's own, which it owns until now
    g_mime_stream_mem_set_owner(mem, FALSE);
  }
  ~BorrowedStream() {
    stream_.reset();
    array_->data = nullptr;
    array_->len = 0;
    g_byte_array_free(array_, TRUE);
  }
  BorrowedStream(const BorrowedStream&) = delete;
  BorrowedStream& operator=(const BorrowedStream&) = delete;
  GMimeStream* get() const { return stream_.get(); }

 private:
  GByteArray* array_;
  Ref<GMimeStream> stream_;
};

template <class T>
bool Is(gpointer object, GType type) {
  return object != nullptr && g_type_check_instance_is_a(static_cast<GTypeInstance*>(object), type) != FALSE;
}

std::string TypeName(GMimeContentType* type) {
  const char* media = g_mime_content_type_get_media_type(type);
  const char* subtype = g_mime_content_type_get_media_subtype(type);
  std::string name = std::string(media == nullptr ? "text" : media) + "/" + (subtype == nullptr ? "plain" : subtype);
  for (char& c : name) c = ToLower(c);
  return name;
}

class Walker {
 public:
  Walker(Octets message, std::size_t max_nodes, std::size_t max_depth)
      : message_(message), max_nodes_(max_nodes), max_depth_(max_depth) {}

  void Walk(GMimeObject* object, std::size_t depth, bool in_message) {
    if (object == nullptr || nodes_.size() >= max_nodes_ || depth > max_depth_) return;
    TreeNode node;
    node.depth = depth;
    node.in_message = in_message;
    Describe(object, node);
    if (Is<GMimeMultipart>(object, GMIME_TYPE_MULTIPART)) {
      node.multipart = true;
      nodes_.push_back(std::move(node));
      auto* multipart = reinterpret_cast<GMimeMultipart*>(object);
      const int count = g_mime_multipart_get_count(multipart);
      for (int i = 0; i < count; ++i) Walk(g_mime_multipart_get_part(multipart, i), depth + 1, in_message);
    } else if (Is<GMimeMessagePart>(object, GMIME_TYPE_MESSAGE_PART)) {
      node.message = true;
      GMimeMessage* inner = g_mime_message_part_get_message(reinterpret_cast<GMimeMessagePart*>(object));
      if (inner != nullptr && node.header_at == TreeNode::kNowhere) {
        node.header_at = HeaderOffset(reinterpret_cast<GMimeObject*>(inner));
        node.header_is_inner = true;
      }
      nodes_.push_back(std::move(node));
      if (inner != nullptr) Walk(g_mime_message_get_mime_part(inner), depth + 1, true);
    } else {
      if (Is<GMimePart>(object, GMIME_TYPE_PART)) DescribeContent(reinterpret_cast<GMimePart*>(object), node);
      nodes_.push_back(std::move(node));
    }
  }

  std::vector<TreeNode> Take() { return std::move(nodes_); }

 private:
  static std::size_t HeaderOffset(GMimeObject* object) {
    GMimeHeaderList* headers = g_mime_object_get_header_list(object);
    if (g_mime_header_list_get_count(headers) == 0) return TreeNode::kNowhere;
    const gint64 offset = g_mime_header_get_offset(g_mime_header_list_get_header_at(headers, 0));
    return offset < 0 ? TreeNode::kNowhere : static_cast<std::size_t>(offset);
  }

  static std::string RawValue(GMimeObject* object, const char* name) {
    GMimeHeader* header = g_mime_header_list_get_header(g_mime_object_get_header_list(object), name);
    const char* value = header == nullptr ? nullptr : g_mime_header_get_raw_value(header);
    return value == nullptr ? std::string() : std::string(value);
  }

  static void Describe(GMimeObject* object, TreeNode& node) {
    GMimeContentType* type = g_mime_object_get_content_type(object);
    if (type != nullptr) node.type = TypeName(type);
    node.type_field = RawValue(object, "Content-Type");
    node.disposition_field = RawValue(object, "Content-Disposition");
    node.header_at = HeaderOffset(object);
  }

  void DescribeContent(GMimePart* part, TreeNode& node) const {
    GMimeDataWrapper* content = g_mime_part_get_content(part);
    if (content == nullptr) return;
    node.encoding = g_mime_data_wrapper_get_encoding(content);
    GMimeStream* stream = g_mime_data_wrapper_get_stream(content);
    if (stream == nullptr) return;
    const auto size = static_cast<gint64>(message_.size());
    const gint64 begin = std::clamp<gint64>(stream->bound_start, 0, size);
    const gint64 end = stream->bound_end < 0 ? size : std::clamp<gint64>(stream->bound_end, begin, size);
    node.has_content = true;
    node.content = {static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin)};
  }

  Octets message_;
  std::size_t max_nodes_;
  std::size_t max_depth_;
  std::vector<TreeNode> nodes_;
};

// Without the blanks and comments at the front (RFC 5322 §3.2.2), as GMime passes over them.
Octets WithoutCfws(Octets text) {
  std::size_t depth = 0, at = 0;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (depth > 0 && c == '\\' && at + 1 < text.size()) {
      ++at;
    } else if (c == '(') {
      ++depth;
    } else if (depth > 0) {
      if (c == ')') --depth;
    } else if (c != ' ' && c != '\t' && c != '\r' && c != '\n') {
      break;
    }
  }
  return text.substr(at);
}

// GMime calls a type that it cannot read application/octet-stream. One that it can read is another with a letter before it.
bool CanRead(Octets value) {
  const Ref<GMimeContentType> type(g_mime_content_type_parse(nullptr, ("x" + std::string(WithoutCfws(value))).c_str()));
  return TypeName(type.get()) != "application/octet-stream";
}

}  // namespace

ContentType ReadContentType(Octets value) {
  StartGMime();
  const std::string as_sent(value);
  const Ref<GMimeContentType> raw(g_mime_content_type_parse(nullptr, as_sent.c_str()));
  const std::unique_ptr<char, FreeText> unfolded(g_mime_utils_header_unfold(as_sent.c_str()));
  const std::unique_ptr<char, FreeText> text(g_mime_utils_header_decode_text(nullptr, unfolded.get()));
  const Ref<GMimeContentType> decoded(g_mime_content_type_parse(nullptr, text.get()));
  ContentType result;
  result.type = TypeName(raw.get());
  result.readable = result.type != "application/octet-stream" || CanRead(as_sent.c_str());  // up to a NUL, as GMime does
  result.digest = TypeName(decoded.get()) == "multipart/digest";
  if (const char* boundary = g_mime_content_type_get_parameter(decoded.get(), "boundary"); boundary != nullptr) {
    result.boundary = boundary;
    result.has_boundary = true;
  }
  return result;
}

std::vector<TreeNode> ReadTree(Octets message, std::size_t max_nodes, std::size_t max_depth) {
  StartGMime();
  const BorrowedStream stream(message);
  const Ref<GMimeParser> parser(g_mime_parser_new_with_stream(stream.get()));
  // Contents stay where they are: each part's stream is a range of ours.
  g_mime_parser_set_persist_stream(parser.get(), TRUE);
  // A part, not a message: GMime would take all address fields apart, which nobody needs here.
  const Ref<GMimeObject> root(g_mime_parser_construct_part(parser.get(), nullptr));
  Walker walker(message, max_nodes, max_depth);
  walker.Walk(root.get(), 0, false);
  return walker.Take();
}

std::string_view EncodingName(int encoding) {
  switch (static_cast<GMimeContentEncoding>(encoding)) {
    case GMIME_CONTENT_ENCODING_8BIT:
      return "8bit";
    case GMIME_CONTENT_ENCODING_BINARY:
      return "binary";
    case GMIME_CONTENT_ENCODING_BASE64:
      return "base64";
    case GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE:
      return "quoted-printable";
    case GMIME_CONTENT_ENCODING_UUENCODE:
      return "x-uuencode";
    default:
      return "7bit";
  }
}

int EncodingOf(std::string_view name) {
  StartGMime();
  return g_mime_content_encoding_from_string(std::string(name).c_str());
}

void TransferDecoder::Begin() {
  GMimeEncoding codec;
  g_mime_encoding_init_decode(&codec, static_cast<GMimeContentEncoding>(encoding_));
  state_ = codec.state;
  save_ = codec.save;
}

Octets TransferDecoder::Step(Octets piece) {
  GMimeEncoding codec;
  g_mime_encoding_init_decode(&codec, static_cast<GMimeContentEncoding>(encoding_));
  codec.state = state_;
  codec.save = save_;
  buffer_.resize(g_mime_encoding_outlen(&codec, piece.size()) + 16);
  const std::size_t n = g_mime_encoding_step(&codec, piece.data(), piece.size(), buffer_.data());
  state_ = codec.state;
  save_ = codec.save;
  return Octets(buffer_).substr(0, n);
}

Octets TransferDecoder::Finish() {
  switch (static_cast<GMimeContentEncoding>(encoding_)) {
    // A last group whose padding is missing is completed; a whole one is not changed by two more pad characters.
    case GMIME_CONTENT_ENCODING_BASE64:
      return Step("==");
    case GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE: {
      GMimeEncoding codec;
      g_mime_encoding_init_decode(&codec, GMIME_CONTENT_ENCODING_QUOTEDPRINTABLE);
      codec.state = state_;
      codec.save = save_;
      buffer_.resize(64);
      return Octets(buffer_).substr(0, g_mime_encoding_flush(&codec, "", 0, buffer_.data()));
    }
    default:
      return {};
  }
}

}  // namespace glasspost::mime
