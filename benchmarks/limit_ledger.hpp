// What a scan keeps of each session: benchmarks/agreement.py tells the form in which `checksum` adds it up.

#pragma once

#include <arpa/inet.h>
#include <zlib.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#ifndef NO_LIBDEFLATE
#include <libdeflate.h>
#endif

#include "limit_record.hpp"

namespace limit {

using std::string;

constexpr size_t keep = 64;
constexpr uint64_t no_ceiling = uint64_t{1} << 32;

inline uint32_t crc(string_view text) {
#ifndef NO_LIBDEFLATE
  return libdeflate_crc32(0, text.data(), text.size());
#else
  return crc32(0, reinterpret_cast<const Bytef*>(text.data()), text.size());
#endif
}

template <size_t Size>
struct Short {  // a text of bounded length, kept in place
  char bytes[Size] = {};
  uint8_t size = 0;
  void set(string_view text) {
    size = std::min(text.size(), Size);
    memcpy(bytes, text.data(), size);
  }
  string_view view() const { return {bytes, size}; }
  bool operator<(const Short& other) const { return view() < other.view(); }
  bool operator==(const Short& other) const { return view() == other.view(); }
};

using Time = Short<20>;
using Id = Short<36>;
using Name = const string*;  // interned: equal texts have equal addresses

class Names {
 public:
  Name operator()(string_view text) {
    auto found = known_.find(text);
    if (found != known_.end()) return found->second;
    texts_.emplace_back(text);
    known_.emplace(texts_.back(), &texts_.back());
    return &texts_.back();
  }

 private:
  std::deque<string> texts_;
  std::unordered_map<string_view, Name> known_;
};

struct Event {
  Time time;
  Id id;
  Name call, region, key, agent, error;
  bool operator<(const Event& other) const { return time == other.time ? id < other.id : time < other.time; }
};

template <typename Value>
struct Firsts {  // few names, each with its lowest value
  std::vector<std::pair<Name, Value>> all;
  void note(Name name, const Value& value) {
    for (auto& [known, lowest] : all)
      if (known == name) {
        if (value < lowest) lowest = value;
        return;
      }
    all.emplace_back(name, value);
  }
};

struct Sample {  // the events with the lowest CRC-32 of their identity, then the lowest identity
  std::vector<uint32_t> ranks;
  std::vector<std::pair<Id, Event>> events;
  uint64_t ceiling = no_ceiling;

