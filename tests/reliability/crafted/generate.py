"""Makes this folder's files: one a fault, each named after it, and in valid/ what they were made from.

    python3 generate.py [FOLDER]

writes them below FOLDER, by default below this file's, the same bytes every time. What a folder holds:

    safetensors/  what parse_safetensors must refuse
    weights/      safetensors that are whole, but no weights of a network with 2 classes and 4 hidden units in float32
    csv/          what parse_csv must refuse
    series/       what SeriesFile must refuse, when it is opened, read, or checked
    config/       what parse_config must refuse
    valid/        what the readers must accept
"""

import hashlib
import json
import math
import pathlib
import struct
import sys

# Enough of a thing to overflow a parser that recurses, or memory that is not bounded by the file's size.
MANY = 10_000
U64 = 2**64


def file_of(header, data=b"", length=None):
    """A safetensors file. `header` is bytes, a text, or what JSON text is made of."""
    if not isinstance(header, (bytes, str)):
        header = json.dumps(header, separators=(",", ":"))
    if isinstance(header, str):
        header = header.encode()
    return struct.pack("<Q", len(header) if length is None else length % U64) + header + data


def entry(shape=(2,), offsets=(0, 8), dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def x(shape="[2]", offsets="[0,8]", dtype='"F32"'):
    """A header with the tensor x, whose parts are JSON texts."""
    return '{"x":{"dtype":%s,"shape":%s,"data_offsets":%s}}' % (dtype, shape, offsets)


DATA = struct.pack("<2f", 0.5, -0.25)  # what x needs


def safetensors():
    valid = file_of(x(), DATA)
    return {
        # The header's length.
        "empty_file": b"",
        "seven_bytes": b"\x10" + bytes(6),
        "header_length_alone": struct.pack("<Q", 2),
        "header_length_zero": file_of(x(), DATA, length=0),
        "header_length_one_short": file_of(x(), DATA, length=len(x()) - 1),
        "header_length_one_beyond_the_file": file_of(x(), length=len(x()) + 1),
        "header_length_100_gigabytes": file_of(x(), DATA, length=10**11),
        "header_length_minus_one": file_of(x(), DATA, length=-1),
        "header_length_minus_eight": file_of(x(), DATA, length=-8),
        "header_length_int64_min": file_of(x(), DATA, length=2**63),
        "header_length_big_endian": struct.pack(">Q", len(x())) + valid[8:],
        "cut_inside_the_header": valid[:30],
        "cut_inside_the_data": valid[:-1],
        "all_zeros": bytes(64),
        "all_ones": b"\xff" * 64,
        # The header's text.
        "header_is_spaces": file_of(" " * 16),
        "header_is_array": file_of("[]"),
        "header_is_number": file_of("17"),
        "header_is_null": file_of("null"),
        "header_is_half_an_object": file_of('{"x":'),
        "header_is_two_objects": file_of(x() + x(), DATA),
        "header_with_trailing_comma": file_of(x()[:-1] + ",}", DATA),
        "header_with_comment": file_of("{/* x */" + x()[1:], DATA),
        "header_with_single_quotes": file_of(x().replace('"', "'"), DATA),
        "header_with_space_before": file_of(" " + x(), DATA),
        "header_with_byte_order_mark": file_of("\ufeff" + x(), DATA),
        "header_with_nul_byte_after": file_of(x() + "\0", DATA),
        "header_with_nul_byte_in_a_name": file_of(x().replace("x", "x\0"), DATA),
        "header_with_nul_byte_between": file_of(x().replace(":", ":\0", 1), DATA),
        "header_with_tab_after": file_of(x() + "\t", DATA),
        "header_in_utf16": file_of(x().encode("utf-16-le"), DATA),
        "invalid_utf8_in_a_name": file_of(x().encode().replace(b"x", b"\xff\xfe", 1), DATA),
        "overlong_utf8_in_a_name": file_of(x().encode().replace(b"x", b"\xc0\xaf", 1), DATA),
        "utf8_surrogate_in_a_name": file_of(x().encode().replace(b"x", b"\xed\xa0\x80", 1), DATA),
        "lone_surrogate_escaped_in_a_name": file_of(x().replace("x", "\\ud800"), DATA),
        "deep_arrays": file_of('{"x":' + "[" * MANY + "]" * MANY + "}"),
        "deep_arrays_not_closed": file_of('{"x":' + "[" * MANY + "}"),
        "deep_objects": file_of('{"x":' * MANY + "1" + "}" * MANY),
        "deep_metadata": file_of('{"__metadata__":{"a":' + "[" * MANY + "]" * MANY + "}}"),
        "many_empty_objects": file_of('{"x":[' + "{}," * MANY + "{}]}"),
        "many_empty_texts": file_of('{"x":[' + '"",' * MANY + '""]}'),
        "many_empty_objects_for_a_shape": file_of(x(shape="[" + "{}," * MANY + "{}]"), DATA),
        "many_empty_objects_for_data_offsets": file_of(x(offsets="[" + "{}," * MANY + "{}]"), DATA),
        "many_numbers": file_of('{"x":[' + "1," * MANY + "1]}"),
        "many_names": file_of({f"{i:x}": 1 for i in range(MANY)}),
        "many_digits": file_of(x(shape="[" + "9" * MANY + "]"), DATA),
        # Names.
        "tensor_twice": file_of(x()[:-1] + "," + x()[1:], DATA),
        "tensor_twice_once_escaped": file_of(x()[:-1] + "," + x()[1:].replace("x", "\\u0078"), DATA),
        "metadata_twice": file_of('{"__metadata__":{},"__metadata__":{},' + x()[1:], DATA),
        "key_twice_in_metadata": file_of('{"__metadata__":{"a":"b","a":"c"},' + x()[1:], DATA),
        "dtype_twice": file_of(x().replace('"shape"', '"dtype":"F32","shape"'), DATA),
        "shape_twice": file_of(x().replace('"shape"', '"shape":[1],"shape"'), DATA),
        "data_offsets_twice": file_of(x().replace('"shape"', '"data_offsets":[0,4],"shape"'), DATA),
        # Metadata.
        "metadata_is_number": file_of({"__metadata__": 5, "x": entry()}, DATA),
        "metadata_is_null": file_of({"__metadata__": None, "x": entry()}, DATA),
        "metadata_is_array": file_of({"__metadata__": ["format", "pt"], "x": entry()}, DATA),
        "metadata_of_numbers": file_of({"__metadata__": {"epoch": 5}, "x": entry()}, DATA),
        "metadata_of_objects": file_of({"__metadata__": {"format": {}}, "x": entry()}, DATA),
        # A tensor's entry.
        "entry_is_null": file_of({"x": None}, DATA),
        "entry_is_array": file_of({"x": ["F32", [2], [0, 8]]}, DATA),
        "entry_is_text": file_of({"x": "F32"}, DATA),
        "entry_is_empty": file_of({"x": {}}, DATA),
        "dtype_missing": file_of({"x": {"shape": [2], "data_offsets": [0, 8]}}, DATA),
        "dtype_unknown": file_of(x(dtype='"F31"'), DATA),
        "dtype_lower_case": file_of(x(dtype='"f32"'), DATA),
        "dtype_empty": file_of(x(dtype='""'), DATA),
        "dtype_is_number": file_of(x(dtype="32"), DATA),
        "dtype_is_null": file_of(x(dtype="null"), DATA),
        "shape_missing": file_of({"x": {"dtype": "F32", "data_offsets": [0, 8]}}, DATA),
        "shape_is_number": file_of(x(shape="2"), DATA),
        "shape_is_null": file_of(x(shape="null"), DATA),
        "shape_is_object": file_of(x(shape='{"0":2}'), DATA),
        "shape_of_arrays": file_of(x(shape="[[2]]"), DATA),
        "extent_negative": file_of(x(shape="[-2]"), DATA),
        "extents_negative_with_positive_product": file_of(x(shape="[-1,-2]"), DATA),
        "extent_float": file_of(x(shape="[2.0]"), DATA),
        "extent_text": file_of(x(shape='["2"]'), DATA),
        "extent_true": file_of(x(shape="[true,2]"), DATA),
        "extent_null": file_of(x(shape="[null]"), DATA),
        "extent_1e999": file_of(x(shape="[1e999]"), DATA),
        "extent_nan": file_of(x(shape="[NaN]"), DATA),
        "extent_int64_max": file_of(x(shape="[%d]" % (2**63 - 1)), DATA),
        "extent_above_63_bits": file_of(x(shape="[%d]" % 2**63), DATA),
        "extent_above_64_bits": file_of(x(shape="[%d]" % (2**64 + 2)), DATA),
        "shape_overflows_to_the_right_size": file_of(x(shape="[%d]" % (2**62 + 2)), DATA),
        "shape_product_overflows_to_the_right_size": file_of(x(shape="[2,%d]" % (2**62 + 1)), DATA),
        "shape_product_overflows_to_zero": file_of(x(shape=f"[{2**32},{2**32}]", offsets="[0,0]")),
        "shape_overflows_before_a_zero": file_of(x(shape=f"[{2**62},{2**62},0]", offsets="[0,0]")),
        "shape_of_a_terabyte": file_of(x(shape=f"[{2**38}]"), DATA),
        "shape_huge_but_zero_with_data": file_of(x(shape=f"[0,{2**40}]"), DATA),
        "shape_too_small": file_of(x(shape="[1]"), DATA),
        "shape_too_large": file_of(x(shape="[3]"), DATA),
        "shape_of_scalar_with_two_values": file_of(x(shape="[]"), DATA),
        "shape_of_many_ones": file_of(x(shape="[" + "1," * MANY + "1]"), DATA),
        # Where the data lie.
        "data_offsets_missing": file_of({"x": {"dtype": "F32", "shape": [2]}}, DATA),
        "data_offsets_is_number": file_of(x(offsets="8"), DATA),
        "data_offsets_is_text": file_of(x(offsets='"0,8"'), DATA),
        "data_offsets_is_object": file_of(x(offsets='{"0":0,"1":8}'), DATA),
        "data_offsets_empty": file_of(x(offsets="[]"), DATA),
        "data_offsets_of_one": file_of(x(offsets="[8]"), DATA),
        "data_offsets_of_three": file_of(x(offsets="[0,4,8]"), DATA),
        "data_offsets_of_floats": file_of(x(offsets="[0.0,8.0]"), DATA),
        "data_offsets_of_texts": file_of(x(offsets='["0","8"]'), DATA),
        "data_offsets_of_booleans": file_of(x(offsets="[false,true]"), DATA),
        "data_offsets_negative": file_of(x(offsets="[-8,0]"), DATA),
        "data_offsets_reversed": file_of(x(offsets="[8,0]"), DATA),
        "data_offsets_beyond_the_file": file_of(x(shape="[3]", offsets="[0,12]"), DATA),
        "data_offsets_beyond_53_bits": file_of(x(offsets=f"[{2**53 + 1},{2**53 + 9}]"), DATA),
        "data_offsets_at_the_end_of_64_bits": file_of(x(offsets=f"[{U64 - 8},{U64 - 1}]"), DATA),
        "data_offsets_above_64_bits": file_of(x(offsets=f"[0,{U64 + 8}]"), DATA),
        "gap_before": file_of(x(shape="[1]", offsets="[4,8]"), DATA),
        "gap_between": file_of({"x": entry([3], [0, 3], "U8"), "y": entry([4], [4, 8], "U8")}, DATA),
        "overlap_by_a_byte": file_of({"x": entry([5], [0, 5], "U8"), "y": entry([4], [4, 8], "U8")}, DATA),
        "overlap_one_inside_another": file_of({"x": entry(), "y": entry([1], [4, 8])}, DATA),
        "overlap_the_same_bytes": file_of({"x": entry(), "y": entry()}, DATA),
        # A reader that copies each tensor before it looks at the next needs 200 times the file.
        "overlap_of_200_tensors": file_of(
            {f"{i}": entry([MANY], [0, MANY], "U8") for i in range(200)}, bytes(MANY)),
        "empty_tensor_inside_another": file_of({"x": entry(), "y": entry([0], [4, 4])}, DATA),
        "bytes_after_the_last_tensor": file_of(x(), DATA + b"\0"),
        "bytes_without_a_tensor": file_of("{}", DATA),
        # What a message must not repeat as it is.
        "control_characters_in_a_name": file_of({"line\nbreak\x1b[2J": None}, DATA),
        "very_long_name": file_of({"x" * MANY: None}, DATA),
        "very_long_dtype": file_of(x(dtype='"%s"' % ("F" * MANY)), DATA),
    }


# The network's tensors, in the order of their data.
SHAPES = {
    "readout.bias": [2],
    "readout.weight": [2, 4],
    "rnn.bias_hh_l0": [4],
    "rnn.bias_ih_l0": [4],
    "rnn.weight_hh_l0": [4, 4],
    "rnn.weight_ih_l0": [4, 2],
}


def network(shapes=SHAPES, dtype="F32", first=None):
    """A safetensors file of tensors that count up in 64ths; `first` has a tensor's first value instead."""
    code = {"F32": "f", "F64": "d", "F16": "e", "I32": "i"}[dtype]
    header, data = {}, b""
    for name, shape in shapes.items():
        values = [i if code == "i" else i / 64 for i in range(math.prod(shape))]
        if first and name in first:
            values[0] = first[name]
        begin = len(data)
        data += struct.pack(f"<{len(values)}{code}", *values)
        header[name] = entry(shape, [begin, len(data)], dtype)
    return file_of(header, data)


def without(*names):
    return {name: shape for name, shape in SHAPES.items() if name not in names}


def renamed(old, new):
    return {new if name == old else name: shape for name, shape in SHAPES.items()}


def weights():
    largest = struct.unpack("<f", b"\xff\xff\x7f\x7f")[0]
    faults = {
        "no_tensors": file_of("{}"),
        "prefix_before_every_name": network({"model." + name: shape for name, shape in SHAPES.items()}),
        "name_of_another_layer": network(renamed("rnn.weight_hh_l0", "rnn.weight_hh_l1")),
        "name_with_trailing_space": network(renamed("readout.bias", "readout.bias ")),
        "extra_tensor": network({**SHAPES, "embedding.weight": [2, 2]}),
        "extra_empty_tensor": network({**SHAPES, "rnn.weight_hh_l1": [0]}),
        "nan_beside_infinity": network(first={"readout.bias": math.nan, "rnn.weight_hh_l0": math.inf}),
        "biases_with_infinite_sum": network(first={"rnn.bias_ih_l0": largest, "rnn.bias_hh_l0": largest}),
        "weight_transposed": network({**SHAPES, "rnn.weight_ih_l0": [2, 4]}),
        "weight_flat": network({**SHAPES, "rnn.weight_hh_l0": [16]}),
        "weight_with_extra_axis": network({**SHAPES, "rnn.weight_hh_l0": [1, 4, 4]}),
        "bias_as_column": network({**SHAPES, "readout.bias": [2, 1]}),
        "bias_as_scalar": network({**SHAPES, "readout.bias": []}),
        "bias_empty": network({**SHAPES, "rnn.bias_ih_l0": [0]}),
        "bias_of_more_units": network({**SHAPES, "rnn.bias_ih_l0": [5]}),
        "gates_of_an_lstm": network({
            **SHAPES, "rnn.bias_hh_l0": [16], "rnn.bias_ih_l0": [16], "rnn.weight_hh_l0": [16, 4],
            "rnn.weight_ih_l0": [16, 2]}),
        "float16": network(dtype="F16"),
        "float64_for_a_float32_run": network(dtype="F64"),
        "integers": network(dtype="I32"),
    }
    for name in SHAPES:
        faults[f"missing_{name}"] = network(without(name))
        faults[f"nan_in_{name}"] = network(first={name: math.nan})
        faults[f"infinity_in_{name}"] = network(first={name: -math.inf})
    return faults


HEADER = b"input,target\n"


def csv():
    return {
        "empty_file": b"",
        "byte_order_mark_alone": b"\xef\xbb\xbf",
        "newline_alone": b"\n",
        "header_only": HEADER,
        "header_without_newline": HEADER[:-1],
        "header_and_blank_lines": HEADER + b"\r\n\n\n",
        "header_missing": b"0,1\n1,0\n",
        "header_swapped": b"target,input\n0,1\n",
        "header_in_capitals": b"Input,Target\n0,1\n",
        "header_with_space": b"input, target\n0,1\n",
        "header_with_third_column": b"input,target,weight\n0,1\n",
        "header_with_nul_byte": b"input,target\0\n0,1\n",
        "header_twice": HEADER + HEADER + b"0,1\n",
        "byte_order_mark_twice": b"\xef\xbb\xbf" * 2 + HEADER + b"0,1\n",
        "utf16_little_endian": ("\ufeff" + HEADER.decode() + "0,1\n").encode("utf-16-le"),
        "utf16_big_endian": ("\ufeff" + HEADER.decode() + "0,1\n").encode("utf-16-be"),
        "utf32": ("\ufeff" + HEADER.decode() + "0,1\n").encode("utf-32-le"),
        "old_mac_line_ends": b"input,target\r0,1\r1,0\r",
        "binary": b"\x7fELF\x02\x01\x01" + bytes(57),
        "column_missing": HEADER + b"0,1\n1\n",
        "column_too_many": HEADER + b"0,1,0\n",
        "comma_at_the_end": HEADER + b"0,1,\n",
        "commas_many": HEADER + b"," * MANY + b"\n",
        "input_missing": HEADER + b",1\n",
        "target_missing": HEADER + b"0,\n",
        "both_missing": HEADER + b",\n",
        "blank_line_between": HEADER + b"0,1\n\n1,0\n",
        "semicolons": HEADER + b"0;1\n",
        "tabs": HEADER + b"0\t1\n",
        "quotes": HEADER + b'"0","1"\n',
        "quotes_around_the_row": HEADER + b'"0,1"\n',
        "quote_not_closed": HEADER + b'"0,1\n1,0\n',
        "nul_byte_in_a_field": HEADER + b"0,1\0\n",
        "nul_byte_for_a_field": HEADER + b"0,\0\n",
        "nul_bytes_after_the_rows": HEADER + b"0,1\n" + bytes(512),
        "end_of_file_character": HEADER + b"0,1\n\x1a",
        "carriage_return_twice": HEADER + b"0,1\r\r\n",
        "word": HEADER + b"0,one\n",
        "nan": HEADER + b"0,nan\n",
        "fraction": HEADER + b"0,0.5\n",
        "exponent": HEADER + b"0,1e0\n",
        "exponent_huge": HEADER + b"0,1e999\n",
        "hexadecimal": HEADER + b"0x1,1\n",
        "digit_grouping": HEADER + b"1_000,1\n",
        "arabic_digits": HEADER + "\u0661,\u0661\n".encode(),
        "invalid_utf8": HEADER + b"\xff,1\n",
        "plus_sign": HEADER + b"+1,1\n",
        "minus_sign_alone": HEADER + b"-,1\n",
        "space_before": HEADER + b"0, 1\n",
        "space_after": HEADER + b"0,1 \n",
        "class_negative": HEADER + b"0,1\n-1,1\n",
        "class_above_the_limit": HEADER + b"0,65536\n",
        "class_int32_overflow": HEADER + b"0,4294967296\n",
        "class_int64_max": HEADER + b"0,9223372036854775807\n",
        "class_int64_min": HEADER + b"-9223372036854775808,0\n",
        "class_above_63_bits": HEADER + b"0,9223372036854775808\n",
        "class_that_is_one_modulo_64_bits": HEADER + b"0,18446744073709551617\n",
        "class_of_many_digits": HEADER + b"0," + b"9" * MANY + b"\n",
        "very_long_header": b"input,target" * MANY,
        "very_long_word": HEADER + b"x" * MANY + b",1\n",
        "very_long_line_without_end": HEADER + b"0,1" * MANY,
        "control_characters": HEADER + b"\x1b[2J\r,1\n",
        "bad_row_after_many_good_ones": HEADER + b"0,1\n" * MANY + b"0\n",
    }


CONFIG = {
    "model": "manual",
    "engine": "fused",
    "device": "cpu",
    "epochs": 5,
    "series_length": 1000000,
    "batch_size": 3,
    "num_steps": 10,
    "num_classes": 2,
    "hidden_size": 4,
    "learning_rate": 0.2,
    "optimizer": "sgd",
    "dtype": "float32",
    "seed": 0,
    "threads": 1,
    "log_every": 100,
    "checkpoint_every": 20000,
    "eval_length": 200000,
    "data": None,
    "data_sha256": None,
    "init": None,
    "init_sha256": None,
    "process": {"base": 0.5, "effects": [{"lag": 3, "effect": 0.5}, {"lag": 8, "effect": -0.25}]},
    "versions": {"unroll": "0.1.0", "libtorch": "2.15.0", "compiler": "12.2.0"},
}


def text_of(config):
    return (json.dumps(config, indent=2) + "\n").encode()


def config_text(**changes):
    return text_of({**CONFIG, **changes})


def raw(key, text):
    """The config with a JSON text for a value, which no Python value would give."""
    return config_text(**{key: "RAW"}).replace(b'"RAW"', text.encode())


def config():
    valid = config_text()
    faults = {
        "empty_file": b"",
        "spaces": b"  \n",
        "null": b"null\n",
        "array": b"[" + valid + b"]",
        "text": b'"config"\n',
        "empty_object": b"{}\n",
        "cut_in_the_middle": valid[: len(valid) // 2],
        "last_brace_missing": valid.rstrip()[:-1],
        "twice": valid + valid,
        "nul_byte_after": valid + b"\0",
        "nul_byte_and_more_after": valid + b"\0{}",
        "nul_byte_in_a_key": valid.replace(b'"epochs"', b'"epochs\0"'),
        "byte_order_mark_twice": b"\xef\xbb\xbf" * 2 + valid,
        "utf16": valid.decode().encode("utf-16-le"),
        "invalid_utf8_in_a_value": valid.replace(b"manual", b"manual\xff"),
        "invalid_utf8_in_a_path": raw("data", '"RAWPATH"').replace(b"RAWPATH", b"s\xe9rie.csv"),
        "lone_surrogate_in_a_path": raw("data", '"\\ud800"'),
        "nul_character_in_a_path": config_text(data="series.csv\0", process=None),
        "trailing_comma": valid.rstrip()[:-1].rstrip() + b",\n}\n",
        "comment": b"// a run\n" + valid,
        "single_quotes": valid.replace(b'"', b"'"),
        "deep_arrays": raw("process", "[" * MANY + "]" * MANY),
        "deep_arrays_not_closed": raw("process", "[" * MANY),
        "deep_objects": raw("process", '{"a":' * MANY + "1" + "}" * MANY),
        "deep_arrays_alone": b"[" * MANY,
        "many_empty_objects": b"[" + b"{}," * MANY + b"{}]",
        "many_numbers_for_epochs": raw("epochs", "[" + "1," * MANY + "1]"),
        "many_digits": raw("epochs", "9" * MANY),
        "very_long_model": config_text(model="m" * MANY),
        "control_characters_in_the_model": config_text(model="manual\n\x1b[2J"),
        "key_twice": valid.replace(b'"epochs": 5', b'"epochs": 5,\n  "epochs": 5'),
        "key_twice_with_other_value": valid.replace(b'"epochs": 5', b'"epochs": 5,\n  "epochs": 6'),
        "key_twice_once_escaped": valid.replace(b'"epochs": 5', b'"epochs": 5,\n  "\\u0065pochs": 6'),
        "key_in_capitals": valid.replace(b'"epochs"', b'"Epochs"'),
        "epochs_text": config_text(epochs="5"),
        "epochs_null": config_text(epochs=None),
        "epochs_true": config_text(epochs=True),
        "epochs_array": config_text(epochs=[5]),
        "epochs_object": config_text(epochs={"epochs": 5}),
        "epochs_fraction": config_text(epochs=5.5),
        "epochs_whole_float": config_text(epochs=5.0),
        "epochs_nan": raw("epochs", "NaN"),
        "epochs_1e999": raw("epochs", "1e999"),
        "epochs_zero": config_text(epochs=0),
        "epochs_negative": config_text(epochs=-5),
        "epochs_above_a_billion": config_text(epochs=10**9 + 1),
        "epochs_int64_min": config_text(epochs=-(2**63)),
        "epochs_above_63_bits": config_text(epochs=2**63),
        "epochs_that_are_five_modulo_64_bits": config_text(epochs=U64 + 5),
        "series_length_zero": config_text(series_length=0),
        "batch_size_zero": config_text(batch_size=0),
        "batch_size_above_the_series": config_text(batch_size=2, series_length=1),
        "batch_size_uint64_max": config_text(batch_size=U64 - 1),
        "num_steps_above_a_row": config_text(num_steps=10, batch_size=3, series_length=29),
        "num_steps_negative": config_text(num_steps=-10),
        "num_classes_zero": config_text(num_classes=0),
        "hidden_size_zero": config_text(hidden_size=0),
        "hidden_size_text": config_text(hidden_size="4"),
        "learning_rate_text": config_text(learning_rate="0.2"),
        "learning_rate_null": config_text(learning_rate=None),
        "learning_rate_nan": raw("learning_rate", "NaN"),
        "learning_rate_infinity": raw("learning_rate", "Infinity"),
        "learning_rate_1e999": raw("learning_rate", "1e999"),
        "learning_rate_zero": config_text(learning_rate=0.0),
        "learning_rate_negative": config_text(learning_rate=-0.2),
        "learning_rate_above_float32": config_text(learning_rate=1e39),
        "learning_rate_below_float32": config_text(learning_rate=1e-50),
        "seed_negative": config_text(seed=-1),
        "seed_above_32_bits": config_text(seed=2**32),
        "threads_zero": config_text(threads=0),
        "threads_above_1024": config_text(threads=1025),
        "log_every_zero": config_text(log_every=0),
        "checkpoint_every_text": config_text(checkpoint_every="100"),
        "checkpoint_every_zero": config_text(checkpoint_every=0),
        "checkpoint_every_negative": config_text(checkpoint_every=-1),
        "eval_length_text": config_text(eval_length="100"),
        "eval_length_negative": config_text(eval_length=-1),
        "eval_length_huge": config_text(eval_length=2**62),
        "model_unknown": config_text(model="lstm"),
        "model_empty": config_text(model=""),
        "model_number": config_text(model=1),
        "engine_unknown": config_text(engine="magic"),
        "device_unknown": config_text(device="tpu"),
        "device_array": config_text(device=["cpu"]),
        "optimizer_unknown": config_text(optimizer="rmsprop"),
        "optimizer_null": config_text(optimizer=None),
        "dtype_unknown": config_text(dtype="float16"),
        "data_number": config_text(data=1),
        "data_array": config_text(data=["series.csv"]),
        "data_sha256_number": config_text(data_sha256=1),
        "init_true": config_text(init=True),
        "init_sha256_object": config_text(init_sha256={}),
        "process_null": config_text(process=None),
        "process_text": config_text(process="0.5 + 0.5 X[t-3] - 0.25 X[t-8]"),
        "process_with_other_lags": config_text(process={"base": 0.5, "effects": [{"lag": 4, "effect": 0.5}]}),
        "process_beside_data": config_text(data="series.csv"),
    }
    for key in CONFIG:
        faults[f"missing_{key}"] = text_of({name: value for name, value in CONFIG.items() if name != key})
    return faults


def series_of(symbols, classes=2, length=None, version=1, zeros=0, magic=b"\x89UNROLL\n", digest=None):
    """A series in binary form, of these bytes of symbols."""
    pairs = len(symbols) // (2 if classes <= 256 else 4)
    start = magic + struct.pack("<IIQQ", version, classes, pairs if length is None else length % U64, zeros)
    return start + (hashlib.sha256(symbols + start).digest() if digest is None else digest) + symbols


SYMBOLS = bytes([0, 1, 1, 0, 1, 1, 0, 0])  # four inputs, each with its target
WIDE = struct.pack("<8H", 0, 299, 1, 0, 256, 1, 44, 0)  # of 300 classes


def series():
    whole = series_of(SYMBOLS)
    swapped = bytes(byte for pair in zip(WIDE[1::2], WIDE[::2]) for byte in pair)
    return {
        # The magic and the header's length.
        "empty_file": b"",
        "magic_cut": whole[:7],
        "magic_alone": whole[:8],
        "magic_without_its_high_bit": series_of(SYMBOLS, magic=b"\x09UNROLL\n"),
        "magic_in_lower_case": series_of(SYMBOLS, magic=b"\x89unroll\n"),
        "magic_with_windows_line_end": series_of(SYMBOLS, magic=b"\x89UNROLL\r\n"),
        "byte_before_the_magic": b"\0" + whole,
        "csv": HEADER + b"0,1\n1,0\n",
        "cut_before_the_digest": whole[:32],
        "cut_inside_the_digest": whole[:63],
        "all_zeros": bytes(72),
        "all_ones": b"\xff" * 72,
        # The header's numbers.
        "version_zero": series_of(SYMBOLS, version=0),
        "version_two": series_of(SYMBOLS, version=2),
        "version_big_endian": series_of(SYMBOLS, version=1 << 24),
        "version_uint32_max": series_of(SYMBOLS, version=2**32 - 1),
        "classes_zero": series_of(SYMBOLS, classes=0),
        "classes_one": series_of(bytes(8), classes=1),
        "classes_65537": series_of(WIDE, classes=65_537),
        "classes_uint32_max": series_of(WIDE, classes=2**32 - 1),
        "classes_big_endian": series_of(SYMBOLS, classes=2 << 24),
        "classes_that_need_two_bytes": series_of(SYMBOLS, classes=300, length=4),
        "classes_that_need_one_byte": series_of(WIDE, classes=256, length=4),
        "length_zero": series_of(SYMBOLS, length=0),
        "length_zero_without_symbols": series_of(b""),
        "length_one_more": series_of(SYMBOLS, length=5),
        "length_one_less": series_of(SYMBOLS, length=3),
        "length_of_bytes": series_of(SYMBOLS, length=8),
        "length_big_endian": series_of(SYMBOLS, length=4 << 56),
        "length_100_gigabytes": series_of(SYMBOLS, length=10**11),
        "length_int64_max": series_of(SYMBOLS, length=2**63 - 1),
        "length_int64_min": series_of(SYMBOLS, length=2**63),
        "length_uint64_max": series_of(SYMBOLS, length=-1),
        "length_that_is_four_modulo_63_bits": series_of(SYMBOLS, length=2**63 + 4),
        "length_that_is_four_modulo_62_bits": series_of(WIDE, classes=300, length=2**62 + 4),
        "zeros_not_zero": series_of(SYMBOLS, zeros=1),
        "zeros_last_bit_set": series_of(SYMBOLS, zeros=2**63),
        # The symbols.
        "symbols_cut": whole[:-1],
        "pair_cut": whole[:-2],
        "byte_after_the_symbols": whole + b"\0",
        "pair_after_the_symbols": whole + b"\0\1",
        "wide_pair_cut_in_half": series_of(WIDE, classes=300)[:-2],
        "input_outside_the_classes": series_of(SYMBOLS[:4] + b"\2" + SYMBOLS[5:]),
        "target_outside_the_classes": series_of(SYMBOLS[:-1] + b"\2"),
        "symbol_255": series_of(b"\xff" + SYMBOLS[1:]),
        "symbols_of_text": series_of(b"01101100"),
        "wide_symbol_outside_the_classes": series_of(WIDE[:-2] + struct.pack("<H", 300), classes=300),
        "wide_symbol_65535": series_of(WIDE[:-2] + b"\xff\xff", classes=300),
        "wide_symbols_big_endian": series_of(swapped, classes=300),
        # The digest.
        "digest_with_a_bit_flipped": whole[:40] + bytes([whole[40] ^ 1]) + whole[41:],
        "digest_of_zeros": series_of(SYMBOLS, digest=bytes(32)),
        "digest_of_the_symbols_alone": series_of(SYMBOLS, digest=hashlib.sha256(SYMBOLS).digest()),
        "symbol_changed": whole[:-1] + b"\1",
        "classes_changed": whole[:12] + b"\3" + whole[13:],
        "last_pair_dropped": whole[:16] + b"\3" + whole[17:-2],
    }


def valid():
    metadata = {"format": "pt", "writer": "generate.py"}
    return {
        "safetensors/network.safetensors": network(),
        "safetensors/no_tensors.safetensors": file_of("{}"),
        "safetensors/tensor.safetensors": file_of(x(), DATA),
        "safetensors/metadata_padding_and_empty_tensors.safetensors": file_of(
            json.dumps({"__metadata__": metadata, "b": entry(), "a": entry([0, 7], [0, 0], "BF16"),
                        "c": entry([], [8, 9], "BOOL")}) + "   ", DATA + b"\1"),
        "csv/series.csv": HEADER + b"0,1\n1,0\n65535,2\n",
        "csv/windows_line_ends.csv": b"\xef\xbb\xbf" + HEADER.replace(b"\n", b"\r\n") + b"007,1\r\n0,0\r\n\r\n",
        "series/two_classes.bin": series_of(SYMBOLS),
        "series/256_classes.bin": series_of(bytes([0, 255, 7, 3]), classes=256),
        "series/300_classes.bin": series_of(WIDE, classes=300),
        "series/65536_classes.bin": series_of(struct.pack("<2H", 65_535, 0), classes=65_536),
        "series/more_classes_than_occur.bin": series_of(SYMBOLS, classes=7),
        "config/config.json": config_text(),
        "config/own_series.json": config_text(
            model="builtin", engine="autograd", optimizer="adam", dtype="float64", learning_rate=1e-3, seed=2**32 - 1,
            data="/data/s\u00e9rie.csv", data_sha256="ab" * 32, init="/data/start.safetensors",
            init_sha256="01" * 32, process=None, checkpoint_every=1000),
    }


def files():
    """Every file's bytes, by its path."""
    folders = {"safetensors": (safetensors, ".safetensors"), "weights": (weights, ".safetensors"),
               "csv": (csv, ".csv"), "series": (series, ".bin"), "config": (config, ".json"), "valid": (valid, "")}
    return {f"{folder}/{name}{ending}": content
            for folder, (make, ending) in folders.items() for name, content in make().items()}


def main():
    root = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else pathlib.Path(__file__).parent
    for path, content in files().items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


if __name__ == "__main__":
    main()
