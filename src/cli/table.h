// Rows in columns that are as wide as what stands in them, also where that is Chinese. Long tables are written page by page, and
// a column never gets narrower again.
#pragma once

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/style.h"

namespace glasspost::cli {

class Table {
 public:
  static constexpr std::size_t kPage = 1000;  // rows held

  struct Column {
    std::string heading;
    bool right = false;
  };
  Table(std::FILE* out, std::vector<Column> columns, const analysis::Style& style);
  // Writes what waits. Nothing at all if there were no rows.
  ~Table() { Flush(); }
  Table(const Table&) = delete;
  Table& operator=(const Table&) = delete;

  // As many cells as there are columns, not yet escaped. `below`: a line of its own under it.
  void Add(std::vector<std::string> cells, std::string below = {});
  void Flush();
  std::size_t rows() const { return rows_; }

 private:
  struct Row {
    std::vector<std::string> cells;
    std::string below;
  };
  std::string Line(const std::vector<std::string>& cells) const;

  std::FILE* out_;
  std::vector<Column> columns_;
  analysis::Style style_;
  std::vector<std::size_t> widths_;
  std::vector<Row> waiting_;
  std::size_t rows_ = 0;
  bool headed_ = false;
};

}  // namespace glasspost::cli
