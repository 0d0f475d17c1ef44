#include <unroll/distributed/board.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <functional>
#include <future>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <type_traits>
#include <utility>

#include <unroll/distributed/address.h>

namespace unroll {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;

constexpr Milliseconds kBeat(500);
constexpr Milliseconds kSilence(3'000);      // of a rank that has died
constexpr Milliseconds kAnswer(5'000);       // the longest that a living store takes
constexpr Milliseconds kLinger(5'000);       // of rank 0, for the others to leave
constexpr Milliseconds kShortLinger(2'000);  // where some may never leave

constexpr const char* kFailure = "failure";
constexpr const char* kLeavers = "left";

/// Runs `body` on a thread of its own and gives up on it at a limit: a call to a store whose host
/// is cut off may never return.
/// @throws what `body` throws; std::runtime_error at the limit
template <class Body>
auto within(Milliseconds limit, Body body) {
  std::packaged_task<std::invoke_result_t<Body>()> task(std::move(body));
  auto result = task.get_future();
  std::thread(std::move(task)).detach();
  if (result.wait_for(limit) != std::future_status::ready) {
    throw std::runtime_error("no answer");
  }
  return result.get();
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

std::string this_host() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return host.data();
}

/// This process, for who looks for it.
std::string this_process() { return fmt::format("host {}, pid {}", this_host(), ::getpid()); }

std::string key(const char* kind, std::int64_t number) {
  return fmt::format("{}/{}", kind, number);
}

/// Of the ranks below `count`.
std::vector<std::string> keys(const char* kind, std::int64_t count) {
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(count));
  for (std::int64_t rank = 0; rank < count; ++rank) {
    names.push_back(key(kind, rank));
  }
  return names;
}

}  // namespace

/// Counts up while the process lives, on a connection and a thread of its own.
class RankBoard::Heartbeat {
 public:
  Heartbeat(const c10::intrusive_ptr<c10d::Store>& store, std::int64_t rank)
      : shared_(std::make_shared<Shared>()) {
    std::thread([shared = shared_, store, name = key("beat", rank)] {
      std::unique_lock lock(shared->mutex);
      try {
        while (!shared->changed.wait_for(lock, kBeat, [&] { return shared->is_over; })) {
          lock.unlock();
          store->add(name, 1);
          lock.lock();
        }
      } catch (const std::exception&) {  // the store is gone; whoever needs it will say so
        lock.lock();
      }
      shared->has_ended = true;
      shared->changed.notify_all();
    }).detach();  // it may hang in a call to a host that is cut off
  }
  ~Heartbeat() {
    std::unique_lock lock(shared_->mutex);
    shared_->is_over = true;
    shared_->changed.notify_all();
    shared_->changed.wait_for(lock, kBeat, [&] { return shared_->has_ended; });
  }
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

 private:
  struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    bool is_over = false;
    bool has_ended = false;
  };
  std::shared_ptr<Shared> shared_;
};

template <class Body>
void RankBoard::with_store(const Body& body) const {
  try {
    body();
  } catch (const RankError&) {
    throw;
  } catch (const std::exception&) {
    throw RankError(without_store());
  }
}

RankBoard::RankBoard(const RankOptions& options)
    : options_(options), expected_(options.size - 1), patience_(kLinger) {
  connect();
  with_store([&] {
    claim_rank();
    wait_for_all_to_come();
    heartbeat_ = std::make_unique<Heartbeat>(store_->clone(), options_.rank);
  });
}

RankBoard::~RankBoard() {
  try {
    const auto left = [store = store_](std::int64_t more) {
      return within(kAnswer, [store, more] { return store->add(kLeavers, more); });
    };
    if (options_.rank != 0) {
      heartbeat_.reset();
      left(1);
    } else if (is_host()) {
      const auto deadline = Clock::now() + patience_;
      while (left(0) < expected_ && Clock::now() < deadline) {
        std::this_thread::sleep_for(Milliseconds(10));
      }
    }
  } catch (const std::exception&) {  // nobody is left to take leave of
  }
}

bool RankBoard::is_host() const { return options_.rank == 0 && !options_.launcher_listens; }

std::string RankBoard::without_store() const {
  return fmt::format("{} at {}:{} does not answer any more: it has died, or cannot be reached",
                     options_.launcher_listens ? "the launcher" : "rank 0", options_.master_address,
                     options_.master_port);
}

void RankBoard::connect() {
  c10d::TCPStoreOptions store_options;
  store_options.port = static_cast<std::uint16_t>(options_.master_port);
  store_options.isServer = is_host();
  store_options.waitWorkers = false;
  store_options.timeout = std::chrono::seconds(options_.timeout);
  try {
    store_ = c10::make_intrusive<c10d::PrefixStore>(
        fmt::format("unroll/{}", options_.attempt),
        c10::make_intrusive<c10d::TCPStore>(options_.master_address, store_options));
  } catch (const std::exception& error) {
    if (!is_host()) {
      throw RankError(fmt::format("cannot reach {} at {}:{} within {} s",
                                  options_.launcher_listens ? "the launcher" : "rank 0",
                                  options_.master_address, options_.master_port, options_.timeout));
    }
    if (!is_own_address(options_.master_address)) {
      throw RankError(
          fmt::format("MASTER_ADDR must be an address of this host, where rank 0 is, got {}",
                      options_.master_address));
    }
    throw RankError(fmt::format("cannot listen for the other ranks at {}:{}: {}",
                                options_.master_address, options_.master_port,
                                first_line(error.what())));
  }
}

void RankBoard::claim_rank() {
  if (store_->add(key("claim", options_.rank), 1) != 1) {
    throw RankError(
        fmt::format("another process has this RANK too, {} of {}", options_.rank, options_.size));
  }
  const std::string size = std::to_string(options_.size);
  const std::string agreed = store_->c10d::Store::compareSet("size", "", size);
  if (agreed != size) {
    throw RankError(
        fmt::format("WORLD_SIZE is {} here, and {} where another rank runs", size, agreed));
  }
}

void RankBoard::wait_for_all_to_come() {
  store_->add(key("beat", options_.rank), 1);
  store_->c10d::Store::set(key("host", options_.rank), this_host());
  store_->c10d::Store::set(key("process", options_.rank), this_process());
  const auto deadline = Clock::now() + std::chrono::seconds(options_.timeout);
  while (!comes(keys("process", options_.size))) {
    if (const auto told = failure()) {
      throw RankError(*told);
    }
    if (Clock::now() >= deadline) {
      const std::string problem = describe_missing();
      publish_failure(problem);
      if (is_host()) {
        std::this_thread::sleep_for(kShortLinger);  // its store goes with it
      }
      throw RankError(problem);
    }
  }
}

std::string RankBoard::describe_missing() const {
  std::vector<std::int64_t> missing;
  for (std::int64_t rank = 0; rank < options_.size; ++rank) {
    if (!store_->check({key("process", rank)})) {
      missing.push_back(rank);
    }
  }
  return fmt::format("of {} ranks {} did not come within {} s: {}", options_.size, missing.size(),
                     options_.timeout, fmt::join(missing, ", "));
}

std::optional<std::string> RankBoard::failure() const {
  return within(kAnswer, [store = store_]() -> std::optional<std::string> {
    if (!store->check({kFailure})) {
      return std::nullopt;
    }
    return store->get_to_str(kFailure);
  });
}

std::vector<std::string> RankBoard::beats(std::int64_t count) const {
  return within(kAnswer, [store = store_, names = keys("beat", count)] {
    std::vector<std::string> counts;
    counts.reserve(names.size());
    for (const std::vector<std::uint8_t>& bytes : store->multiGet(names)) {
      counts.emplace_back(bytes.begin(), bytes.end());
    }
    return counts;
  });
}

bool RankBoard::spans_hosts() const {
  return within(kAnswer, [store = store_, names = keys("host", options_.size)] {
    const auto hosts = store->multiGet(names);
    return std::any_of(hosts.begin(), hosts.end(),
                       [&](const auto& host) { return host != hosts.front(); });
  });
}

std::string RankBoard::describe(const std::vector<std::int64_t>& ranks) const {
  constexpr std::size_t kMost = 8;  // of a thousand the first say enough
  std::vector<std::string> texts;
  texts.reserve(ranks.size());
  for (const std::int64_t rank : ranks) {
    if (texts.size() == kMost) {
      texts.push_back(fmt::format("and {} more", ranks.size() - kMost));
      break;
    }
    const std::string process =
        within(kAnswer, [store = store_, rank] { return store->get_to_str(key("process", rank)); });
    texts.push_back(fmt::format("rank {} ({})", rank, process));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

bool RankBoard::comes(const std::vector<std::string>& keys) const {
  return within(kBeat + kAnswer, [store = store_, keys] {
    try {
      store->wait(keys, kBeat);
      return true;
    } catch (const std::exception&) {
      return store->check(keys);
    }
  });
}

void RankBoard::wait_for_rank_0() {
  const std::string meeting = key("meeting", meetings_++);
  with_store([&] {
    if (options_.rank == 0) {
      store_->c10d::Store::set(meeting, "here");
    } else {
      wait_for({meeting}, 1);
    }
  });
}

void RankBoard::meet() {
  const std::string meeting = key("meeting", meetings_++);
  with_store([&] {
    store_->c10d::Store::set(key(meeting.c_str(), options_.rank), "here");
    wait_for(keys(meeting.c_str(), options_.size), options_.size);
  });
}

void RankBoard::wait_for(const std::vector<std::string>& keys, std::int64_t count) {
  std::vector<std::string> before = beats(count);
  auto next_look = Clock::now() + kSilence;
  while (!comes(keys)) {
    if (failure()) {
      throw explain("");
    }
    if (Clock::now() >= next_look) {
      next_look = Clock::now() + kSilence;
      std::vector<std::string> after = beats(count);
      if (!std::equal(before.begin(), before.end(), after.begin(), std::not_equal_to<>())) {
        throw explain("");  // one's count has stood still
      }
      before = std::move(after);
    }
  }
}

void RankBoard::publish_failure(const std::string& sentence) {
  within(kAnswer, [store = store_, sentence] {
    return store->c10d::Store::compareSet(kFailure, "", sentence);
  });
}

void RankBoard::report_failure(const std::string& problem) noexcept {
  try {
    patience_ = std::chrono::seconds(options_.timeout);  // the others may be long at their window
    publish_failure(fmt::format("rank {} has failed: {}", options_.rank, first_line(problem)));
  } catch (const std::exception&) {  // nobody is left to tell
  }
}

std::string RankBoard::find_cause(const std::string& symptom) {
  const std::vector<std::string> before = beats(options_.size);
  const auto deadline = Clock::now() + kSilence;
  while (Clock::now() < deadline) {
    if (const auto told = failure()) {
      return *told;
    }
    std::this_thread::sleep_for(Milliseconds(100));
  }
  const std::vector<std::string> after = beats(options_.size);
  std::vector<std::int64_t> silent;
  for (std::int64_t rank = 0; rank < options_.size; ++rank) {
    const auto index = static_cast<std::size_t>(rank);
    if (after[index] == before[index] && rank != options_.rank) {
      silent.push_back(rank);
    }
  }
  expected_ -= static_cast<std::int64_t>(silent.size());
  if (!silent.empty()) {
    return fmt::format("{} has died, or does not answer any more", describe(silent));
  }
  return fmt::format(
      "the ranks all live, but have lost touch with each other, or one took more "
      "than {} s for a window or a file: {}",
      options_.timeout, symptom);
}

RankError RankBoard::explain(const std::string& symptom) {
  try {
    const std::string cause = find_cause(first_line(symptom));
    publish_failure(cause);
    patience_ = kShortLinger;
    return RankError(cause);
  } catch (const std::exception&) {
    return RankError(without_store());
  }
}

}  // namespace unroll
