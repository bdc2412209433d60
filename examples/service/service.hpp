// SPDX-License-Identifier: MIT
// A model as an HTTP service:
//   GET  /sample?n=&seed=&first=&label=&where=&format=   rows as JSON or CSV; row i depends on seed and i
//   only POST /score                                   a JSON object, or a list of them -> {"scores": [...]}
//   GET  /health                                  {"status": "ok", ...}
//   GET  /metrics                                 counts and latencies as Prometheus text
// Bad requests get 4xx and {"error": reason}. The model file can be loaded again while requests run: each
// request ends with the model it began with. Rows and scores are made by a limited number of threads, /health
// and /metrics by others, so that they answer while every reader of rows is slow.
#pragma once

#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <csignal>
#include <cstdint>
#include <cstring>
#include <deque>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <semaphore>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <rowsmith/core/json_text.hpp>
#include <rowsmith/csv/number_text.hpp>
#include <rowsmith/deploy/sampler.hpp>
#include <rowsmith/io/condition_reader.hpp>
#include <rowsmith/io/model_file.hpp>
#include <rowsmith/table/write_csv.hpp>

// Last: <resolv.h> behind it defines a macro _res, which Eigen's headers cannot bear.
#include <httplib.h>

namespace service {

namespace rs = rowsmith;

struct Options {
  std::string model;
  std::string host = "127.0.0.1";
  int port = 8080;                    // 0: any that is free
  std::uint64_t max_rows = 1'000'000; // of one /sample
  std::size_t max_body = 1U << 20U;   // bytes of one /score
  int stop_seconds = 30;              // requests under way have that long to end
  int write_seconds = 5;              // a reader that takes nothing for so long is cut off
  std::size_t threads = 16;           // that make rows or scores at once; others wait for them
  std::size_t connections = 512;      // open at once; each takes a thread
};

// A request that cannot be answered, and why.
struct BadRequest : std::runtime_error {
  BadRequest(int status_, const std::string& reason) : std::runtime_error(reason), status(status_) {}
  int status;
};

// What was sent, in quotation marks, as a message repeats it: not the whole of a long text.
inline std::string in_quotes(std::string_view text) {
  constexpr std::size_t most = 100;
  std::string out = std::string("'").append(text.substr(0, most)).append("'");
  if (text.size() > most)
    out.append(" ... (").append(std::to_string(text.size())).append(" bytes)");
  return out;
}

// Counts and latencies, for Prometheus.
class Metrics {
public:
  enum Endpoint { sample, score, health, metrics, other };
  static constexpr int cut_off = 0; // in place of a status: the client did not take all of the answer

  void count(Endpoint endpoint, int status, double seconds) {
    const std::size_t kind = status == cut_off ? 3 : status < 400 ? 0 : status < 500 ? 1 : 2;
    ++requests_[endpoint][kind];
    std::size_t bucket = 0;
    while (bucket < bounds.size() && seconds > bounds[bucket])
      ++bucket;
    ++latencies_[endpoint][bucket];
    nanoseconds_[endpoint] += static_cast<std::uint64_t>(seconds * 1e9);
  }
  void add_rows(std::uint64_t rows) { rows_ += rows; }
  void count_reload(bool fine) { ++(fine ? reloads_ : failed_reloads_); }

