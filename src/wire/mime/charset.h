// Characters of the world's mail as UTF-8 (RFC 3629). What a label says is taken as senders mean it, not as the registry has it:
// "gb2312" carries GBK and GB18030, "iso-8859-1" and "us-ascii" carry windows-1252, "shift_jis" carries CP932.
// Conversion is iconv's; names are resolved by GMime. Any number of threads may convert at once.
#pragma once

#include <string>

#include "base/octets.h"

namespace glasspost::mime {

// Starts GMime, once in the process's life, whichever thread comes first. Whoever calls GMime calls this before.
void StartGMime();

// Some octet is over 127.
bool HasEightBit(Octets text);

// Appends `text`, written in `charset`, as UTF-8; an octet that means nothing there becomes U+FFFD. Text that contradicts its
// label but is valid UTF-8 is taken as UTF-8. False: no such charset is known, nothing was appended.
bool AppendAsUtf8(std::string& out, Octets text, Octets charset);

// Appends text whose charset nobody stated: UTF-8 if it is valid, or most of it is (an octet that
// is none becomes U+FFFD); else `hint` (a charset named elsewhere in the message, may be
// empty) if all of the text fits it; else GB18030 if it looks like Chinese; else windows-1252.
void AppendGuessed(std::string& out, Octets text, Octets hint = {});

// AppendAsUtf8, or AppendGuessed where the charset is empty or unknown.
void AppendDecoded(std::string& out, Octets text, Octets charset);

}  // namespace glasspost::mime
