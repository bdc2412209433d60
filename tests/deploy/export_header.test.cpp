// SPDX-License-Identifier: MIT
#include <rowsmith/deploy/export_header.hpp>

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include <catch2/catch.hpp>
#include <sys/resource.h>

#include <rowsmith/deploy/sampler.hpp>

#include "small_parts.hpp"

namespace rs = rowsmith;
using Catch::Matchers::Contains;

namespace {

// A folder that is removed in the end.
struct Folder {
  std::filesystem::path path;
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "rowsmith-export-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr)
      throw std::runtime_error("no folder could be made for a test");
    path = name;
  }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string operator/(const char* name) const { return (path / name).string(); }
};

constexpr std::size_t rows = 150;

// What both sides write: all bits of every cell, of the scores, and of rows with a label asked for.
constexpr const char* program = R"cpp(
#include "model.hpp"
#include <cstdio>
#include <cstring>

namespace {
void write(const model::Row& row) {
  for (std::size_t c = 0; c < model::columns; ++c) {
    std::uint64_t bits = 1;
    if (model::is_categorical(c))
      bits = static_cast<std::uint64_t>(row.code[c]);
    else if (!row.is_missing(c))
      std::memcpy(&bits, &row.number[c], sizeof bits);
    std::printf("%llu ", static_cast<unsigned long long>(bits));
  }
  std::puts("");
}
model::Scratch scratch;
} // namespace

static_assert(noexcept(model::sample(1, 2, scratch, *static_cast<model::Row*>(nullptr))));
static_assert(noexcept(model::score(*static_cast<const model::Row*>(nullptr), scratch)));
static_assert(model::column("age") == 1);

int main() {
  for (unsigned i = 0; i < 150; ++i) {
    model::Row row;
    model::sample(11, i, scratch, row);
    write(row);
    std::printf("%a\n", model::score(row, scratch));
    if (model::labels > 0) {
      model::sample(12, i, model::label_index("yes"), scratch, row);
      write(row);
    }
    row.number[model::column("age")] = i % 2 == 0 ? 1e4 * i : -1e300;
    std::printf("%a\n", model::score(row, scratch));
  }
  model::Row row;
  if (!row.set_text(model::column("city"), "Oslo") || row.set_text(model::column("city"), "Atlantis"))
    return 1;
  std::printf("%a\n", model::score(row, scratch));
}
)cpp";

void write(std::ostream& out, const rs::DynamicRow& row) {
  for (std::size_t c = 0; c < row.size(); ++c)
    out << (row.schema()[c].kind == rs::ColumnKind::categorical
                ? static_cast<std::uint64_t>(row.category(c).code)
            : row.is_missing(c) ? 1
                                : std::bit_cast<std::uint64_t>(row.number(c)))
        << ' ';
  out << '\n';
}
std::string hexadecimal(double value) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%a", value);
  return text.data();
}
std::string expected_of(const rs::TableModel& model) {
  const rs::Sampler sampler(model);
  auto scratch = sampler.scratch();
  auto row = sampler.row();
  std::ostringstream out;
  for (std::size_t i = 0; i < rows; ++i) {
    sampler(11, i, scratch, row);
    write(out, row);
    out << hexadecimal(sampler.score(row, scratch)) << '\n';
    if (model.conditional()) {
      sampler(12, i, sampler.label_index("yes"), scratch, row);
      write(out, row);
    }
    row.set("age", i % 2 == 0 ? 1e4 * static_cast<double>(i) : -1e300);
    out << hexadecimal(sampler.score(row, scratch)) << '\n';
  }
  auto incomplete = sampler.row();
  incomplete.set("city", "Oslo");
  const double score = sampler.score(incomplete, scratch);
  out << (std::isnan(score) ? "nan" : hexadecimal(score)) << '\n';
  return out.str();
}
std::vector<std::string> lines_of(std::istream&& in) {
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    lines.push_back(line == "-nan" ? "nan" : line);
  return lines;
}

double seconds_of_children() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec) + 1e-6 * static_cast<double>(usage.ru_utime.tv_usec);
}
int run(const std::string& command) { return std::system(command.c_str()); }
std::string compile(const std::string& compiler, const std::string& flags, const Folder& folder) {
  return compiler + " -std=c++20 " + flags + " -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Werror " +
         (folder / "main.cpp") + " -o " + (folder / "main");
}

