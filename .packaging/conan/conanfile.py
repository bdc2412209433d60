# SPDX-License-Identifier: MIT
"""Conan 2 recipe of the headers. It packages the checkout that it lies in."""
import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load

required_conan_version = ">=2.0"


class RowsmithConan(ConanFile):
    name = "rowsmith"
    description = "Learns a table of numbers and categories and writes new rows of the same kind"
    license = "MIT"
    topics = ("synthetic-data", "tabular-data", "generative-model", "header-only")
    package_type = "header-library"
    settings = "os", "arch", "compiler", "build_type"

    def _checkout(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        text = load(self, os.path.join(self._checkout(), "include", "rowsmith", "core", "version.hpp"))
        self.version = re.search(r'#define ROWSMITH_VERSION "([^"]+)"', text).group(1)

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", ".cmake/*", "include/*"):
            copy(self, pattern, self._checkout(), self.export_sources_folder)

    def layout(self):
        cmake_layout(self)

    def requirements(self):
        self.requires("eigen/3.4.0")
        self.requires("nlohmann_json/3.11.3")
        self.requires("fast-cpp-csv-parser/cci.20211104")
        self.requires("random123/1.14.0")  # by the recipe in random123/

    def validate(self):
        check_min_cppstd(self, 20)

    def package_id(self):
        self.info.clear()

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        for part in ("TESTS", "EXAMPLES", "BENCHMARKS"):
            toolchain.cache_variables["ROWSMITH_BUILD_" + part] = False
        toolchain.cache_variables["ROWSMITH_COMPONENTS"] = "rowsmith"
        toolchain.generate()

    def build(self):
        CMake(self).configure()  # there is nothing to compile

    def package(self):
        CMake(self).install(component="headers")
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        # rowsmithConfig.cmake, as it was installed, with a target for each component.
        self.cpp_info.set_property("cmake_find_mode", "none")
        self.cpp_info.builddirs.append(os.path.join("share", "cmake", "rowsmith"))
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
