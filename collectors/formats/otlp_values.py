"""
The text of an OTLP value, and what the engine is spared of.

`text` is the definition that the engine's functions (schema/migrations/01*_otlp_*.sql) are held to. It is what the
Collector's exporter writes (pdata's AsString): a string as it is; true or false; an integer in digits; a double in the
shortest form that reads back (exponent below 1e-6 and from 1e21 on), or `json: unsupported value: NaN`; bytes in base64;
arrays and lists of keys as compact JSON, keys sorted, of equal keys the last one, bytes in base64, nothing as null; no
value as ''. Two differences on purpose, both inside JSON only: NaN and the infinities are the strings "NaN", "+Inf" and "-Inf",
where pdata gives up on the whole attribute, and empty bytes are "", where it says null.

Why `flatten`: SQL has no recursion, so the engine reads scalars, and arrays and lists of keys become their JSON text here. Why
a second set of descriptors to find them: looking at every attribute in Python costs five times as much as reading the body
once more against a schema in which a container lacks a required field, so that upb says which they are. Why canonical bytes
although most came so: the views read the bytes of a value, and only one way of writing each is theirs to know.
"""

from __future__ import annotations

import base64
import json
import math
from decimal import Decimal
from functools import cache
from typing import Any, cast

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import EncodeError
from google.protobuf.message import Message as Protobuf
from google.protobuf.message_factory import GetMessageClass
from opentelemetry.proto.common.v1.common_pb2 import DESCRIPTOR as COMMON
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

CONTAINERS = ("array_value", "kvlist_value")
LACKING_FILE = "milepost/lacking.proto"
BOOL, REQUIRED = FieldDescriptorProto.TYPE_BOOL, FieldDescriptorProto.LABEL_REQUIRED
# What Python's JSON leaves as it is and Go's and the engine's escape.
SEPARATORS = str.maketrans({"\u2028": "\\u2028", "\u2029": "\\u2029"})


def text(value: AnyValue) -> str:
    """The text of an attribute or a log body."""
    match value.WhichOneof("value"):
        case "string_value":
            return value.string_value
        case "double_value":
            prefix = "" if math.isfinite(value.double_value) else "json: unsupported value: "
            return prefix + number(value.double_value)
        case "bytes_value":
            return base64.b64encode(value.bytes_value).decode()
        case None | "string_value_strindex":
            return ""
        case _:
            return as_json(value)


def as_json(value: AnyValue) -> str:
    """A value as compact JSON, as it stands inside an array or a list of keys."""
    match value.WhichOneof("value"):
        case "string_value":
            return _quoted(value.string_value)
        case "bool_value":
            return "true" if value.bool_value else "false"
        case "int_value":
            return str(value.int_value)
        case "double_value":
            digits = number(value.double_value)
            return digits if math.isfinite(value.double_value) else f'"{digits}"'
        case "bytes_value":
            return f'"{base64.b64encode(value.bytes_value).decode()}"'
        case "array_value":
            return f"[{','.join(as_json(item) for item in value.array_value.values)}]"
        case "kvlist_value":
            members = {member.key: as_json(member.value) for member in value.kvlist_value.values}
            return f"{{{','.join(f'{_quoted(key)}:{members[key]}' for key in _sorted(members))}}}"
        case _:
            return "null"


def number(x: float) -> str:
    """A double as ECMAScript writes it: the shortest digits that read back, an exponent only where it is far from 1."""
    if not math.isfinite(x):
        return "NaN" if math.isnan(x) else "+Inf" if x > 0 else "-Inf"
    if x != 0 and not 1e-6 <= abs(x) < 1e21:
        mantissa, exponent = repr(x).split("e")
        return f"{mantissa.removesuffix('.0')}e{int(exponent):+d}"
    return format(Decimal(repr(x)), "f").removesuffix(".0")


def flatten(request: Protobuf, body: bytes) -> bytes:
    """The canonical bytes of a request, in which every value is a scalar: arrays and lists of keys are their JSON text."""
    checked: Any = _scalars_only(request.DESCRIPTOR.file, request.DESCRIPTOR.full_name).FromString(body)
    try:
        return cast(bytes, checked.SerializeToString())  # upb looks while it writes, in a fraction of the time of asking first
    except EncodeError:
        for path in checked.FindInitializationErrors():
            value = _at(request, path.rsplit(".", 2)[0])
            value.string_value = as_json(value)
        return request.SerializeToString()


def _at(request: Protobuf, path: str) -> AnyValue:
    """The value at a path as upb writes it: `resource_spans[0].resource.attributes[4].value`."""
    part: Any = request
    for step in path.split("."):
        name, _, index = step.partition("[")
        part = getattr(part, name)[int(index[:-1])] if index else getattr(part, name)
    return cast(AnyValue, part)


def _quoted(string: str) -> str:
    return json.dumps(string, ensure_ascii=False).translate(SEPARATORS)


def _sorted(keys: dict[str, str]) -> list[str]:
    return sorted(keys, key=str.encode)


# --- finding the containers, without looking at each value ------------------------------------------------------------
@cache
def _scalars_only(file: FileDescriptor, name: str) -> type[Protobuf]:
    """The message of this name, in which an array or a list of keys is not complete."""
    pool = DescriptorPool()
    _add(pool, file, set())
    return GetMessageClass(pool.FindMessageTypeByName(name))


def _add(pool: DescriptorPool, file: FileDescriptor, done: set[str]) -> None:
    if file.name in done:
        return
    done.add(file.name)
    for dependency in file.dependencies:
        _add(pool, dependency, done)
    proto = FileDescriptorProto()
    file.CopyToProto(proto)
    if file.name == COMMON.name:
        pool.Add(_lacking_file())
        _limit(proto)
    pool.Add(proto)


def _lacking_file() -> FileDescriptorProto:
    field = FieldDescriptorProto(name="never", number=1, type=BOOL, label=REQUIRED)
    message = DescriptorProto(name="Lacking", field=[field])
    return FileDescriptorProto(name=LACKING_FILE, package="milepost", syntax="proto2", message_type=[message])


def _limit(common: FileDescriptorProto) -> None:
    any_value = next(message for message in common.message_type if message.name == AnyValue.DESCRIPTOR.name)
    for field in any_value.field:
        if field.name in CONTAINERS:
            field.type_name = ".milepost.Lacking"
    common.dependency.append(LACKING_FILE)
