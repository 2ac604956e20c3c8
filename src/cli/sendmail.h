// `glasspost sendmail`, also as `sendmail` or `mailq` through a link: mail of local programs, as they are used to hand it over.
// The options are those of Postfix's sendmail, the exit statuses those of <sysexits.h>.
#pragma once

#include <string>
#include <vector>

namespace glasspost::cli {

// `words`: what stands after the command.
int RunSendmail(std::vector<std::string> words);

}  // namespace glasspost::cli
