#include "agent/providers.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/ascii.h"
#include "base/toml.h"
#include "net/host_name.h"

namespace glasspost::agent {

extern const std::string_view kProvidersText;  // providers.toml

namespace {

constexpr std::string_view kNeedNames[] = {"app-password", "authorization-code", "switch-on", "oauth", "bridge", "no-pop3",
                                           "paid"};

std::string Lower(Octets text) {
  std::string out(text);
  for (char& c : out) c = ToLower(c);
  return out;
}

// Reads one entry; the first fault is kept.
class EntryReader {
 public:
  explicit EntryReader(std::string name) : name_(std::move(name)) {}
  const std::optional<Error>& fault() const { return fault_; }

  Provider Read(const Value& entry) {
    Provider p;
    for (const Member& m : entry.members) Take(m, p);
    for (const char* key : {"id", "name", "chinese", "words", "domains", "smtp", "needs", "catch", "source"})
      if (!seen_.contains(key)) Blame(entry.place, std::string("lacks \"") + key + "\"");
    if (p.pop3.empty() != p.Needs(Need::kNoPop3))
      Blame(entry.place, "has POP3 servers or needs \"no-pop3\", not both or neither");
    seen_.clear();
    return p;
  }
  void Blame(Place place, std::string what) {
    if (!fault_)
      fault_ = Error{std::move(what), name_ + ":" + std::to_string(place.line) + ":" + std::to_string(place.column), {}};
  }

 private:
  void Take(const Member& m, Provider& p) {
    seen_.insert(m.key);
    if (m.key == "id") return void(p.id = Text(m.value));
    if (m.key == "name") return void(p.name = Text(m.value));
    if (m.key == "chinese") return void(p.chinese = Text(m.value));
    if (m.key == "words") return void(p.words = Texts(m.value));
    if (m.key == "domains") return void(p.domains = Texts(m.value));
    if (m.key == "pop3") return Servers(Service::kPop3, m.value, p.pop3);
    if (m.key == "imap") return Servers(Service::kImap, m.value, p.imap);
    if (m.key == "smtp") return Servers(Service::kSmtp, m.value, p.smtp);
    if (m.key == "needs") return Needs(m.value, p.needs);
    if (m.key == "user") {
      p.local_user = Text(m.value) == "local";
      if (!p.local_user && m.value.text != "address") Blame(m.value.place, "must be \"address\" or \"local\"");
    } else if (m.key == "catch") {
      Both(m.value, {{"en", &p.catch_english}, {"zh", &p.catch_chinese}});
    } else if (m.key == "source") {
      std::string year;
      Both(m.value, {{"url", &p.source}, {"year", &year}});
      p.year = static_cast<int>(ParseNumber(year).value_or(0));
      if (!p.source.starts_with("https://") || p.year < 2000) Blame(m.value.place, "needs an https URL and a year");
    } else {
      Blame(m.place, "there is no \"" + m.key + "\"");
    }
  }
  // A table of just these keys.
  void Both(const Value& value, const std::map<std::string, std::string*>& wanted) {
    for (const Member& m : value.members) {
      const auto at = wanted.find(m.key);
      if (at == wanted.end()) return Blame(m.place, "there is no \"" + m.key + "\"");
      *at->second = m.value.kind == Value::Kind::kWhole ? std::to_string(m.value.whole) : Text(m.value);
    }
    for (const auto& [key, to] : wanted)
      if (to->empty()) Blame(value.place, "lacks \"" + key + "\"");
  }
  std::string Text(const Value& value) {
    if (value.kind != Value::Kind::kText || value.text.empty()) Blame(value.place, "must be a text");
    return value.text;
  }
  std::vector<std::string> Texts(const Value& value) {
    std::vector<std::string> out;
    if (value.kind != Value::Kind::kList) Blame(value.place, "must be a list of texts");
    for (const Value& item : value.items) out.push_back(Text(item));
    return out;
  }
  void Needs(const Value& value, std::vector<Need>& needs) {
    for (const std::string& text : Texts(value)) {
      const auto at = std::ranges::find(kNeedNames, text);
      if (at == std::end(kNeedNames)) return Blame(value.place, "there is no need \"" + text + "\"");
      needs.push_back(static_cast<Need>(at - std::begin(kNeedNames)));
    }
  }
  // "HOST PORT TLS"
  void Servers(Service service, const Value& value, std::vector<ServerAddress>& servers) {
    for (const std::string& text : Texts(value)) {
      const std::size_t port = text.find(' ');
      const std::size_t tls = text.rfind(' ');
      const auto kind = tls == std::string::npos ? std::nullopt : ParseTlsKind(Octets(text).substr(tls + 1));
      if (!kind || port == tls) return Blame(value.place, "must be \"HOST PORT implicit|starttls|none\"");
      const auto server = ParseServer(service, text.substr(0, port) + ":" + text.substr(port + 1, tls - port - 1), kind);
      if (!server) return Blame(value.place, server.error().Text());
      servers.push_back(*server);
    }
  }

