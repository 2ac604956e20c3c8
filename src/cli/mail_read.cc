// glasspost mail read: one message, decoded; or as it came.
#include <fmt/format.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>

#include "analysis/dialogue_message.h"
#include "base/escape.h"
#include "base/sha256.h"
#include "cli/mail_view.h"

namespace glasspost::cli {
namespace {

namespace json = server::json;

constexpr std::size_t kSourceLine = std::size_t{64} << 10;  // octets of a line without end, after which it is escaped and written

void Write(Octets text) { std::fwrite(text.data(), 1, text.size(), stdout); }

// On a terminal escaped, otherwise octet by octet.
class SourceWriter {
 public:
  Expected<void> Take(Octets piece) {
    if (!terminal_) return Write(piece), Expected<void>();
    held_ += piece;
    const std::size_t end = held_.rfind('\n');
    const std::size_t ready = end != std::string::npos ? end + 1 : held_.size() > kSourceLine ? held_.size() : 0;
    Write(TextForTerminal(Octets(held_).substr(0, ready)));
    held_.erase(0, ready);
    return {};
  }
  void Finish() { Write(TextForTerminal(held_)); }

 private:
  const bool terminal_ = ::isatty(STDOUT_FILENO) != 0;
  std::string held_;
};

json::array FieldsOf(Octets header) {
  json::array fields;
  for (const auto& [name, value] : mime::DescribeHeader(header))
    fields.push_back(json::object{{"name", server::JsonText(name)}, {"value", server::JsonText(value)}});
  return fields;
}

json::object PartObject(const mime::Part& part) {
  return {{"part", part.number},
          {"name", server::JsonText(part.filename)},
          {"type", server::JsonText(part.type)},
          {"size", part.size},
          {"sha256", Hex(part.sha256)}};
}

class Reader {
 public:
  Reader(const MailCall& call, std::size_t place) : call_(call), line_(call.line), place_(place) {}

  int Run() {
    agent::MailSource& source = call_.place.source();
    if (call_.options.source) {
      SourceWriter writer;
      const auto read = source.Read(place_, [&](Octets piece) { return writer.Take(piece); });
      writer.Finish();
      if (!read) return call_.place.Failed(read.error());
      return Mark();
    }
    auto message = LoadMessage(source, place_);
    if (!message) return call_.place.Failed(message.error());
    message_ = std::move(*message);
    const int status = !call_.options.part.empty() ? TellPart() : line_.json() ? TellJson() : Tell();
    return status == EX_OK ? Mark() : status;
  }

 private:
  int Mark() {
    if (call_.options.peek) return EX_OK;
    const auto marked = call_.place.source().Mark(place_, agent::MailSource::Flag::kSeen);
    return marked ? EX_OK : call_.place.Failed(marked.error());
  }

  int TellPart() {
    for (const mime::Part& part : message_.structure.parts) {
      if (part.number != call_.options.part || part.multipart) continue;
      const auto text = ReadablePart(message_, part);
      if (!text)
        return line_.Complain({std::string(line_.Say("is not text", "不是文本")), analysis::PartLine(part, line_.language()),
                               fmt::format("glasspost mail save {} {}", call_.words.front(), part.number)}),
               EX_DATAERR;
      return Write(TextForTerminal(*text)), EX_OK;
    }
    return line_.Complain({std::string(line_.Say("there is no such part", "没有这个部分")), call_.options.part, {}}), EX_NOINPUT;
  }

  int Tell() {
    Write(FieldsForTerminal(message_.header, call_.options.headers == "all", line_.style()));
    const BodyText body = TextOf(message_, call_.options.html);
    Write("\n" + TextForTerminal(body.text));
    if (body.raw)
      Remark("as it was sent: it is too large or too deeply nested to be taken apart", "按原样显示：过大或嵌套过深，未作拆分");
    if (body.cut) Remark("… (the rest is too long; --source shows all of it)", "……（其余部分过长；--source 显示全部）");
    const auto attached = Attachments(message_.structure);
    if (attached.empty()) return EX_OK;
    Write("\n" + line_.style().Bold(line_.Say("Attachments", "附件")) + "\n");
    for (const mime::Part* const part : attached) {
      Write("  " + ForTerminal(analysis::PartLine(*part, line_.language())) + "\n");
      Write("      " + line_.style().Dim("SHA-256 " + Hex(part->sha256)) + "\n");
    }
    return EX_OK;
  }
  void Remark(std::string_view english, std::string_view chinese) {
    Write(line_.style().Dim(line_.Say(english, chinese)) + "\n");
  }

  int TellJson() {
    const BodyText body = TextOf(message_, call_.options.html);
    json::array attachments;
    for (const mime::Part* const part : Attachments(message_.structure)) attachments.push_back(PartObject(*part));
    const agent::MailEntry entry = call_.place.source().Entry(place_);
    const json::object object{
        {"number", entry.number},
        {"id", server::JsonText(entry.id)},
        {"size", message_.size},
        {"fields", FieldsOf(message_.header)},
        {"text", server::JsonText(body.text)},
        {"text_from_html", body.from_html},
        {"text_cut", body.cut},
        {"attachments", attachments},
    };
    Write(json::serialize(object) + "\n");
    return EX_OK;
  }

  const MailCall& call_;
  const CommandLine& line_;
  const std::size_t place_;
  LoadedMessage message_;
};

}  // namespace

int ReadMail(const MailCall& call) {
  const auto place = FindMessage(call, call.words.front());
  if (!place) return EX_NOINPUT;
  return Reader(call, *place).Run();
}

}  // namespace glasspost::cli
