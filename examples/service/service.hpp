// SPDX-License-Identifier: MIT
// A model as an HTTP service:
//   GET  /sample?n=&seed=&first=&label=&format=   rows as JSON or CSV, streamed; row i depends on seed and i
//   only POST /score                                   a JSON object, or a list of them -> {"scores": [...]}
//   GET  /health                                  {"status": "ok", ...}
//   GET  /metrics                                 counts and latencies as Prometheus text
// Bad requests get 4xx and {"error": reason}. The model file can be loaded again while requests run: each
// request ends with the model it began with.
#pragma once

#include <array>
#include <atomic>
#include <charconv>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <mutex>
#include <random>
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
  std::size_t threads = 16;           // an open connection takes one
};

// A request that cannot be answered, and why.
struct BadRequest : std::runtime_error {
  BadRequest(int status_, const std::string& reason) : std::runtime_error(reason), status(status_) {}
  int status;
};

// Counts and latencies, for Prometheus.
class Metrics {
public:
  enum Endpoint { sample, score, health, metrics, other };

  void count(Endpoint endpoint, int status, double seconds) {
    const std::size_t kind = status < 400 ? 0 : status < 500 ? 1 : 2;
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
    constexpr std::array<const char*, 3> kinds{"2xx", "4xx", "5xx"};
    std::string out = "# HELP rowsmith_requests_total Requests answered, by class of status.\n"
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
    out += "# HELP rowsmith_rows_total Rows written by /sample.\n# TYPE rowsmith_rows_total counter\n"
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
  std::array<std::array<std::atomic<std::uint64_t>, 3>, 5> requests_{};
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
            std::size_t label, bool csv)
      : sampler_(std::move(sampler)), scratch_(sampler_.scratch()), row_(sampler_.row()), seed_(seed),
        next_(first), left_(rows), label_(label), csv_(csv) {
    for (std::size_t c = 0; c < row_.size(); ++c)
      names_.push_back(rs::json_escape(row_.schema()[c].name).append(":"));
  }

  bool done() const { return ended_; }
  // The next part, up to about 64 KiB.
  std::string part() {
    std::string out;
    if (!begun_)
      begin(out);
    while (left_ > 0 && out.size() < 65536) {
      if (label_ < sampler_.labels().size())
        sampler_(seed_, next_, label_, scratch_, row_);
      else
        sampler_(seed_, next_, scratch_, row_);
      ++next_;
      --left_;
      if (csv_)
        append_csv(out);
      else
        append_json(out);
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
    for (std::size_t c = 0; c < row_.size(); ++c) {
      if (c > 0)
        out += ',';
      rs::append_csv_cell(out, row_.schema()[c].name, csv_options_);
    }
    out += '\n';
  }
  void append_csv(std::string& out) const {
    for (std::size_t c = 0; c < row_.size(); ++c) {
      if (c > 0)
        out += ',';
      if (row_.is_missing(c))
        out += csv_options_.missing.front();
      else if (row_.schema()[c].kind == rs::ColumnKind::numerical)
        rs::append_number(out, row_.number(c), row_.columns().decimals[c]);
      else
        rs::append_csv_cell(out, row_.category(c).text, csv_options_);
    }
    out += '\n';
  }
  void append_json(std::string& out) {
    out += first_row_ ? "{" : ",\n{";
    first_row_ = false;
    for (std::size_t c = 0; c < row_.size(); ++c) {
      if (c > 0)
        out += ',';
      out += names_[c];
      if (row_.is_missing(c))
        out += "null";
      else if (row_.schema()[c].kind == rs::ColumnKind::numerical)
        rs::append_number(out, row_.number(c), row_.columns().decimals[c]);
      else
        out += rs::json_escape(row_.category(c).text);
    }
    out += '}';
  }
  rs::Sampler sampler_;
  rs::Sampler::Scratch scratch_;
  rs::DynamicRow row_;
  std::vector<std::string> names_;
  rs::CsvOptions csv_options_;
  std::uint64_t seed_;
  std::uint64_t next_;
  std::uint64_t left_;
  std::size_t label_;
  bool csv_;
  bool begun_ = false;
  bool first_row_ = true;
  bool ended_ = false;
};

class Service {
public:
  // Loads the model and takes the port. Throws what `load_model` throws, or std::runtime_error for the port.
  explicit Service(Options options) : options_(std::move(options)), seeds_(std::random_device{}()) {
    sampler_ = std::make_shared<const rs::Sampler>(rs::load_model(options_.model));
    server_.new_task_queue = [threads = options_.threads] { return new httplib::ThreadPool(threads); };
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
    const httplib::Server::Handler unanswered = [this](const httplib::Request&, httplib::Response& response) {
      if (!response.body.empty())
        return;
      const char* reason =
          response.status == 404 ? "no such path: there are GET /sample, POST /score, GET /health "
                                   "and GET /metrics"
          : response.status == 413
              ? "the body is too long (forms may have 8 KiB only: send JSON as application/json)"
              : "the request cannot be understood";
      say_error(response, response.status, reason);
      metrics_.count(Metrics::other, response.status, 0);
    };
    server_.set_error_handler(unanswered);
    port_ = options_.port;
    if (port_ == 0)
      port_ = server_.bind_to_any_port(options_.host);
    else if (!server_.bind_to_port(options_.host, port_))
      port_ = -1;
    if (port_ < 0)
      throw std::runtime_error("cannot listen on " + options_.host + ":" + std::to_string(options_.port));
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
    ++active_;
    const auto finished = [this, endpoint, start](int status) {
      --active_;
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
    } catch (const std::exception& error) {
      say_error(response, 500, error.what());
    }
    finished(response.status);
  }
  static void say_error(httplib::Response& response, int status, std::string_view reason) {
    response.status = status;
    // A reason may quote what was sent, which need not be UTF-8.
    response.set_content(
        nlohmann::json{{"error", reason}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
            "\n",
        "application/json");
  }

  std::shared_ptr<const rs::Sampler> sampler() const {
    const std::lock_guard lock(mutex_);
    return sampler_;
  }

  static std::uint64_t integer(const httplib::Request& request, const char* name, std::uint64_t otherwise,
                               std::uint64_t least, std::uint64_t most) {
    if (!request.has_param(name))
      return otherwise;
    const auto text = request.get_param_value(name);
    std::uint64_t value = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || result.ec != std::errc{} || result.ptr != text.data() + text.size() ||
        value < least || value > most)
      throw BadRequest(400, std::string(name) + " = '" + text + "': expected a whole number from " +
                                std::to_string(least) + " to " + std::to_string(most));
    return value;
  }

