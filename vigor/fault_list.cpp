#include "fault_list.h"

#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>
#include <map>
#include <system_error>

#include "hash.h"
#include "printable.h"
#include "run.h"

namespace vigor {

namespace {

constexpr std::streamsize kMostLine = 1 << 16;
constexpr std::string_view kLineBreak = "\n";
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";  // spreadsheets write one
constexpr std::string_view kHeader = "input,site,element,bit,value,outcome,top,rank,inf";

class ListReader {
 public:
  ListReader(const std::filesystem::path& file, const Graph& graph, int64_t inputs)
      : name_(file.string()), in_(file, std::ios::binary), inputs_(inputs), all_(all_sites(graph)) {
    if (!in_) fail(name_, "cannot be read: {}", std::generic_category().message(errno));
    for (size_t s = 0; s < all_.size(); ++s) site_of_[all_[s].name] = static_cast<int32_t>(s);
  }

  FaultList read() {
    if (!next_row()) fail(name_, "empty, expected a line that names the columns");
    read_columns();
    while (next_row()) add_fault();
    if (in_.bad()) fail(name_, "cannot be read: {}", std::generic_category().message(errno));
    if (list_.faults.empty()) fail(name_, "holds no faults");
    keep_named_sites();
    list_.sha256 = hash_.hex();
    return std::move(list_);
  }

 private:
  // A line without its break, in bounded memory.
  bool next_line() {
    std::array<char, kMostLine + 1> buffer;
    in_.getline(buffer.data(), buffer.size());
    if (in_.gcount() == kMostLine && in_.fail()) {
      ++line_;
      refuse(fmt::format("got more than {} bytes, expected a fault a line", kMostLine));
    }
    if (in_.fail()) return false;
    const std::streamsize line_break = in_.eof() ? 0 : 1;
    text_.assign(buffer.data(), static_cast<size_t>(in_.gcount() - line_break));
    return true;
  }

  // Empty lines are passed over.
  bool next_row() {
    while (next_line()) {
      ++line_;
      hash_.add(text_);
      hash_.add(kLineBreak);
      if (line_ == 1 && text_.starts_with(kByteOrderMark)) text_.erase(0, kByteOrderMark.size());
      if (text_.ends_with('\r')) text_.pop_back();
      if (text_.empty()) continue;
      auto fields = split_row(text_);
      if (!fields) refuse("a quote is not closed");
      fields_ = std::move(*fields);
      return true;
    }
    return false;
  }

  [[noreturn]] void refuse(const std::string& what) const {
    fail(fmt::format("{}:{}", name_, line_), "{}", what);
  }

  void read_columns() {
    for (size_t c = 0; c < fields_.size(); ++c) {
      if (!column_.try_emplace(fields_[c], c).second && !fields_[c].empty()) {
        refuse(fmt::format("got two columns '{}', expected one", printable(fields_[c])));
      }
    }
    for (const char* needed : {"input", "site", "element"}) {
      if (!column_.contains(needed)) {
        refuse(fmt::format("expected a line that names the columns, with '{}'", needed));
      }
    }
    if (!column_.contains("bit") && !column_.contains("value")) {
      refuse("expected a column 'bit' or 'value'");
    }
    columns_ = fields_.size();
  }

  // Empty where the list has no such column.
  std::string_view field(const std::string& name) const {
    const auto at = column_.find(name);
    return at == column_.end() ? std::string_view() : std::string_view(fields_[at->second]);
  }

  template <typename T>
  T number(const std::string& name) const {
    const std::string_view text = field(name);
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) {
      refuse(fmt::format("{}: got '{}', expected a number", name, printable(std::string(text))));
    }
    return value;
  }

  int64_t number_below(const std::string& name, int64_t bound) const {
    const auto value = number<int64_t>(name);
    if (value < 0 || value >= bound) {
      refuse(fmt::format("{}: got {}, expected 0 to {}", name, value, bound - 1));
    }
    return value;
  }

  void add_fault() {
    if (fields_.size() != columns_) {
      refuse(fmt::format("got {} fields, expected {}", fields_.size(), columns_));
    }
    const auto site = site_of_.find(field("site"));
    if (site == site_of_.end()) {
      refuse(fmt::format("the network has no site '{}'", printable(std::string(field("site")))));
    }
    ListedFault fault{};
    fault.input = number_below("input", inputs_);
    fault.site = site->second;
    fault.element = number_below("element", all_[static_cast<size_t>(fault.site)].population);
    if (!field("bit").empty()) {
      fault.bit = static_cast<int>(number_below("bit", kBits));
    } else {
      fault.bit = -1;
      fault.value = number<float>("value");
    }
    list_.faults.push_back(fault);
  }

  void keep_named_sites() {
    std::vector<int32_t> place(all_.size(), -1);
    for (const ListedFault& fault : list_.faults) place[static_cast<size_t>(fault.site)] = 0;
    for (size_t s = 0; s < all_.size(); ++s) {
      if (place[s] < 0) continue;
      place[s] = static_cast<int32_t>(list_.sites.size());
      list_.sites.push_back(std::move(all_[s]));
    }
    for (ListedFault& fault : list_.faults) fault.site = place[static_cast<size_t>(fault.site)];
  }

  std::string name_, text_;
  std::ifstream in_;
  int64_t inputs_, line_ = 0;
  std::vector<Site> all_;
  std::map<std::string, int32_t, std::less<>> site_of_;
  std::map<std::string, size_t> column_;
  size_t columns_ = 0;
  std::vector<std::string> fields_;
  Sha256 hash_;
  FaultList list_;
};

}  // namespace

FaultList read_fault_list(const std::filesystem::path& file, const Graph& graph, int64_t inputs) {
  return ListReader(file, graph, inputs).read();
}

std::string_view outcome_name(const Outcome& outcome) {
  if (outcome.nan) return "nan";
  if (outcome.critical) return "critical";
  return outcome.masked ? "masked" : "benign";
}

FaultListWriter::FaultListWriter(const std::filesystem::path& file, bool bits)
    : csv_(file, kHeader), bits_(bits) {}

void FaultListWriter::write(std::span<const InjectedFault> faults, const std::vector<Site>& sites) {
  for (const InjectedFault& fault : faults) {
    csv_.row(fault.input, quoted(sites[static_cast<size_t>(fault.site)].name), fault.element,
             fault.bit < 0 || !bits_ ? std::string() : std::to_string(fault.bit), fault.value,
             outcome_name(fault.outcome), fault.outcome.top, fault.outcome.rank,
             static_cast<int>(fault.outcome.inf));
  }
}

}  // namespace vigor
