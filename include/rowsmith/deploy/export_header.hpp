// SPDX-License-Identifier: MIT
/// \file
/// Writes a trained model as one C++20 header that needs the standard library and nothing else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <rowsmith/core/atomic_file.hpp>
#include <rowsmith/core/errors.hpp>
#include <rowsmith/deploy/export_text.hpp>
#include <rowsmith/deploy/header_data.hpp>
#include <rowsmith/deploy/kernel_text.hpp>
#include <rowsmith/deploy/packed_model.hpp>
#include <rowsmith/deploy/row.hpp>
#include <rowsmith/models/table_model.hpp>

ROWSMITH_BEGIN

struct ExportOptions {
  std::string name = "model"; ///< the header's namespace: a C++ identifier that begins with a letter
  WeightFormat weights = WeightFormat::f32;
  bool scoring = true; ///< false leaves `score` and the encoder's weights out

  /// \throws OptionError
  void check() const {
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    bool fine = !name.empty() && letter(name.front()) && name.find("__") == std::string::npos;
    for (const char c : name)
      fine = fine && (letter(c) || c == '_' || (c >= '0' && c <= '9'));
    if (!fine)
      throw OptionError("export: name = '" + name +
                        "', expected a C++ identifier of letters, digits and single underscores");
    if (reserved().find(" " + name + " ") != std::string_view::npos)
      throw OptionError(
          "export: name = '" + name +
          "' cannot name a namespace: it is a keyword of C++, 'main', 'std', or a name that the C "
          "library has for itself; choose another");
  }

private:
  /// Keywords of C++20; namespaces of the standard; macros of g++; names that standard headers put beside
  /// `std`.
  static constexpr std::string_view reserved() noexcept {
    return " alignas alignof and and_eq asm auto bitand bitor bool break case catch char char16_t char32_t "
           "char8_t class co_await co_return co_yield compl concept const const_cast consteval constexpr "
           "constinit "
           "continue decltype default delete do double dynamic_cast else enum explicit export extern false "
           "float "
           "for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or "
           "or_eq "
           "private protected public register reinterpret_cast requires return short signed sizeof static "
           "static_assert static_cast struct switch template this thread_local throw true try typedef typeid "
           "typename union unsigned using virtual void volatile wchar_t while xor xor_eq "
           "main std posix linux unix i386 "
           "abort abs acos acosh alloca asin asinh atan atan2 atanh atexit atof atoi atol atoll basename "
           "bcmp bcopy "
           "bsearch bzero calloc cbrt ceil clearenv copysign cos cosh div drand48 drem erf erfc exit exp "
           "exp10 exp2 "
           "expm1 fabs fdim ffs finite floor fma fmax fmaximum fmin fminimum fmod free frexp gamma getenv "
           "hypot "
           "ilogb index initstate isinf isnan j0 j1 jn labs ldexp ldiv lgamma llabs lldiv llrint llround log "
           "log10 "
           "log1p log2 logb lrint lround malloc memccpy memchr memcmp memcpy memmem memmove memset mktemp "
           "modf nan "
           "nearbyint nextafter nexttoward pow putenv qsort rand random realloc realpath remainder remquo "
           "rindex "
           "rint round scalb scalbln scalbn select setenv setstate signbit signgam significand sin sincos "
           "sinh sqrt "
           "srand srandom stpcpy strcat strchr strcmp strcoll strcpy strdup strlen strsep strsignal strstr "
           "strtod "
           "strtok strtol strtoul strxfrm swab system tan tanh tgamma trunc unsetenv y0 y1 yn size_t "
           "ptrdiff_t "
           "time_t FILE NULL NAN INFINITY ";
  }
};

