// SPDX-License-Identifier: MIT
#include <atomic>
#include <chrono>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <catch2/catch.hpp>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rowsmith/io/model_file.hpp>
#include <rowsmith/table/read_csv.hpp>

#include "../../examples/service/service.hpp"
#include "../deploy/small_models.hpp"
#include "../support/csv_text.hpp"

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

  explicit Running(std::size_t which = 1, service::Options options = {.model = {}, .max_rows = 100'000})
      : model(small::models().at(which).model) {
    std::string name = (std::filesystem::temp_directory_path() / "rowsmith-service-XXXXXX").string();
    const int file = mkstemp(name.data());
    REQUIRE(file >= 0);
    close(file);
    path = name;
    rs::save_model(model, path);
    options.model = path;
    options.port = 0;
    options.max_body = 20'000;
    service = std::make_unique<service::Service>(options);
    thread = std::thread([this] { service->run(); });
  }
  ~Running() {
    service->stop();
    thread.join();
    std::filesystem::remove(path);
  }
  // Waits for an answer far longer than any test takes: where one is slow to come, because the machine is
  // busy or the sanitizers watch, that is no failure.
  httplib::Client client() const {
    httplib::Client made("127.0.0.1", service->port());
    made.set_read_timeout(120);
    return made;
  }
};

// A client that sends a request and takes no more of the answer than it is told to.
class SlowReader {
public:
  SlowReader(int port, const std::string& path) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const int small = 4096;
    setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    REQUIRE(send(socket_, request.data(), request.size(), 0) == static_cast<ssize_t>(request.size()));
  }
  SlowReader(const SlowReader&) = delete;
  SlowReader& operator=(const SlowReader&) = delete;
  ~SlowReader() { close(socket_); }
  // Up to `most` bytes; none at the end.
  std::string take(std::size_t most) {
    std::string part(most, '\0');
    part.resize(static_cast<std::size_t>(std::max<ssize_t>(recv(socket_, part.data(), most, 0), 0)));
    return part;
  }

private:
  int socket_;
};

