// What can be looked at: conversations, journeys.
#include <algorithm>

#include "base/ascii.h"
#include "base/base64.h"
#include "server/admin_call.h"

namespace glasspost::server {
namespace {

constexpr std::chrono::milliseconds kFollowed(150);  // a running conversation is looked at so often
constexpr std::string_view kHexDigits = "0123456789abcdef";

std::string Hex(Octets octets) {
  std::string out;
  for (const char c : octets) {
    const auto octet = static_cast<std::uint8_t>(c);
    out.push_back(kHexDigits[octet >> 4]);
    out.push_back(kHexDigits[octet & 0xf]);
  }
  return out;
}

// 64 hexadecimal digits; empty for anything else.
std::string DigestOf(Octets text) {
  if (text.size() != 2 * std::tuple_size_v<store::Digest>) return {};
  std::string out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const std::size_t high = kHexDigits.find(ToLower(text[i])), low = kHexDigits.find(ToLower(text[i + 1]));
    if (high == std::string_view::npos || low == std::string_view::npos) return {};
    out.push_back(static_cast<char>(high << 4 | low));
  }
  return out;
}

json::object RowOf(const store::ConversationHead& head) {
  json::object row;
  row["number"] = head.number;
  row["begin"] = head.begin;
  row["end"] = head.end;
  row["protocol"] = JsonText(head.protocol);
  row["peer"] = JsonText(head.peer);
  row["summary"] = JsonText(EncodeBase64(head.summary));
  row["octets"] = head.octets;
  return row;
}

// As the store selects.
bool Fits(const store::ConversationHead& head, const store::ConversationSelection& selection) {
  return head.number < selection.before && (selection.protocol.empty() || head.protocol == selection.protocol) &&
         head.peer.starts_with(selection.peer);
}

}  // namespace

AdminCall::Reply AdminCall::Conversations() {
  store::ConversationSelection selection;
  selection.before = Number("before", ~0ull);
  selection.protocol = Text("protocol");
  selection.peer = Text("peer");
  std::uint64_t left = Number("limit", ~0ull);
  std::vector<store::ConversationHead> running;
  if (const std::uint64_t since = Number("ended_since"); since != 0) {
    selection.ended_since = static_cast<Timestamp>(since);
  } else {
    running = context_.running();
    std::erase_if(running, [&](const store::ConversationHead& head) { return !Fits(head, selection); });
    for (auto head = running.rbegin(); head != running.rend() && left > 0; ++head, --left) {
      auto row = RowOf(*head);
      row["running"] = true;
      const bool sent = co_await peer_.SendRow(std::move(row));
      if (!sent) co_return Yes();
    }
  }
  while (left > 0) {
    selection.limit = static_cast<std::size_t>(std::min<std::uint64_t>(left, store::DirectoryLimits::kPage));
    const auto heads = co_await Call<std::vector<store::ConversationHead>>(
        [&](auto d) { context_.store.conversations().List(selection, std::move(d)); });
    if (!heads) co_return No(heads.error());
    if (heads->empty()) break;
    for (const store::ConversationHead& head : *heads) {
      if (std::ranges::binary_search(running, head.number, {}, &store::ConversationHead::number)) continue;  // it ended just now
      const bool sent = co_await peer_.SendRow(RowOf(head));
      if (!sent) co_return Yes();
    }
    left -= std::min<std::uint64_t>(left, heads->size());
    selection.before = heads->back().number;
  }
  co_return Yes();
}

