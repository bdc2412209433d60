// SPDX-License-Identifier: MIT
/// \file
/// Training on several processes of one machine or many, by MPI.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <mpi.h>
#include <nlohmann/json.hpp>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/progress.hpp>
#include <rowsmith/core/team.hpp>
#include <rowsmith/io/model_json.hpp>
#include <rowsmith/io/preparation_json.hpp>
#include <rowsmith/io/safetensors.hpp>
#include <rowsmith/models/table_model.hpp>
#include <rowsmith/train/checkpoint.hpp>
#include <rowsmith/train/training_rows.hpp>

ROWSMITH_BEGIN

/// The processes that `mpirun -n N` has started.
///
/// \code
/// int main(int argc, char** argv) {
///   rowsmith::MpiSession session(argc, argv);
///   const rowsmith::MpiTeam team;
///   RecipeOptions<DefaultRecipe> options;
///   const auto model = fit_on_team<DefaultRecipe>(
///       team, options, [&] { return read_training_rows({"people.csv"}, {}, options).rows; });
///   if (team.rank() == 0)
///     save_model(model, "people.model");
/// }
/// \endcode
class MpiTeam : public Team {
public:
  /// When gradients are sent: early, a piece at a time, while others are still computed, or all at once.
  /// Within a machine it is the processors that move the data, so that there is nothing to overlap.
  enum class Sending { by_machine, early, at_once };

  /// \param sending  what the first process says counts; by_machine: early where some are on other machines.
  /// The result is the same. \throws Error if MPI is not running
  explicit MpiTeam(MPI_Comm processes = MPI_COMM_WORLD, Sending sending = Sending::by_machine)
      : processes_(processes) {
    int running = 0;
    MPI_Initialized(&running);
    if (running == 0)
      throw Error("MpiTeam: MPI is not running; make an MpiSession first");
    MPI_Comm_rank(processes_, &rank_);
    MPI_Comm_size(processes_, &size_);
    auto how = static_cast<int>(sending);
    check(MPI_Bcast(&how, 1, MPI_INT, 0, processes_));
    overlaps_ = static_cast<Sending>(how) == Sending::early;
    if (static_cast<Sending>(how) != Sending::by_machine)
      return;
    MPI_Comm here = MPI_COMM_NULL;
    check(MPI_Comm_split_type(processes_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &here));
    int neighbours = size_;
    MPI_Comm_size(here, &neighbours);
    MPI_Comm_free(&here);
    int apart = neighbours < size_ ? 1 : 0;
    check(MPI_Allreduce(MPI_IN_PLACE, &apart, 1, MPI_INT, MPI_MAX, processes_));
    overlaps_ = apart != 0;
  }
  int rank() const noexcept override { return rank_; }
  int size() const noexcept override { return size_; }
  void gather(void* data, std::size_t bytes) const override {
    // In pieces that an int can count, side by side: blocks must keep their places.
    if (bytes <= most) {
      check(MPI_Allgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, data, static_cast<int>(bytes), MPI_BYTE,
                          processes_));
      return;
    }
    for (int owner = 0; owner < size_; ++owner)
      share(static_cast<char*>(data) + bytes * static_cast<std::size_t>(owner), bytes, owner);
  }
  void begin_gather(void* data, std::size_t bytes) const override {
    if (!overlaps() || bytes > most)
      return gather(data, bytes);
    // Many an MPI moves data only while it is called.
    int done = 0;
    check(MPI_Testall(static_cast<int>(begun_.size()), begun_.data(), &done, MPI_STATUSES_IGNORE));
    check(MPI_Iallgather(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, data, static_cast<int>(bytes), MPI_BYTE,
                         processes_, &begun_.emplace_back(MPI_REQUEST_NULL)));
  }
  void finish() const override {
    check(MPI_Waitall(static_cast<int>(begun_.size()), begun_.data(), MPI_STATUSES_IGNORE));
    begun_.clear();
  }
  bool overlaps() const noexcept override { return overlaps_; }
  void share(void* data, std::size_t bytes, int owner) const override {
    auto* at = static_cast<char*>(data);
    for (std::size_t done = 0; done < bytes; done += most)
      check(
          MPI_Bcast(at + done, static_cast<int>(std::min(most, bytes - done)), MPI_BYTE, owner, processes_));
  }

private:
  static constexpr std::size_t most = std::size_t{1} << 30U;
  static void check(int result) {
    if (result != MPI_SUCCESS)
      throw Error("MPI: a process cannot be reached");
  }
  MPI_Comm processes_;
  mutable std::vector<MPI_Request> begun_;
  int rank_ = 0;
  int size_ = 1;
  bool overlaps_ = false; ///< gradients are sent early
};

