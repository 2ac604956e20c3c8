// SMTP over standard input and output (`sendmail -bs`): the server's own session machine, with recipients and messages handed to
// the administration as they come. No login, no TLS: who may start a program on this machine may send mail from it.
#pragma once

#include <functional>
#include <string>

#include "base/error.h"
#include "cli/administration.h"

namespace glasspost::cli {

// Until QUIT or the end of input. `open` makes a connection to the server; a message that is broken off costs one. True: all that
// was begun came to its end.
bool ServeStandardIo(const std::function<Expected<Administration>()>& open, const std::string& host);

}  // namespace glasspost::cli