AdminCall::Reply AdminCall::Conversation() {
  const std::uint64_t number = Number("number");
  const bool follow = Flag("follow");
  // Looked on until this request is over, however that comes about.
  struct LookOn {
    AdminContext& context;
    std::uint64_t number;
    bool running;
    ~LookOn() {
      if (running) context.follow(number, false);
    }
  } look{context_, number, context_.follow(number, true)};
  if (follow) {
    json::object row;
    row["running"] = look.running;
    const bool sent = co_await peer_.SendRow(std::move(row));
    if (!sent) co_return Yes();
  }
  json::object answer = Yes();
  std::uint64_t offset = 0;
  for (bool over = false;;) {
    // Asked before the octets: what it then has, it has all.
    const auto head =
        co_await Call<store::ConversationHead>([&](auto d) { context_.store.conversations().Find(number, std::move(d)); });
    if (!head && head.error().fault != store::Fault::kNotFound) co_return No(head.error());
    over = head.has_value() || !follow || !look.running;
    for (;;) {
      const auto octets = co_await Call<std::string>(
          [&](auto d) { context_.store.conversations().Read(number, offset, store::MessageLimits::kChunk, std::move(d)); });
      if (!octets) co_return No(octets.error());
      if (octets->empty()) break;
      offset += octets->size();
      const bool sent = co_await peer_.SendOctets(*octets);
      if (!sent) co_return answer;
    }
    if (over) {
      if (head) answer["head"] = RowOf(*head);
      if (!head && offset == 0 && !look.running)
        co_return No("not-found", "there is no conversation " + std::to_string(number) + ", or it is kept no more");
      answer["running"] = !head && look.running;
      co_return answer;
    }
    const bool slept = co_await peer_.Sleep(kFollowed);
    if (!slept) co_return answer;
    // It may have ended without anything worth keeping. Looked on at twice, it is let go of once.
    if (context_.follow(number, true)) {
      context_.follow(number, false);
    } else {
      look.running = false;
    }
  }
}

AdminCall::Reply AdminCall::Journey() {
  using Key = store::JourneyQuery::Key;
  const std::string key(Trim(Text("key")));
  if (key.empty()) co_return No("invalid", "no Message-ID, queue id or address is given");
  std::vector<store::JourneyQuery> queries;
  const auto ask = [&](Key kind, std::string text, store::MessageId message = 0) {
    store::JourneyQuery query;
    query.key = kind;
    query.text = std::move(text);
    query.message = message;
    queries.push_back(std::move(query));
  };
  // What it is, is to be seen, but for an address and a Message-ID without its brackets: the latter is tried first.
  if (const std::string digest = DigestOf(key); !digest.empty()) {
    ask(Key::kDigest, digest);
  } else if (const store::MessageId message = store::ParseQueueId(key); message != 0) {
    ask(Key::kMessage, {}, message);
  } else {
    ask(Key::kMessageId, key.starts_with('<') ? key : "<" + key + ">");
    ask(Key::kMessageId, key);
    ask(Key::kAddress, key.starts_with('<') && key.ends_with('>') ? key.substr(1, key.size() - 2) : key);
  }
  for (store::JourneyQuery& query : queries) {
    const auto events = co_await Call<std::vector<store::JourneyEvent>>(
        [&](auto d) { context_.store.journeys().Find(std::move(query), std::move(d)); });
    if (!events) co_return No(events.error());
    if (events->empty()) continue;
    const std::string host = context_.settings()->host;
    for (const store::JourneyEvent& event : *events) {
      json::object row;
      row["host"] = JsonText(host);
      row["time"] = event.time;
      row["id"] = event.message == 0 ? json::string() : JsonText(store::QueueIdText(event.message));
      row["kind"] = event.kind;
      row["conversation"] = event.conversation;
      row["sender"] = JsonText(event.sender);
      row["recipient"] = JsonText(event.recipient);
      row["message_id"] = JsonText(event.message_id);
      row["digest"] = JsonText(Hex(event.digest));
      row["detail"] = JsonText(EncodeBase64(event.detail));
      const bool sent = co_await peer_.SendRow(std::move(row));
      if (!sent) co_return Yes();
    }
    co_return Yes();
  }
  co_return No("not-found", "no message is known by that Message-ID, queue id or address: " + key);
}

}  // namespace glasspost::server
