#define OMPI_SKIP_MPICXX
#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <thread>

#include "error.h"
#include "processes.h"
#include "workers.h"

namespace vigor {

namespace {

enum Tag { kQuestion, kAnswer };

// MPI's own waiting keeps a core busy.
void wait(MPI_Request& request) {
  std::chrono::microseconds pause{10};
  for (int done = 0;;) {
    MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    if (done) return;
    std::this_thread::sleep_for(pause);
    pause = std::min<std::chrono::microseconds>(2 * pause, std::chrono::milliseconds(1));
  }
}

// MPI counts in int.
template <typename T, typename Call>
void piecewise(std::span<T> values, const Call& call) {
  constexpr size_t kMost = size_t{1} << 27;
  for (; values.size() > kMost; values = values.subspan(kMost)) call(values.data(), int{kMost});
  call(values.data(), static_cast<int>(values.size()));
}

// Errors of MPI end all processes: its default.
class MpiGroup final : public Group {
 public:
  MpiGroup() {
    MPI_Comm_rank(MPI_COMM_WORLD, &rank_);
    MPI_Comm_size(MPI_COMM_WORLD, &size_);
  }
  int rank() const override { return rank_; }
  int size() const override { return size_; }

  std::vector<std::string> gather(const std::string& text) override {
    const int length = static_cast<int>(text.size());
    const size_t ranks = rank_ == 0 ? static_cast<size_t>(size_) : 0;
    std::vector<int> lengths(ranks), begins(ranks);
    MPI_Request request{};
    MPI_Igather(&length, 1, MPI_INT, lengths.data(), 1, MPI_INT, 0, MPI_COMM_WORLD, &request);
    wait(request);
    size_t sum = 0;
    for (size_t r = 0; r < ranks; ++r) {
      begins[r] = static_cast<int>(sum);
      sum += static_cast<size_t>(lengths[r]);
    }
    std::string all(sum, ' ');
    MPI_Igatherv(text.data(), length, MPI_CHAR, all.data(), lengths.data(), begins.data(), MPI_CHAR,
                 0, MPI_COMM_WORLD, &request);
    wait(request);
    std::vector<std::string> texts;
    for (size_t r = 0; r < ranks; ++r) {
      texts.push_back(all.substr(static_cast<size_t>(begins[r]), static_cast<size_t>(lengths[r])));
    }
    return texts;
  }

  void broadcast(std::span<std::byte> bytes) override {
    piecewise(bytes, [](std::byte* data, int count) {
      MPI_Request request{};
      MPI_Ibcast(data, count, MPI_BYTE, 0, MPI_COMM_WORLD, &request);
      wait(request);
    });
  }

  void add_up(std::span<int64_t> values) override {
    piecewise(values, [this](int64_t* data, int count) {
      MPI_Request request{};
      MPI_Ireduce(rank_ == 0 ? MPI_IN_PLACE : data, data, count, MPI_INT64_T, MPI_SUM, 0,
                  MPI_COMM_WORLD, &request);
      wait(request);
    });
  }

  Message ask(const Message& question) override {
    send(0, kQuestion, question);
    std::chrono::microseconds pause{10};
    for (;;) {
      if (std::optional<Question> answer = receive(0, kAnswer)) return std::move(answer->message);
      std::this_thread::sleep_for(pause);
      pause = std::min<std::chrono::microseconds>(2 * pause, std::chrono::milliseconds(1));
    }
  }

  std::optional<Question> asked() override { return receive(MPI_ANY_SOURCE, kQuestion); }

  void answer(int rank, const Message& message) override { send(rank, kAnswer, message); }

 private:
  static void send(int rank, Tag tag, const Message& message) {
    MPI_Request request{};
    MPI_Isend(message.data(), static_cast<int>(message.size()), MPI_INT64_T, rank, tag,
              MPI_COMM_WORLD, &request);
    wait(request);
  }

  static std::optional<Question> receive(int source, Tag tag) {
    int there = 0;
    MPI_Status status{};
    MPI_Iprobe(source, tag, MPI_COMM_WORLD, &there, &status);
    if (!there) return {};
    int count = 0;
    MPI_Get_count(&status, MPI_INT64_T, &count);
    Question question{status.MPI_SOURCE, Message(static_cast<size_t>(count))};
    MPI_Recv(question.message.data(), count, MPI_INT64_T, status.MPI_SOURCE, tag, MPI_COMM_WORLD,
             MPI_STATUS_IGNORE);
    return question;
  }

  int rank_ = 0, size_ = 1;
};

std::unique_ptr<Group> group;

bool launched() {
  const auto is_set = [](const char* name) { return std::getenv(name) != nullptr; };
  return is_set("OMPI_COMM_WORLD_SIZE") || is_set("PMI_SIZE") || is_set("PMIX_RANK");
}

// A share of the cores that processes of one machine may all use, as their masks say. Rounded so
// that the sum over them is right, but for one core each at least.
int share_of_cores() {
  cpu_set_t mine;
  CPU_ZERO(&mine);
  if (sched_getaffinity(0, sizeof mine, &mine) != 0) return 0;
  MPI_Comm machine = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
  int size = 1, rank = 0;
  MPI_Comm_size(machine, &size);
  MPI_Comm_rank(machine, &rank);
  std::vector<cpu_set_t> masks(static_cast<size_t>(size));
  MPI_Allgather(&mine, sizeof mine, MPI_BYTE, masks.data(), sizeof mine, MPI_BYTE, machine);
  MPI_Comm_free(&machine);
  double before = 0, until = 0;  // of the processes up to this one
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    const auto uses = [cpu](const cpu_set_t& mask) { return CPU_ISSET(cpu, &mask); };
    const auto users = std::count_if(masks.begin(), masks.end(), uses);
    const auto earlier = std::count_if(masks.begin(), masks.begin() + rank, uses);
    if (users == 0) continue;
    before += static_cast<double>(earlier) / static_cast<double>(users);
    until += static_cast<double>(earlier + uses(mine)) / static_cast<double>(users);
  }
  constexpr double kRounding = 1e-6;
  return std::max(static_cast<int>(until + kRounding) - static_cast<int>(before + kRounding), 1);
}

}  // namespace

void start_processes() {
  if (!launched()) {
    group = std::make_unique<Group>();
    return;
  }
  // MPI's own threads must not take the signals that cli/interrupt.cpp waits for.
  sigset_t polite, before;
  sigemptyset(&polite);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&polite, signal);
  pthread_sigmask(SIG_BLOCK, &polite, &before);
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_SERIALIZED, &provided);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  group = std::make_unique<MpiGroup>();
  if (provided < MPI_THREAD_SERIALIZED) fail("mpirun", "this MPI cannot be used by threads");
  if (group->many()) use_cores(share_of_cores());
}

void end_processes() {
  int started = 0;
  MPI_Initialized(&started);
  if (!started) return;
  MPI_Request request{};
  MPI_Ibarrier(MPI_COMM_WORLD, &request);
  wait(request);
  MPI_Finalize();
}

void abort_processes(int code) {
  int started = 0;
  MPI_Initialized(&started);
  if (started) MPI_Abort(MPI_COMM_WORLD, code);
}

Group& processes() { return *group; }

}  // namespace vigor
