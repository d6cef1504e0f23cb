"""Protobuf by hand: messages that are put together from parts which are encoded already, without decoding them."""

from collections.abc import Mapping, Sequence

from stack.standins.tempo.spans import Span


def field(number: int, content: bytes) -> bytes:
    """
    One field that holds a message, bytes or text.
    """
    return bytes([number << 3 | 2]) + varint(len(content)) + content


def varint(value: int) -> bytes:
    """
    A whole number from nought on, in as few bytes as it needs.
    """
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def export_request(spans: Sequence[Span]) -> bytes:
    """
    The spans as an ExportTraceServiceRequest, each with its resource and library as they came.
    """
    batches: dict[bytes, dict[bytes, list[bytes]]] = {}
    for span in spans:
        scopes = batches.setdefault(span.resource.encoded, {})
        scopes.setdefault(span.scope.encoded, []).append(span.encoded)
    return b"".join(field(1, _resource_spans(*batch)) for batch in batches.items())


def _resource_spans(resource: bytes, scopes: Mapping[bytes, Sequence[bytes]]) -> bytes:
    return field(1, resource) + b"".join(field(2, _scope_spans(*scope)) for scope in scopes.items())


def _scope_spans(scope: bytes, spans: Sequence[bytes]) -> bytes:
    return field(1, scope) + b"".join(field(2, span) for span in spans)
