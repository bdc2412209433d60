// SPDX-License-Identifier: MIT
// What the service reads of its requests: the first byte chooses the query of a /sample or the body of a
// /score.
#include <cstddef>
#include <cstdint>
#include <string>

#include <rowsmith/core/errors.hpp>
#include <rowsmith/io/model_file.hpp>

#include "../../examples/service/service.hpp"

#include <httplib.h>

namespace rs = rowsmith;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  // With labels and a category for others.
  static const rs::Sampler sampler(rs::load_model(ROWSMITH_SOURCE_DIR "/tests/fuzz/corpus/model/in_order"));
  if (size == 0)
    return 0;
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  try {
    if (data[0] % 2 != 0) {
      (void)service::scores_of(sampler, text);
      return 0;
    }
    httplib::Params params; // name=value&name=value, as the server takes it apart
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('&', at), text.size());
      const std::size_t equals = std::min(text.find('=', at), end);
      params.emplace(text.substr(at, equals - at),
                     equals < end ? text.substr(equals + 1, end - equals - 1) : "");
      at = end + 1;
    }
    const auto wanted = service::parse_sample(params, 50);
    service::RowStream stream(sampler, wanted.seed.value_or(1), wanted.first, wanted.rows,
                              service::conditions_of(wanted, sampler, 1000, 8), wanted.csv);
    while (!stream.done())
      (void)stream.part();
  } catch (const service::BadRequest&) {
  } catch (const rs::SchemaError&) {
  } catch (const rs::RareConditionsError&) {
  }
  return 0;
}
