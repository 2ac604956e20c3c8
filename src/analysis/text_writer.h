// A buffer that text is written into piece by piece, for the paths that write a text for every exchange: appending to it costs a
// comparison and the octets, where a std::string pays for a call and its terminator each time. Used again and again; one thread.
#pragma once

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>

#include "base/digits.h"
#include "base/escape.h"
#include "base/time_text.h"

namespace glasspost::analysis {

class TextWriter {
 public:
  void Clear() { at_ = begin_.get(); }
  std::string_view text() const { return {begin_.get(), static_cast<std::size_t>(at_ - begin_.get())}; }

  [[gnu::always_inline]] TextWriter& operator+=(std::string_view s) {
    std::memcpy(Room(s.size()), s.data(), s.size());
    at_ += s.size();
    return *this;
  }
  [[gnu::always_inline]] void push_back(char c) {
    *Room(1) = c;
    ++at_;
  }
  // `write(place)` puts at most `octets` at the place and gives where they end.
  template <class F>
  [[gnu::always_inline]] void Write(std::size_t octets, F&& write) {
    at_ = write(Room(octets));
  }

  // For what can only be appended to a std::string: empty, with the memory that it had before.
  std::string& Scratch() {
    scratch_.clear();
    return scratch_;
  }

  // `write(place)` once for each of `list`'s; each puts at most `octets` at the place and gives where they end. What is held in
  // a register stays there, as it cannot with Write: for all that the compiler knows, an octet written may be `at_`'s.
  template <class List, class F>
  void WriteEach(const List& list, std::size_t octets, F&& write) {
    char* at = at_;
    list.ForEach([&](auto value) {
      if (static_cast<std::size_t>(end_ - at) < octets) [[unlikely]] {
        at_ = at;
        at = Room(octets);
      }
      at = write(at, value);
    });
    at_ = at;
  }

 private:
  [[gnu::always_inline]] char* Room(std::size_t octets) {
    if (static_cast<std::size_t>(end_ - at_) < octets) [[unlikely]]
      Grow(octets);
    return at_;
  }
  [[gnu::noinline]] void Grow(std::size_t octets) {
    const std::size_t used = text().size();
    const std::size_t size = std::max<std::size_t>(4096, (used + octets) * 2);
    auto more = std::make_unique_for_overwrite<char[]>(size);
    if (used > 0) std::memcpy(more.get(), begin_.get(), used);
    begin_ = std::move(more);
    at_ = begin_.get() + used;
    end_ = begin_.get() + size;
  }
  std::string scratch_;
  std::unique_ptr<char[]> begin_;
  char* at_ = nullptr;
  char* end_ = nullptr;
};

// The same as those of base that append to a std::string.
inline void AppendNumber(TextWriter& out, std::uint64_t value) {
  out.Write(kMostDigits, [&](char* at) { return PutNumber(at, value); });
}
inline void AppendMilliseconds(TextWriter& out, std::int64_t ns) {
  out.Write(kMillisecondsOctets, [&](char* at) { return PutMilliseconds(at, ns); });
}
inline void AppendRfc3339(TextWriter& out, Timestamp time) {
  out.Write(kRfc3339Octets, [&](char* at) { return PutRfc3339(at, time); });
}
inline void AppendJsonString(TextWriter& out, Octets s) {
  if (IsPlainJson(s)) {
    out.Write(s.size() + 2, [&](char* at) {
      *at = '"';
      std::memcpy(at + 1, s.data(), s.size());
      at[s.size() + 1] = '"';
      return at + s.size() + 2;
    });
    return;
  }
  std::string& escaped = out.Scratch();
  glasspost::AppendJsonString(escaped, s);
  out += escaped;
}
// Those that are not worth a copy of their own: by way of a std::string.
template <auto Append, class... Arguments>
void AppendBy(TextWriter& out, const Arguments&... arguments) {
  std::string text;
  Append(text, arguments...);
  out += text;
}

}  // namespace glasspost::analysis
