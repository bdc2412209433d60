// SPDX-License-Identifier: MIT
// The forest against scikit-learn's on the real Adult table: the same figures from an independent
// implementation.
#include <catch2/catch.hpp>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/core/random.hpp>
#include <rowsmith/evaluate/detection.hpp>
#include <rowsmith/evaluate/efficacy.hpp>
#include <rowsmith/table/read_csv.hpp>

namespace rs = rowsmith;

namespace {
using Adult =
    rs::Schema<rs::Numerical<"age">, rs::Categorical<"workclass">, rs::Numerical<"fnlwgt">,
               rs::Categorical<"education">, rs::Numerical<"education-num">,
               rs::Categorical<"marital-status">, rs::Categorical<"occupation">,
               rs::Categorical<"relationship">, rs::Categorical<"race">, rs::Categorical<"sex">,
               rs::Numerical<"capital-gain">, rs::Numerical<"capital-loss">, rs::Numerical<"hours-per-week">,
               rs::Categorical<"native-country">, rs::Label<"income">>;

// Standard output of a command, or nothing if it failed.
std::string output_of(const std::string& command) {
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> pipe(::popen(command.c_str(), "r"), ::pclose);
  std::string text;
  char part[4096];
  while (pipe && std::fgets(part, sizeof part, pipe.get()) != nullptr)
    text += part;
  return text;
}

// Every column in a random order of its own: the margins stay, all connections go.
rs::Table shuffled(const rs::Table& table) {
  auto columns = table.columns();
  for (std::size_t c = 0; c < columns.size(); ++c) {
    rs::RandomSequence random(rs::RandomStream(1, rs::Purpose::user, static_cast<std::uint32_t>(c)));
    rs::shuffle(std::span<double>(columns[c].values), random);
    rs::shuffle(std::span<std::int32_t>(columns[c].codes), random);
  }
  return rs::Table(std::move(columns), table.schema().label());
}
} // namespace

TEST_CASE("forest and scikit-learn agree on Adult", "[evaluate]") {
  const char* folder = std::getenv("ADULT_DIR");
  if (folder == nullptr || *folder == 0) {
    WARN("skipped: ADULT_DIR does not name a folder with adult.data and adult.test");
    return;
  }
  // Debian's packages belong to the system's interpreter, which need not be the first on the path.
  const std::string script = std::string("/usr/bin/python3 '") + ROWSMITH_SOURCE_DIR +
                             "/tests/evaluate/sklearn_reference.py' '" + folder + "'";
  const auto text = output_of(script);
  const auto reference = nlohmann::json::parse(text, nullptr, false);
  const std::string data = folder;
  const auto train = rs::read_csv<Adult>(data + "/adult.data", {.header = false});
  const auto test = rs::read_csv<Adult>(data + "/adult.test",
                                        {.header = false, .comment = '|', .strip_suffix = {{"income", "."}}});
  REQUIRE(train.rows() == 32561);
  REQUIRE(test.rows() == 16281);
  const double auc_real = rs::efficacy(train, test, train, "income", {.seeds = 1}).auc_real.mean;
  const double same = rs::detection(train, test).auc.mean;
  const double mixed = rs::detection(train, shuffled(train), {.seeds = 1}).auc.mean;
  CHECK(same == Approx(0.5).margin(0.01)); // rows of one source cannot be told apart
  if (!reference.is_object()) {
    WARN("no comparison: /usr/bin/python3 has no scikit-learn (Debian: python3-sklearn python3-pandas)");
    return;
  }
  CAPTURE(text);
  CHECK(auc_real == Approx(reference["auc_real"].get<double>()).margin(0.005));
  // Folds and samples differ: one repeat has a standard error of 0.004 or so.
  CHECK(same == Approx(reference["same"].get<double>()).margin(0.015));
  CHECK(mixed == Approx(reference["shuffled"].get<double>()).margin(0.005));
}