  std::string name_;
  std::set<std::string, std::less<>> seen_;
  std::optional<Error> fault_;
};

bool IsServerOf(const Provider& p, Octets host) {
  return std::ranges::any_of(kServices, [&](Service s) {
    return std::ranges::any_of(p.At(s), [&](const ServerAddress& server) { return server.host == host; });
  });
}

bool IsCalled(const Provider& p, Octets word) {
  const auto same = [&](const std::string& text) { return Lower(text) == word; };
  return same(p.id) || same(p.name) || same(p.chinese) || std::ranges::any_of(p.words, same) ||
         std::ranges::any_of(p.domains, same) || IsServerOf(p, word);
}

bool HasInItsName(const Provider& p, Octets word) {
  const auto has = [&](const std::string& text) { return Lower(text).contains(word); };
  return has(p.id) || has(p.name) || has(p.chinese) || std::ranges::any_of(p.words, has);
}

}  // namespace

std::string_view Name(Need need) { return kNeedNames[static_cast<int>(need)]; }

const std::vector<ServerAddress>& Provider::At(Service service) const {
  return service == Service::kPop3 ? pop3 : service == Service::kImap ? imap : smtp;
}

bool Provider::Needs(Need need) const { return std::ranges::find(needs, need) != needs.end(); }

const ServerAddress* Provider::Best(Service service) const {
  for (const ServerAddress& server : At(service))
    if (server.tls != TlsKind::kNone) return &server;
  return nullptr;
}

Expected<std::vector<Provider>> ReadProviders(Octets toml, const std::string& name) {
  Value root;
  EntryReader reader(name);
  std::vector<Provider> all;
  if (const auto fault = ReadToml(toml, root)) {
    reader.Blame(fault->place, fault->what);
    return std::unexpected(*reader.fault());
  }
  std::set<std::string> ids, domains;
  for (const Member& m : root.members) {
    if (m.key != "provider" || m.value.kind != Value::Kind::kList) reader.Blame(m.place, "only [[provider]] can stand here");
    for (const Value& entry : m.value.items) {
      all.push_back(reader.Read(entry));
      if (!ids.insert(all.back().id).second) reader.Blame(entry.place, "the id \"" + all.back().id + "\" is there twice");
      for (const std::string& domain : all.back().domains) {
        const bool fresh = domains.insert(domain).second;
        if (!fresh || net::AsciiDomain(domain) != domain)
          reader.Blame(entry.place, "\"" + domain + "\" is there twice, or no domain in A-labels");
      }
    }
  }
  if (reader.fault()) return std::unexpected(*reader.fault());
  return all;
}

std::span<const Provider> Providers() {
  static const std::vector<Provider> all = ReadProviders(kProvidersText, "providers.toml").value_or(std::vector<Provider>{});
  return all;
}

const Provider* FindByDomain(Octets domain) {
  for (const Provider& p : Providers())
    if (std::ranges::any_of(p.domains, [&](const std::string& d) { return EqualsNoCase(d, domain); })) return &p;
  return nullptr;
}

std::vector<const Provider*> FindProviders(Octets asked) {
  std::vector<const Provider*> found;
  const std::size_t at = asked.rfind('@');
  const std::string word = Lower(Trim(at == Octets::npos ? asked : asked.substr(at + 1)));
  if (word.empty()) return found;
  if (const Provider* p = FindByDomain(net::AsciiDomain(word).value_or(word))) return {p};
  if (at != Octets::npos) return found;
  for (const Provider& p : Providers())
    if (IsCalled(p, word)) found.push_back(&p);
  if (!found.empty()) return found;
  for (const Provider& p : Providers())
    if (HasInItsName(p, word)) found.push_back(&p);
  return found;
}

}  // namespace glasspost::agent
