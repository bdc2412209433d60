// SPDX-License-Identifier: MIT
#include <catch2/catch.hpp>

#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rowsmith/io/checkpoint.hpp>
#include <rowsmith/io/model_file.hpp>

#include "small_training.hpp"

namespace rs = rowsmith;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path;
  Folder() {
    auto name = (fs::temp_directory_path() / "rowsmith-checkpoint-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr)
      throw std::runtime_error("cannot make a folder");
    path = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { fs::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
};

// Keeps every state that a training saves, and gives the one asked for to the next.
struct Memory {
  std::vector<rs::TensorFile> states;
  std::optional<rs::TensorFile> next;
  int discarded = 0;
  std::vector<std::string> warnings;
  rs::CheckpointStore store() {
    return {.save = [this](const rs::TensorFile& state) { states.push_back(state); },
            .load = [this] { return next; },
            .discard = [this] { ++discarded; },
            .seconds = 0,
            .warn = [this](const std::string& text) { warnings.push_back(text); }};
  }
};

rs::TrainerOptions long_options() {
  auto options = small::options();
  options.threads = 2;
  options.autoencoder.steps = options.autoencoder.patience = 1500;
  options.gan.steps = 1500;
  return options;
}

} // namespace

TEST_CASE("a training goes on from any of its states to the same bits", "[train][threads]") {
  const auto data = small::table();
  for (const bool faithful : {false, true}) {
    auto options = small::options(faithful);
    options.conditional = faithful;
    options.autoencoder.steps = 12;
    options.gan.steps = 8;
    if (!faithful)
      options.refit.steps = 9;
    options.threads = 1;
    const auto expected = rs::format_model(small::Trainer(options).fit(data));
    Memory memory;
    small::Trainer trainer(options);
    CHECK((rs::format_model(trainer.fit(data, {}, memory.store())) == expected));
    CHECK(memory.discarded == 1);
    const auto reports = trainer.stages();
    // A state before each of the 12 + 8 steps (+ 10 of the refit, which the base method has not): an epoch
    // has two batches, and the refit's nine steps are rounded up.
    const std::size_t stages = faithful ? 2 : 3;
    std::size_t whole = 0;
    for (const auto& report : reports)
      whole += report.epochs;
    REQUIRE(memory.states.size() == (faithful ? 20 : 30));
    CHECK(memory.states[11].metadata.at("stage") == "autoencoder");
    CHECK(memory.states[12].metadata.at("stage") == "gan");
    for (const auto& state : memory.states) {
      Memory resumed;
      resumed.next = state;
      options.threads = options.threads % 3 + 1;
      small::Trainer other(options);
      std::size_t told = 0;
      const auto model = other.fit(
          data,
          [&](const rs::Progress&) {
            ++told;
            return rs::ProgressAction::go_on;
          },
          resumed.store());
      CHECK((rs::format_model(model) == expected));
      CHECK(told <= whole);
      REQUIRE(other.stages().size() == stages);
      for (std::size_t s = 0; s < stages; ++s)
        CHECK(other.stages()[s].epochs == reports[s].epochs);
    }
  }
}

TEST_CASE("a state of another training is refused by what differs", "[train]") {
  const auto data = small::table();
  auto options = small::options();
  options.autoencoder.steps = options.gan.steps = 4;
  Memory memory;
  small::Trainer(options).fit(data, {}, memory.store());
  while (memory.states.back().metadata.at("stage") != "gan") // of the stage whose entries are altered below
    memory.states.pop_back();
  Memory resumed;
  resumed.next = memory.states.back();
  const auto fit = [&](const rs::TrainerOptions& with, const rs::Table& table) {
    small::Trainer(with).fit(table, {}, resumed.store());
  };
  auto other = options;
  other.gan.optimiser.beta2 = 0.99;
  CHECK_THROWS_WITH(fit(other, data), Catch::Contains("its options differ"));
  other = options;
  ++other.seed;
  CHECK_THROWS_WITH(fit(other, data), Catch::Contains("its options differ"));
  auto columns = data.columns();
  columns[2].values[17] += 1;
  CHECK_THROWS_WITH(fit(options, rs::Table(columns, "flag")), Catch::Contains("its rows differ"));
  rs::Trainer<rs::Autoencoder<rs::Dense<33>, rs::ReLU, rs::Latent<6>>, small::Generator, small::Discriminator>
      wider(options);
  CHECK_THROWS_WITH(wider.fit(data, {}, resumed.store()), Catch::Contains("its layers differ"));
  // Layers of the same weights that compute something else.
  rs::Trainer<small::Autoencoder, small::Generator, small::Discriminator, rs::HingeLoss> hinge(options);
  CHECK_THROWS_WITH(hinge.fit(data, {}, resumed.store()), Catch::Contains("its types differ"));
  resumed.next->metadata["checkpoint_version"] = "0";
  CHECK_THROWS_AS(fit(options, data), rs::ModelFileError);
  resumed.next = memory.states.back();
  resumed.next->metadata["generator.steps"] = "many";
  CHECK_THROWS_WITH(fit(options, data), Catch::Contains("generator.steps") && Catch::Contains("number"));
  for (const char* curve :
       {"", "discriminator generator \n2 1 x", "discriminator generator \n2 1",
        "discriminator generator \n2 1 1 1", "discriminator generator \n2 1 inf",
        "discriminator generator \n2 1 1\n1 1 1", "loss \n2 1", "discriminator generator \n2 1 1\nbest 2 1",
        "discriminator generator \n2 1 1\nbest 2"}) {
    CAPTURE(curve);
    resumed.next = memory.states.back();
    resumed.next->metadata["curve"] = curve;
    CHECK_THROWS_WITH(fit(options, data), Catch::Contains("curve"));
  }
  resumed.next = memory.states.back();
  resumed.next->tensors.erase("generator.first_moment");
  CHECK_THROWS_WITH(fit(options, data), Catch::Contains("generator.first_moment"));
  resumed.next = memory.states.back();
  resumed.next->tensors["discriminator.values"].values.resize(3);
  CHECK_THROWS_WITH(fit(options, data), Catch::Contains("discriminator.values"));
}

TEST_CASE("rows that differ by the value of an atom alone are other rows to a checkpoint", "[train]") {
  auto x = rs::Column::numerical("x", {}, 2);
  rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user));
  for (int i = 0; i < 8000; ++i)
    x.values.push_back(random.below(2) == 0 ? 5.0 * random.below(200)
                                            : std::floor(1e5 * random.uniform()) / 100);
  auto y = x;
  const auto near = [](double value) { return value > 500 && value < 500.02; };
  for (double& value : x.values)
    value = near(value) ? 500.5 : value;
  y.values = x.values;
  for (double& value : y.values)
    value = value == 500 ? 500.01 : value;
  const auto fingerprint = [](const rs::Table& table) {
    const auto encoder = rs::TableEncoder::fit(table);
    return std::pair(encoder, rs::detail::table_fingerprint(encoder, encoder.encode(table), {}));
  };
  const auto [first, first_print] = fingerprint(rs::Table({x}));
  const auto [second, second_print] = fingerprint(rs::Table({y}));
  REQUIRE(first.codecs()[0].knots == second.codecs()[0].knots);
  REQUIRE(first.codecs()[0].atoms.size() == second.codecs()[0].atoms.size());
  CHECK(first_print != second_print);
  CHECK(fingerprint(rs::Table({x})).second == first_print);
}

