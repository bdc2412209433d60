// SPDX-License-Identifier: MIT
/// \file
/// How a file is opened whose bytes are not simply those on the disk.
#pragma once

#include <functional>
#include <istream>
#include <memory>
#include <string>

#include <rowsmith/core/version.hpp>

ROWSMITH_BEGIN

/// Opens a file for reading, as `open_compressed` of `rowsmith/csv/compressed.hpp` does. Empty: the file as
/// it is.
using FileOpener = std::function<std::unique_ptr<std::istream>(const std::string& path)>;

ROWSMITH_END
