// Mail that lies on this machine: a Maildir, an mbox, a folder of .eml files, or one message in a file. Nothing but regular files
// is opened, links are not followed, and nothing waits for a pipe. Other programs may deliver and move messages meanwhile.
#pragma once

#include <memory>
#include <string>

#include "agent/mail_source.h"
#include "base/error.h"

namespace glasspost::agent {

// Numbers are the order of delivery: in a Maildir by the names, which begin with the time, whether a message is still in new or
// already in cur; in an mbox as they stand there; of .eml files by name. So a number stays the same as long as nothing before it
// is removed. Entries of a folder that are no messages are passed over.
Expected<std::unique_ptr<MailSource>> OpenMailFolder(const std::string& path);

}  // namespace glasspost::agent
