// Runs a trained model over a series, without learning, and tells what it knows.
#pragma once

#include <cstdint>
#include <optional>

#include <unroll/data/lagged_process.h>
#include <unroll/data/series.h>
#include <unroll/evaluation/evaluation.h>
#include <unroll/model/model.h>

namespace unroll {

/// A series to hold a model against that trained with this seed: symbols that the state warms up
/// on, then `eval_length`. Its random stream is numpy.random.RandomState([seed, 1])'s, which is no
/// training series' stream.
Series held_out_series(const LaggedProcess& process, std::int64_t eval_length, std::uint32_t seed);

/// Evaluates a model on a series. The series is cut into up to 100 contiguous rows of the same
/// length, 20 symbols at least, which run side by side; what fills no row is left out. Each row
/// begins with the last symbols of the row before (256, or the longest lag if that is more, but at
/// most half of a user's series), which are not judged, so that its state is carried and not cold.
/// The rows' spread is what standard errors are made of. `process` is what made the series; none
/// for a user's own.
/// @throws std::invalid_argument if the series has more classes than the model, not two symbols, or
/// is not in memory
Evaluation evaluate(RecurrentModel& model, const Series& series,
                    const std::optional<LaggedProcess>& process);

}  // namespace unroll