  std::string text() const {
    constexpr std::array<const char*, 5> names{"sample", "score", "health", "metrics", "other"};
    constexpr std::array<const char*, 4> kinds{"2xx", "4xx", "5xx", "cut_off"};
    std::string out =
        "# HELP rowsmith_requests_total Requests answered, by class of status; cut_off: the client "
        "did not take the whole answer.\n"
        "# TYPE rowsmith_requests_total counter\n";
    for (std::size_t e = 0; e < names.size(); ++e)
      for (std::size_t k = 0; k < kinds.size(); ++k)
        append(out, "rowsmith_requests_total", names[e],
               std::string("status=\"").append(kinds[k]).append("\""),
               std::to_string(requests_[e][k].load()));
    out += "# HELP rowsmith_request_seconds Time from the parsed request to the last byte handed over.\n"
           "# TYPE rowsmith_request_seconds histogram\n";
    for (std::size_t e = 0; e < names.size(); ++e) {
      std::uint64_t total = 0;
      for (std::size_t b = 0; b <= bounds.size(); ++b) {
        total += latencies_[e][b].load();
        std::string bound = b < bounds.size() ? rs::json_number(bounds[b]) : "+Inf";
        append(out, "rowsmith_request_seconds_bucket", names[e],
               std::string("le=\"").append(bound).append("\""), std::to_string(total));
      }
      append(out, "rowsmith_request_seconds_sum", names[e], "",
             rs::json_number(static_cast<double>(nanoseconds_[e].load()) * 1e-9));
      append(out, "rowsmith_request_seconds_count", names[e], "", std::to_string(total));
    }
    out += "# HELP rowsmith_rows_total Rows of the answers of /sample that were taken whole.\n# TYPE "
           "rowsmith_rows_total counter\n"
           "rowsmith_rows_total ";
    out.append(std::to_string(rows_.load()));
    out += "\n# HELP rowsmith_reloads_total Times the model file was loaded again.\n"
           "# TYPE rowsmith_reloads_total counter\nrowsmith_reloads_total{result=\"ok\"} ";
    out.append(std::to_string(reloads_.load())).append("\nrowsmith_reloads_total{result=\"failed\"} ");
    return out.append(std::to_string(failed_reloads_.load())).append("\n");
  }

private:
  static constexpr std::array<double, 12> bounds{5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 2e-3,
                                                 5e-3, 1e-2, 5e-2, 0.1,  1,    10};
  static void append(std::string& out, const char* name, const char* endpoint, const std::string& label,
                     const std::string& value) {
    out.append(name).append("{endpoint=\"").append(endpoint).append("\"");
    if (!label.empty())
      out.append(",").append(label);
    out.append("} ").append(value).append("\n");
  }
  std::array<std::array<std::atomic<std::uint64_t>, 4>, 5> requests_{};
  std::array<std::array<std::atomic<std::uint64_t>, bounds.size() + 1>, 5> latencies_{};
  std::array<std::atomic<std::uint64_t>, 5> nanoseconds_{};
  std::atomic<std::uint64_t> rows_{0};
  std::atomic<std::uint64_t> reloads_{0};
  std::atomic<std::uint64_t> failed_reloads_{0};
};

// The rows of one answer, made as they are sent.
class RowStream {
public:
  RowStream(rs::Sampler sampler, std::uint64_t seed, std::uint64_t first, std::uint64_t rows,
            rs::ResolvedConditions conditions, bool csv)
      : sampler_(std::move(sampler)), scratch_(sampler_.scratch()), row_(sampler_.row()), seed_(seed),
        next_(first), left_(rows), conditions_(std::move(conditions)), csv_(csv) {}

