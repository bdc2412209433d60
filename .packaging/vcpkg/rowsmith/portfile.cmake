# SPDX-License-Identifier: MIT
# An overlay port: it packages the headers of the checkout that it lies in.
set(VCPKG_BUILD_TYPE release) # nothing is compiled
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS -DROWSMITH_BUILD_TESTS=OFF -DROWSMITH_BUILD_EXAMPLES=OFF -DROWSMITH_BUILD_BENCHMARKS=OFF
          -DROWSMITH_COMPONENTS=rowsmith)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(CONFIG_PATH share/cmake/rowsmith)
# Packages can be moved: what lies beside them is named from where they are.
vcpkg_replace_string("${CURRENT_PACKAGES_DIR}/share/pkgconfig/rowsmith.pc" "-I${CURRENT_INSTALLED_DIR}/" "-I\${prefix}/"
                     IGNORE_UNCHANGED)
vcpkg_fixup_pkgconfig()
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
