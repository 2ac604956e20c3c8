// GMime's reading of a message's MIME tree, handed out flat: the only place that touches GMime's objects. Call it only with a
// message that OutlineOf found within the limits.
#pragma once

#include <string>
#include <vector>

#include "base/octets.h"

namespace glasspost::mime {

struct TreeNode {
  std::size_t depth = 0;          // of the tree; the root is 0
  std::string type;               // lower case
  std::string disposition_field;  // raw value of Content-Disposition, unfolded or not; empty if there is none
  std::string type_field;         // the same of Content-Type
  bool multipart = false;
  bool message = false;
  bool in_message = false;           // below a message inside the message
  std::size_t header_at = kNowhere;  // an offset inside the node's header, or of the message inside if it has none itself
  bool header_is_inner = false;      // header_at is the inner message's
  bool has_content = false;
  OctetRange content;  // leaf: encoded octets in the message
  int encoding = 0;    // for TransferDecoder
  static constexpr std::size_t kNowhere = static_cast<std::size_t>(-1);
};

// A Content-Type as GMime understands it, so that the outline and the tree agree. GMime reads one twice: what to build it takes
// from the field as it was sent, the rest from the field unfolded and decoded (so "multipart/dig\rest" is a digest).
// Linear in its length.
struct ContentType {
  std::string type;      // lower case; of the field as sent. application/octet-stream if it cannot be read
  std::string boundary;  // of the decoded field; empty if there is none
  bool has_boundary = false;
  bool readable = false;
  bool digest = false;  // the decoded field says multipart/digest
};
ContentType ReadContentType(Octets value);

// The nodes in the order in which they begin, at most `max_nodes`, none deeper than `max_depth`; none at all if GMime sees no
// header.
std::vector<TreeNode> ReadTree(Octets message, std::size_t max_nodes, std::size_t max_depth);

std::string_view EncodingName(int encoding);  // "base64"
int EncodingOf(std::string_view name);        // what EncodingName gave

// Undoes a transfer encoding; sink(Octets) receives the decoded octets in pieces until it returns false.
class TransferDecoder {
 public:
  explicit TransferDecoder(int encoding) : encoding_(encoding) {}
  template <class Sink>
  void Run(Octets encoded, Sink&& sink) {
    Begin();
    for (std::size_t at = 0; at < encoded.size(); at += kPiece)
      if (!sink(Step(encoded.substr(at, kPiece)))) return;
    sink(Finish());
  }

 private:
  static constexpr std::size_t kPiece = 32 * 1024;
  void Begin();
  Octets Step(Octets piece);
  Octets Finish();

  int encoding_;
  int state_ = 0;
  std::uint32_t save_ = 0;
  std::string buffer_;
};

}  // namespace glasspost::mime