// The first text of /metrics that holds `wanted`, or the last one after some seconds.
std::string metrics_with(httplib::Client& client, const std::string& wanted) {
  std::string text;
  for (int i = 0; i < 800; ++i) {
    const auto answer = client.Get("/metrics");
    REQUIRE(answer);
    text = answer->body;
    if (text.find(wanted) != std::string::npos)
      break;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return text;
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
  SECTION("under conditions") {
    const auto answer = client.Get("/sample?n=300&seed=5&where=age%3E%3D40&where=rich%20%3D%20no&format=csv");
    REQUIRE(answer);
    CHECK(answer->status == 200);
    CHECK((answer->body == csv_of(running.model.sample(300, {.seed = 5,
                                                             .conditions = {rs::where("age").at_least(40),
                                                                            rs::where("rich").is("no")}}))));
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
  refused("/sample?where=wage%3E3", 422, "the columns are: ");
  refused("/sample?where=age%3E1000", 422, "no candidate meets the conditions");
  std::string many = "/sample?n=1";
  for (int i = 0; i < 9; ++i)
    many += "&where=age%3E" + std::to_string(i);
  refused(many, 400, "at most 8");
  refused("/sample?n=90000&where=age%3E%3D70&where=rich%3Dyes", 422, "candidates: ask for at most");
  refused("/nothing", 404, "/sample");
  refused("/sample?n=" + std::string(3000, '9'), 400, "(3000 bytes): expected a whole number");
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

TEST_CASE("a refusal repeats no more than the beginning of what was sent", "[service]") {
  const Running running;
  auto client = running.client();
  const std::string text(15'000, 'x');
  json row{{"amount", 1.5}, {"age", 40}, {"one", 1}, {"city", text}, {"shade", "3"}, {"rich", "no"}};
  const auto category = client.Post("/score", row.dump(), "application/json");
  row["city"] = "Oslo";
  row[text] = 1;
  const auto column = client.Post("/score", row.dump(), "application/json");
  const auto label = client.Get("/sample?label=" + text.substr(0, 6000));
  const auto parameter = client.Get("/sample?" + text.substr(0, 6000) + "=1");
  for (const auto* answer : {&category, &column, &label, &parameter}) {
    REQUIRE(*answer);
    CHECK((*answer)->status >= 400);
    CHECK((*answer)->status < 500);
    CHECK((*answer)->body.size() < 2200);
    CHECK_THAT(json::parse((*answer)->body).at("error").get<std::string>(), Contains("'xxxxx"));
  }
  CHECK_THAT(category->body, Contains("(15000 bytes)"));
}

TEST_CASE("a method that a path does not have gets 405 and those that it has", "[service]") {
  const Running running;
  auto client = running.client();
  const auto check = [](const httplib::Result& answer, const std::string& allowed) {
    REQUIRE(answer);
    CHECK(answer->status == 405);
    CHECK(answer->get_header_value("Allow") == allowed);
    CHECK_THAT(answer->body, Contains("other methods"));
  };
  check(client.Get("/score"), "POST");
  check(client.Put("/score", "{}", "application/json"), "POST");
  check(client.Post("/sample", "{}", "application/json"), "GET, HEAD");
  check(client.Delete("/health"), "GET, HEAD");
  check(client.Options("/metrics"), "GET, HEAD");
  const auto head = client.Head("/health");
  REQUIRE(head);
  CHECK(head->status == 200);
  const auto nowhere = client.Delete("/nothing");
  REQUIRE(nowhere);
  CHECK(nowhere->status == 404);
}

TEST_CASE("a second service on a port in use is refused and takes no request", "[service]") {
  const Running running;
  service::Options options;
  options.model = running.path;
  options.port = running.service->port();
  CHECK_THROWS_WITH(service::Service(options),
                    Contains("cannot listen on 127.0.0.1:" + std::to_string(options.port)));
  auto client = running.client();
  CHECK(client.Get("/health"));
}

TEST_CASE("a port that was just left is taken at once", "[service]") {
  int port = 0;
  {
    const Running running;
    port = running.service->port();
    REQUIRE(running.client().Get("/health"));
  }
  const Running other;
  service::Options options;
  options.model = other.path;
  options.port = port;
  CHECK_NOTHROW(service::Service(options));
}

TEST_CASE("health is answered while all threads that make rows wait for slow readers", "[service]") {
  service::Options options;
  options.threads = 2;
  options.write_seconds = 3;
  const Running running(1, options);
  const SlowReader one(running.service->port(), "/sample?n=1000000");
  const SlowReader two(running.service->port(), "/sample?n=1000000&format=csv");
  const SlowReader three(running.service->port(), "/sample?n=1000000"); // waits for a thread
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  auto client = running.client();
  const auto begin = std::chrono::steady_clock::now();
  const auto health = client.Get("/health");
  const auto metrics = client.Get("/metrics");
  CHECK(std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(1500));
  REQUIRE(health);
  CHECK(health->status == 200);
  REQUIRE(metrics);
  CHECK(metrics->status == 200);
  // Readers that take nothing are cut off, so that the others get their turn; on a busy machine late.
  auto rows = client.Get("/sample?n=3");
  for (int again = 0; again < 20 && rows && rows->status == 503; ++again)
    rows = client.Get("/sample?n=3");
  REQUIRE(rows);
  CHECK(rows->status == 200);
}

TEST_CASE("requests for rows wait for a thread, but not for ever", "[service]") {
  service::Options options;
  options.threads = 1;
  options.connections = 2; // so that at most one waits
  options.write_seconds =
      60; // nobody is cut off, and who waits does so for twice as long, however slow the machine
  const Running running(1, options);
  SlowReader slow(running.service->port(), "/sample?n=300000");
  REQUIRE(slow.take(100).size() > 0);
  std::future<std::string> other = std::async(std::launch::async, [&] {
    const auto answer = running.client().Get("/sample");
    return answer ? std::to_string(answer->status) : "none";
  });
  CHECK(other.wait_for(std::chrono::seconds(1)) == std::future_status::timeout); // it waits
  while (!slow.take(65536).empty()) { // all that the first request wants, which ends it
  }
  CHECK(other.get() == "200");
}

TEST_CASE("an answer counts as served once its reader has all of it, however slowly", "[service]") {
  service::Options options;
  options.write_seconds = 1;
  const Running running(1, options);
  auto client = running.client();
  SECTION("a slow reader that takes all is served") {
    SlowReader slow(running.service->port(), "/sample?n=40000&format=csv");
    std::string all;
    for (std::string part = slow.take(16'384); !part.empty(); part = slow.take(16'384)) {
      all += part;
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    CHECK(all.size() > 600'000);
    const auto text = metrics_with(client, "rowsmith_rows_total 40000");
    CHECK_THAT(text, Contains("rowsmith_rows_total 40000\n"));
    CHECK_THAT(text, Contains("rowsmith_requests_total{endpoint=\"sample\",status=\"2xx\"} 1\n"));
    CHECK_THAT(text, Contains("rowsmith_requests_total{endpoint=\"sample\",status=\"cut_off\"} 0\n"));
  }
  SECTION("one that stops taking is cut off and not served") {
    SlowReader slow(running.service->port(), "/sample?n=1000000&format=csv");
    REQUIRE(slow.take(100).size() > 0);
    const auto text = metrics_with(client, "endpoint=\"sample\",status=\"cut_off\"} 1");
    CHECK_THAT(text, Contains("rowsmith_requests_total{endpoint=\"sample\",status=\"cut_off\"} 1\n"));
    CHECK_THAT(text, Contains("rowsmith_requests_total{endpoint=\"sample\",status=\"2xx\"} 0\n"));
    CHECK_THAT(text, Contains("rowsmith_rows_total 0\n"));
  }
}

TEST_CASE("a number that no row can have scores odder than those that rows have", "[service]") {
  for (const std::size_t which : {std::size_t{1}, std::size_t{2}}) { // standardised numbers, codes
    const Running running(which);
    auto client = running.client();
    json list = json::array();
    json row{{"amount", 1.5}, {"age", 40}, {"one", 1}, {"city", "Oslo"}, {"shade", "3"}, {"rich", "no"}};
    for (const double age : {17.0, 30.0, 45.0, 76.0, 1e300, -1e300}) {
      row["age"] = age;
      list.push_back(row);
    }
    const auto answer = client.Post("/score", list.dump(), "application/json");
    REQUIRE(answer);
    REQUIRE(answer->status == 200);
    const auto scores = json::parse(answer->body).at("scores");
    const auto value = [&scores](std::size_t i) {
      return scores[i].is_string() ? INFINITY : scores[i].get<double>();
    };
    for (std::size_t i = 0; i < 4; ++i)
      for (const std::size_t odd : {std::size_t{4}, std::size_t{5}})
        CHECK(value(odd) > value(i));
  }
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
  const json row{{"amount", 1e300}, {"age", 40},    {"one", 1},
                 {"city", "Oslo"},  {"shade", "3"}, {"rich", "no"}};
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
  const auto text = metrics_with(client, "rowsmith_rows_total 30003");
  CHECK_THAT(text, Contains("rowsmith_requests_total{endpoint=\"sample\",status=\"2xx\"} 2\n"));
  CHECK_THAT(text, Contains("rowsmith_requests_total{endpoint=\"sample\",status=\"4xx\"} 1\n"));
  CHECK_THAT(text, Contains("rowsmith_requests_total{endpoint=\"other\",status=\"4xx\"} 1\n"));
  CHECK_THAT(text, Contains("rowsmith_request_seconds_bucket{endpoint=\"sample\",le=\"+Inf\"} 3\n"));
  CHECK_THAT(text, Contains("rowsmith_request_seconds_count{endpoint=\"sample\"} 3\n"));
  CHECK_THAT(text, Contains("rowsmith_rows_total 30003\n"));
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
