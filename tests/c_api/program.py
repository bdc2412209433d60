#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Uses the C library from Python's ctypes and compares its rows with a file; also reads the model file with the
modules json and struct alone.

usage: program.py LIBRARY MODEL EXPECTED
"""
import ctypes as ct
import hashlib
import json
import math
import struct
import sys


class Cell(ct.Structure):
    _fields_ = [("number", ct.c_double), ("code", ct.c_int32)]


def declare(library):
    library.rowsmith_load.restype = ct.c_void_p
    library.rowsmith_load.argtypes = [ct.c_char_p, ct.c_char_p, ct.c_size_t]
    library.rowsmith_scratch_new.restype = ct.c_void_p
    library.rowsmith_scratch_new.argtypes = [ct.c_void_p]
    library.rowsmith_free.argtypes = library.rowsmith_scratch_free.argtypes = [ct.c_void_p]
    library.rowsmith_columns.restype = ct.c_size_t
    library.rowsmith_columns.argtypes = [ct.c_void_p]
    library.rowsmith_column_is_categorical.argtypes = [ct.c_void_p, ct.c_size_t]
    library.rowsmith_column_name.restype = library.rowsmith_category.restype = ct.c_char_p
    library.rowsmith_column_name.argtypes = [ct.c_void_p, ct.c_size_t]
    library.rowsmith_category.argtypes = [ct.c_void_p, ct.c_size_t, ct.c_int32]
    library.rowsmith_error_text.restype = ct.c_char_p
    library.rowsmith_sample.argtypes = [ct.c_void_p, ct.c_void_p, ct.c_uint64, ct.c_uint64, ct.c_int64, ct.POINTER(Cell)]
    library.rowsmith_score.argtypes = [ct.c_void_p, ct.c_void_p, ct.POINTER(Cell), ct.POINTER(ct.c_double)]


def bits(number):
    return struct.unpack("<Q", struct.pack("<d", number))[0]


def check_calls(library, model, expected):
    error = ct.create_string_buffer(200)
    assert library.rowsmith_load(b"/no/such/file", error, len(error)) is None
    assert b"/no/such/file" in error.value
    sampler = library.rowsmith_load(model.encode(), error, len(error))
    assert sampler, error.value
    scratch = library.rowsmith_scratch_new(sampler)
    columns = library.rowsmith_columns(sampler)
    cells = (Cell * columns)()
    score = ct.c_double()
    made = b""
    for i in range(200):
        assert library.rowsmith_sample(sampler, scratch, 5, i, -1 if i % 2 == 0 else 1, cells) == 0
        assert library.rowsmith_score(sampler, scratch, cells, ct.byref(score)) == 0
        for c in range(columns):
            if library.rowsmith_column_is_categorical(sampler, c):
                code = cells[c].code
                made += b"?" if code < 0 else library.rowsmith_category(sampler, c, code)
            else:
                made += str(0 if math.isnan(cells[c].number) else bits(cells[c].number)).encode()
            made += b"|"
        made += str(bits(score.value)).encode() + b"\n"
    with open(expected, "rb") as file:
        assert file.read() == made
    assert b"label" in library.rowsmith_error_text(library.rowsmith_sample(sampler, scratch, 1, 1, 9, cells))
    library.rowsmith_scratch_free(scratch)
    library.rowsmith_free(sampler)


def check_file(path):
    with open(path, "rb") as file:
        content = file.read()
    length = struct.unpack("<Q", content[:8])[0]
    header = json.loads(content[8:8 + length])
    metadata = header.pop("__metadata__")
    assert metadata["format"] == "rowsmith"
    digest = metadata["sha256"]
    assert hashlib.sha256(content.replace(digest.encode(), b"0" * 64, 1)).hexdigest() == digest
    data = content[8 + length:]
    total = 0
    tensors = {}
    for name, entry in header.items():
        assert entry["dtype"] == "F32"
        begin, end = entry["data_offsets"]
        assert end - begin == 4 * math.prod(entry["shape"])
        tensors[name] = struct.unpack(f"<{(end - begin) // 4}f", data[begin:end])
        assert all(math.isfinite(value) for value in tensors[name])
        total += end - begin
    assert total == len(data)
    model = json.loads(metadata["model"])
    assert [column["name"] for column in model["schema"]["columns"]][:2] == ["amount", "age"]
    for network, layers in model["networks"].items():
        for i, layer in enumerate(layers):
            if layer["kind"] == "dense":
                assert len(tensors[f"{network}.{i}.weight"]) == layer["inputs"] * layer["outputs"]
                assert len(tensors[f"{network}.{i}.bias"]) == layer["outputs"]


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    shared = ct.CDLL(sys.argv[1])
    declare(shared)
    check_calls(shared, sys.argv[2], sys.argv[3])
    check_file(sys.argv[2])