  bool done() const { return ended_; }
  // The next part, up to about 64 KiB. Throws if a row cannot be made.
  std::string part() {
    std::string out;
    if (!begun_)
      begin(out);
    while (left_ > 0 && out.size() < 65536) {
      if (!sampler_(seed_, next_, conditions_, scratch_, row_))
        throw rs::RareConditionsError("no candidate for row " + std::to_string(next_) +
                                      " meets the conditions");
      ++next_;
      --left_;
      if (csv_) {
        rs::append_csv_row(out, row_);
      } else {
        out += first_row_ ? "" : ",\n";
        rs::append_json_row(out, row_);
      }
      first_row_ = false;
    }
    if (left_ == 0) {
      if (!csv_)
        out += "]\n";
      ended_ = true;
    }
    return out;
  }

private:
  void begin(std::string& out) {
    begun_ = true;
    if (!csv_) {
      out += '[';
      return;
    }
    rs::append_csv_header(out, row_.schema());
  }
  rs::Sampler sampler_;
  rs::Sampler::Scratch scratch_;
  rs::DynamicRow row_;
  std::uint64_t seed_;
  std::uint64_t next_;
  std::uint64_t left_;
  rs::ResolvedConditions conditions_;
  bool csv_;
  bool begun_ = false;
  bool first_row_ = true;
  bool ended_ = false;
};

// The query of a /sample.
struct SampleRequest {
  std::uint64_t rows = 1;
  std::uint64_t first = 0;
  std::optional<std::uint64_t> seed;
  std::optional<std::string> label;
  std::vector<std::string> where;
  bool csv = false;
};

// Reads a query. Throws BadRequest.
inline SampleRequest parse_sample(const httplib::Params& params, std::uint64_t max_rows) {
  const auto integer = [](const char* name, const std::string& text, std::uint64_t least,
                          std::uint64_t most) {
    std::uint64_t value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || result.ec != std::errc{} || result.ptr != text.data() + text.size() ||
        value < least || value > most)
      throw BadRequest(400, std::string(name) + " = " + in_quotes(text) + ": expected a whole number from " +
                                std::to_string(least) + " to " + std::to_string(most));
    return value;
  };
  constexpr std::uint64_t any = ~std::uint64_t{0};
  SampleRequest request;
  for (const auto& [name, value] : params) {
    if (name != "where" && params.count(name) > 1)
      throw BadRequest(400, "parameter " + in_quotes(name) + " is there more than once");
    if (name == "n")
      request.rows = integer("n", value, 1, max_rows);
    else if (name == "seed")
      request.seed = integer("seed", value, 0, any);
    else if (name == "first")
      request.first = integer("first", value, 0, any - max_rows);
    else if (name == "label")
      request.label = value;
    else if (name == "where")
      request.where.push_back(value);
    else if (name != "format")
      throw BadRequest(400, "unknown parameter " + in_quotes(name) +
                                ": there are n, seed, first, label, where and format");
    else if (value != "json" && value != "csv")
      throw BadRequest(400, "format = " + in_quotes(value) + ": expected json or csv");
    else
      request.csv = value == "csv";
  }
  constexpr std::size_t most_conditions = 8; // each takes time to try out
  if (request.where.size() > most_conditions)
    throw BadRequest(400, "parameter 'where' is there " + std::to_string(request.where.size()) +
                              " times, expected at most " + std::to_string(most_conditions));
  return request;
}

// Looks up what a /sample asks for. Throws BadRequest, rs::SchemaError and rs::RareConditionsError.
inline rs::ResolvedConditions conditions_of(const SampleRequest& wanted, const rs::Sampler& sampler,
                                            std::uint64_t max_rows, std::size_t trials = 4096) {
  if (wanted.label)
    sampler.label_index(*wanted.label); // an empty one is none
  // Few trial draws, so that a request cannot keep a thread busy for long before its first row.
  auto conditions = sampler.model().resolve(
      rs::SampleOptions{.label = wanted.label.value_or(""),
                        .conditions = rs::read_conditions(wanted.where, sampler.model()),
                        .trials = trials,
                        .threads = 1});
  const std::uint64_t candidates = conditions.support().candidates;
  if (candidates > 1 && wanted.rows > max_rows / candidates)
    throw BadRequest(422, "each of these rows is chosen from " + std::to_string(candidates) +
                              " candidates: ask for at most " + std::to_string(max_rows / candidates) +
                              " at once");
  return conditions;
}

// Sets one cell of a row from JSON. Throws BadRequest, beginning with `place`.
inline void set_cell(const rs::Sampler& sampler, std::size_t column, const nlohmann::json& value,
                     const std::string& place, rs::DynamicRow& row) {
  const auto& columns = sampler.columns();
  if (value.is_null()) {
    if (!columns.may_be_missing[column])
      throw BadRequest(422, place + "is missing, but no training row was");
    row.set_missing(column);
  } else if (sampler.schema()[column].kind == rs::ColumnKind::numerical) {
    if (!value.is_number() || !std::isfinite(value.get<double>()))
      throw BadRequest(422, place + "expected a number");
    row.set_number(column, value.get<double>());
  } else if (!value.is_string()) {
    throw BadRequest(422, place + "expected a text");
  } else {
    const auto& text = value.get_ref<const std::string&>();
    // A text that the model does not know becomes its category for others, if it has one.
    if (!row.set_text(column, text) &&
        !(columns.other[column] >= 0 && row.set_code(column, columns.other[column])))
      throw BadRequest(422, place + "no category is called " + in_quotes(text));
  }
}

