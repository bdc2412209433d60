# SPDX-License-Identifier: MIT
"""Conan 2 recipe of Random123, headers alone, which rowsmith needs and Conan's public index does not have."""
import os

from conan import ConanFile
from conan.tools.files import copy, get
from conan.tools.layout import basic_layout

required_conan_version = ">=2.0"


class Random123Conan(ConanFile):
    name = "random123"
    version = "1.14.0"
    description = "Counter-based random numbers"
    license = "BSD-3-Clause"
    homepage = "https://github.com/DEShawResearch/random123"
    topics = ("random", "header-only")
    package_type = "header-library"
    no_copy_source = True

    def layout(self):
        basic_layout(self, src_folder="src")

    def package_id(self):
        self.info.clear()

    def source(self):
        # The archive and checksum of .cmake/dependencies.cmake.
        get(
            self,
            "https://github.com/DEShawResearch/random123/archive/refs/tags/v1.14.0.tar.gz",
            sha256="effafd8656b18030b2a5b995cd3650c51a7c45052e6e1c21e48b9fa7a59d926e",
            strip_root=True,
        )

    def package(self):
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))
        copy(self, "*", os.path.join(self.source_folder, "include"), os.path.join(self.package_folder, "include"))

    def package_info(self):
        self.cpp_info.bindirs = []
        self.cpp_info.libdirs = []
