"""Plain data as JSON: what may pass between a tested program and its judge.

Subclasses are reduced to what they extend, so that no method of the program's reaches the judge.
"""


class NotPlain(Exception):
    """The value is no plain data."""


def pack(value):
    """`value` as something JSON holds without loss."""
    if value is None or value is True or value is False:
        return value
    if isinstance(value, str):
        text = str.__str__(value)
        try:
            text.encode()
            return text
        except UnicodeEncodeError:  # halves of characters, which JSON would put together
            return ["str", text.encode("utf-8", "surrogatepass").hex()]
    if isinstance(value, int):
        return ["int", hex(int(value))]
    if isinstance(value, float):
        return ["float", float.hex(value)]
    if isinstance(value, complex):
        return ["complex", float.hex(value.real), float.hex(value.imag)]
    if isinstance(value, (bytes, bytearray)):
        return ["bytes", bytes(value).hex()]
    if isinstance(value, list):
        return ["list", *(pack(item) for item in list.__iter__(value))]
    if isinstance(value, tuple):
        return ["tuple", *(pack(item) for item in tuple.__iter__(value))]
    if isinstance(value, frozenset):
        return ["frozenset", *(pack(item) for item in value)]
    if isinstance(value, (set, type({}.keys()))):
        return ["set", *(pack(item) for item in value)]
    if isinstance(value, dict):
        return ["dict", *([pack(key), pack(held)] for key, held in dict.items(value))]
    raise NotPlain(type(value).__name__)


def unpack(packed):
    """The inverse of `pack`; anything else raises."""
    if packed is None or packed is True or packed is False or isinstance(packed, str):
        return packed
    kind, *held = packed
    if kind == "str":
        return bytes.fromhex(held[0]).decode("utf-8", "surrogatepass")
    if kind == "int":
        return int(held[0], 16)
    if kind == "float":
        return float.fromhex(held[0])
    if kind == "complex":
        return complex(float.fromhex(held[0]), float.fromhex(held[1]))
    if kind == "bytes":
        return bytes.fromhex(held[0])
    if kind == "list":
        return [unpack(item) for item in held]
    if kind == "tuple":
        return tuple(unpack(item) for item in held)
    if kind == "set":
        return {unpack(item) for item in held}
    if kind == "frozenset":
        return frozenset(unpack(item) for item in held)
    if kind == "dict":
        return {unpack(key): unpack(value) for key, value in held}
    raise NotPlain(kind)