  void sample(const httplib::Request& request, httplib::Response& response,
              const std::function<void(int)>& finished) {
    for (const auto& [name, value] : request.params) {
      if (name != "n" && name != "seed" && name != "first" && name != "label" && name != "format")
        throw BadRequest(400, "unknown parameter '" + name + "': there are n, seed, first, label and format");
      if (request.get_param_value_count(name) > 1)
        throw BadRequest(400, "parameter '" + name + "' is there more than once");
    }
    constexpr std::uint64_t any = ~std::uint64_t{0};
    const auto n = integer(request, "n", 1, 1, options_.max_rows);
    const auto first = integer(request, "first", 0, 0, any - options_.max_rows);
    const auto seed = request.has_param("seed") ? integer(request, "seed", 0, 0, any) : drawn_seed();
    const auto format = request.has_param("format") ? request.get_param_value("format") : std::string("json");
    if (format != "json" && format != "csv")
      throw BadRequest(400, "format = '" + format + "': expected json or csv");
    const auto current = sampler();
    const auto label = request.has_param("label") ? current->label_index(request.get_param_value("label"))
                                                  : current->labels().size();
    const auto stream = std::make_shared<RowStream>(*current, seed, first, n, label, format == "csv");
    response.set_header("X-Seed", std::to_string(seed));
    const char* type = format == "csv" ? "text/csv; charset=utf-8" : "application/json";
    auto part = stream->part();
    if (stream->done()) { // short enough for one piece with a length
      response.set_content(std::move(part), type);
      metrics_.add_rows(n);
      finished(200);
      return;
    }
    const auto head = std::make_shared<std::string>(std::move(part));
    response.set_chunked_content_provider(
        type,
        [stream, head](std::size_t, httplib::DataSink& sink) {
          const std::string next = head->empty() ? stream->part() : std::exchange(*head, {});
          if (!sink.write(next.data(), next.size()))
            return false;
          if (stream->done() && head->empty())
            sink.done();
          return true;
        },
        [this, finished, n](bool whole) {
          metrics_.add_rows(whole ? n : 0);
          finished(200);
        });
  }

  void score(const httplib::Request& request, httplib::Response& response,
             const std::function<void(int)>& finished) {
    const auto json = nlohmann::json::parse(request.body, nullptr, false);
    if (!json.is_object() && !json.is_array())
      throw BadRequest(
          400, "the body is not JSON: expected an object with a value for each column, or a list of them");
    const auto current = sampler();
    auto scratch = current->scratch();
    auto row = current->row();
    std::string scores = "{\"scores\":[";
    std::size_t number = 0;
    const auto add = [&](const nlohmann::json& entry) {
      ++number;
      const auto at = [&number](const std::string& column) {
        return std::string("row ")
            .append(std::to_string(number))
            .append(", column '")
            .append(column)
            .append("': ");
      };
      if (!entry.is_object())
        throw BadRequest(422, "row " + std::to_string(number) + " is not an object");
      for (const auto& [name, value] : entry.items())
        current->schema().index_of(name); // throws for an unknown one
      for (std::size_t c = 0; c < row.size(); ++c) {
        const auto& column = current->schema()[c];
        row.set_missing(c);
        const auto found = entry.find(column.name);
        if (found == entry.end())
          throw BadRequest(422, at(column.name) + "is not there; write null for a missing value");
        if (found->is_null()) {
          if (!current->columns().may_be_missing[c])
            throw BadRequest(422, at(column.name) + "is missing, but no training row was");
        } else if (column.kind == rs::ColumnKind::numerical) {
          if (!found->is_number() || !std::isfinite(found->get<double>()))
            throw BadRequest(422, at(column.name) + "expected a number");
          row.set_number(c, found->get<double>());
        } else if (!found->is_string()) {
          throw BadRequest(422, at(column.name) + "expected a text");
        } else if (!row.set_text(c, found->get<std::string>()) && !set_other(*current, row, c)) {
          throw BadRequest(422,
                           at(column.name) + "no category is called '" + found->get<std::string>() + "'");
        }
      }
      const double score = current->score(row, scratch);
      // JSON has no infinity, and null would read as no score.
      scores.append(number > 1 ? "," : "")
          .append(std::isinf(score) ? "\"Infinity\"" : rs::json_number(score));
    };
    if (json.is_object())
      add(json);
    else
      for (const auto& entry : json)
        add(entry);
    response.set_content(scores.append("]}\n"), "application/json");
    finished(200);
  }
  // A text that the model does not know becomes its category for others, if it has one.
  static bool set_other(const rs::Sampler& sampler, rs::DynamicRow& row, std::size_t column) {
    const auto other = sampler.columns().other[column];
    return other >= 0 && row.set_code(column, other);
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
