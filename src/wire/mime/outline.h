// Where the entities of a message lie (RFC 2046 §5.1): one pass over its lines, in constant memory a level. It guards GMime,
// which builds its tree by recursion and keeps all of it: depth, parts and header octets are known, and bounded, before GMime
// sees them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/octets.h"

namespace glasspost::mime {

struct MimeLimits {
  std::size_t message_octets =
      64u << 20;             // of the whole message. Stops a tree, which needs the message in memory, from exhausting it
  std::size_t depth = 64;    // entities inside entities, the message itself is 1. Stops recursion from overflowing the stack
  std::size_t parts = 2000;  // entities in all, the message itself is one. Stops a part a line, each costing a tree node
  std::size_t header_octets = 256 * 1024;  // of one entity's header. Stops quadratic work on folded lines and parameters
  std::size_t field_octets = 64 * 1024;    // of one field in an entity's header below the message's own
  std::size_t text_octets = 1u << 20;      // of decoded text body; more is cut and said
};

enum class MimeProblem : std::uint8_t {
  kNone,
  kTooLarge,  // more octets than the limit
  kTooDeep,
  kTooManyParts,
  kHeaderTooLarge,  // an entity's header or a field in it
};
std::string_view Name(MimeProblem problem);  // "too-deep"

struct Entity {
  OctetRange header;   // without the empty line
  OctetRange content;  // up to the line end that belongs to the next boundary (RFC 2046 §5.1.1)
  std::uint16_t depth = 1;
  bool multipart = false;
  bool message = false;        // message/rfc822 and its kin: the next entity is the message inside
  bool delimited_end = false;  // multipart: its end boundary is there
};

// One line of a boundary, for the hex view: which multipart it belongs to (index of its entity), and whether it ends it.
struct BoundaryLine {
  OctetRange range;  // with its line end
  std::size_t entity;
  bool last = false;
};

struct Outline {
  std::vector<Entity> entities;  // in the order in which they begin
  std::vector<BoundaryLine> boundaries;
  MimeProblem problem = MimeProblem::kNone;  // then the outline ends where the limit was passed
};

Outline OutlineOf(Octets message, const MimeLimits& limits = {});

}  // namespace glasspost::mime
