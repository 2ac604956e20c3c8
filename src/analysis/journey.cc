#include "analysis/journey.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

namespace glasspost::analysis {
namespace {

// A queue id in a reply is another host's, and may be used again there one day.
constexpr std::int64_t kSameHandover = std::int64_t{3600} * 1'000'000'000;

struct Leg {
  std::string host, queue_id;
  std::vector<std::size_t> records;  // in the order of their times
  std::set<std::string> digests, message_ids;
  Timestamp begin = 0;
  Joint joint = Joint::kFirst;
  std::size_t from = kNone;      // leg that handed it over
  std::size_t handover = kNone;  // record of that
  std::int64_t ahead = 0;
  bool shifted = false;
  static constexpr std::size_t kNone = ~std::size_t{0};
};

class Joiner {
 public:
  explicit Joiner(std::vector<JourneyRecord> records) : records_(std::move(records)) {
    std::stable_sort(records_.begin(), records_.end(), [](const auto& a, const auto& b) { return a.time < b.time; });
  }

  std::vector<Journey> Run() {
    MakeLegs();
    group_.resize(legs_.size());
    std::iota(group_.begin(), group_.end(), std::size_t{0});
    JoinByDigest();
    JoinByQueueId();
    JoinByMessageId();
    FindHandovers();
    std::map<std::size_t, std::vector<std::size_t>> journeys;
    for (std::size_t i = 0; i < legs_.size(); ++i) journeys[Root(i)].push_back(i);
    std::vector<Journey> out;
    for (auto& [root, legs] : journeys) out.push_back(Make(std::move(legs)));
    std::stable_sort(out.begin(), out.end(),
                     [](const Journey& a, const Journey& b) { return a.steps.front().told < b.steps.front().told; });
    return out;
  }

 private:
  void MakeLegs() {
    std::map<std::pair<std::string, std::string>, std::size_t> known;
    std::set<std::tuple<std::string, std::string, Timestamp, JourneyKind, std::string, std::string>> seen;
    for (std::size_t i = 0; i < records_.size(); ++i) {
      const JourneyRecord& r = records_[i];
      if (!seen.emplace(r.host, r.queue_id, r.time, r.kind, r.recipient, r.detail).second) continue;
      // Of an event without a queue id only the message says where it belongs.
      const std::string id = !r.queue_id.empty() ? r.queue_id : !r.digest.empty() ? " " + r.digest : " " + r.message_id;
      const auto [it, fresh] = known.emplace(std::pair(r.host, id), legs_.size());
      if (fresh) {
        legs_.emplace_back();
        legs_.back().host = r.host;
        legs_.back().queue_id = r.queue_id;
        legs_.back().begin = r.time;
      }
      Leg& leg = legs_[it->second];
      leg.records.push_back(i);
      if (!r.digest.empty()) leg.digests.insert(r.digest);
      if (!r.message_id.empty()) leg.message_ids.insert(r.message_id);
    }
  }

  std::size_t Root(std::size_t leg) {
    while (group_[leg] != leg) leg = group_[leg] = group_[group_[leg]];
    return leg;
  }
  // False: they were together before.
  bool Unite(std::size_t a, std::size_t b) {
    a = Root(a);
    b = Root(b);
    if (a == b) return false;
    group_[std::max(a, b)] = std::min(a, b);
    return true;
  }
  void Join(std::size_t earlier, std::size_t later, Joint joint) {
    if (legs_[later].begin < legs_[earlier].begin) std::swap(earlier, later);
    if (Unite(earlier, later)) legs_[later].joint = joint;
  }

  void JoinByDigest() {
    std::map<std::string, std::size_t> first;
    for (std::size_t i = 0; i < legs_.size(); ++i)
      for (const std::string& digest : legs_[i].digests)
        if (const auto [it, fresh] = first.emplace(digest, i); !fresh) Join(it->second, i, Joint::kDigest);
  }

  template <class Found>
  void ForEachHandover(Found found) {
    std::multimap<std::string, std::size_t> by_id;
    for (std::size_t i = 0; i < legs_.size(); ++i)
      if (!legs_[i].queue_id.empty()) by_id.emplace(legs_[i].queue_id, i);
    for (std::size_t i = 0; i < legs_.size(); ++i) {
      for (const std::size_t r : legs_[i].records) {
        if (records_[r].kind != JourneyKind::kRelayed) continue;
        const std::string next(FindDetail(records_[r].detail, "next_id"));
        if (next.empty()) continue;
        const auto [begin, end] = by_id.equal_range(next);
        for (auto it = begin; it != end; ++it)
          if (it->second != i) found(i, r, it->second);
      }
    }
  }