namespace detail {

/// The statements for the transforms of a preparation, whose cells are those of `row` by slot.
struct PreparationSource {
  std::string backward; ///< what `Preparation::backward` sets
  std::string forward;  ///< what `Preparation::forward` asks and sets
  std::vector<std::size_t> operands;
  std::vector<int> signs;
  std::vector<Source> formulas;
  std::string definitions{}; ///< of what the statements name, but for formulas
};
inline std::string at(std::size_t slot) { return "[" + std::to_string(slot) + "]"; }
inline void refuse_unless(const std::string& holds, PreparationSource& to) {
  to.forward += "  if (!(" + holds + "))\n    return std::numeric_limits<double>::infinity();\n";
}
/// Appends those of one transform. \param made  the first slot that it makes
inline void append_source(const ConstantColumn& constant, std::size_t, PreparationSource& to) {
  const std::string place = at(constant.column);
  const Source missing{"std::numeric_limits<double>::quiet_NaN()"};
  to.backward += "  row.number" + place + " = " +
                 source(constant.missing ? missing : Source{source(constant.number)}) + ";\n  row.code" +
                 place + " = " + (constant.missing ? "-1" : "0") + ";\n";
  const auto holds = constant.categorical ? "row.code" + place + " == " + (constant.missing ? "-1" : "0")
                     : constant.missing   ? "row.is_missing(" + std::to_string(constant.column) + ")"
                                          : "row.number" + place + " == " + source(constant.number);
  refuse_unless(holds, to);
}
inline void append_source(const FormulaColumn& formula, std::size_t, PreparationSource& to) {
  const auto view = formula.view();
  const auto call = "detail::formulas[" + std::to_string(to.formulas.size()) + "].";
  const std::string numbers = "([&row](std::size_t column) noexcept { return row.number[column]; })";
  to.formulas.push_back(
      {braces(Source{"kernel::FormulaForm{" + std::to_string(formula.form) + "}"}, view.column,
              pointer_source("formula_operands", to.operands.size(), view.count),
              pointer_source("formula_signs", to.signs.size(), formula.signs.size()), view.count,
              view.constant, view.rounding)});
  to.operands.insert(to.operands.end(), formula.operands.begin(), formula.operands.end());
  to.signs.insert(to.signs.end(), formula.signs.begin(), formula.signs.end());
  const std::string place = at(formula.column);
  to.backward +=
      "  row.number" + place + " = " + call + "value" + numbers + ";\n  row.code" + place + " = -1;\n";
  refuse_unless(call + "holds" + numbers, to);
}
inline void append_source(const OrderedColumns& ordered, std::size_t, PreparationSource& to) {
  const auto view = ordered.view();
  std::vector<std::size_t> numbers = ordered.columns;
  numbers.insert(numbers.end(), ordered.smaller.begin(), ordered.smaller.end());
  numbers.insert(numbers.end(), ordered.larger.begin(), ordered.larger.end());
  // There is at most one of them.
  to.definitions +=
      array_source("std::size_t", "ordered_columns", numbers) +
      array_source("int", "ordered_decimals", ordered.decimals) +
      constant_source(
          "kernel::Orders", "orders",
          Source{braces(pointer_source("ordered_columns", 0, view.count),
                        pointer_source("ordered_decimals", 0, view.count), view.count,
                        pointer_source("ordered_columns", view.count, view.pairs),
                        pointer_source("ordered_columns", view.count + view.pairs, view.pairs), view.pairs)});
  const std::string numbers_of =
      "([&row](std::size_t column) noexcept -> auto& { return row.number[column]; })";
  to.backward += "  detail::orders.mend" + numbers_of + ";\n";
  refuse_unless("detail::orders.hold" + numbers_of, to);
}
inline void append_source(const NestedMissing& nested, std::size_t made, PreparationSource& to) {
  const auto missing = [](std::size_t slot, bool categorical) {
    return categorical ? "row.code" + at(slot) + " < 0" : "std::isnan(row.number" + at(slot) + ")";
  };
  const auto absent = missing(nested.column, nested.categorical);
  const auto leads = missing(nested.leader, nested.leader_categorical);
  const std::string from = at(nested.together ? made : nested.column);
  to.backward += "  row.code" + at(nested.column) + " = " + leads + " ? -1 : row.code" + from +
                 ";\n  row.number" + at(nested.column) + " = " + leads +
                 " ? std::numeric_limits<double>::quiet_NaN() : row.number" + from + ";\n";
  if (!nested.together)
    return refuse_unless(absent + " || !(" + leads + ")", to);
  to.forward += "  row.code" + at(made) + " = " + absent + " ? " + (nested.categorical ? "0" : "-1") +
                " : row.code" + at(nested.column) + ";\n  row.number" + at(made) + " = " + absent + " ? " +
                source(nested.number) + " : row.number" + at(nested.column) + ";\n";
  refuse_unless("(" + absent + ") == (" + leads + ")", to);
}
inline void append_source(const CoincidentColumn& coincident, std::size_t made, PreparationSource& to) {
  const std::string column = "row.number" + at(coincident.column);
  const std::string other = "row.number" + at(coincident.other);
  to.backward += "  if (row.number" + at(made) + " > 0.5 && !std::isnan(" + column + ") && !std::isnan(" +
                 other + "))\n    " + column + " = " + other + ";\n";
  to.forward += "  row.number" + at(made) + " = " + column + " == " + other + " ? 1 : 0;\n";
}
inline void append_source(const CalendarColumn& calendar, std::size_t made, PreparationSource& to) {
  const auto view = calendar.view();
  const std::string number = std::to_string(calendar.column);
  const std::string learnt = "calendar_learnt_" + number;
  const std::string values = "calendar_values_" + number;
  to.definitions +=
      array_source("int", learnt.c_str(), calendar.learnt) +
      array_source("double", values.c_str(), calendar.values) +
      constant_source("kernel::Calendar", ("calendar_" + number).c_str(),
                      Source{braces(Source{"kernel::CalendarSplit{" + std::to_string(calendar.split) + "}"},
                                    view.seconds, view.month_ends, view.time_step, view.rounding, view.column,
                                    made, Source{learnt}, Source{values})});
  const std::string numbers_of =
      "([&row](std::size_t column) noexcept -> auto& { return row.number[column]; })";
  to.backward +=
      "  detail::calendar_" + number + ".put" + numbers_of + ";\n  row.code[" + number + "] = -1;\n";
  refuse_unless("detail::calendar_" + number + ".take" + numbers_of, to);
}
inline void append_source(const FollowingDate& following, std::size_t made, PreparationSource& to) {
  const auto view = following.view();
  const std::string number = std::to_string(following.column);
  to.definitions += constant_source(
      "kernel::DateGap", ("gap_" + number).c_str(),
      Source{braces(view.seconds, view.other_seconds, view.rounding, view.column, view.other, made)});
  const std::string numbers_of =
      "([&row](std::size_t column) noexcept -> auto& { return row.number[column]; })";
  to.backward += "  detail::gap_" + number + ".put" + numbers_of + ";\n  row.code[" + number + "] = -1;\n";
  refuse_unless("detail::gap_" + number + ".take" + numbers_of, to);
}
inline void append_source(const LookupColumn& lookup, std::size_t, PreparationSource& to) {
  const auto list = [](const char* type, const char* name, const auto& values) {
    std::string text = std::string("    static constexpr ") + type + " " + name + "[] = {";
    for (const auto& value : values)
      text.append(source(value)).append(", ");
    return text + "};\n";
  };
  const std::string place = at(lookup.column);
  const std::string key = at(lookup.key);
  const std::string last = std::to_string(lookup.places.size() - 1);
  std::string find = "  {\n" + list("std::int32_t", "places", lookup.places);
  if (lookup.key_categorical) {
    find += "    const std::int32_t place = row.code" + key + " < 0 ? places[" + last + "] : row.code" + key +
            " < " + last + " ? places[row.code" + key + "] : -1;\n";
  } else {
    find += list("double", "keys", lookup.key_numbers);
    find += "    const std::int32_t place = places[std::isnan(row.number" + key + ") ? " + last +
            " : detail::kernel::nearest(keys, " + last + ", row.number" + key + ")];\n";
  }
  if (!lookup.categorical)
    find += list("double", "numbers", lookup.numbers);
  to.backward +=
      find +
      (lookup.categorical
           ? "    row.code" + place + " = place;\n    row.number" + place +
                 " = std::numeric_limits<double>::quiet_NaN();\n  }\n"
           : "    row.number" + place +
                 " = place < 0 ? std::numeric_limits<double>::quiet_NaN() : numbers[place];\n    row.code" +
                 place + " = -1;\n  }\n");
  to.forward += find +
                (lookup.categorical ? "    if (row.code" + place + " != place)\n"
                                    : "    if (place < 0 ? !std::isnan(row.number" + place +
                                          ") : row.number" + place + " != numbers[place])\n") +
                "      return std::numeric_limits<double>::infinity();\n  }\n";
}
inline PreparationSource preparation_source(const Preparation& preparation) {
  PreparationSource result;
  const auto& transforms = preparation.transforms();
  for (std::size_t t = 0; t < transforms.size(); ++t) {
    PreparationSource one;
    one.operands = std::move(result.operands);
    one.signs = std::move(result.signs);
    one.formulas = std::move(result.formulas);
    std::visit([&](const auto& transform) { append_source(transform, preparation.first_made(t), one); },
               transforms[t]);
    one.backward += result.backward; // the last one comes first
    one.forward.insert(0, result.forward);
    one.definitions.insert(0, result.definitions);
    result = std::move(one);
  }
  return result;
}

/// Definitions of `heads` and of what it points to.
inline std::string heads_source(const PackedIndependentHeads& heads) {
  return constant_source("kernel::IndependentHeads", "heads", Source{braces(heads.view.widest)});
}
inline std::string heads_source(const PackedJointHeads& heads) {
  std::vector<std::int32_t> columns;
  std::vector<std::int32_t> combinations;
  std::vector<Source> groups;
  for (const auto& group : heads.groups) {
    groups.push_back(
        {braces(pointer_source("group_columns", columns.size(), 1), group.count,
                pointer_source("combinations", combinations.size(), 1), group.width, group.label)});
    columns.insert(columns.end(), group.columns, group.columns + group.count);
    combinations.insert(combinations.end(), group.combinations, group.combination(group.width));
  }
  return array_source("std::int32_t", "group_columns", columns) +
         array_source("std::int32_t", "combinations", combinations) +
         array_source("kernel::Group", "groups", groups) +
         constant_source("kernel::JointHeads", "heads",
                         Source{braces(Source{"groups"}, groups.size(), heads.view.widest)});
}
/// \param name  of the constant that is the heads
inline std::string heads_source(const PackedAutoregressiveHeads& heads, const char* name = "heads") {
  const auto& view = heads.view;
  return array_source("kernel::Matrix", "latent_blocks", heads.latent) +
         array_source("kernel::Position", "positions", heads.positions) +
         constant_source(
             "kernel::AutoregressiveHeads", name,
             Source{braces(Source{"positions"}, view.count, view.width, view.bias, Source{"latent_blocks"},
                           view.latent_blocks, view.widest, view.lines)});
}
inline std::string tree_source(const kernel::TreeHeads& heads, const char* name) {
  return array_source("kernel::TreeColumn", "tree_columns",
                      std::span(heads.columns, static_cast<std::size_t>(heads.count))) +
         constant_source("kernel::TreeHeads", name,
                         Source{braces(Source{"tree_columns"}, heads.count, heads.latent,
                                       Source{"{tree_bytes}"}, heads.smoothing)});
}
inline std::string heads_source(const PackedTreeHeads& heads) { return tree_source(heads.view, "heads"); }
inline std::string heads_source(const PackedMixedHeads& heads) {
  return heads_source(heads.neural, "neural_heads") + tree_source(heads.view.trees, "tree_heads") +
         array_source("double", "tree_shares",
                      std::span(heads.view.shares, static_cast<std::size_t>(heads.view.trees.count))) +
         array_source("std::int32_t", "tree_of", heads.slots) +
         constant_source("kernel::MixedHeads", "heads",
                         Source{braces(Source{"neural_heads"}, Source{"tree_heads"}, Source{"tree_shares"},
                                       Source{"tree_of"})});
}

/// The words of trees; none for other heads. Little-endian, as the machines are that the header is for.
inline std::string_view tree_bytes(const TrainedHeads& heads) {
  const auto* mixed = std::get_if<MixedNetwork>(&heads);
  const auto* trees = mixed != nullptr ? &mixed->trees : std::get_if<TreeNetwork>(&heads);
  return trees == nullptr ? std::string_view()
                          : std::string_view(trees->view().words.bytes, 4 * trees->words.size());
}

inline std::string_view guide_bytes(const RowGuide& guide) {
  return {guide.view().words.bytes, 4 * guide.words.size()};
}
inline Source guide_source(const RowGuide& guide) {
  const auto view = guide.view();
  return {braces(pointer_source("guide_columns", 0, guide.columns.size()),
                 Source{guide.empty() ? "{}" : "{guide_bytes}"}, view.trees, view.roots, view.nodes,
                 view.largest_odds, view.tries)};
}

/// The user's columns, codecs and layout of the model's.
inline std::string columns_source(const RowColumns& rows, const TableEncoder& encoder,
                                  const kernel::Columns& columns) {
  std::vector<Source> names;
  std::vector<std::string_view> texts;
  for (std::size_t c = 0; c < rows.schema.size(); ++c) {
    names.push_back(
        {braces(std::string_view(rows.schema[c].name), rows.schema[c].kind == ColumnKind::categorical,
                texts.size(), rows.texts[c].size())});
    texts.insert(texts.end(), rows.texts[c].begin(), rows.texts[c].end());
  }
  std::vector<Source> codecs;
  std::vector<std::int32_t> group_of;
  std::vector<std::uint32_t> member_first;
  std::vector<std::int32_t> members;
  std::vector<double> member_until;
  std::vector<double> points;
  std::vector<double> knots;
  std::vector<double> atoms;
  std::vector<std::uint32_t> atom_first;
  for (std::size_t i = 0; i < columns.columns; ++i) {
    const auto& codec = encoder.codecs()[i];
    const auto& view = columns.codecs[i];
    codecs.push_back({braces(
        Source{"kernel::CodecKind{" + std::to_string(static_cast<int>(view.kind)) + "}"}, view.has_missing,
        view.has_other, view.categories, pointer_source("group_of", group_of.size(), codec.group_of.size()),
        pointer_source("member_first", member_first.size(), codec.member_first.size()),
        pointer_source("members", members.size(), codec.members.size()),
        pointer_source("member_until", member_until.size(), codec.member_until.size()), view.groups,
        pointer_source("points", points.size(), codec.points.size()), view.point_count,
        pointer_source("knots", knots.size(), codec.knots.size()), view.bins, view.fine,
        pointer_source("atoms", atoms.size(), codec.atoms.size()),
        pointer_source("atom_first", atom_first.size(), codec.atom_first.size()), view.most_atoms, view.mean,
        view.sd, view.minimum, view.maximum, view.rounding)});
    group_of.insert(group_of.end(), codec.group_of.begin(), codec.group_of.end());
    member_first.insert(member_first.end(), codec.member_first.begin(), codec.member_first.end());
    members.insert(members.end(), codec.members.begin(), codec.members.end());
    member_until.insert(member_until.end(), codec.member_until.begin(), codec.member_until.end());
    points.insert(points.end(), codec.points.begin(), codec.points.end());
    knots.insert(knots.end(), codec.knots.begin(), codec.knots.end());
    atoms.insert(atoms.end(), codec.atoms.begin(), codec.atoms.end());
    atom_first.insert(atom_first.end(), codec.atom_first.begin(), codec.atom_first.end());
  }
  if (texts.empty())
    texts.emplace_back();
  return "struct Name {\n  std::string_view name;\n  bool categorical;\n  std::size_t text;\n  std::size_t "
         "texts;\n};\n" +
         array_source("Name", "names", names) + array_source("std::string_view", "texts", texts) +
         array_source("std::size_t", "model_columns", rows.model_slots) +
         array_source("std::int32_t", "group_of", group_of) +
         array_source("std::uint32_t", "member_first", member_first) +
         array_source("std::int32_t", "members", members) +
         array_source("double", "member_until", member_until) + array_source("double", "points", points) +
         array_source("double", "knots", knots) + array_source("double", "atoms", atoms) +
         array_source("std::uint32_t", "atom_first", atom_first) +
         array_source("kernel::Codec", "codecs", codecs) +
         array_source("kernel::Stretch", "layout", encoder.layout());
}

} // namespace detail

