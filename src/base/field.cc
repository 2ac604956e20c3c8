#include "base/field.h"

namespace glasspost {

const FieldInfo& Info(Field field) {
  static constexpr FieldInfo kTable[] = {
#define GLASSPOST_FIELD(id, abbreviation, en, zh) {abbreviation, en, zh},
#include "base/field_table.inc"
#undef GLASSPOST_FIELD
  };
  return kTable[static_cast<int>(field)];
}

}  // namespace glasspost