  void add(const Id& identity, uint32_t rank, const Event& event) {
    for (size_t at = 0; at < ranks.size(); ++at)
      if (ranks[at] == rank && events[at].first == identity) {
        if (event < events[at].second) events[at].second = event;
        return;
      }
    ranks.push_back(rank);
    events.emplace_back(identity, event);
    if (ranks.size() > 2 * keep) settle();
  }
  void settle() {
    if (ranks.size() <= keep) return;
    std::vector<uint32_t> order(ranks.size());
    for (uint32_t at = 0; at < order.size(); ++at) order[at] = at;
    auto lower = [&](uint32_t a, uint32_t b) {
      return ranks[a] == ranks[b] ? events[a].first < events[b].first : ranks[a] < ranks[b];
    };
    std::nth_element(order.begin(), order.begin() + keep - 1, order.end(), lower);
    Sample lowest;
    for (size_t at = 0; at < keep; ++at) {
      lowest.ranks.push_back(ranks[order[at]]);
      lowest.events.push_back(events[order[at]]);
    }
    lowest.ceiling = std::min<uint64_t>(ceiling, lowest.ranks.back());
    *this = std::move(lowest);
  }
};

struct Sighting {
  string key;
  Event first, last;
  Sample events;
  Firsts<Time> hours, keys, calls, deliveries;
  Firsts<Event> agents;
  Time issued;
};

struct Issuance {
  Time time;
  Id event;
  string expires;
};

struct Session {
  string arn;
  std::map<string, Sighting> sightings;
  std::map<string, Event> earliest;  // by lane
  std::map<string, Issuance> issuances;
  Firsts<Time> roles, scopes;
};

struct Caller {  // who called from where with which key
  Session* session = nullptr;
  Sighting* sighting = nullptr;
  Event* earliest = nullptr;
  Name key, role, scope, delivery;
  Time issued;
};

struct Call {
  Name call, region, agent;
};

struct Place {
  string lane, key;
};

inline bool is_private(uint32_t v4) {
  return v4 >> 24 == 10 || v4 >> 20 == 0xAC1 || v4 >> 16 == 0xC0A8 || v4 >> 22 == 0x191 || v4 >> 24 == 127 ||
         v4 >> 16 == 0xA9FE;
}

inline Place place_of(const Record& record) {
  string address(record.address), endpoint(record.endpoint);
  uint8_t v6[16];
  uint32_t v4 = 0;
  bool is_v4 = inet_pton(AF_INET, address.c_str(), &v4) == 1;
  if (!is_v4 && inet_pton(AF_INET6, address.c_str(), v6) != 1) {
    string lane = address.find('.') != string::npos || address.rfind("AWS Internal", 0) == 0 ? "service" : "other";
    return {lane, lane + "  " + address};
  }
  char written[INET6_ADDRSTRLEN];
  if (!is_v4) address = inet_ntop(AF_INET6, v6, written, sizeof written);
  bool is_hidden = is_v4 ? is_private(ntohl(v4)) : (v6[0] & 0xFE) == 0xFC || (v6[0] == 0xFE && v6[1] >> 6 == 2);
  if (!endpoint.empty() && (is_hidden || record.owner.size() == 12))
    return {"endpoint", "endpoint " + endpoint + " " + address};
  string lane = is_hidden ? "private" : is_v4 ? "public" : "public-v6";
  return {lane, lane + "  " + address};
}

inline uint64_t fingerprint(std::initializer_list<string_view> texts) {
  uint64_t mixed = 0x9E3779B97F4A7C15;
  for (string_view one : texts) {
    mixed = (mixed ^ std::hash<string_view>{}(one)) * 0xFF51AFD7ED558CCD;
    mixed ^= mixed >> 32;
  }
  return mixed;
}

class Ledger {
 public:
  void take(const Record& record) {
    if (record.name == "AssumeRole" && !record.given_key.empty() && !record.invoked_by.empty()) issue(record);
    if (!is_person(record) || record.address.empty() || record.time.size() != 20) return;
    Caller& caller =
        callers_[fingerprint({record.arn, record.key, record.address, record.endpoint, record.owner, record.delivery,
                              record.role, record.created, record.scope_type, record.scope})];
    if (caller.session == nullptr && !meet(record, caller)) return;
    if (caller.sighting != nullptr) fold(record, caller);
  }

  void settle() {
    for (auto& [arn, session] : sessions_)
      for (auto& [key, sighting] : session.sightings) sighting.events.settle();
  }

  void print() const {
    size_t sessions = 0, networks = 0, events = 0;
    uint64_t sum = 0;
    for (auto& [arn, session] : sessions_) {
      bool is_role = arn.find(":assumed-role/") != string::npos;
      sessions += is_role && !session.sightings.empty();
      for (auto& [key, seen] : session.sightings) {
        networks += is_role;
        events += seen.events.events.size();
        sum += sum_of(arn + " " + key, seen);
      }
      for (auto& [lane, event] : session.earliest) sum += sum_of(arn + " " + lane, event);
      for (auto& [key, one] : session.issuances)
        sum += crc(arn + " " + key + " " + string(one.time.view()) + " " + string(one.event.view()));
      sum += sum_of(arn, session.roles) + sum_of(arn, session.scopes);
    }
    printf("{\"sessions\": %zu, \"networks\": %zu, \"events\": %zu, \"checksum\": %llu}\n", sessions, networks, events,
           static_cast<unsigned long long>(sum));
  }

 private:
  static bool is_person(const Record& record) {
    return record.type == "AssumedRole" || record.type == "IAMUser" || record.type == "Root" ||
           record.type == "FederatedUser" || (record.type.empty() && !record.arn.empty());
  }

  // Fold for the first time what is the same in all records of a caller; false if they give nothing.
  bool meet(const Record& record, Caller& caller) {
    if (record.arn.find(":assumed-role/aws:ec2-infrastructure/") != string_view::npos ||
        record.arn.substr(0, 4) != "arn:")
      return false;
    Session& session = sessions_[string(record.arn)];
    session.arn = record.arn;
    Place place = place_of(record);
    auto [found, is_new] = session.sightings.try_emplace(place.key);
    Event event = event_of(record, names_(record.key), call_of(record));
    if (is_new) found->second.first = found->second.last = event;
    auto [earliest, is_first] = session.earliest.try_emplace(place.lane, event);
    string scope = record.scope_type.empty() ? string() : string(record.scope_type) + " " + string(record.scope);
    caller = {&session,
              &found->second,
              &earliest->second,
              names_(record.key),
              names_(record.role),
              names_(scope),
              names_(record.delivery),
              {}};
    if (record.created.size() == 20) caller.issued.set(record.created);
    return true;
  }

