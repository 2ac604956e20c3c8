// The template half of structure.h: fields of a message under Wireshark's names, for the packet tree and the hex view.
#pragma once

#include "wire/mime/header.h"
#include "wire/mime/structure.h"

namespace glasspost::mime {

template <class V>
void ReportMessage(Octets message, std::size_t base, V& visitor, const MimeLimits& limits) {
  if constexpr (V::kWanted) {
    const Outline outline = OutlineOf(message, limits);
    const auto report = [&](Field field, OctetRange range) {
      if (range.length == 0) return;
      Report(visitor, field, base + range.offset, range.length, message.substr(range.offset, range.length));
    };
    for (std::size_t i = 0; i < outline.entities.size(); ++i) {
      const Entity& entity = outline.entities[i];
      ReportHeader(message.substr(entity.header.offset, entity.header.length), base + entity.header.offset, visitor);
      if (!entity.multipart && !entity.message) report(i == 0 ? Field::kImfMessageText : Field::kMimePart, entity.content);
    }
    // Of each multipart: what lies before its first boundary and after its last one.
    std::vector<bool> begun(outline.entities.size(), false);
    for (const BoundaryLine& line : outline.boundaries) {
      const Entity& owner = outline.entities[line.entity];
      if (!begun[line.entity]) report(Field::kMimePreamble, {owner.content.offset, line.range.offset - owner.content.offset});
      report(line.last            ? Field::kMimeLastBoundary
             : begun[line.entity] ? Field::kMimeBoundary
                                  : Field::kMimeFirstBoundary,
             line.range);
      begun[line.entity] = true;
      const std::size_t end = line.range.offset + line.range.length;
      if (line.last && line.entity == 0 && end < message.size()) report(Field::kMimeTrailer, {end, message.size() - end});
    }
  }
}

}  // namespace glasspost::mime