// What the compiler and the program returned, and the program's lines.
struct Exported {
  int compiled = -1;
  int ran = -1;
  std::vector<std::string> made;
};
Exported rows_of_header(const rs::TableModel& model) {
  Exported result;
  const Folder folder;
  rs::export_header(model, folder / "model.hpp");
  std::ofstream(folder / "main.cpp") << program;
  result.compiled = run(compile(ROWSMITH_CXX, ROWSMITH_CXX_FLAGS, folder));
  if (result.compiled == 0)
    result.ran = run((folder / "main") + " > " + (folder / "out"));
  if (result.ran == 0)
    result.made = lines_of(std::ifstream(folder / "out"));
  return result;
}

} // namespace

TEST_CASE("an exported header makes the sampler's rows and scores, bit for bit", "[deploy]") {
  auto all = small::models();
  all.push_back({"constants", rs::TableModel(small::with_constants(small::all_parts()[5].model))});
  all.push_back({"constants and labels", rs::TableModel(small::with_constants(small::all_parts()[1].model))});
  all.push_back({"relations", rs::TableModel(small::related_parts())});
  all.push_back({"dates", rs::TableModel(small::dated_parts())});
  // The next header is compiled while the rows of one are compared with the sampler's.
  std::vector<std::future<Exported>> exported;
  const auto start = [&](std::size_t i) {
    if (i < all.size())
      exported.push_back(std::async(std::launch::async, rows_of_header, std::cref(all[i].model)));
  };
  start(0);
  start(1);
  for (std::size_t m = 0; m < all.size(); ++m) {
    const auto& [name, model] = all[m];
    CAPTURE(name);
    const auto [compiled, ran, made] = exported[m].get();
    start(m + 2);
    REQUIRE(compiled == 0);
    REQUIRE(ran == 0);
    const auto expected = lines_of(std::istringstream(expected_of(model)));
    REQUIRE(made.size() == expected.size());
    std::size_t wrong = 0;
    for (std::size_t i = 0; i < made.size(); ++i)
      wrong += made[i] == expected[i] ? 0 : 1;
    CHECK(wrong == 0);
  }
}

TEST_CASE("smaller weights keep scores within the stated tolerance", "[deploy]") {
  const auto all = small::models();
  for (const std::size_t which : {1U, 6U, 11U})
    for (const auto weights : {rs::WeightFormat::f16, rs::WeightFormat::i8}) {
      CAPTURE(all[which].name, static_cast<int>(weights));
      const auto& model = all[which].model;
      const Folder folder;
      rs::export_header(model, folder / "model.hpp", {.weights = weights});
      const auto source = rs::format_header(model, {.weights = weights});
      CHECK(source.size() < rs::format_header(model).size());
      // Scores of the sampler's rows, so that both judge the same.
      const rs::Sampler sampler(model);
      auto scratch = sampler.scratch();
      auto row = sampler.row();
      std::ostringstream main;
      main << "#include \"model.hpp\"\n#include <cstdio>\nmodel::Scratch scratch;\nint main() {\n"
              "  const double nan = std::numeric_limits<double>::quiet_NaN(); (void)nan;\n";
      std::vector<double> expected;
      for (std::size_t i = 0; i < rows; ++i) {
        sampler(11, i, scratch, row);
        main << "  { model::Row row;";
        for (std::size_t c = 0; c < row.size(); ++c)
          if (row.schema()[c].kind == rs::ColumnKind::categorical)
            main << " row.code[" << c << "] = " << row.category(c).code << ';';
          else if (!row.is_missing(c))
            main << " row.number[" << c << "] = " << hexadecimal(row.number(c)) << ';';
        main << " std::printf(\"%a\\n\", model::score(row, scratch)); }\n";
        expected.push_back(sampler.score(row, scratch));
      }
      main << "}\n";
      std::ofstream(folder / "main.cpp") << main.str();
      REQUIRE(run(compile(ROWSMITH_CXX, "-O1", folder)) == 0);
      REQUIRE(run((folder / "main") + " > " + (folder / "out")) == 0);
      const auto made = lines_of(std::ifstream(folder / "out"));
      REQUIRE(made.size() == rows);
      double worst = 0;
      for (std::size_t i = 0; i < rows; ++i)
        worst = std::max(worst,
                         std::abs(std::strtod(made[i].c_str(), nullptr) - expected[i]) / (1 + expected[i]));
      CHECK(worst < (weights == rs::WeightFormat::f16 ? 0.01 : 0.3));
      CHECK(worst > 0);
    }
}

