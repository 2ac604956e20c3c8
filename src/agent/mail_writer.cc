#include "agent/mail_writer.h"

#include "agent/folder_writer.h"
#include "agent/mbox_writer.h"

namespace glasspost::agent {
namespace {

template <class W>
Expected<std::unique_ptr<MailWriter>> Prepared(std::unique_ptr<W> writer) {
  if (const auto ready = writer->Prepare(); !ready) return std::unexpected(ready.error());
  return writer;
}

}  // namespace

Expected<std::unique_ptr<MailWriter>> OpenMailWriter(MailFormat format, const std::string& path, const Clock& clock,
                                                     Randomness& randomness) {
  if (format == MailFormat::kMbox) return Prepared(std::make_unique<MboxWriter>(path, clock));
  return Prepared(std::make_unique<FolderWriter>(format, path, clock, randomness));
}

}  // namespace glasspost::agent
