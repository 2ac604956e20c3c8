#include "agent/autoconfig.h"

#include <glib.h>

#include <algorithm>
#include <memory>

#include "base/ascii.h"
#include "base/escape.h"

namespace glasspost::agent {
namespace {

struct Free {
  void operator()(GMarkupParseContext* context) const { g_markup_parse_context_free(context); }
  void operator()(GError* error) const { g_error_free(error); }
};

// What stands in one incomingServer or outgoingServer.
struct Entry {
  std::string type, host, port, socket, user;
  bool password = false;  // a mechanism with one is named
  bool oauth = false;
};

std::string Replaced(std::string text, const AddressParts& address) {
  const std::pair<std::string_view, std::string> kPlaces[] = {{"%EMAILADDRESS%", address.local + "@" + address.domain},
                                                              {"%EMAILLOCALPART%", address.local},
                                                              {"%EMAILDOMAIN%", address.domain}};
  for (const auto& [name, value] : kPlaces)
    if (const std::size_t at = text.find(name); at != std::string::npos) text.replace(at, name.size(), value);
  return text;
}

class Document {
 public:
  explicit Document(const AddressParts& address) : address_(address) {}

  static void OnStart(GMarkupParseContext*, const char* name, const char** names, const char** values, void* self,
                      GError** error) {
    static_cast<Document*>(self)->Start(name, names, values, error);
  }
  static void OnEnd(GMarkupParseContext*, const char*, void* self, GError**) { static_cast<Document*>(self)->End(); }
  static void OnText(GMarkupParseContext*, const char* text, std::size_t size, void* self, GError** error) {
    static_cast<Document*>(self)->Text(Octets(text, size), error);
  }
  bool right_root() const { return right_root_; }
  std::vector<OfferedServer> servers;

 private:
  static void Refuse(GError** error, const char* why) {
    g_set_error_literal(error, G_MARKUP_ERROR, G_MARKUP_ERROR_INVALID_CONTENT, why);
  }

  void Start(Octets name, const char** names, const char** values, GError** error) {
    if (++elements_ > AutoconfigLimits::kElements) return Refuse(error, "too many elements");
    if (path_.size() >= AutoconfigLimits::kDepth) return Refuse(error, "too many elements within each other");
    if (path_.empty()) right_root_ = name == "clientConfig";
    path_.push_back(path_.size() < 4 ? std::string(name.substr(0, 40)) : std::string());
    text_.clear();
    if (path_.size() == 3 && (name == "incomingServer" || name == "outgoingServer")) {
      entry_ = {};
      for (; *names != nullptr; ++names, ++values)
        if (Octets(*names) == "type") entry_.type = Octets(*values).substr(0, 40);
    }
  }
  void Text(Octets text, GError** error) {
    if (path_.size() != 4) return;
    if (text_.size() + text.size() > AutoconfigLimits::kTextOctets) return Refuse(error, "a value that is too long");
    text_ += text;
  }
  void End() {
    const bool server = path_.size() >= 3 && path_[0] == "clientConfig" && path_[1] == "emailProvider" &&
                        (path_[2] == "incomingServer" || path_[2] == "outgoingServer");
    if (server && path_.size() == 4) TakeValue(path_[3]);
    if (server && path_.size() == 3) TakeServer(path_[2] == "incomingServer");
    path_.pop_back();
  }
  void TakeValue(Octets name) {
    std::string value = text_;
    std::erase_if(value, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
    if (name == "hostname") entry_.host = Replaced(value, address_);
    if (name == "port") entry_.port = value;
    if (name == "socketType") entry_.socket = value;
    if (name == "username") entry_.user = Replaced(value, address_);
    if (name == "authentication") (EqualsNoCase(value, "OAuth2") ? entry_.oauth : entry_.password) = true;
  }
  void TakeServer(bool incoming) {
    std::optional<Service> service;
    for (const Service s : kServices)
      if (EqualsNoCase(entry_.type, Name(s)) && (s == Service::kSmtp) != incoming) service = s;
    std::optional<TlsKind> tls;
    if (EqualsNoCase(entry_.socket, "SSL")) tls = TlsKind::kImplicit;
    if (EqualsNoCase(entry_.socket, "STARTTLS")) tls = TlsKind::kStartTls;
    if (EqualsNoCase(entry_.socket, "plain")) tls = TlsKind::kNone;
    if (!service || !tls || entry_.host.empty() || servers.size() >= AutoconfigLimits::kServers) return;
    const bool scheme = entry_.host.contains("://");
    const auto server = ParseServer(*service, entry_.host + (entry_.port.empty() ? "" : ":" + entry_.port), tls);
    if (!server || scheme || !IsUtf8(entry_.user)) return;
    servers.push_back({*service, *server, entry_.user, entry_.oauth && !entry_.password});
  }

  const AddressParts& address_;
  std::vector<std::string> path_;  // names of the elements that are open
  std::string text_;
  Entry entry_;
  std::size_t elements_ = 0;
  bool right_root_ = false;
};

// Where `xml` stops being text, comments and all, or its size. GMarkup complains of such octets on standard error, and ends texts
// at a NUL.
std::size_t TextEnd(Octets xml) {
  std::size_t at = 0;
  char32_t c = 0;
  while (at < xml.size()) {
    const std::size_t n = Utf8Length(xml.substr(at), c);
    if (n == 0 || c == 0) break;
    at += n;
  }
  return at;
}

}  // namespace

Expected<std::vector<OfferedServer>> ReadAutoconfig(Octets xml, const AddressParts& address) {
  if (xml.size() > AutoconfigLimits::kOctets) return Fail("the document is too long");
  if (const std::size_t end = TextEnd(xml); end != xml.size())
    return Fail("is no such document: no UTF-8 text", "line " + std::to_string(std::ranges::count(xml.substr(0, end), '\n') + 1));
  Document document(address);
  static constexpr GMarkupParser kParser = {Document::OnStart, Document::OnEnd, Document::OnText, nullptr, nullptr};
  const std::unique_ptr<GMarkupParseContext, Free> context(
      g_markup_parse_context_new(&kParser, G_MARKUP_TREAT_CDATA_AS_TEXT, &document, nullptr));
  GError* raw = nullptr;
  const bool read = g_markup_parse_context_parse(context.get(), xml.data(), static_cast<gssize>(xml.size()), &raw) != FALSE &&
                    g_markup_parse_context_end_parse(context.get(), &raw) != FALSE;
  const std::unique_ptr<GError, Free> error(raw);
  if (!read) {
    int line = 0;
    g_markup_parse_context_get_position(context.get(), &line, nullptr);
    return Fail("is no such document: " + ForTerminal(error ? Octets(error->message).substr(0, 200) : Octets("no XML")),
                "line " + std::to_string(line));
  }
  if (!document.right_root()) return Fail("is no <clientConfig>");
  return std::move(document.servers);
}

}  // namespace glasspost::agent
