// The processes (ranks) that work on one run together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace vigor {

using Message = std::vector<int64_t>;

struct Question {
  int rank;
  Message message;
};

/// This class itself is the group of one, the serial case; others derive from it. What fails in the
/// transport ends the whole group. One thread at a time calls a group's functions, none of which
/// keeps a core busy while it waits.
class Group {
 public:
  Group() = default;
  virtual ~Group() = default;
  Group(const Group&) = delete;
  Group& operator=(const Group&) = delete;

  virtual int rank() const { return 0; }
  virtual int size() const { return 1; }
  bool many() const { return size() > 1; }

  // Every rank calls these, in the same order.
  /// At rank 0 the texts of all ranks; elsewhere nothing. Rank 0 waits for all.
  virtual std::vector<std::string> gather(const std::string& text) { return {text}; }
  /// Rank 0's bytes to all the others, which give as many.
  virtual void broadcast(std::span<std::byte>) {}
  /// At rank 0 the sums over all ranks; elsewhere the values are lost.
  virtual void add_up(std::span<int64_t>) {}

  // What other ranks want of rank 0, at any time.
  /// Elsewhere than at rank 0: its answer.
  virtual Message ask(const Message& question) { return question; }
  /// At rank 0: a question that waits for an answer, if there is one.
  virtual std::optional<Question> asked() { return {}; }
  virtual void answer(int, const Message&) {}
};

/// "rank 3 on node17", for messages.
std::string place(const Group& group);
std::string host_name();

}  // namespace vigor
