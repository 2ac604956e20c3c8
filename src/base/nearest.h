// What was meant by a mistyped word: the nearest of those that there are.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

namespace glasspost {

// Insertions, deletions and replacements that make one word of the other.
inline std::size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

// Empty where none is near: a third of the word may differ. A word longer than kLongestSlip is no slip of the finger.
inline constexpr std::size_t kLongestSlip = 40;
template <class Words>
std::string_view Nearest(std::string_view word, const Words& words) {
  if (word.size() > kLongestSlip) return {};
  std::string_view nearest;
  std::size_t best = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (const std::string_view w : words)
    if (const std::size_t d = EditDistance(word, w); d < best) best = d, nearest = w;
  return nearest;
}

}  // namespace glasspost