/// MPI for as long as it lives. Where an exception ends the block, all processes of the job are ended, since
/// they would wait for this one for ever.
class MpiSession {
public:
  MpiSession(int& argc, char**& argv) : exceptions_(std::uncaught_exceptions()) {
    int provided = 0;
    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
  }
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;
  ~MpiSession() {
    if (std::uncaught_exceptions() > exceptions_)
      end_job(1);
    MPI_Finalize();
  }
  /// Ends all processes of the job at once, this one too. \param exit_code  of the job
  static void end_job(int exit_code) noexcept { MPI_Abort(MPI_COMM_WORLD, exit_code); }

private:
  int exceptions_;
};

/// The first member's rows, to everybody. Only it needs the files that they were read from; every process
/// then has all encoded rows, some 30 bytes each. \param folder  of the others' rows, in a file without a
/// name; empty: that of temporary files
inline TrainingRows share_rows(const Team& team, TrainingRows rows,
                               const std::filesystem::path& folder = {}) {
  const bool first = team.rank() == 0;
  std::string text;
  if (first) {
    nlohmann::json codecs = nlohmann::json::array();
    for (const auto& codec : rows.encoder.codecs())
      codecs.push_back(detail::codec_json(codec));
    text = detail::dump_json({{"preparation", detail::preparation_json(rows.preparation)},
                              {"schema", detail::schema_json(rows.encoder.schema())},
                              {"codecs", std::move(codecs)},
                              {"rows", rows.encoded.rows()}});
  }
  team.share_text(text);
  if (!first) {
    const auto json = nlohmann::json::parse(text);
    std::vector<ColumnCodec> codecs;
    for (const auto& codec : json.at("codecs"))
      codecs.push_back(detail::codec_from(codec));
    rows.preparation = detail::preparation_from(json.at("preparation"));
    rows.encoder = TableEncoder(std::move(codecs), detail::schema_from(json.at("schema")));
    rows.encoded =
        EncodedTable::in_file(folder, json.at("rows").get<std::size_t>(), rows.encoder.code_columns(),
                              rows.encoder.number_columns(), rows.encoder.max_code());
  }
  const auto codes = rows.encoded.writable_codes();
  const auto numbers = rows.encoded.writable_numbers();
  team.share(codes.data(), codes.size(), 0);
  team.share(numbers.data(), numbers.size() * sizeof(float), 0);
  return rows;
}

/// A store of states for a team: the first member saves and loads, what it loads goes to everybody. A job
/// goes on with any number of processes.
inline CheckpointStore share_checkpoints(const Team& team, CheckpointStore store) {
  if (!store.save && team.rank() == 0)
    return store;
  CheckpointStore shared = store;
  shared.load = [&team, store]() -> std::optional<TensorFile> {
    std::string bytes;
    if (team.rank() == 0 && store.load)
      if (const auto state = store.load())
        bytes = format_tensor_file(*state);
    team.share_text(bytes);
    if (bytes.empty())
      return std::nullopt;
    return parse_tensor_file(bytes);
  };
  if (team.rank() != 0) {
    shared.save = [](const TensorFile&) {};
    shared.discard = {};
    shared.seconds = std::numeric_limits<double>::infinity();
  }
  return shared;
}

/// Trains a recipe on the processes of a team. \param read  () -> `TrainingRows`; called on the first member
/// alone \param folder  as of `share_rows` \returns the same model on all of them, with the bits that one
/// process gets \throws what `Trainer::fit` throws, on all or, for what one process alone meets, on that one:
/// it must then end the job (`MpiSession`)
template <class Recipe, class Options, class Read>
TableModel fit_on_team(const Team& team, Options options, const Read& read,
                       const ProgressCallback& callback = {}, const CheckpointStore& checkpoints = {},
                       const std::filesystem::path& folder = {}) {
  options.team = &team;
  TrainingRows rows = share_rows(team, team.rank() == 0 ? read() : TrainingRows{}, folder);
  // Whether there are checkpoints is the first member's to say.
  const bool keeps = team.share_answer(static_cast<bool>(checkpoints.save));
  return typename Recipe::Trainer(std::move(options))
      .fit(std::move(rows), team.rank() == 0 ? callback : ProgressCallback{},
           keeps ? share_checkpoints(team, checkpoints) : CheckpointStore{});
}

ROWSMITH_END
