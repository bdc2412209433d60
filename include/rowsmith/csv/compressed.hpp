// SPDX-License-Identifier: MIT
/// \file
/// Files compressed by gzip or zstd, read and written as if they were not. For programs that link zlib or
/// libzstd; what is not there when this is compiled is refused in a sentence.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <istream>
#include <memory>
#include <ostream>
#include <streambuf>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#if __has_include(<zlib.h>)
#include <zlib.h>
#define ROWSMITH_HAS_ZLIB 1
#else
#define ROWSMITH_HAS_ZLIB 0
#endif
#if __has_include(<zstd.h>)
#include <zstd.h>
#define ROWSMITH_HAS_ZSTD 1
#else
#define ROWSMITH_HAS_ZSTD 0
#endif

#include <rowsmith/core/errors.hpp>

ROWSMITH_BEGIN

/// How a file's bytes are compressed.
enum class Compression { none, gzip, zstd };

/// By the end of a file's name: `.gz` or `.zst`.
inline Compression compression_of_name(std::string_view path) {
  return path.ends_with(".gz") ? Compression::gzip
                               : (path.ends_with(".zst") ? Compression::zstd : Compression::none);
}

namespace detail {

#if ROWSMITH_HAS_ZLIB
/// One way of zlib. What is not compressed any further passes `work` again and again.
class Gzip {
public:
  explicit Gzip(bool writes) : writes_(writes) {
    constexpr int gzip_header = 15 + 16;
    const int failure = writes ? deflateInit2(&stream_, 6, Z_DEFLATED, gzip_header, 8, Z_DEFAULT_STRATEGY)
                               : inflateInit2(&stream_, gzip_header);
    if (failure != Z_OK)
      throw Error("gzip: there is no memory");
  }
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
  ~Gzip() {
    if (writes_)
      deflateEnd(&stream_);
    else
      inflateEnd(&stream_);
  }
  /// Takes bytes off the front of `in`. \param last  no more come \returns how many bytes were put into
  /// `out`; `done` once all there will be \throws Error for what is no gzip file
  std::size_t work(std::string_view& in, char* out, std::size_t room, bool last, bool& done) {
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(in.data())); // zlib does not write to it
    stream_.avail_in = static_cast<uInt>(in.size());
    stream_.next_out = reinterpret_cast<Bytef*>(out);
    stream_.avail_out = static_cast<uInt>(room);
    int result = Z_OK;
    if (writes_) {
      result = deflate(&stream_, last ? Z_FINISH : Z_NO_FLUSH);
      done = result == Z_STREAM_END;
    } else {
      if (ended_ && !in.empty()) { // files that were put behind one another
        inflateReset(&stream_);
        ended_ = false;
      }
      result = in.empty() ? Z_BUF_ERROR : inflate(&stream_, Z_NO_FLUSH);
      ended_ = result == Z_STREAM_END || ended_;
      done = ended_ && stream_.avail_in == 0 && last;
      if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR)
        throw Error("no gzip file, or damaged");
    }
    in.remove_prefix(in.size() - stream_.avail_in);
    return room - stream_.avail_out;
  }

private:
  bool writes_;
  bool ended_ = false;
  z_stream stream_{};
};
#endif

#if ROWSMITH_HAS_ZSTD
/// The same of libzstd.
class Zstd {
public:
  explicit Zstd(bool writes) {
    if (writes)
      writer_ = ZSTD_createCCtx();
    else
      reader_ = ZSTD_createDCtx();
    if (writer_ == nullptr && reader_ == nullptr)
      throw Error("zstd: there is no memory");
  }
  Zstd(const Zstd&) = delete;
  Zstd& operator=(const Zstd&) = delete;
  ~Zstd() {
    ZSTD_freeCCtx(writer_);
    ZSTD_freeDCtx(reader_);
  }
  std::size_t work(std::string_view& in, char* out, std::size_t room, bool last, bool& done) {
    ZSTD_inBuffer from{in.data(), in.size(), 0};
    ZSTD_outBuffer to{out, room, 0};
    std::size_t left = 0;
    if (writer_ != nullptr) {
      left = ZSTD_compressStream2(writer_, &to, &from, last ? ZSTD_e_end : ZSTD_e_continue);
      done = last && left == 0;
    } else {
      left = in.empty() && ended_ ? 0 : ZSTD_decompressStream(reader_, &to, &from);
      ended_ = left == 0;
      done = ended_ && from.pos == from.size && last;
    }
    if (ZSTD_isError(left) != 0)
      throw Error("no zstd file, or damaged");
    in.remove_prefix(from.pos);
    return to.pos;
  }

private:
  ZSTD_CCtx* writer_ = nullptr;
  ZSTD_DCtx* reader_ = nullptr;
  bool ended_ = true;
};
#endif