TEST_CASE("a checkpoint file is there during a training, refused when damaged, and gone afterwards",
          "[train]") {
  const Folder folder;
  const auto file = folder / "fit.checkpoint";
  const auto data = small::table();
  const auto options = small::options();
  bool seen = false;
  const auto expected = rs::format_model(small::Trainer(options).fit(
      data,
      [&](const rs::Progress&) {
        seen = seen || fs::exists(file);
        return rs::ProgressAction::go_on;
      },
      rs::checkpoint_file(file, 0)));
  CHECK(seen);
  CHECK_FALSE(fs::exists(file));
  const auto interrupted = [](const rs::Progress& progress) -> rs::ProgressAction {
    if (progress.stage == "gan")
      throw std::runtime_error("interrupted");
    return rs::ProgressAction::go_on;
  };
  CHECK_THROWS_WITH(small::Trainer(options).fit(data, interrupted, rs::checkpoint_file(file, 0)),
                    "interrupted");
  REQUIRE(fs::exists(file));
  std::ifstream in(file, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(in), {}};
  auto damaged = bytes;
  damaged[damaged.size() - 100] ^= 1;
  std::ofstream(file, std::ios::binary) << damaged;
  CHECK_THROWS_WITH(small::Trainer(options).fit(data, {}, rs::checkpoint_file(file)),
                    Catch::Contains("fit.checkpoint") && Catch::Contains("checksum"));
  std::ofstream(file, std::ios::binary) << bytes;
  CHECK((rs::format_model(small::Trainer(options).fit(data, {}, rs::checkpoint_file(file))) == expected));
  CHECK_FALSE(fs::exists(file));
  CHECK_THROWS_AS(small::Trainer(options).fit(data, {}, rs::checkpoint_file(file, -1)), rs::OptionError);
}

