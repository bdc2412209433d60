// SPDX-License-Identifier: MIT
// A table that comes from elsewhere than from a file of CSV gives the same model.
#include <catch2/catch.hpp>

#include <cstddef>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>

#include <rowsmith/arrow/arrow_rows.hpp>
#include <rowsmith/arrow/to_arrow.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/io/table_format_json.hpp>
#include <rowsmith/sqlite/sqlite_rows.hpp>
#include <rowsmith/sqlite/sqlite_writer.hpp>
#include <rowsmith/table/table_file_writer.hpp>
#include <rowsmith/train/read_training_rows.hpp>

#include "../support/folder.hpp"
#include "small_training.hpp"

namespace rs = rowsmith;

namespace {

// The small table as a file, and what is found out and trained from a file or another source.
struct OtherSources {
  TestFolder folder;
  rs::Table table = small::table();
  rs::TableFormat format;
  rs::TrainerOptions training = small::options();
  OtherSources() {
    format.columns = {{.name = "kind"}, {.name = "flag"}, {.name = "size", .role = rs::ColumnRole::real}};
    format.label = "flag";
    rs::write_table_file(folder.path + "/t.csv", table, format);
  }
  rs::TrainingFiles read_csv() const {
    return rs::read_training_rows({folder.path + "/t.csv"}, {.label = "flag"}, training, reading());
  }
  rs::TrainingFiles read(rs::TextSource& source, std::size_t chunk = 7) const {
    return rs::read_training_rows(source, {.label = "flag"}, training, reading(chunk));
  }
  std::string model_of(rs::TrainingFiles files) const {
    const auto path = folder.path + "/model";
    rs::save_model(small::Trainer(training).fit(std::move(files.rows)), path);
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }

private:
  rs::ReadOptions reading(std::size_t chunk = 256) const {
    rs::ReadOptions options;
    options.folder = folder.path;
    options.chunk_rows = chunk;
    return options;
  }
};

} // namespace

#if ROWSMITH_HAS_SQLITE
TEST_CASE("a table gives the same model by CSV and by SQLite", "[train][sqlite]") {
  const OtherSources from;
  const auto path = from.folder.path + "/t.db";
  rs::write_sqlite(path, "t", from.format, from.table, 0,
                   [&](rs::SqliteRowWriter& rows) { rows.append(from.table, 0); });
  const auto source = rs::sqlite_rows({.file = path, .query = "select * from t"});
  auto csv = from.read_csv();
  auto database = from.read(*source);
  CHECK(database.passes == 2);
  CHECK(rs::to_json(csv.file.format) == rs::to_json(database.file.format));
  CHECK((from.model_of(std::move(csv)) == from.model_of(std::move(database))));
}
#endif

TEST_CASE("a table gives the same model by CSV and by Arrow", "[train][arrow]") {
  const OtherSources from;
  ArrowArrayStream stream{};
  rs::to_arrow_stream(from.table, from.format, stream);
  rs::ArrowRows kept(stream);
  rs::ArrowRows opened([&](ArrowArrayStream& to) { rs::to_arrow_stream(from.table, from.format, to); });
  auto csv = from.read_csv();
  auto arrow = from.read(kept);
  CHECK(arrow.passes == 2);
  CHECK(rs::to_json(csv.file.format) == rs::to_json(arrow.file.format));
  const auto fingerprint = [](const rs::TrainingFiles& files) {
    return rs::detail::table_fingerprint(files.rows.encoder, files.rows.encoded, {});
  };
  CHECK(fingerprint(csv) == fingerprint(arrow));
  CHECK(fingerprint(csv) == fingerprint(from.read(opened, 300)));
  CHECK((from.model_of(std::move(csv)) == from.model_of(std::move(arrow))));
}