/// What a compressed file holds, as a stream.
template <class Codec>
class DecompressingBuffer : public std::streambuf {
public:
  DecompressingBuffer(std::unique_ptr<std::istream> file, std::string path)
      : file_(std::move(file)), path_(std::move(path)), bytes_(1 << 16), text_(1 << 18) {}

protected:
  int_type underflow() override {
    std::size_t count = 0;
    while (count == 0) {
      if (left_.empty() && !last_) {
        file_->read(bytes_.data(), static_cast<std::streamsize>(bytes_.size()));
        left_ = {bytes_.data(), static_cast<std::size_t>(file_->gcount())};
        last_ = left_.size() < bytes_.size();
        if (file_->bad())
          throw Error(path_ + ": cannot be read further");
      }
      if (done_)
        return traits_type::eof();
      const std::size_t before = left_.size();
      try {
        count = codec_.work(left_, text_.data(), text_.size(), last_, done_);
      } catch (const Error& error) {
        throw Error(path_ + ": " + error.what());
      }
      if (count == 0 && !done_ && last_ && before == left_.size())
        throw Error(path_ + ": ends within its compressed text: it was cut off");
    }
    setg(text_.data(), text_.data(), text_.data() + count);
    return traits_type::to_int_type(text_[0]);
  }

private:
  std::unique_ptr<std::istream> file_;
  std::string path_;
  Codec codec_{false};
  std::vector<char> bytes_;
  std::vector<char> text_;
  std::string_view left_;
  bool last_ = false;
  bool done_ = false;
};

/// Compresses what is written to it. `finish` writes the rest.
template <class Codec>
class CompressingBuffer : public std::streambuf {
public:
  explicit CompressingBuffer(std::ostream& out) : out_(&out), text_(1 << 18), bytes_(1 << 16) {
    setp(text_.data(), text_.data() + text_.size());
  }
  void finish() { flush(true); }

protected:
  int_type overflow(int_type c) override {
    flush(false);
    if (!*out_)
      return traits_type::eof();
    if (!traits_type::eq_int_type(c, traits_type::eof()))
      sputc(traits_type::to_char_type(c));
    return traits_type::not_eof(c);
  }

private:
  void flush(bool last) {
    std::string_view left(pbase(), static_cast<std::size_t>(pptr() - pbase()));
    bool done = false;
    while (*out_ && (last ? !done : !left.empty())) {
      const std::size_t count = codec_.work(left, bytes_.data(), bytes_.size(), last, done);
      out_->write(bytes_.data(), static_cast<std::streamsize>(count));
    }
    setp(text_.data(), text_.data() + text_.size());
  }
  std::ostream* out_;
  Codec codec_{true};
  std::vector<char> text_;
  std::vector<char> bytes_;
};

/// A stream that owns its buffer.
template <class Buffer>
class OwningStream : public std::istream {
public:
  template <class... Arguments>
  explicit OwningStream(Arguments&&... arguments)
      : std::istream(nullptr), buffer_(std::forward<Arguments>(arguments)...) {
    rdbuf(&buffer_);
    exceptions(std::ios::badbit); // what the buffer throws is the caller's
  }

private:
  Buffer buffer_;
};

} // namespace detail

/// Opens a file for reading; what its first bytes say is compressed by gzip or zstd is read as the text it
/// holds. \throws Error for a compression that the program was compiled without; the stream throws Error
/// where the file is damaged or cut off
inline std::unique_ptr<std::istream> open_compressed(const std::string& path) {
  auto file = std::make_unique<std::ifstream>(path, std::ios::binary);
  std::array<char, 4> first{};
  file->read(first.data(), first.size());
  const std::string_view magic(first.data(), static_cast<std::size_t>(file->gcount()));
  file->clear(file->is_open() ? std::ios::goodbit : std::ios::failbit);
  file->seekg(0);
  if (magic.starts_with("\x1F\x8B")) {
#if ROWSMITH_HAS_ZLIB
    return std::make_unique<detail::OwningStream<detail::DecompressingBuffer<detail::Gzip>>>(std::move(file),
                                                                                             path);
#else
    throw Error(path + ": is compressed by gzip, which this program was built without (zlib)");
#endif
  }
  if (magic == "\x28\xB5\x2F\xFD") {
#if ROWSMITH_HAS_ZSTD
    return std::make_unique<detail::OwningStream<detail::DecompressingBuffer<detail::Zstd>>>(std::move(file),
                                                                                             path);
#else
    throw Error(path + ": is compressed by zstd, which this program was built without (libzstd)");
#endif
  }
  return file;
}

/// Calls `write(stream)`, which writes a text, and writes it compressed to `out`. \throws Error for a
/// compression that the program was compiled without
template <class Write>
void write_compressed(std::ostream& out, Compression compression, const Write& write) {
  const auto through = [&](auto buffer) {
    std::ostream text(buffer.get());
    write(text);
    buffer->finish();
    if (!text)
      out.setstate(std::ios::badbit);
  };
  switch (compression) {
  case Compression::gzip:
#if ROWSMITH_HAS_ZLIB
    return through(std::make_unique<detail::CompressingBuffer<detail::Gzip>>(out));
#else
    throw Error("gzip: this program was built without zlib");
#endif
  case Compression::zstd:
#if ROWSMITH_HAS_ZSTD
    return through(std::make_unique<detail::CompressingBuffer<detail::Zstd>>(out));
#else
    throw Error("zstd: this program was built without libzstd");
#endif
  case Compression::none:
    break;
  }
  write(out);
}

ROWSMITH_END
