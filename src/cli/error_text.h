// Errors in the language of the person (texts/errors.inc).
#pragma once

#include <string>
#include <string_view>

#include "analysis/language.h"
#include "base/error.h"

namespace glasspost::cli {

// `text`: parts joined by ": ". Those that are words of ours, or of the system about a connection, are put into `language`; the
// others stay as they are.
std::string ErrorText(std::string_view text, analysis::Language language);
// All of it: also its place, where that is one of ours ("mail.pcap, octet 4711").
Error InLanguage(const Error& error, analysis::Language language);

}  // namespace glasspost::cli
