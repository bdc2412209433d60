// SPDX-License-Identifier: MIT
// Connections of a network: those of NSL-KDD, or made ones where its files are not there.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/core/random.hpp>
#include <rowsmith/table/read_csv.hpp>
#include <rowsmith/table/table.hpp>

namespace traffic {

namespace rs = rowsmith;

// The class of an attack of NSL-KDD, as Tavallaee et al. (2009) group them.
inline std::string class_of(const std::string& attack) {
  static const std::map<std::string, std::vector<std::string>> classes{
      {"R2L",
       {"ftp_write", "guess_passwd", "httptunnel", "imap", "multihop", "named", "phf", "sendmail",
        "snmpgetattack", "snmpguess", "spy", "warezclient", "warezmaster", "worm", "xlock", "xsnoop"}},
      {"U2R", {"buffer_overflow", "loadmodule", "perl", "ps", "rootkit", "sqlattack", "xterm"}},
      {"Probe", {"ipsweep", "mscan", "nmap", "portsweep", "saint", "satan"}}};
  if (attack == "normal")
    return attack;
  for (const auto& [name, attacks] : classes)
    if (std::find(attacks.begin(), attacks.end(), attack) != attacks.end())
      return name;
  return "DoS";
}

// A file of NSL-KDD with its class in the place of the attack's name; `difficulty`, which other classifiers
// gave it, is left out.
inline rs::Table read_nsl_kdd(const std::string& path) {
  const auto read = rs::read_csv(path);
  std::vector<rs::Column> columns;
  for (const auto& column : read.columns()) {
    if (column.name == "difficulty")
      continue;
    columns.push_back(column);
    if (column.name != "label")
      continue;
    if (column.kind != rs::ColumnKind::categorical)
      throw rs::SchemaError(path + ": the column 'label' holds numbers, expected names of attacks");
    auto& label = columns.back();
    label.dictionary = {};
    for (std::size_t row = 0; row < label.codes.size(); ++row)
      if (label.codes[row] == rs::missing_code)
        throw rs::SchemaError(path + ": the label of row " + std::to_string(row + 1) + " is missing");
    for (auto& code : label.codes)
      code = label.dictionary.insert(class_of(column.dictionary.text(code)));
  }
  return rs::Table(std::move(columns), "label");
}

// Made connections by stated rules. Most are normal; floods (DoS) come in hundreds with errors, scans (Probe)
// touch many services, guessed passwords and copied files (R2L) fail to log in or take much away, and a few
// users become root (U2R). \param later  attacks as they are a year later, of which some are of kinds that
// were not there before
inline rs::Table made(std::size_t rows, bool later, std::uint64_t seed) {
  rs::RandomSequence random(rs::RandomStream(seed, rs::Purpose::user, later ? 22 : 21));
  const std::vector<std::string> services{"http", "smtp", "ftp", "telnet", "domain", "private"};
  auto protocol = rs::Column::categorical("protocol_type");
  auto service = rs::Column::categorical("service");
  auto flag = rs::Column::categorical("flag");
  auto duration = rs::Column::numerical("duration", {}, 0);
  auto sent = rs::Column::numerical("src_bytes", {}, 0);
  auto received = rs::Column::numerical("dst_bytes", {}, 0);
  auto failed = rs::Column::numerical("num_failed_logins", {}, 0);
  auto logged_in = rs::Column::categorical("logged_in");
  auto shells = rs::Column::numerical("root_shell", {}, 0);
  auto count = rs::Column::numerical("count", {}, 0);
  auto errors = rs::Column::numerical("serror_rate", {}, 2);
  auto same = rs::Column::numerical("same_srv_rate", {}, 2);
  auto label = rs::Column::categorical("label");
  for (std::size_t i = 0; i < rows; ++i) {
    const double u = random.uniform();
    const double rare = later ? 0.03 : 0.006;
    const std::string kind = u < 0.30           ? "DoS"
                             : u < 0.40         ? "Probe"
                             : u < 0.40 + rare  ? "R2L"
                             : u < 0.401 + rare ? "U2R"
                                                : "normal";
    std::uint32_t s = random.below(6);
    double time = random.below(4) == 0 ? std::floor(-60 * std::log(random.uniform())) : 0;
    double out = std::floor(std::exp(5.5 + 1.2 * random.normal()));
    double in = std::floor(std::exp(6.5 + 1.6 * random.normal()));
    double wrong = random.below(400) == 0 ? 1 : 0;
    bool inside = s < 4 && random.below(10) < 8;
    double root = random.below(2000) == 0 ? 1 : 0;
    double many = 1 + std::floor(-12 * std::log(random.uniform()));
    double error = random.below(12) == 0 ? random.uniform() : 0;
    double alike = 1 - 0.3 * random.uniform() * random.uniform();
    std::string state = error > 0.5 ? "S0" : "SF";
    if (kind == "DoS") {
      s = random.below(3) == 0 ? 0 : 5;
      out = in = time = 0;
      inside = false;
      many = 100 + random.below(400);
      error = random.below(5) == 0 ? 0 : 0.8 + 0.2 * random.uniform();
      state = error > 0 ? "S0" : "SF";
      alike = 0.05 + 0.2 * random.uniform();
    } else if (kind == "Probe") {
      out = random.below(30);
      in = random.below(2) == 0 ? 0 : random.below(50);
      inside = false;
      alike = 0.3 * random.uniform();
      state = random.below(2) == 0 ? "REJ" : "SF";
      many = 1 + random.below(later ? 300 : 120);
    } else if (kind == "R2L" && random.below(later ? 2 : 5) == 0) { // a password is guessed
      s = random.below(2) == 0 ? 3 : 2;
      wrong = 1 + random.below(later ? 5 : 3);
      out = 90 + random.below(60);
      in = 150 + random.below(150);
      inside = false;
      state = random.below(3) == 0 ? "RSTO" : "SF";
    } else if (kind == "R2L") { // files are copied
      s = 2;
      inside = true;
      time = 20 + std::floor(-300 * std::log(random.uniform()));
      out = std::floor(std::exp((later ? 6.0 : 7.5) + 0.7 * random.normal()));
      in = random.below(3) == 0 ? 0 : std::floor(std::exp(10 + 0.8 * random.normal()));
      many = 1 + random.below(3);
    } else if (kind == "U2R") {
      s = random.below(2) == 0 ? 3 : 2;
      inside = true;
      root = random.below(3) == 0 ? 0 : 1;
      time = 60 + std::floor(-120 * std::log(random.uniform()));
      out = 1000 + random.below(2000);
      in = 2000 + random.below(6000);
    }
    protocol.codes.push_back(protocol.dictionary.insert(s == 4 ? "udp" : "tcp"));
    service.codes.push_back(service.dictionary.insert(services[s]));
    flag.codes.push_back(flag.dictionary.insert(state));
    duration.values.push_back(time);
    sent.values.push_back(out);
    received.values.push_back(in);
    failed.values.push_back(wrong);
    logged_in.codes.push_back(logged_in.dictionary.insert(inside ? "yes" : "no"));
    shells.values.push_back(root);
    count.values.push_back(many);
    errors.values.push_back(std::round(100 * error) / 100);
    same.values.push_back(std::round(100 * alike) / 100);
    label.codes.push_back(label.dictionary.insert(kind));
  }
  return rs::Table({protocol, service, flag, duration, sent, received, failed, logged_in, shells, count,
                    errors, same, label},
                   "label");
}

} // namespace traffic
