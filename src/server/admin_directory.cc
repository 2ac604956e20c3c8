// Domains, users and aliases.
#include <algorithm>

#include "base/ascii.h"
#include "server/admin_call.h"
#include "server/admin_names.h"

namespace glasspost::server {
namespace {

constexpr std::string_view kRoles[] = {"postmaster", "abuse"};  // RFC 5321 §4.5.1, RFC 2142 §2

// 31 signs that nobody takes for one another; twenty of them are 99 bits.
constexpr std::string_view kSigns = "abcdefghijkmnpqrstuvwxyz2345679";
constexpr std::size_t kLoopSteps = 1000;  // looked at for a loop; stops a web of aliases from keeping the server
constexpr std::size_t kGroups = 4, kGroupSigns = 5;

std::string MadePassword(Randomness& randomness) {
  std::string password;
  while (password.size() < kGroups * (kGroupSigns + 1) - 1) {
    if (password.size() % (kGroupSigns + 1) == kGroupSigns) {
      password.push_back('-');
      continue;
    }
    const auto drawn = static_cast<std::uint8_t>(randomness.Draw(1).front());
    const std::size_t fair = 256 / kSigns.size() * kSigns.size();  // each sign equally often
    if (drawn < fair) password.push_back(kSigns[drawn % kSigns.size()]);
  }
  return password;
}

json::array JsonTexts(const std::vector<std::string>& texts) {
  json::array out;
  for (const std::string& text : texts) out.push_back(JsonText(text));
  return out;
}

json::array Schemes(const std::vector<std::string>& verifiers) {
  json::array out;
  for (const std::string& verifier : verifiers) {
    const std::size_t end = verifier.find('}');
    if (verifier.starts_with('{') && end != std::string::npos) out.push_back(JsonText(Octets(verifier).substr(1, end - 1)));
  }
  return out;
}

}  // namespace

net::Task<void> AdminCall::DirectoryChanged() {
  context_.recipients.Invalidate();
  // Who is told that a user was added may log in as him at once.
  co_await net::Await<bool>(peer_.waiter(),
                            [&](auto done) { context_.directory_changed([done = std::move(done)]() mutable { done(true); }); });
}

AdminCall::Reply AdminCall::DomainAdd() {
  const auto domain = ParseDomainName(Text("domain"));
  if (!domain) co_return No(domain.error());
  std::vector<store::NewAccount> accounts;
  for (const std::string_view role : kRoles) accounts.push_back({{std::string(role), *domain}, {}, 0});
  const auto done = co_await Call<void>(
      [&](auto d) { context_.store.directory().AddDomain(*domain, std::move(accounts), context_.clock.Now(), std::move(d)); });
  if (!done) {
    if (done.error().fault == store::Fault::kExists) co_return No("exists", "the domain is there already: " + *domain);
    co_return No(done.error());
  }
  co_await DirectoryChanged();
  json::object answer = Yes();
  answer["domain"] = JsonText(*domain);
  std::vector<std::string> made;
  for (const std::string_view role : kRoles) made.push_back(std::string(role) + "@" + *domain);
  answer["accounts"] = JsonTexts(made);
  co_return answer;
}

AdminCall::Reply AdminCall::DomainRemove() {
  const auto domain = ParseDomainName(Text("domain"));
  if (!domain) co_return No(domain.error());
  bool with_all = Flag("with_all");
  if (!with_all) {
    // The two that came with it do not count, as long as they hold no mail.
    const auto accounts = co_await Call<std::vector<store::Account>>(
        [&](auto d) { context_.store.directory().ListAccounts(*domain, 0, std::move(d)); });
    if (!accounts) co_return No(accounts.error());
    const auto aliases = co_await Call<std::vector<store::Alias>>(
        [&](auto d) { context_.store.directory().ListAliases(*domain, {}, std::move(d)); });
    if (!aliases) co_return No(aliases.error());
    with_all = aliases->empty() && std::ranges::all_of(*accounts, [](const store::Account& a) {
                 return a.messages == 0 && std::ranges::find(kRoles, a.name.local) != std::end(kRoles);
               });
  }
  const auto done = co_await Call<void>(
      [&](auto d) { context_.store.directory().RemoveDomain(*domain, with_all, context_.clock.Now(), std::move(d)); });
  if (!done) {
    if (done.error().fault == store::Fault::kNotFound) co_return No("not-found", "there is no domain " + *domain);
    if (done.error().fault == store::Fault::kNotEmpty)
      co_return No("not-empty", "the domain has users, aliases or mail: " + *domain);
    co_return No(done.error());
  }
  co_await DirectoryChanged();
  co_return Yes();
}

AdminCall::Reply AdminCall::DomainList() {
  for (std::string after;;) {
    const auto domains =
        co_await Call<std::vector<std::string>>([&](auto d) { context_.store.directory().ListDomains(after, std::move(d)); });
    if (!domains) co_return No(domains.error());
    if (domains->empty()) break;
    for (const std::string& domain : *domains) {
      json::object row;
      row["domain"] = JsonText(domain);
      const bool sent = co_await peer_.SendRow(std::move(row));
      if (!sent) co_return Yes();
    }
    after = domains->back();
  }
  co_return Yes();
}

net::Task<Expected<std::vector<std::string>>> AdminCall::WantedVerifiers(json::object& answer) {
  const std::vector<std::string> given = TextsIn(request_, "verifiers");
  if (!given.empty()) {
    for (const std::string& verifier : given) {
      auto good = context_.check_verifier(verifier);
      if (!good) co_return std::unexpected(std::move(good.error()));
    }
    if (given.size() > store::DirectoryLimits::kVerifiers) co_return Fail("too many verifiers");
    co_return given;
  }
  std::string password = Text("password");
  if (Flag("generate")) {
    password = MadePassword(context_.randomness);
    answer["password"] = JsonText(password);
  }
  if (password.empty()) co_return Fail("no password is given");
  auto made = co_await net::Await<Expected<std::vector<std::string>>>(
      peer_.waiter(), [&](auto done) { context_.make_verifiers(std::move(password), std::move(done)); });
  if (!made) co_return Fail("the server is shutting down");
  co_return *std::move(made);
}

AdminCall::Reply AdminCall::UserAdd() {
  const auto name = ParseAddressName(Text("address"));
  if (!name) co_return No(name.error());
  json::object answer = Yes();
  auto verifiers = co_await WantedVerifiers(answer);
  if (!verifiers) co_return No(verifiers.error());
  store::NewAccount account{*name, *std::move(verifiers), Number("quota", context_.settings()->quota)};
  const auto done = co_await Call<store::AccountId>(
      [&](auto d) { context_.store.directory().AddAccount(std::move(account), context_.clock.Now(), std::move(d)); });
  if (!done) {
    if (done.error().fault == store::Fault::kExists) co_return No("exists", "the user is there already: " + name->Text());
    if (done.error().fault == store::Fault::kNotFound)
      co_return No("not-found", "there is no domain " + name->domain + " here (glasspost domain add " + name->domain + ")");
    co_return No(done.error());
  }
  co_await DirectoryChanged();
  answer["address"] = JsonText(name->Text());
  const auto alias = co_await FindAlias(*name);
  answer["hidden_by_alias"] =
      alias.has_value() && alias->has_value() && std::ranges::find((*alias)->targets, *name) == (*alias)->targets.end();
  co_return answer;
}

AdminCall::Reply AdminCall::UserRemove() {
  const auto name = ParseAddressName(Text("address"));
  if (!name) co_return No(name.error());
  const auto done =
      co_await Call<void>([&](auto d) { context_.store.directory().RemoveAccount(*name, context_.clock.Now(), std::move(d)); });
  if (!done) {
    if (done.error().fault == store::Fault::kNotFound) co_return No("not-found", "there is no user " + name->Text());
    if (done.error().fault == store::Fault::kInUse)
      co_return No("in-use", "the user is reading mail at the moment: " + name->Text());
    co_return No(done.error());
  }
  co_await DirectoryChanged();
  co_return Yes();
}

AdminCall::Reply AdminCall::UserPassword() {
  const auto name = ParseAddressName(Text("address"));
  if (!name) co_return No(name.error());
  json::object answer = Yes();
  auto verifiers = co_await WantedVerifiers(answer);
  if (!verifiers) co_return No(verifiers.error());
  const auto done =
      co_await Call<void>([&](auto d) { context_.store.directory().SetVerifiers(*name, *std::move(verifiers), std::move(d)); });
  if (!done) {
    if (done.error().fault == store::Fault::kNotFound) co_return No("not-found", "there is no user " + name->Text());
    co_return No(done.error());
  }
  co_await DirectoryChanged();
  co_return answer;
}

AdminCall::Reply AdminCall::UserQuota() {
  const auto name = ParseAddressName(Text("address"));
  if (!name) co_return No(name.error());
  const auto done =
      co_await Call<void>([&](auto d) { context_.store.directory().SetQuota(*name, Number("quota"), std::move(d)); });
  if (!done) {
    if (done.error().fault == store::Fault::kNotFound) co_return No("not-found", "there is no user " + name->Text());
    co_return No(done.error());
  }
  co_await DirectoryChanged();
  co_return Yes();
}

AdminCall::Reply AdminCall::UserList() {
  std::string domain = Text("domain");
  if (!domain.empty()) {
    auto parsed = ParseDomainName(domain);
    if (!parsed) co_return No(parsed.error());
    domain = *std::move(parsed);
  }
  for (store::AccountId after = 0;;) {
    const auto accounts = co_await Call<std::vector<store::Account>>(
        [&](auto d) { context_.store.directory().ListAccounts(domain, after, std::move(d)); });
    if (!accounts) co_return No(accounts.error());
    if (accounts->empty()) break;
    for (const store::Account& account : *accounts) {
      json::object row;
      row["address"] = JsonText(account.name.Text());
      row["messages"] = account.messages;
      row["used"] = account.used;
      row["quota"] = account.quota;
      row["schemes"] = Schemes(account.verifiers);
      const bool sent = co_await peer_.SendRow(std::move(row));
      if (!sent) co_return Yes();
    }
    after = accounts->back().id;
  }
  co_return Yes();
}

// The store lists what comes after a name, so one shortly before it is asked for.
net::Task<store::Result<std::optional<store::Alias>>> AdminCall::FindAlias(store::AddressName name) {
  for (char& c : name.local) c = ToLower(c);
  store::AddressName after;  // of all; the catch-all is the first
  if (!name.local.empty()) after = {name.local.substr(0, name.local.size() - 1), name.domain};
  for (;;) {
    const auto page = co_await Call<std::vector<store::Alias>>(
        [&](auto d) { context_.store.directory().ListAliases(name.domain, after, std::move(d)); });
    if (!page) co_return std::unexpected(page.error());
    for (const store::Alias& alias : *page)
      if (alias.name == name) co_return alias;
    if (page->empty() || page->back().name.local > name.local) co_return std::nullopt;
    after = page->back().name;
  }
}

// The way by which an alias would lead back to itself, "a@x.test, b@x.test, a@x.test"; empty: it does not. One to itself alone is
// fine where a user has that name: he keeps what is his.
net::Task<std::string> AdminCall::LoopOf(store::Alias alias) {
  struct Step {
    store::AddressName at;
    std::string way;
  };
  if (alias.name.local.empty()) co_return std::string();  // the catch-all: what it leads to is resolved without it
  std::vector<Step> steps;
  std::vector<store::AddressName> seen;
  for (const store::AddressName& target : alias.targets) steps.push_back({target, alias.name.Text() + ", " + target.Text()});
  while (!steps.empty() && seen.size() < kLoopSteps) {
    const Step step = std::move(steps.back());
    steps.pop_back();
    if (EqualsNoCase(step.at.Text(), alias.name.Text())) {
      const auto user =
          co_await Call<store::Account>([&](auto d) { context_.store.directory().FindAccount(alias.name, std::move(d)); });
      if (user.has_value()) continue;
      co_return step.way;
    }
    if (std::ranges::find(seen, step.at) != seen.end()) continue;
    seen.push_back(step.at);
    const auto next = co_await FindAlias(step.at);
    if (!next || !*next) continue;
    for (const store::AddressName& target : (*next)->targets) steps.push_back({target, step.way + ", " + target.Text()});
  }
  co_return std::string();
}

AdminCall::Reply AdminCall::AliasAdd() {
  const auto name = ParseAliasName(Text("address"));
  if (!name) co_return No(name.error());
  store::Alias alias{*name, {}};
  const std::vector<std::string> targets = TextsIn(request_, "targets");
  if (targets.empty()) co_return No("invalid", "no address is given that the alias leads to");
  if (targets.size() > AdminLimits::kTargets) co_return No("too-large", "too many targets");
  if (!Flag("replace")) {
    auto known = co_await FindAlias(*name);
    if (!known) co_return No(known.error());
    if (*known) alias.targets = std::move((*known)->targets);
  }
  for (const std::string& text : targets) {
    auto target = ParseAddressName(text);
    if (!target) co_return No(target.error());
    if (std::ranges::find(alias.targets, *target) == alias.targets.end()) alias.targets.push_back(*std::move(target));
  }
  const std::string way = co_await LoopOf(alias);
  if (!way.empty()) co_return No("invalid", "this would be a loop: " + way);
  const auto done = co_await Call<void>([&](auto d) { context_.store.directory().SetAlias(alias, std::move(d)); });
  if (!done) {
    if (done.error().fault == store::Fault::kNotFound)
      co_return No("not-found", "there is no domain " + name->domain + " here (glasspost domain add " + name->domain + ")");
    co_return No(done.error());
  }
  co_await DirectoryChanged();
  json::object answer = Yes();
  std::vector<std::string> all;
  for (const store::AddressName& target : alias.targets) all.push_back(target.Text());
  answer["targets"] = JsonTexts(all);
  // A user of this name no longer gets what is sent to it, unless the alias leads to him, too.
  const auto user = co_await Call<store::Account>([&](auto d) { context_.store.directory().FindAccount(*name, std::move(d)); });
  const auto is_user = [&](const store::AddressName& target) { return EqualsNoCase(target.Text(), name->Text()); };
  answer["hides_user"] = user.has_value() && std::ranges::none_of(alias.targets, is_user);
  // What of it leads nowhere: no mistake (the user may come later), but worth a word.
  if (!name->local.empty()) {
    const auto resolved =
        co_await Call<store::Resolution>([&](auto d) { context_.store.directory().Resolve(*name, std::move(d)); });
    std::vector<std::string> nowhere;
    if (resolved)
      for (const store::AddressName& target : resolved->unresolved) nowhere.push_back(target.Text());
    answer["unresolved"] = JsonTexts(nowhere);
  }
  co_return answer;
}

AdminCall::Reply AdminCall::AliasRemove() {
  const auto name = ParseAliasName(Text("address"));
  if (!name) co_return No(name.error());
  const std::vector<std::string> targets = TextsIn(request_, "targets");
  const std::string missing = "there is no alias " + name->Text();
  store::Alias alias{*name, {}};
  if (!targets.empty()) {
    auto known = co_await FindAlias(*name);
    if (!known) co_return No(known.error());
    if (!*known) co_return No("not-found", missing);
    alias.targets = std::move((*known)->targets);
    for (const std::string& text : targets) {
      const auto target = ParseAddressName(text);
      if (!target) co_return No(target.error());
      if (std::erase(alias.targets, *target) == 0) co_return No("not-found", "the alias does not lead to " + target->Text());
    }
  }
  const bool whole = alias.targets.empty();
  const auto done = co_await Call<void>([&](auto d) {
    if (whole) {
      context_.store.directory().RemoveAlias(*name, std::move(d));
    } else {
      context_.store.directory().SetAlias(alias, std::move(d));
    }
  });
  if (!done) co_return done.error().fault == store::Fault::kNotFound ? No("not-found", missing) : No(done.error());
  co_await DirectoryChanged();
  co_return Yes();
}

AdminCall::Reply AdminCall::AliasList() {
  std::string domain = Text("domain");
  if (!domain.empty()) {
    auto parsed = ParseDomainName(domain);
    if (!parsed) co_return No(parsed.error());
    domain = *std::move(parsed);
  }
  for (store::AddressName after;;) {
    const auto aliases = co_await Call<std::vector<store::Alias>>(
        [&](auto d) { context_.store.directory().ListAliases(domain, after, std::move(d)); });
    if (!aliases) co_return No(aliases.error());
    if (aliases->empty()) break;
    for (const store::Alias& alias : *aliases) {
      std::vector<std::string> targets;
      for (const store::AddressName& target : alias.targets) targets.push_back(target.Text());
      json::object row;
      row["address"] = JsonText(alias.name.Text());
      row["targets"] = JsonTexts(targets);
      const bool sent = co_await peer_.SendRow(std::move(row));
      if (!sent) co_return Yes();
    }
    after = aliases->back().name;
  }
  co_return Yes();
}

}  // namespace glasspost::server
