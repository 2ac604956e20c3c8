// The text of an HTML body for reading in a terminal: tags, scripts, styles and comments left out, blocks on lines of their own,
// character references decoded. A link whose text is not its target has a number behind it, [1], and its target stands at the
// end, so that it is seen where a click would lead. No renderer; bounded and without recursion.
#pragma once

#include <string>

#include "base/octets.h"

namespace glasspost::mime {

// `html` is UTF-8. At most `limit` octets are written; false if there was more.
bool AppendHtmlText(std::string& out, Octets html, std::size_t limit);

}  // namespace glasspost::mime
