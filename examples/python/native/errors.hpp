// SPDX-License-Identifier: MIT
// The library's exceptions as Python's: rowsmith.Error and what is derived from it.
#pragma once

#include <string>

#include <pybind11/pybind11.h>

#include <rowsmith/core/errors.hpp>

namespace native {

namespace py = pybind11;

// What Python's classes are called; they live as long as the module does.
struct ErrorTypes {
  py::handle error, option, csv, schema, rare_conditions, shape, training, model_file;
};
inline ErrorTypes& error_types() {
  static ErrorTypes types;
  return types;
}

// Sets Python's error: an instance of `type` with the text and attributes.
template <class... Attributes>
void set_error(py::handle type, const std::string& text, const Attributes&... attributes) {
  // Texts come from files, too, and need not be valid UTF-8.
  auto message = py::reinterpret_steal<py::object>(
      PyUnicode_DecodeUTF8(text.data(), static_cast<Py_ssize_t>(text.size()), "replace"));
  const py::object instance = type(std::move(message));
  (instance.attr(attributes.first).operator=(attributes.second), ...);
  PyErr_SetObject(type.ptr(), instance.ptr());
}

inline void add_errors(py::module_& module) {
  auto& types = error_types();
  const auto add = [&](const char* name, const char* doc, const py::object& bases) {
    const std::string full = std::string("rowsmith.") + name;
    const auto type =
        py::reinterpret_steal<py::object>(PyErr_NewExceptionWithDoc(full.c_str(), doc, bases.ptr(), nullptr));
    if (!type)
      throw py::error_already_set();
    module.attr(name) = type;
    return py::handle(type); // the module keeps it
  };
  const auto exception = py::reinterpret_borrow<py::object>(PyExc_Exception);
  const auto value_error = py::reinterpret_borrow<py::object>(PyExc_ValueError);
  types.error = add("Error", "What the library throws.", exception);
  const auto also_value = py::make_tuple(types.error, value_error);
  types.option = add("OptionError", "An option outside its range.", also_value);
  types.csv = add("CsvError", "A file that cannot be read; it has file, line and column.", also_value);
  types.schema = add("SchemaError", "A table, column or label that does not fit.", also_value);
  types.rare_conditions =
      add("RareConditionsError", "Conditions that hardly any row of a model meets.", also_value);
  types.shape = add("ShapeError", "Sizes that do not fit together.", also_value);
  const auto only_error = py::reinterpret_borrow<py::object>(types.error);
  types.training =
      add("TrainingError", "A training that cannot go on; it has stage, epoch and step.", only_error);
  types.model_file = add("ModelFileError", "A model file that is not whole, or not a model.", only_error);
  py::register_exception_translator([](std::exception_ptr thrown) {
    const auto& known = error_types();
    try {
      if (thrown)
        std::rethrow_exception(thrown);
    } catch (const rowsmith::OptionError& error) {
      set_error(known.option, error.what());
    } catch (const rowsmith::CsvError& error) {
      set_error(known.csv, error.what(), std::pair("file", py::cast(error.file())),
                std::pair("line", py::cast(error.line())), std::pair("column", py::cast(error.column())));
    } catch (const rowsmith::RareConditionsError& error) {
      set_error(known.rare_conditions, error.what());
    } catch (const rowsmith::SchemaError& error) {
      set_error(known.schema, error.what());
    } catch (const rowsmith::ShapeError& error) {
      set_error(known.shape, error.what());
    } catch (const rowsmith::TrainingError& error) {
      set_error(known.training, error.what(), std::pair("stage", py::cast(error.stage())),
                std::pair("epoch", py::cast(error.epoch())), std::pair("step", py::cast(error.step())));
    } catch (const rowsmith::ModelFileError& error) {
      set_error(known.model_file, error.what());
    } catch (const rowsmith::Error& error) {
      set_error(known.error, error.what());
    }
  });
}

} // namespace native