TEST_CASE("a checkpoint that cannot be written or removed is a warning: the model is kept", "[train]") {
  const auto data = small::table();
  auto options = small::options();
  options.autoencoder.steps = options.gan.steps = options.refit.steps = 2;
  const auto expected = rs::format_model(small::Trainer(options).fit(data));
  Memory memory;
  auto store = memory.store();
  store.save = [](const rs::TensorFile&) { throw rs::Error("no space left"); };
  store.discard = [] { throw 7; };
  CHECK((rs::format_model(small::Trainer(options).fit(data, {}, store)) == expected));
  REQUIRE(memory.warnings.size() == 2); // the same words once
  CHECK_THAT(memory.warnings.front(),
             Catch::Contains("could not be saved") && Catch::Contains("no space left"));
  CHECK_THAT(memory.warnings.back(), Catch::Contains("could not be removed"));
  // As a file: a folder that is not there.
  const Folder folder;
  memory.warnings.clear();
  auto file = rs::checkpoint_file(folder / "no/folder", 0);
  file.warn = memory.store().warn;
  CHECK((rs::format_model(small::Trainer(options).fit(data, {}, file)) == expected));
  REQUIRE_FALSE(memory.warnings.empty());
  CHECK_THAT(memory.warnings.front(), Catch::Contains("no/folder"));
}

// What the next test starts as another process, to kill it.
TEST_CASE("child: train from a checkpoint file", "[.child]") {
  const char* folder = std::getenv("ROWSMITH_TEST_FOLDER");
  REQUIRE(folder != nullptr);
  const auto model =
      small::Trainer(long_options())
          .fit(small::table(), {}, rs::checkpoint_file((fs::path(folder) / "state").string(), 0.002));
  rs::save_model(model, (fs::path(folder) / "model").string());
}

TEST_CASE("a training killed at random moments ends with the bits of an undisturbed one", "[train]") {
  const Folder folder;
  ::setenv("ROWSMITH_TEST_FOLDER", folder.path.c_str(), 1);
  const auto start = [] {
    std::string program = "/proc/self/exe";
    std::string test = "[.child]";
    char* arguments[] = {program.data(), test.data(), nullptr};
    posix_spawn_file_actions_t files;
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    pid_t child = 0;
    const int failure = ::posix_spawn(&child, program.c_str(), &files, nullptr, arguments, environ);
    ::posix_spawn_file_actions_destroy(&files);
    if (failure != 0)
      throw std::runtime_error("cannot start the child");
    return child;
  };
  const auto began = std::chrono::steady_clock::now();
  const auto expected = rs::format_model(small::Trainer(long_options()).fit(small::table()));
  const std::chrono::duration<double> whole = std::chrono::steady_clock::now() - began;

  std::mt19937 random(std::random_device{}());
  int kills = 0;
  int resumed = 0;
  int missed = 0;
  double latest = 0.5;
  for (;;) {
    REQUIRE(kills < 200);
    resumed += fs::exists(folder / "state") ? 1 : 0;
    const auto child = start();
    // Enough is killed after a few times: then a child may come to its end.
    if (kills < 5 || resumed == 0) {
      std::this_thread::sleep_for(whole *
                                  std::uniform_real_distribution<double>(0.1 * latest, latest)(random));
      ::kill(child, SIGKILL);
    }
    int status = 0;
    REQUIRE(::waitpid(child, &status, 0) == child);
    if (WIFEXITED(status)) {
      REQUIRE(WEXITSTATUS(status) == 0);
      // A machine that stood still for a while kills too late.
      if ((kills == 0 || resumed == 0) && missed < 10) {
        ++missed;
        latest /= 2;
        fs::remove(folder / "model");
        continue;
      }
      break;
    }
    CHECK(WTERMSIG(status) == SIGKILL);
    ++kills;
  }
  INFO(kills << " kills, " << resumed << " starts from a checkpoint");
  CHECK(kills >= 1);
  CHECK(resumed >= 1);
  std::ifstream in(folder / "model", std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  CHECK((bytes == expected));
  CHECK_FALSE(fs::exists(folder / "state"));
}