// The answer to a /score: the scores of the rows in its body. Throws BadRequest.
inline std::string scores_of(const rs::Sampler& sampler, const std::string& body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() && !json.is_array())
    throw BadRequest(
        400, "the body is not JSON: expected an object with a value for each column, or a list of them");
  auto scratch = sampler.scratch();
  auto row = sampler.row();
  std::string scores = "{\"scores\":[";
  std::size_t number = 0;
  const auto add = [&](const nlohmann::json& entry) {
    const std::string place = "row " + std::to_string(++number);
    if (!entry.is_object())
      throw BadRequest(422, place + " is not an object");
    for (const auto& [name, value] : entry.items())
      sampler.schema().index_of(name); // throws for an unknown one
    for (std::size_t c = 0; c < row.size(); ++c) {
      const auto& name = sampler.schema()[c].name;
      const std::string at = place + ", column " + in_quotes(name) + ": ";
      const auto found = entry.find(name);
      if (found == entry.end())
        throw BadRequest(422, at + "is not there; write null for a missing value");
      set_cell(sampler, c, *found, at, row);
    }
    const double score = sampler.score(row, scratch);
    // JSON has no infinity, and null would read as no score.
    scores.append(number > 1 ? "," : "").append(std::isinf(score) ? "\"Infinity\"" : rs::json_number(score));
  };
  if (json.is_object())
    add(json);
  else
    for (const auto& entry : json)
      add(entry);
  return scores.append("]}\n");
}

// A thread for each open connection, up to a limit; those that are done wait for the next.
class Connections : public httplib::TaskQueue {
public:
  explicit Connections(std::size_t most) : most_(most) {}

  using Enqueued = decltype(std::declval<httplib::TaskQueue&>().enqueue(nullptr)); // void, later bool
  Enqueued enqueue(std::function<void()> connection) override {
    {
      const std::lock_guard lock(mutex_);
      waiting_.push_back(std::move(connection));
      if (idle_ < waiting_.size() && threads_.size() < most_)
        threads_.emplace_back([this] { work(); });
    }
    changed_.notify_one();
    return Enqueued(true);
  }
  void shutdown() override {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    changed_.notify_all();
    for (auto& thread : threads_)
      thread.join();
  }

private:
  void work() {
    std::unique_lock lock(mutex_);
    for (;;) {
      ++idle_;
      changed_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
      --idle_;
      if (waiting_.empty())
        return;
      const auto connection = std::move(waiting_.front());
      waiting_.pop_front();
      lock.unlock();
      connection();
      lock.lock();
    }
  }

  std::size_t most_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> waiting_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool ended_ = false;
};

