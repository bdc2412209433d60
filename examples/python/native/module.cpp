// SPDX-License-Identifier: MIT
// rowsmith._native: what the Python package is made of. Its users go through rowsmith/__init__.py.
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "errors.hpp"
#include "fitting.hpp"
#include "forests.hpp"
#include "judging.hpp"
#include "tables.hpp"

namespace {

namespace py = pybind11;
namespace rs = rowsmith;
using namespace native;

void add_tables(py::module_& module) {
  py::class_<ReadOptions>(module, "ReadOptions")
      .def(py::init<>())
      .def_readwrite("roles", &ReadOptions::roles)
      .def_readwrite("label", &ReadOptions::label)
      .def_readwrite("delimiter", &ReadOptions::delimiter)
      .def_readwrite("encoding", &ReadOptions::encoding)
      .def_readwrite("header", &ReadOptions::header)
      .def_readwrite("day_first", &ReadOptions::day_first)
      .def_readwrite("missing", &ReadOptions::missing);
  py::class_<FrameColumn>(module, "FrameColumn")
      .def(py::init<>())
      .def_readwrite("format", &FrameColumn::format)
      .def_readwrite("values", &FrameColumn::values)
      .def_readwrite("decimals", &FrameColumn::decimals)
      .def_readwrite("codes", &FrameColumn::codes)
      .def_readwrite("texts", &FrameColumn::texts);
  py::class_<NativeTable>(module, "Table")
      .def_static("of_columns", &table_of_columns, py::arg("columns"), py::arg("label") = std::string())
      .def_static("read", &read_file, py::arg("path"), py::arg("options"), py::arg("texts") = false,
                  py::call_guard<py::gil_scoped_release>())
      .def_static("read_like", &read_file_like, py::arg("path"), py::arg("format"), py::arg("options"),
                  py::call_guard<py::gil_scoped_release>())
      .def_property_readonly("rows", &NativeTable::rows)
      .def_property_readonly("format", [](const NativeTable& table) { return rs::to_json(table.format); })
      .def_readonly("notes", &NativeTable::notes)
      .def_readonly("warnings", &NativeTable::warnings)
      .def("findings", [](const NativeTable& table) {
        const auto found = [&] {
          const py::gil_scoped_release others;
          return rs::likely_wrong(table.table);
        }();
        return std::pair(found.notes, found.warnings);
      });
  module.def("infer_texts", &infer_texts, py::arg("name"), py::arg("codes"), py::arg("texts"),
             py::arg("quoted"), py::arg("day_first") = py::none());
  module.def("texts_of_numbers", &texts_of_numbers, py::arg("format"), py::arg("values"),
             py::arg("decimals"));
  module.def("made_keys", &made_keys, py::arg("format"), py::arg("first_row"), py::arg("rows"),
             py::arg("seed"));
}

void add_models(py::module_& module) {
  py::class_<rs::ColumnDomain>(module, "ColumnDomain")
      .def(py::init<>())
      .def_readwrite("name", &rs::ColumnDomain::name)
      .def_readwrite("minimum", &rs::ColumnDomain::minimum)
      .def_readwrite("maximum", &rs::ColumnDomain::maximum)
      .def_readwrite("decimals", &rs::ColumnDomain::decimals)
      .def_readwrite("categories", &rs::ColumnDomain::categories)
      .def("set_category", [](rs::ColumnDomain& domain) { domain.kind = rs::ColumnKind::categorical; });
  py::class_<FitOptions>(module, "FitOptions")
      .def(py::init<>())
      .def_readwrite("recipe", &FitOptions::recipe)
      .def_readwrite("seed", &FitOptions::seed)
      .def_readwrite("threads", &FitOptions::threads)
      .def_readwrite("conditional", &FitOptions::conditional)
      .def_readwrite("min_category_rows", &FitOptions::min_category_rows)
      .def_readwrite("relations", &FitOptions::relations)
      .def_readwrite("min_share", &FitOptions::min_share)
      .def_readwrite("quick", &FitOptions::quick)
      .def_readwrite("checkpoint", &FitOptions::checkpoint)
      .def_readwrite("notes", &FitOptions::notes)
      .def_readwrite("epsilon", &FitOptions::epsilon)
      .def_readwrite("delta", &FitOptions::delta)
      .def_readwrite("private_parts", &FitOptions::private_parts)
      .def_readwrite("learn_kinds", &FitOptions::learn_kinds)
      .def_readwrite("taken_as_public", &FitOptions::taken_as_public)
      .def_readwrite("domains", &FitOptions::domains);
  py::class_<NativeModel>(module, "Model")
      .def_static("fit", &NativeModel::fit, py::arg("table"), py::arg("options"), py::arg("listener"))
      .def_static("load", &NativeModel::load, py::arg("path"))
      .def_static("from_bytes", &NativeModel::from_bytes, py::arg("bytes"))
      .def("save", &NativeModel::save, py::arg("path"), py::call_guard<py::gil_scoped_release>())
      .def("bytes", &NativeModel::bytes)
      .def("sample", &NativeModel::sample, py::arg("rows"), py::arg("seed"), py::arg("label"),
           py::arg("where"), py::arg("balance"), py::arg("allow_rare"), py::arg("first_row"),
           py::arg("threads"))
      .def("score", &NativeModel::score, py::arg("rows"), py::arg("samples"), py::arg("seed"),
           py::arg("threads"))
      .def("complete", &NativeModel::complete, py::arg("partial"), py::arg("expect"), py::arg("seed"),
           py::arg("first_row"), py::arg("threads"), py::arg("listener"))
      .def_property_readonly("format", &NativeModel::format)
      .def_property_readonly("notes", &NativeModel::notes)
      .def_property_readonly("relations", &NativeModel::relations)
      .def_property_readonly("labels", &NativeModel::labels)
      .def_property_readonly("conditional", &NativeModel::conditional)
      .def_property_readonly("guided", &NativeModel::guided)
      .def_property_readonly("card", &NativeModel::card)
      .def_property_readonly("privacy", &NativeModel::privacy)
      .def("without_guide", &NativeModel::without_guide);
}

void add_reports(py::module_& module) {
  py::class_<JudgeOptions>(module, "JudgeOptions")
      .def(py::init<>())
      .def_readwrite("targets", &JudgeOptions::targets)
      .def_readwrite("seeds", &JudgeOptions::seeds)
      .def_readwrite("quick", &JudgeOptions::quick)
      .def_readwrite("max_rows", &JudgeOptions::max_rows)
      .def_readwrite("seed", &JudgeOptions::seed)
      .def_readwrite("threads", &JudgeOptions::threads);
  py::class_<NativeReport>(module, "Report")
      .def("json", &NativeReport::json)
      .def("html", &NativeReport::html, py::arg("title"), py::arg("train"), py::arg("holdout"),
           py::arg("synthetic"))
      .def("text", &NativeReport::text);
  module.def("judge", &NativeReport::judge, py::arg("train"), py::arg("holdout"), py::arg("synthetic"),
             py::arg("options"), py::arg("listener"));
  module.def("compare", &compare, py::arg("train"), py::arg("synthetic"), py::arg("options"),
             py::arg("listener"));
}

#define ROWSMITH_TEXT_OF(name) #name
#define ROWSMITH_TEXT(name) ROWSMITH_TEXT_OF(name)

} // namespace

PYBIND11_MODULE(_native, module) {
  module.attr("version") = ROWSMITH_VERSION;
  module.attr("instruction_set") = ROWSMITH_TEXT(ROWSMITH_INSTRUCTION_SET);
  add_errors(module);
  add_tables(module);
  add_models(module);
  add_reports(module);
  add_forests(module);
}