/// The model as the text of a C++20 header: `constexpr` weights and codecs, functions `sample` and `score`.
/// The namespace `options.name` holds
///   columns, column("age")            their number; the position of one, a wrong name does not compile
///   Row                               number[i] or code[i] of each column; text(i), is_missing(i)
///   Scratch                           buffers of one thread, some tens of KiB
///   labels, label_index(text)         of a conditional model
///   sample(seed, index[, label], scratch, row), score(row, scratch)   as those of `Sampler`
/// It needs g++ or clang and a little-endian machine, and compiles without exceptions and RTTI.
/// \throws OptionError for a name that is no identifier or taken; Error for numbers that the format cannot
/// hold
inline std::string format_header(const TableModel& model, const ExportOptions& options = {}) {
  using namespace detail;
  options.check();
  HeaderData data(options.weights);
  const PackedModel<HeaderData> packed(data, model, options.scoring);
  const auto& view = packed.model();
  const auto& parts = model.parts();
  const RowColumns rows(model);
  static constexpr std::string_view formats[] = {"f32", "f16", "i8"};
  static constexpr std::string_view stored[] = {"kernel::Float32", "kernel::Float16", "kernel::Int8"};
  const auto format = static_cast<std::size_t>(options.weights);
  const auto weights = std::string("kernel::ByteWeights<").append(stored[format]) + ">";

  std::string out;
  out.reserve(4 * (data.weight_bytes().size() + data.number_bytes().size()) + 131072);
  out.append("// A table synthesiser, made by rowsmith " ROWSMITH_VERSION
             ". Needs nothing but the standard library.\n"
             "// Weights: ")
      .append(formats[format])
      .append(".\n"
              "// SPDX-License-Identifier: MIT (the code; the weights belong to whoever trained them)\n"
              "#pragma once\n\n");
  out.append(kernel_includes);
  out.append("\nstatic_assert(std::endian::native == std::endian::little, \"this header holds little-endian "
             "weights\");\n"
             "#pragma GCC diagnostic push\n"
             "#pragma GCC diagnostic ignored \"-Woverlength-strings\"\n"
             "#pragma GCC diagnostic ignored \"-Wmisleading-indentation\"\n\nnamespace ")
      .append(options.name)
      .append(" {\n\n");
  out.append(constant_source("std::size_t", "columns", rows.schema.size()));
  out.append(constant_source("std::size_t", "labels", parts.labels.size()));
  out.append(constant_source("std::size_t", "slots", rows.slots));
  out.append(
      "\nnamespace detail {\n\n// Little-endian bytes: no other way of writing them compiles as fast.\n");
  for (const auto& [name, bytes] : {std::pair("number_bytes", std::string_view(data.number_bytes())),
                                    std::pair("weight_bytes", std::string_view(data.weight_bytes())),
                                    std::pair("tree_bytes", tree_bytes(model.heads())),
                                    std::pair("guide_bytes", guide_bytes(parts.guide))})
    if (!bytes.empty() || (name != std::string_view("tree_bytes") && name != std::string_view("guide_bytes")))
      out.append("alignas(64) inline constexpr char ")
          .append(name)
          .append("[] =\n")
          .append(literal(bytes, 200))
          .append(";\n");
  out.append("\n// rowsmith's kernel; commented in its headers rowsmith/kernel.\n");
  for (const auto& header : kernel_text)
    out.append(header);
  out.append("\n// The model.\n");
  out.append(columns_source(rows, model.encoder(), view.columns));
  auto label_texts = parts.labels;
  auto label_shares = parts.label_shares;
  if (label_texts.empty()) { // arrays that are named need an element
    label_texts.emplace_back();
    label_shares.push_back(0);
  }
  out.append(array_source("std::string_view", "label_texts", label_texts));
  out.append(array_source("double", "label_shares", label_shares));
  out.append(array_source("double", "component_shares", parts.mixture.shares));
  std::vector<Source> networks;
  for (const auto& [name, network] :
       {std::pair("generator", view.generator), std::pair("decoder", view.decoder),
        std::pair("encoder", view.encoder)}) {
    const auto count = static_cast<std::size_t>(network.count);
    out.append(array_source("kernel::Layer", name, std::span(network.layers, count)));
    networks.push_back({braces(pointer_source(name, 0, count), network.count, network.residual)});
  }
  out.append(std::visit([](const auto& kind) { return heads_source(kind); }, packed.heads()));
  out.append(array_source("kernel::GuideColumn", "guide_columns", parts.guide.columns));
  const auto preparation = preparation_source(model.preparation());
  out.append(array_source("std::size_t", "formula_operands", preparation.operands));
  out.append(array_source("int", "formula_signs", preparation.signs));
  out.append(array_source("kernel::Formula", "formulas", preparation.formulas));
  out.append(preparation.definitions);
  out.append(constant_source(
      ("kernel::Model<" + weights + ">").c_str(), "model",
      Source{braces(Source{"{weight_bytes, number_bytes}"},
                    Source{braces(Source{"codecs"}, view.columns.columns, Source{"layout"},
                                  view.columns.stretches, view.columns.label)},
                    view.choice, view.noise, view.labels, Source{"label_shares"}, view.components,
                    pointer_source("component_shares", 0, parts.mixture.shares.size()), view.component_means,
                    view.component_factors, view.latent, view.latent_scale, view.latent_offset,
                    view.latent_bound, view.bounded, networks[0], networks[1], networks[2],
                    guide_source(parts.guide))}));
  out.append(constant_source("Index", "input_width", packed.input_width()));
  out.append(constant_source("Index", "network_width", packed.network_width()));
  out.append(constant_source("Index", "latent_width", view.latent));
  out.append(constant_source("Index", "room_width", packed.room_width()));
  out.append(
      "\nvoid this_model_has_no_column_of_that_name(); // never defined: naming it stops the compiler\n\n"
      "} // namespace detail\n");
  out.append(exported_names);
  out.append(exported_draw_begin).append(preparation.backward).append(exported_draw_end);
  if (options.scoring)
    out.append(exported_score_begin).append(preparation.forward).append(exported_score_end);
  out.append("#pragma GCC diagnostic pop\n} // namespace ").append(options.name).append("\n");
  return out;
}

/// Writes `format_header` to a file: to a temporary one first, then renamed. \throws Error if that fails, and
/// what `format_header` throws
inline void export_header(const TableModel& model, const std::string& path,
                          const ExportOptions& options = {}) {
  const std::string text = format_header(model, options);
  write_file_atomically(path, [&text](std::ostream& out) { out << text; });
}

ROWSMITH_END