class Service {
public:
  // Loads the model and takes the port. Throws what `load_model` throws, or std::runtime_error for the port.
  explicit Service(Options options)
      : options_(std::move(options)), makers_(static_cast<std::ptrdiff_t>(options_.threads)),
        seeds_(std::random_device{}()) {
    sampler_ = std::make_shared<const rs::Sampler>(rs::load_model(options_.model));
    server_.new_task_queue = [most = options_.connections] { return new Connections(most); };
    server_.set_write_timeout(options_.write_seconds);
    // A port that was just left can be taken at once, one in use cannot: with SO_REUSEPORT, two services
    // would share its requests.
    server_.set_socket_options([](socket_t socket) {
      const int yes = 1;
      setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    server_.set_keep_alive_max_count(1'000'000);
    server_.set_tcp_nodelay(true);
    server_.set_payload_max_length(options_.max_body);
    handle("sample", Metrics::sample, &Service::sample);
    handle("health", Metrics::health, &Service::health);
    handle("metrics", Metrics::metrics, &Service::metrics);
    server_.Post("/score", [this](const httplib::Request& request, httplib::Response& response) {
      answer(Metrics::score, &Service::score, request, response);
    });
    // Whatever no handler answered: an unknown path, a body that is too long, a request that is none.
    const httplib::Server::Handler unanswered = [this](const httplib::Request& request,
                                                       httplib::Response& response) {
      if (!response.body.empty())
        return;
      const bool posted = request.path == "/score";
      if (response.status == 404 &&
          (posted || request.path == "/sample" || request.path == "/health" || request.path == "/metrics")) {
        response.status = 405;
        response.set_header("Allow", posted ? "POST" : "GET, HEAD");
      }
      const char* reason =
          response.status == 404   ? "no such path: there are GET /sample, POST /score, GET /health "
                                     "and GET /metrics"
          : response.status == 405 ? "this path has other methods: see the header Allow"
          : response.status == 413
              ? "the body is too long (forms may have 8 KiB only: send JSON as application/json)"
              : "the request cannot be understood";
      say_error(response, response.status, reason);
      metrics_.count(Metrics::other, response.status, 0);
    };
    server_.set_error_handler(unanswered);
    port_ = options_.port;
    errno = 0;
    if (port_ == 0)
      port_ = server_.bind_to_any_port(options_.host);
    else if (!server_.bind_to_port(options_.host, port_))
      port_ = -1;
    if (port_ < 0)
      throw std::runtime_error("cannot listen on " + options_.host + ":" + std::to_string(options_.port) +
                               (errno != 0 ? std::string(": ") + std::strerror(errno) : ""));
  }

  int port() const { return port_; }

  // Answers requests until `stop`.
  void run() { server_.listen_after_bind(); }
  // Refuses new requests, waits for those under way, for `stop_seconds` at most, and ends `run`.
  void stop() {
    stopping_ = true;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(options_.stop_seconds);
    // Stopping a server that has not begun would be forgotten; stopping this one would cut streams off.
    while ((!server_.is_running() || active_ > 0) && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    server_.stop();
  }

  // Loads the model file again. Requests under way keep the model they have; if the file is no good, all do.
  bool reload() {
    try {
      auto next = std::make_shared<const rs::Sampler>(rs::load_model(options_.model));
      const std::lock_guard lock(mutex_);
      sampler_ = std::move(next);
    } catch (const std::exception& error) {
      std::cerr << "service: the old model stays: " << error.what() << std::endl;
      metrics_.count_reload(false);
      return false;
    }
    metrics_.count_reload(true);
    return true;
  }

private:
  using Handler = void (Service::*)(const httplib::Request&, httplib::Response&,
                                    const std::function<void(int)>& finished);

  void handle(const char* name, Metrics::Endpoint endpoint, Handler handler) {
    server_.Get(std::string("/").append(name),
                [this, endpoint, handler](const httplib::Request& request, httplib::Response& response) {
                  answer(endpoint, handler, request, response);
                });
  }

  // Calls a handler. Whatever it throws becomes an answer.
  void answer(Metrics::Endpoint endpoint, Handler handler, const httplib::Request& request,
              httplib::Response& response) {
    const auto start = std::chrono::steady_clock::now();
    const bool makes = endpoint == Metrics::sample || endpoint == Metrics::score;
    if (makes && !wait_for_maker()) {
      response.set_header("Retry-After", "1");
      say_error(response, 503, "as many answers as the service makes at once are under way: try again");
      metrics_.count(endpoint, response.status, 0);
      return;
    }
    ++active_;
    const auto finished = [this, endpoint, start, makes](int status) {
      --active_;
      if (makes)
        makers_.release();
      metrics_.count(endpoint, status,
                     std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
    };
    try {
      if (stopping_)
        throw BadRequest(503, "the service is stopping");
      (this->*handler)(request, response, finished);
      return;
    } catch (const BadRequest& error) {
      say_error(response, error.status, error.what());
    } catch (const rs::SchemaError& error) {
      say_error(response, 422, error.what());
    } catch (const rs::RareConditionsError& error) {
      say_error(response, 422, error.what());
    } catch (const std::exception& error) {
      say_error(response, 500, error.what());
    }
    finished(response.status);
  }
  // Whether one of the threads that make rows and scores became free in time. At most half of the connections
  // wait; the other half is there for /health and /metrics.
  bool wait_for_maker() {
    if (makers_.try_acquire())
      return true;
    const bool few = ++waiting_ <= options_.connections / 2;
    const bool got = few && makers_.try_acquire_for(std::chrono::seconds(2 * options_.write_seconds));
    --waiting_;
    return got;
  }
  static void say_error(httplib::Response& response, int status, std::string_view reason) {
    response.status = status;
    reason = reason.substr(0, 2000); // the library's errors quote what was sent
    // It need not be UTF-8, or was cut within a letter.
    response.set_content(
        nlohmann::json{{"error", reason}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
            "\n",
        "application/json");
  }

  std::shared_ptr<const rs::Sampler> sampler() const {
    const std::lock_guard lock(mutex_);
    return sampler_;
  }

  void sample(const httplib::Request& request, httplib::Response& response,
              const std::function<void(int)>& finished) {
    const auto wanted = parse_sample(request.params, options_.max_rows);
    const auto seed = wanted.seed ? *wanted.seed : drawn_seed();
    const auto current = sampler();
    auto conditions = conditions_of(wanted, *current, options_.max_rows);
    const auto stream = std::make_shared<RowStream>(*current, seed, wanted.first, wanted.rows,
                                                    std::move(conditions), wanted.csv);
    response.set_header("X-Seed", std::to_string(seed));
    const char* type = wanted.csv ? "text/csv; charset=utf-8" : "application/json";
    auto part = stream->part();
    if (stream->done()) { // short enough for one piece with a length
      response.set_content(std::move(part), type);
      metrics_.add_rows(wanted.rows);
      finished(200);
      return;
    }
    const auto head = std::make_shared<std::string>(std::move(part));
    response.set_chunked_content_provider(
        type,
        [stream, head](std::size_t, httplib::DataSink& sink) {
          std::string next;
          try {
            next = head->empty() ? stream->part() : std::exchange(*head, {});
          } catch (const rs::RareConditionsError&) {
            return false; // the reader sees that the answer is cut
          }
          if (!sink.write(next.data(), next.size()))
            return false;
          if (stream->done() && head->empty())
            sink.done();
          return true;
        },
        [this, finished, rows = wanted.rows](bool whole) {
          metrics_.add_rows(whole ? rows : 0);
          finished(whole ? 200 : Metrics::cut_off);
        });
  }

  void score(const httplib::Request& request, httplib::Response& response,
             const std::function<void(int)>& finished) {
    response.set_content(scores_of(*sampler(), request.body), "application/json");
    finished(200);
  }

  void health(const httplib::Request&, httplib::Response& response,
              const std::function<void(int)>& finished) {
    const auto current = sampler();
    nlohmann::json json{
        {"status", "ok"}, {"columns", current->schema().size()}, {"labels", current->labels()}};
    response.set_content(json.dump() + "\n", "application/json");
    finished(200);
  }
  void metrics(const httplib::Request&, httplib::Response& response,
               const std::function<void(int)>& finished) {
    response.set_content(metrics_.text(), "text/plain; version=0.0.4; charset=utf-8");
    finished(200);
  }

  std::uint64_t drawn_seed() {
    // Consecutive numbers from a random start; small enough for every JSON reader.
    return (seeds_ + counter_++) & ((std::uint64_t{1} << 53U) - 1);
  }

  Options options_;
  Metrics metrics_;
  httplib::Server server_;
  int port_ = -1;
  mutable std::mutex mutex_;
  std::shared_ptr<const rs::Sampler> sampler_;
  std::counting_semaphore<> makers_; // free threads for rows and scores
  std::atomic<std::size_t> waiting_{0};
  std::uint64_t seeds_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> active_{0};
  std::atomic<std::uint64_t> counter_{0};
};

// The signals that a service obeys, held back from all threads that are started afterwards.
inline sigset_t hold_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&signals, signal);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN); // a client that went away is not the end
  return signals;
}

// Answers requests until SIGTERM or SIGINT; SIGHUP loads the model file again. \param signals of
// `hold_signals`, which must have been called before other threads were started
inline void run_until_stopped(Service& service, const sigset_t& signals) {
  std::thread server([&service] { service.run(); });
  for (;;) {
    int signal = 0;
    if (sigwait(&signals, &signal) != 0)
      continue;
    if (signal != SIGHUP)
      break;
    service.reload();
  }
  service.stop();
  server.join();
}

} // namespace service