  Call& call_of(const Record& record) {
    Call& call = calls_[fingerprint({record.source, record.name, record.agent, record.region})];
    if (call.call == nullptr)
      call = {names_(string(record.source) + ":" + string(record.name)), names_(record.region), names_(record.agent)};
    return call;
  }

  Event event_of(const Record& record, Name key, const Call& call) {
    Event event{{}, {}, call.call, call.region, key, call.agent, record.error.empty() ? nullptr : names_(record.error)};
    event.time.set(record.time);
    event.id.set(record.id);
    return event;
  }

  void fold(const Record& record, Caller& caller) {
    Event event = event_of(record, caller.key, call_of(record));
    Sighting& seen = *caller.sighting;
    if (event < seen.first) seen.first = event;
    if (seen.last < event) seen.last = event;
    if (event < *caller.earliest) *caller.earliest = event;
    string_view action = record.shared_id.empty() ? record.id : record.shared_id;
    uint32_t rank = crc(action);
    if (rank <= seen.events.ceiling) {
      Id identity;
      identity.set(action);
      seen.events.add(identity, rank, event);
    }
    note_hour(seen, event.time);
    seen.keys.note(caller.key, event.time);
    seen.agents.note(event.agent, event);
    seen.calls.note(event.call, event.time);
    if (!caller.delivery->empty()) seen.deliveries.note(caller.delivery, event.time);
    if (caller.issued.size && (!seen.issued.size || caller.issued < seen.issued)) seen.issued = caller.issued;
    if (!caller.role->empty()) caller.session->roles.note(caller.role, event.time);
    if (!caller.scope->empty()) caller.session->scopes.note(caller.scope, event.time);
  }

  void note_hour(Sighting& seen, const Time& time) {
    Time hour;
    hour.set(time.view().substr(0, 13));
    auto& all = seen.hours.all;
    if (!all.empty() && all.back().second == hour) return;  // most often the same as the one before
    seen.hours.note(names_(hour.view()), hour);
  }

  void issue(const Record& record) {
    bool is_workload = record.invoked_by == "ec2.amazonaws.com" || record.invoked_by == "ecs-tasks.amazonaws.com" ||
                       record.invoked_by == "lambda.amazonaws.com" || record.invoked_by == "pods.eks.amazonaws.com" ||
                       record.asked_name.substr(0, 2) == "i-";
    size_t account = record.asked_role.find(":iam::"), role = record.asked_role.rfind('/'),
           end = record.asked_role.find(":role/");
    if (!is_workload || account == string_view::npos || role == string_view::npos || end == string_view::npos) return;
    string arn = string(record.asked_role.substr(0, account)) +
                 ":sts::" + string(record.asked_role.substr(account + 6, end - account - 6)) + ":assumed-role/" +
                 string(record.asked_role.substr(role + 1)) + "/" + string(record.asked_name);
    Session& session = sessions_[arn];
    session.arn = arn;
    Issuance issuance{{}, {}, string(record.expires)};
    issuance.time.set(record.time);
    issuance.event.set(record.id);
    auto [known, is_new] = session.issuances.try_emplace(string(record.given_key), issuance);
    if (!is_new && issuance.time < known->second.time) known->second = issuance;
    session.roles.note(names_(record.asked_role), issuance.time);
  }

  static uint64_t sum_of(const string& of, const Event& event) {
    return crc(of + " " + string(event.time.view()) + " " + string(event.id.view()) + " " + *event.call);
  }

  static uint64_t sum_of(const string& of, const Firsts<Time>& firsts) {
    uint64_t sum = 0;
    for (auto& [name, time] : firsts.all) sum += crc(of + " " + *name + " " + string(time.view()));
    return sum;
  }

  static uint64_t sum_of(const string& of, const Sighting& seen) {
    uint64_t sum = sum_of(of, seen.first) + sum_of(of, seen.last) + crc(of + " " + string(seen.issued.view()));
    for (auto& [identity, event] : seen.events.events) sum += sum_of(of + " " + string(identity.view()), event);
    for (auto& [agent, event] : seen.agents.all) sum += sum_of(of + " " + *agent, event);
    return sum + sum_of(of, seen.hours) + sum_of(of, seen.keys) + sum_of(of, seen.calls) + sum_of(of, seen.deliveries);
  }

  Names names_;
  std::unordered_map<string, Session> sessions_;
  std::unordered_map<uint64_t, Caller> callers_;
  std::unordered_map<uint64_t, Call> calls_;
};

}  // namespace limit
