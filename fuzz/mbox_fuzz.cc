// An mbox from anywhere: splitting it gives the same for any chunks, its messages lie within it in order and do not overlap, and
// what is quoted is read back as it was. The list of mail reads any message's beginning.
#include <cstdint>

#include "agent/mail_summary.h"
#include "agent/mbox.h"
#include "agent/reply.h"
#include "base/escape.h"
#include "support/require.h"

namespace {

using namespace glasspost;
using namespace glasspost::agent;
using glasspost::test::Require;

MboxSplitter Split(Octets file, std::size_t chunk) {
  MboxSplitter splitter(100);
  for (; !file.empty(); file.remove_prefix(std::min(chunk, file.size()))) splitter.Feed(file.substr(0, chunk));
  splitter.Finish();
  return splitter;
}

std::string Unquote(Octets text, std::size_t chunk) {
  MboxUnquoter unquoter;
  std::string out;
  for (; !text.empty(); text.remove_prefix(std::min(chunk, text.size()))) unquoter.Append(out, text.substr(0, chunk));
  unquoter.Finish(out);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const Octets file = AsOctets({data, size});
  const MboxSplitter whole = Split(file, size + 1), torn = Split(file, 1 + size % 7);
  Require(whole.foreign() == torn.foreign() && whole.cut() == torn.cut() && whole.messages().size() == torn.messages().size());
  Require(whole.messages().size() <= 100 && !(whole.foreign() && !whole.messages().empty()));
  std::uint64_t end = 0;
  MailSummarizer summarizer;
  for (std::size_t i = 0; i < whole.messages().size(); ++i) {
    const MboxMessage& m = whole.messages()[i];
    Require(m.offset == torn.messages()[i].offset && m.length == torn.messages()[i].length);
    Require(m.offset >= end && m.length <= size && m.offset <= size - m.length);
    end = m.offset + m.length;
    const std::string text = Unquote(file.substr(m.offset, m.length), size + 1);
    Require(text == Unquote(file.substr(m.offset, m.length), 1 + size % 5) && text.size() <= m.length);
    MailEntry entry;
    entry.flags_in_header = true;
    const MailSummary summary = summarizer.Summarize(entry, {text, text.size(), true});
    const ReplyHeader reply = ReplyTo(text, "ada@a.test", {}, true);
    Require(reply.subject.starts_with("Re: ") && reply.in_reply_to.size() <= ReplyLimits::kIdOctets);
    Require(!reply.references.contains('\n') && (summary.message_id.empty() || !summary.message_id.contains('\n')));
    Quoted(text);
  }
  return 0;
}
