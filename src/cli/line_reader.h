// Lines typed on a terminal: edited, remembered, completed (libedit). What arrives meanwhile is printed above the line that is
// being typed. One thread.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/octets.h"

namespace glasspost::cli {

struct LineReaderLimits {
  static constexpr int kHistory = 1000;                                // lines remembered
  static constexpr std::size_t kHistoryOctets = std::size_t{1} << 20;  // of its file
};

// Below the user's folder for state: "history-talk"; empty if there is none.
std::string HistoryPath(std::string_view name);

class LineReader {
 public:
  // What may stand in place of the typed text from octet `from` on.
  struct Completions {
    std::size_t from = 0;
    std::vector<std::string> words;
  };
  struct Options {
    std::string history;  // file; empty: nothing is kept. Made for its owner alone
    // Of the line up to the cursor; may be null.
    std::function<Completions(Octets before)> complete;
    // Returns once standard input has something, having done whatever else is to be done; false: the line is not wanted any more.
    // May be null.
    std::function<bool()> wait;
    // What is typed between two reads is not echoed and not lost. Only for who sees to it that the reader is given up before the
    // program ends, by a signal too: that gives the terminal back as it was.
    bool silent_between = false;
  };
  enum class Outcome : std::uint8_t {
    kLine,
    kEnd,        // ^D on an empty line, or the terminal is gone
    kBreak,      // ^C on an empty line; on another it drops the line
    kNotWanted,  // `wait` said so
  };

  // Null where standard input or output is no terminal.
  static std::unique_ptr<LineReader> Make(Options options);
  ~LineReader();

  Outcome Read(const std::string& prompt, std::string& line);
  // Keeps a line, here and in the file.
  void Remember(const std::string& line);
  // Whole lines; above the one that is being typed.
  void Print(std::string_view text);
  bool reading() const;

  struct Inner;

 private:
  explicit LineReader(std::unique_ptr<Inner> inner);
  std::unique_ptr<Inner> inner_;
};

}  // namespace glasspost::cli
