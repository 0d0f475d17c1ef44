// Ranks over real sockets: each a thread of the test with a connection of its own to every other.

#include <gtest/gtest.h>
#include <sched.h>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <chrono>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <tuple>
#include <vector>

#include <unroll/base/error.h>
#include <unroll/data/lagged_process.h>
#include <unroll/data/series_source.h>
#include <unroll/distributed/join.h>
#include <unroll/train/data_parallel.h>
#include <unroll/train/engine_choice.h>

#include "../support/free_port.h"
#include "../support/reference_rnn.h"
#include "../support/reliability.h"
#include "../support/run_program.h"
#include "../support/tensors.h"

namespace unroll {
namespace {

RankOptions options_of(std::int64_t rank, std::int64_t size, int port) {
  RankOptions options;
  options.rank = rank;
  options.size = size;
  options.master_address = "127.0.0.1";
  options.master_port = port;
  options.timeout = 20;
  return options;
}

/// Runs `body` in so many ranks. What one throws is thrown when all have ended.
void in_gloo_ranks(std::vector<RankOptions> options, const std::function<void(Ranks&)>& body) {
  std::vector<std::exception_ptr> errors(options.size());
  std::vector<std::thread> threads;
  threads.reserve(options.size());
  for (std::size_t i = 0; i < options.size(); ++i) {
    threads.emplace_back([&, i] {
      try {
        const std::unique_ptr<Ranks> ranks = join_ranks(options[i]);
        body(*ranks);
      } catch (...) {
        errors[i] = std::current_exception();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  for (const std::exception_ptr& error : errors) {
    if (error) {
      std::rethrow_exception(error);
    }
  }
}

void in_gloo_ranks(std::int64_t size, const std::function<void(Ranks&)>& body) {
  const int port = testing::free_port();
  std::vector<RankOptions> options;
  options.reserve(static_cast<std::size_t>(size));
  for (std::int64_t rank = 0; rank < size; ++rank) {
    options.push_back(options_of(rank, size, port));
  }
  in_gloo_ranks(options, body);
}

TEST(GlooRanks, SumsTakesTheLargestAndPassesTextsOn) {
  const std::string text = std::string("a text\0with zeros", 17) + std::string(100'000, 'x');
  in_gloo_ranks(3, [&](Ranks& ranks) {
    EXPECT_EQ(ranks.size(), 3);
    const auto rank = static_cast<double>(ranks.rank());
    torch::Tensor sum = torch::full({5}, rank + 1.0, torch::kFloat64);
    ranks.sum(sum);
    EXPECT_EQ(testing::numbers(sum), std::vector<double>(5, 6.0));
    torch::Tensor largest = torch::full({2}, 7 - ranks.rank(), torch::kInt64);
    ranks.maximum(largest);
    EXPECT_EQ(testing::symbols(largest), std::vector<std::int64_t>(2, 7));
    EXPECT_EQ(ranks.broadcast(ranks.rank() == 0 ? text : "mine"), text);
    EXPECT_EQ(ranks.broadcast(""), "");
    ranks.wait_for_rank_0();
  });
}

TEST(GlooRanks, TellWhyAnotherHasFailed) {
  std::vector<std::string> messages(2);
  in_gloo_ranks(2, [&](Ranks& ranks) {
    ranks.meet();  // else one that fails sooner than the other has come is told there
    if (ranks.rank() == 1) {
      ranks.fail("no more space");
      return;
    }
    try {
      torch::Tensor values = torch::zeros({1});
      ranks.sum(values);
    } catch (const RankError& error) {
      messages[0] = error.what();
    }
    try {
      torch::Tensor values = torch::zeros({1});
      ranks.sum(values);
    } catch (const RankError& error) {
      messages[1] = error.what();
    }
  });
  EXPECT_EQ(messages[0], "rank 1 has failed: no more space");
  EXPECT_EQ(messages[1], "the ranks have parted");
}

TEST(GlooRanks, MeetHoweverLongOneTakes) {
  const int port = testing::free_port();
  std::vector<RankOptions> options = {options_of(0, 2, port), options_of(1, 2, port)};
  for (RankOptions& one : options) {
    one.timeout = 3;
  }
  in_gloo_ranks(options, [](Ranks& ranks) {
    std::this_thread::sleep_for(std::chrono::milliseconds(ranks.rank() == 1 ? 6'000 : 0));
    ranks.meet();
    torch::Tensor values = torch::ones({1});
    ranks.sum(values);
    EXPECT_EQ(values.item<float>(), 2.0F);
  });
}

/// What the one of two ranks is told that waits for the other, which fails instead.
std::string told_while_waiting(std::int64_t rank, void (Ranks::*wait)()) {
  std::string message;
  in_gloo_ranks(2, [&](Ranks& ranks) {
    ranks.meet();  // else one that fails sooner than the other has come is told there
    if (ranks.rank() != rank) {
      ranks.fail("no such file");
      return;
    }
    try {
      (ranks.*wait)();
    } catch (const RankError& error) {
      message = error.what();
    }
  });
  return message;
}

TEST(GlooRanks, TellAWaitingRankWhyTheOtherHasFailed) {
  EXPECT_EQ(told_while_waiting(0, &Ranks::meet), "rank 1 has failed: no such file");
  EXPECT_EQ(told_while_waiting(1, &Ranks::meet), "rank 0 has failed: no such file");
  EXPECT_EQ(told_while_waiting(1, &Ranks::wait_for_rank_0), "rank 0 has failed: no such file");
}

/// How many threads of this process Linux schedules by this policy.
int threads_with(int policy) {
  int count = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    count += ::sched_getscheduler(std::stoi(task.path().filename())) == policy ? 1 : 0;
  }
  return count;
}

TEST(GlooRanks, TheirThreadsDoNotPreemptWhoTrains) {
  ASSERT_EQ(threads_with(SCHED_BATCH), 0);
  in_gloo_ranks(2, [](Ranks& ranks) {
    torch::Tensor values = torch::ones({1});
    ranks.sum(values);
    EXPECT_EQ(::sched_getscheduler(0), SCHED_OTHER);
    EXPECT_GE(threads_with(SCHED_BATCH), 4) << "a loop and a caller for each of the ranks";
    ranks.meet();  // nobody leaves before both have counted
  });
}

TEST(GlooRanks, MeetAtTheLaunchersStoreAtEveryAttempt) {
  c10d::TCPStoreOptions store_options;
  store_options.port = 0;
  store_options.isServer = true;
  store_options.waitWorkers = false;
  const auto launcher = c10::make_intrusive<c10d::TCPStore>("127.0.0.1", store_options);
  for (const char* attempt : {"0", "1"}) {
    std::vector<RankOptions> options = {options_of(0, 2, launcher->getPort()),
                                        options_of(1, 2, launcher->getPort())};
    for (RankOptions& one : options) {
      one.launcher_listens = true;
      one.attempt = attempt;
    }
    in_gloo_ranks(options, [](Ranks& ranks) {
      torch::Tensor values = torch::ones({1});
      ranks.sum(values);
      EXPECT_EQ(values.item<float>(), 2.0F);
    });
  }
}

TEST(GlooRanks, AllSayWhoHasNotCome) {
  const int port = testing::free_port();
  std::vector<std::string> errors(2);
  std::vector<std::thread> threads;
  threads.reserve(errors.size());
  for (std::size_t rank = 0; rank < errors.size(); ++rank) {
    threads.emplace_back([&, rank] {
      RankOptions options = options_of(static_cast<std::int64_t>(rank), 3, port);
      options.timeout = rank == 0 ? 5 : 20;  // rank 0, whose store it is, gives up first
      try {
        join_ranks(options);
      } catch (const RankError& error) {
        errors[rank] = error.what();
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  EXPECT_EQ(errors[0], "of 3 ranks 1 did not come within 5 s: 2");
  EXPECT_EQ(errors[1], errors[0]);
}

TEST(GlooRanks, RefuseOptionsThatFitNoRank) {
  const auto refusal = [](const RankOptions& options) -> std::string {
    try {
      join_ranks(options);
    } catch (const InvalidOption& error) {
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(refusal(options_of(2, 2, 29'500)), "rank must be from 0 to 1, got 2");
  EXPECT_EQ(refusal(options_of(0, 2, 0)), "master_port must be from 1 to 65535, got 0");
  RankOptions elsewhere = options_of(0, 2, 29'500);
  elsewhere.local_rank = 2;
  EXPECT_EQ(refusal(elsewhere), "local_rank must be from 0 to 1, got 2");
  RankOptions impatient = options_of(0, 2, 29'500);
  impatient.timeout = 0;
  EXPECT_EQ(refusal(impatient), "rank_timeout must be from 1 to 86400, got 0");
}

// The headers that it was compiled with are not of the Gloo that is in LibTorch.
TEST(GlooRanks, NameNoSymbolOfGloosOwn) {
  const testing::TempDir folder;
  const auto symbols = [&](const std::string& pattern) {
    const std::string command = "nm -C " + testing::shell_word(UNROLL_LIBRARY) + " | grep -E ";
    return testing::run_shell(command + testing::shell_word(pattern), folder.path()).out;
  };
  EXPECT_NE(symbols(R"( U c10d::ProcessGroupGloo::ProcessGroupGloo\()"), "");
  // But for constants of its own, which a build without optimization keeps.
  EXPECT_EQ(symbols("^[0-9a-f]* +[^r] ((vtable|typeinfo|typeinfo name|VTT|guard variable) for )?"
                    "(gloo::|c10d::ProcessGroupGloo::GlooStore)"),
            "");
}

using Case = std::tuple<ModelKind, EngineChoice, OptimizerKind, torch::Dtype>;

/// In full every case, else two that are unlike.
std::vector<Case> cases() {
  if (!testing::is_in_full()) {
    return {{ModelKind::kManual, EngineChoice::kFused, OptimizerKind::kSgd, torch::kFloat64},
            {ModelKind::kBuiltin, EngineChoice::kAutograd, OptimizerKind::kAdam, torch::kFloat32}};
  }
  std::vector<Case> all;
  for (const ModelKind model : {ModelKind::kManual, ModelKind::kBuiltin}) {
    for (const torch::Dtype dtype : {torch::kFloat32, torch::kFloat64}) {
      all.insert(all.end(), {{model, EngineChoice::kFused, OptimizerKind::kSgd, dtype},
                             {model, EngineChoice::kAutograd, OptimizerKind::kSgd, dtype},
                             {model, EngineChoice::kAutograd, OptimizerKind::kAdam, dtype}});
    }
  }
  return all;
}

/// How many windows are judged, and how far the losses may part. Ranks round otherwise than one
/// process, and training lets what they round grow, on each processor's arithmetic in another way.
/// With the data and weights of ten seeds and the arithmetic of SSE4, AVX2 and AVX-512, losses in
/// single precision parted by 5e-7 in 300 windows, with both optimizers; in 1,000 by 3e-6.
struct Judgement {
  std::int64_t windows;
  double tolerance;
};

Judgement judgement_of(torch::Dtype dtype) {
  return dtype == torch::kFloat64 ? Judgement{.windows = 2'000, .tolerance = 1e-12}
                                  : Judgement{.windows = 300, .tolerance = 5e-6};
}

TEST(GlooRanks, GiveTheLossesOfOneProcessAndTheSameBitsOnEveryRank) {
  constexpr std::int64_t kBatch = 6;
  constexpr std::int64_t kSteps = 10;
  const auto process = LaggedProcess::tutorial();
  SampledSource source(process, 2'000 * kBatch * kSteps, /*seed=*/1);
  const WindowDataset windows(source.next(), {.batch_size = kBatch, .num_steps = kSteps},
                              torch::kCPU);
  for (const auto& [model_kind, engine_kind, optimizer_kind, dtype] : cases()) {
    SCOPED_TRACE(std::string(name_of(model_kind)).append(" ").append(name_of(engine_kind)) + " " +
                 std::string(name_of(optimizer_kind)).append(" ") + torch::toString(dtype));
    const Judgement judgement = judgement_of(dtype);
    const ModelOptions sizes = {.model = model_kind};
    const OptimizerOptions optimizer = {
        .optimizer = optimizer_kind,
        .learning_rate = optimizer_kind == OptimizerKind::kAdam ? 0.001 : 0.2};
    const auto make = [&, dtype = dtype] {
      auto model = make_model(sizes, dtype, torch::kCPU);
      model->set_weights(glorot_weights(sizes, /*seed=*/1, dtype));
      return model;
    };
    const auto losses_of = [&](Engine& engine) {
      return testing::numbers(engine
                                  .advance(windows, {.first = 0, .count = judgement.windows},
                                           engine.initial_state(kBatch))
                                  .losses);
    };
    const auto alone = make_engine(engine_kind, make(), optimizer);
    const std::vector<double> expected = losses_of(*alone);
    for (const std::int64_t size : {2, 4}) {
      std::vector<std::vector<double>> losses(static_cast<std::size_t>(size));
      std::vector<std::vector<double>> weights(losses.size());
      in_gloo_ranks(size, [&, engine_kind = engine_kind](Ranks& ranks) {
        const auto rank = static_cast<std::size_t>(ranks.rank());
        const auto model = make();
        const auto engine = make_parallel_engine(engine_kind, model, optimizer, ranks, kBatch);
        losses[rank] = losses_of(*engine);
        weights[rank] = testing::flatten(model->weights());
      });
      testing::expect_near(losses.front(), expected, judgement.tolerance);
      for (std::size_t rank = 1; rank < losses.size(); ++rank) {
        EXPECT_EQ(losses[rank], losses.front());
        EXPECT_EQ(weights[rank], weights.front());
      }
    }
  }
}

}  // namespace
}  // namespace unroll