TEST_CASE("an exported header needs no exceptions, no RTTI and little time to compile", "[deploy]") {
  using Heads = rs::AutoregressiveHeads<64>;
  using Autoencoder =
      rs::Autoencoder<rs::Dense<256>, rs::ReLU, rs::Dense<128>, rs::ReLU, rs::Latent<16>, Heads>;
  using Generator = rs::Generator<rs::Noise<32>, rs::Dense<128>, rs::LeakyReLU, rs::Dense<128>, rs::LeakyReLU,
                                  rs::Dense<16>, rs::Tanh>;
  const auto encoder = rs::TableEncoder::fit(small::table(4000));
  const rs::TableModel model(small::parts<Autoencoder, Generator>(encoder, true));
  const Folder folder;
  rs::export_header(model, folder / "model.hpp", {.name = "model"});
  std::ofstream(folder / "main.cpp") << program;
  for (const std::string compiler : {"g++", "clang++"}) {
    if (run("command -v " + compiler + " > /dev/null 2>&1") != 0)
      continue;
    CAPTURE(compiler);
    const double start = seconds_of_children();
    CHECK(run(compile(compiler, "-O2 -fno-exceptions -fno-rtti", folder)) == 0);
    CHECK(seconds_of_children() - start < 6); // about 1 s; processor time, whatever else the machine does
    CHECK(run((folder / "main") + " > /dev/null") == 0);
  }
  // What the header includes is of the standard library.
  std::ifstream in(folder / "model.hpp");
  for (std::string line; std::getline(in, line);)
    if (line.rfind("#include", 0) == 0)
      CHECK(line.find('/') == std::string::npos);
}

TEST_CASE("a column that is not there does not compile", "[deploy]") {
  const Folder folder;
  rs::export_header(small::models().front().model, folder / "model.hpp", {.scoring = false});
  std::ofstream(folder / "main.cpp")
      << "#include \"model.hpp\"\nint main() { return model::column(COLUMN) == 9; }\n";
  CHECK(run(compile(ROWSMITH_CXX, "-fsyntax-only -DCOLUMN='\"age\"'", folder)) == 0);
  CHECK(run(compile(ROWSMITH_CXX, "-fsyntax-only -DCOLUMN='\"wage\"'", folder) + " 2> " +
            (folder / "errors")) != 0);
  std::ifstream in(folder / "errors");
  std::stringstream errors;
  errors << in.rdbuf();
  CHECK_THAT(errors.str(), Contains("this_model_has_no_column_of_that_name"));
}

TEST_CASE("export refuses what a header cannot hold", "[deploy]") {
  auto model = small::all_parts().front().model;
  for (const char* name : {"", "two words", "9", "a__b", "a-b", "x;", "class", "std", "_x", "co_await", "_X",
                           "main", "posix", "linux", "index", "log", "y0"})
    CHECK_THROWS_AS(rs::format_header(rs::TableModel(model), {.name = name}), rs::OptionError);
  CHECK_THROWS_WITH(rs::ExportOptions{.name = "main"}.check(), Contains("'main' cannot name a namespace"));
  SECTION("too large for half precision") {
    auto layer = model.generator_network.layers().front();
    layer.weight[0] = 70000;
    rs::InferenceNetwork network;
    network.add(layer);
    for (std::size_t i = 1; i < model.generator_network.layers().size(); ++i)
      network.add(model.generator_network.layers()[i]);
    model.generator_network = network;
    CHECK_NOTHROW(rs::format_header(rs::TableModel(model)));
    CHECK_THROWS_WITH(rs::format_header(rs::TableModel(model), {.weights = rs::WeightFormat::f16}),
                      Contains("65504"));
  }
  SECTION("not finite") {
    model.latent_scale[0] = std::numeric_limits<float>::infinity();
    CHECK_THROWS_WITH(rs::format_header(rs::TableModel(model)), Contains("not finite"));
  }
}

TEST_CASE("half precision is rounded to nearest", "[deploy]") {
  CHECK(rs::detail::to_half(0.0F, "") == 0);
  CHECK(rs::detail::to_half(-0.0F, "") == 0x8000);
  CHECK(rs::detail::to_half(1.0F, "") == 0x3C00);
  CHECK(rs::detail::to_half(-2.0F, "") == 0xC000);
  CHECK(rs::detail::to_half(65504.0F, "") == 0x7BFF);
  CHECK(rs::detail::to_half(0x1p-14F, "") == 0x0400);
  CHECK(rs::detail::to_half(0x1p-24F, "") == 0x0001);
  CHECK(rs::detail::to_half(0x1p-25F, "") == 0x0000);     // a tie: to even
  CHECK(rs::detail::to_half(0x1.8p-24F, "") == 0x0002);   // a tie: to even
  CHECK(rs::detail::to_half(0x1.FFFp-15F, "") == 0x0400); // rounds up to the smallest normal number
  CHECK(rs::detail::to_half(0x1.002p0F, "") == 0x3C00);   // a tie: to even
  CHECK(rs::detail::to_half(0x1.006p0F, "") == 0x3C02);   // a tie: to even
  CHECK(rs::detail::to_half(0x1.003p0F, "") == 0x3C01);
}
