// SPDX-License-Identifier: MIT
#include <atomic>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <catch2/catch.hpp>
#include <unistd.h>

#include <rowsmith/io/model_file.hpp>
#include <rowsmith/table/read_csv.hpp>

#include "../../examples/service/service.hpp"
#include "../deploy/small_models.hpp"

#include <httplib.h>

namespace rs = rowsmith;
using Catch::Matchers::Contains;
using nlohmann::json;

namespace {

// A service on a free port of the loopback, with a model of two labels.
struct Running {
  std::string path;
  rs::TableModel model;
  std::unique_ptr<service::Service> service;
  std::thread thread;

  explicit Running(std::size_t which = 1, std::uint64_t max_rows = 100'000) {
    std::string name = (std::filesystem::temp_directory_path() / "rowsmith-service-XXXXXX").string();
    const int file = mkstemp(name.data());
    REQUIRE(file >= 0);
    close(file);
    path = name;
    model = small::models().at(which).model;
    rs::save_model(model, path);
    service = std::make_unique<service::Service>(
        service::Options{.model = path, .port = 0, .max_rows = max_rows, .max_body = 20'000});
    thread = std::thread([this] { service->run(); });
  }
  ~Running() {
    service->stop();
    thread.join();
    std::filesystem::remove(path);
  }
  httplib::Client client() const { return httplib::Client("127.0.0.1", service->port()); }
};

std::string csv_of(const rs::Table& table) {
  std::ostringstream out;
  rs::write_csv(out, table);
  return out.str();
}

} // namespace

TEST_CASE("sampled rows are those of the model", "[service]") {
  const Running running;
  auto client = running.client();
  SECTION("CSV, one piece and streamed") {
    for (const std::string n : {"1", "7", "20000"}) {
      const auto answer = client.Get("/sample?n=" + n + "&seed=5&first=3&format=csv");
      REQUIRE(answer);
      CHECK(answer->status == 200);
      CHECK(answer->get_header_value("X-Seed") == "5");
      CHECK((answer->body == csv_of(running.model.sample(std::stoul(n), {.seed = 5, .first_row = 3}))));
    }
  }
  SECTION("JSON") {
    const auto table = running.model.sample(9000, {.seed = 8, .label = "yes"});
    const auto answer = client.Get("/sample?n=9000&seed=8&label=yes");
    REQUIRE(answer);
    const auto rows = json::parse(answer->body);
    REQUIRE(rows.size() == 9000);
    std::size_t wrong = 0;
    for (std::size_t r = 0; r < rows.size(); ++r)
      for (const auto& column : table.columns()) {
        const auto& cell = rows[r].at(column.name);
        if (column.is_missing(r))
          wrong += cell.is_null() ? 0 : 1;
        else if (column.kind == rs::ColumnKind::numerical)
          wrong += cell.get<double>() == Approx(column.values[r]).margin(1e-9) ? 0 : 1;
        else
          wrong += cell == column.dictionary.text(column.codes[r]) ? 0 : 1;
      }
    CHECK(wrong == 0);
  }
  SECTION("without a seed, each answer has its own, and says which") {
    const auto one = client.Get("/sample");
    const auto two = client.Get("/sample");
    REQUIRE(one);
    REQUIRE(two);
    CHECK(one->get_header_value("X-Seed") != two->get_header_value("X-Seed"));
    const auto again = client.Get("/sample?seed=" + one->get_header_value("X-Seed"));
    REQUIRE(again);
    CHECK(again->body == one->body);
  }
}

TEST_CASE("bad requests get 4xx and a reason, and do not end the service", "[service]") {
  const Running running;
  auto client = running.client();
  const auto refused = [&](const std::string& query, int status, const std::string& reason) {
    const auto answer = client.Get(query);
    CAPTURE(query);
    REQUIRE(answer);
    CHECK(answer->status == status);
    CHECK_THAT(json::parse(answer->body).at("error").get<std::string>(), Contains(reason));
  };
  refused("/sample?n=0", 400, "n = '0'");
  refused("/sample?n=-1", 400, "n = '-1'");
  refused("/sample?n=1e3", 400, "from 1 to 100000");
  refused("/sample?n=100001", 400, "from 1 to 100000");
  refused("/sample?n=99999999999999999999", 400, "whole number");
  refused("/sample?n=", 400, "n = ''");
  refused("/sample?n=1&n=2", 400, "more than once");
  refused("/sample?rows=1", 400, "'rows'");
  refused("/sample?seed=x", 400, "seed");
  refused("/sample?first=18446744073709551615", 400, "first");
  refused("/sample?format=xml", 400, "json or csv");
  refused("/sample?label=nobody", 422, "'no', 'yes'");
  refused("/sample?label=%FF", 422, "no label");
  refused("/nothing", 404, "/sample");
  refused("/score", 404, "POST /score");
  const auto posted = [&](const std::string& body, int status, const std::string& reason) {
    const auto answer = client.Post("/score", body, "application/json");
    CAPTURE(body.substr(0, 100));
    REQUIRE(answer);
    CHECK(answer->status == status);
    CHECK_THAT(json::parse(answer->body).at("error").get<std::string>(), Contains(reason));
  };
  const json row{{"amount", 1.5}, {"age", 40}, {"one", 1}, {"city", "Oslo"}, {"shade", "3"}, {"rich", "no"}};
  const auto with = [&row](const char* name, const json& value) {
    json changed = row;
    changed[name] = value;
    return changed.dump();
  };
  posted("", 400, "not JSON");
  posted("{", 400, "not JSON");
  posted("3", 400, "not JSON");
  posted("[3]", 422, "row 1 is not an object");
  posted("{}", 422, "'amount'");
  posted(with("age", "old"), 422, "expected a number");
  posted(with("age", nullptr), 422, "no training row was");
  posted(with("city", 3), 422, "expected a text");
  posted(with("city", "Atlantis"), 422, "'Atlantis'");
  posted(with("wage", 3), 422, "'wage'");
  posted("[" + row.dump() + "," + with("rich", "very") + "]", 422, "row 2, column 'rich'");
  posted(std::string(30'000, ' '), 413, "too long");
  posted(std::string(5'000, '['), 400, "not JSON");
  const auto health = client.Get("/health");
  REQUIRE(health);
  CHECK(health->status == 200);
  CHECK(json::parse(health->body).at("status") == "ok");
}

TEST_CASE("scores are the sampler's", "[service]") {
  const Running running;
  auto client = running.client();
  const rs::Sampler sampler(running.model);
  auto scratch = sampler.scratch();
  auto row = sampler.row();
  json list = json::array();
  std::vector<double> expected;
  for (int i = 0; i < 20; ++i) {
    row.set("amount", 1.5 * i);
    row.set("age", 20.0 + i);
    row.set("one", 1.0);
    row.set("city", "Oslo");
    row.set("shade", "3");
    row.set("rich", i % 2 == 0 ? "no" : "yes");
    list.push_back({{"amount", 1.5 * i},
                    {"age", 20 + i},
                    {"one", 1},
                    {"city", "Oslo"},
                    {"shade", "3"},
                    {"rich", i % 2 == 0 ? "no" : "yes"}});
    expected.push_back(sampler.score(row, scratch));
  }
  list[0]["city"] = nullptr; // some training rows had none
  const auto answer = client.Post("/score", list.dump(), "application/json");
  REQUIRE(answer);
  REQUIRE(answer->status == 200);
  const auto scores = json::parse(answer->body).at("scores");
  REQUIRE(scores.size() == expected.size());
  CHECK(scores[0].get<double>() != expected[0]);
  for (std::size_t i = 1; i < expected.size(); ++i)
    CHECK(scores[i].get<double>() == expected[i]);
}

TEST_CASE("a score without bound is said as a text, since JSON has no such number", "[service]") {
  const Running running;
  auto client = running.client();
  const json row{{"amount", 1e300}, {"age", 40}, {"one", 1}, {"city", "Oslo"}, {"shade", "3"}, {"rich", "no"}};
  const auto answer = client.Post("/score", row.dump(), "application/json");
  REQUIRE(answer);
  CHECK(answer->status == 200);
  CHECK(json::parse(answer->body).at("scores") == json::array({"Infinity"}));
}

TEST_CASE("an unknown text is scored as the category for others, where there is one", "[service]") {
  const Running running(3);
  auto client = running.client();
  json row{{"amount", 1.5}, {"age", 40}, {"one", 1}, {"city", "Atlantis"}, {"shade", "3"}, {"rich", "no"}};
  const auto unknown = client.Post("/score", row.dump(), "application/json");
  row["city"] = "(other)";
  const auto other = client.Post("/score", row.dump(), "application/json");
  REQUIRE(unknown);
  REQUIRE(other);
  CHECK(unknown->status == 200);
  CHECK(unknown->body == other->body);
}

TEST_CASE("metrics count what was answered", "[service]") {
  const Running running;
  auto client = running.client();
  REQUIRE(client.Get("/sample?n=3"));
  REQUIRE(client.Get("/sample?n=30000&format=csv"));
  REQUIRE(client.Get("/sample?n=0"));
  REQUIRE(client.Get("/nothing"));
  // A streamed answer counts when it is over, which its reader may know a moment before the service.
  auto answer = client.Get("/metrics");
  for (int i = 0; i < 500 && answer && answer->body.find("rowsmith_rows_total 30003") == std::string::npos;
       ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    answer = client.Get("/metrics");
  }
  REQUIRE(answer);
  CHECK_THAT(answer->body, Contains("rowsmith_requests_total{endpoint=\"sample\",status=\"2xx\"} 2\n"));
  CHECK_THAT(answer->body, Contains("rowsmith_requests_total{endpoint=\"sample\",status=\"4xx\"} 1\n"));
  CHECK_THAT(answer->body, Contains("rowsmith_requests_total{endpoint=\"other\",status=\"4xx\"} 1\n"));
  CHECK_THAT(answer->body, Contains("rowsmith_request_seconds_bucket{endpoint=\"sample\",le=\"+Inf\"} 3\n"));
  CHECK_THAT(answer->body, Contains("rowsmith_request_seconds_count{endpoint=\"sample\"} 3\n"));
  CHECK_THAT(answer->body, Contains("rowsmith_rows_total 30003\n"));
}

TEST_CASE("the model is loaded again without a failed request", "[service]") {
  Running running;
  const auto other = small::models().at(2).model;
  const std::string before = csv_of(running.model.sample(2000, {.seed = 1}));
  const std::string after = csv_of(other.sample(2000, {.seed = 1}));
  REQUIRE(before != after);
  std::atomic<bool> stop{false};
  std::atomic<int> failures{0};
  std::atomic<int> seen_before{0};
  std::atomic<int> seen_after{0};
  std::vector<std::thread> clients;
  for (int t = 0; t < 3; ++t)
    clients.emplace_back([&] {
      auto client = running.client();
      client.set_keep_alive(true);
      while (!stop) {
        const auto answer = client.Get("/sample?n=2000&seed=1&format=csv");
        if (!answer || answer->status != 200 || (answer->body != before && answer->body != after))
          ++failures;
        else
          ++(answer->body == before ? seen_before : seen_after);
      }
    });
  while (seen_before < 3)
    std::this_thread::yield();
  for (int i = 0; i < 4; ++i) {
    rs::save_model(i % 2 == 0 ? other : running.model, running.path);
    CHECK(running.service->reload());
  }
  rs::save_model(other, running.path);
  CHECK(running.service->reload());
  while (seen_after < 6 && failures == 0)
    std::this_thread::yield();
  stop = true;
  for (auto& client : clients)
    client.join();
  CHECK(failures == 0);

  // A file that is no model changes nothing.
  std::filesystem::resize_file(running.path, 100);
  CHECK_FALSE(running.service->reload());
  const auto answer = running.client().Get("/sample?n=2000&seed=1&format=csv");
  REQUIRE(answer);
  CHECK((answer->body == after));
  const auto metrics = running.client().Get("/metrics");
  REQUIRE(metrics);
  CHECK_THAT(metrics->body, Contains("rowsmith_reloads_total{result=\"ok\"} 5\n"));
  CHECK_THAT(metrics->body, Contains("rowsmith_reloads_total{result=\"failed\"} 1\n"));
}

TEST_CASE("signals load the model again and stop the service after what is under way", "[service]") {
  Running other; // takes its threads' signals before they are held back
  const auto model = small::models().at(2).model;
  const auto signals = service::hold_signals();
  const std::string path = other.path + ".signals";
  rs::save_model(other.model, path);
  service::Service service({.model = path, .port = 0, .max_rows = 1'000'000});
  std::thread server([&] { service::run_until_stopped(service, signals); });
  httplib::Client client("127.0.0.1", service.port());
  const auto first = client.Get("/sample?n=50&seed=1&format=csv");
  REQUIRE(first);
  CHECK((first->body == csv_of(other.model.sample(50, {.seed = 1}))));
  rs::save_model(model, path);
  pthread_kill(server.native_handle(), SIGHUP);
  const std::string after = csv_of(model.sample(50, {.seed = 1}));
  bool changed = false;
  for (int i = 0; i < 500 && !changed; ++i) {
    const auto answer = client.Get("/sample?n=50&seed=1&format=csv");
    REQUIRE(answer);
    changed = answer->body == after;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(changed);
  // A long answer that has begun is whole although the service is told to stop meanwhile.
  std::string body;
  std::atomic<bool> begun{false};
  std::thread reader([&] {
    httplib::Client slow("127.0.0.1", service.port());
    slow.Get("/sample?n=200000&seed=1&format=csv", [&](const char* data, std::size_t size) {
      body.append(data, size);
      begun = true;
      return true;
    });
  });
  while (!begun)
    std::this_thread::yield();
  pthread_kill(server.native_handle(), SIGTERM);
  server.join();
  reader.join();
  CHECK(std::count(body.begin(), body.end(), '\n') > 200'000);
  CHECK_FALSE(httplib::Client("127.0.0.1", service.port()).Get("/health"));
  std::filesystem::remove(path);
}