  void JoinByQueueId() {
    ForEachHandover([this](std::size_t from, std::size_t record, std::size_t to) {
      const std::int64_t apart = legs_[to].begin - records_[record].time;
      if (std::max(apart, -apart) <= kSameHandover && Unite(from, to)) legs_[to].joint = Joint::kQueueId;
    });
  }

  void JoinByMessageId() {
    std::map<std::string, std::size_t> first;
    for (std::size_t i = 0; i < legs_.size(); ++i)
      for (const std::string& id : legs_[i].message_ids)
        if (const auto [it, fresh] = first.emplace(id, i); !fresh) Join(it->second, i, Joint::kMessageId);
  }

  // Which relaying brought each leg of a journey.
  void FindHandovers() {
    ForEachHandover([this](std::size_t from, std::size_t record, std::size_t to) {
      if (legs_[to].from != Leg::kNone || Root(from) != Root(to)) return;
      legs_[to].from = from;
      legs_[to].handover = record;
    });
  }

  // What the next hop did with a message, it began before it said 250 to it. Where its clock says otherwise it goes wrong.
  void Shift(std::size_t at, int depth) {
    Leg& leg = legs_[at];
    if (std::exchange(leg.shifted, true) || leg.from == Leg::kNone) return;
    if (depth < static_cast<int>(legs_.size())) Shift(leg.from, depth + 1);
    const Leg& before = legs_[leg.from];
    const Timestamp said = records_[leg.handover].time - before.ahead;
    // The attempt that ended so: the last before it. Without one, any time before will do.
    Timestamp began = kNoTime;
    for (const std::size_t r : before.records)
      if (records_[r].kind == JourneyKind::kAttempt && r < leg.handover) began = records_[r].time - before.ahead;
    leg.ahead = before.host == leg.host                 ? before.ahead
                : leg.begin > said                      ? leg.begin - said
                : began != kNoTime && leg.begin < began ? leg.begin - began
                                                        : 0;
  }

  Journey Make(std::vector<std::size_t> legs) {
    for (const std::size_t leg : legs) Shift(leg, 0);
    std::stable_sort(legs.begin(), legs.end(), [this](std::size_t a, std::size_t b) {
      return legs_[a].begin - legs_[a].ahead < legs_[b].begin - legs_[b].ahead;
    });
    Journey journey;
    for (std::size_t i = 0; i < legs.size(); ++i) {
      const Leg& leg = legs_[legs[i]];
      journey.legs.push_back({leg.host, leg.queue_id, leg.joint, leg.ahead});
      for (const std::size_t r : leg.records) journey.steps.push_back({std::move(records_[r]), i, 0});
    }
    for (JourneyStep& step : journey.steps) step.told = step.record.time - journey.legs[step.leg].ahead;
    // At one moment: what a host did with it comes before the word of the one that handed it over.
    std::stable_sort(journey.steps.begin(), journey.steps.end(), [](const JourneyStep& a, const JourneyStep& b) {
      return std::tuple(a.told, a.record.kind == JourneyKind::kRelayed) <
             std::tuple(b.told, b.record.kind == JourneyKind::kRelayed);
    });
    for (const JourneyStep& step : journey.steps) {
      const JourneyRecord& r = step.record;
      if (journey.message_id.empty()) journey.message_id = r.message_id;
      if (journey.digest.empty()) journey.digest = r.digest;
      if (journey.sender.empty() && r.kind == JourneyKind::kAccepted) journey.sender = r.sender;
    }
    return journey;
  }

  std::vector<JourneyRecord> records_;
  std::vector<Leg> legs_;
  std::vector<std::size_t> group_;
};

}  // namespace

std::string_view Name(Joint joint) {
  static constexpr std::string_view kNames[] = {"first", "digest", "queue-id", "message-id"};
  return kNames[static_cast<std::size_t>(joint)];
}

bool Journey::probable() const {
  return std::ranges::any_of(legs, [](const JourneyLeg& leg) { return leg.joint == Joint::kMessageId; });
}

std::size_t Journey::hosts() const {
  std::set<std::string_view> names;
  for (const JourneyLeg& leg : legs) names.insert(leg.host);
  return names.size();
}

std::vector<Journey> JoinJourneys(std::vector<JourneyRecord> records) { return Joiner(std::move(records)).Run(); }

}  // namespace glasspost::analysis
