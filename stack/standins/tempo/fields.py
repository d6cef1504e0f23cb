"""The fields of a Tempo configuration file: which exist, which version 3 removed, and on which lines they stand."""

import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

import yaml

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the safe loader either way; the one in C starts sooner
REMOVED = {
    "ingester": "use live_store (and block_builder for Kafka)",
    "ingester_client": "use live_store_client",
    "compactor": "use backend_scheduler and backend_worker",
    "partition_ring_live_store": "the live-store ring is live_store.ring",
    "ingest.enabled": "`-target=all` needs no Kafka; leave it out",
    "querier.query_live_store": "queriers always read the live-store; leave it out",
    "query_frontend.search.query_ingesters_until": "leave it out",
    "metrics_generator.processor.local_blocks": "the local-blocks processor is gone; leave it out",
    "metrics_generator.traces_storage": "the local-blocks processor is gone; leave it out",
    "distributor.receivers.opencensus": "send OTLP instead",
}


class ConfigError(ValueError):
    """The configuration file cannot be used; the text names file, line, field and what to do."""


Path = tuple[str, ...]


def load(text: str, name: str) -> tuple[Mapping[str, object], dict[Path, int]]:
    """
    The mapping in `text` and the line of each field; ConfigError when it is no YAML mapping or names an unknown field.
    """
    try:
        node = yaml.compose(text, Loader=LOADER)
        document = yaml.load(text, Loader=LOADER) or {}  # noqa: S506
    except yaml.YAMLError as error:
        raise ConfigError(f"{name}: not YAML: {error}") from error
    if not isinstance(document, dict):
        raise ConfigError(f"{name}: expected a mapping of Tempo's sections, found {type(document).__name__}")
    lines = dict(_lines(node, ()))
    problems = list(_problems(document, known_fields(), (), lines, name))
    if problems:
        raise ConfigError("\n".join(problems))
    return document, lines


@cache
def known_fields() -> Mapping[str, object]:
    """
    The tree of Tempo 3's option names.
    """
    text = files(__package__).joinpath("known_fields.yaml").read_text("utf-8")
    tree: Mapping[str, object] = yaml.load(text, Loader=LOADER)  # noqa: S506
    return tree


def leaves(value: object, path: Path = ()) -> Iterator[Path]:
    """
    The path of each value in a mapping; a list counts as one value.
    """
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, str(key)))
    elif path:
        yield path


def _lines(node: yaml.Node | None, path: Path) -> Iterator[tuple[Path, int]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*path, str(key.value))
            yield inner, key.start_mark.line + 1
            yield from _lines(value, inner)


def _problems(
    document: Mapping[str, object], known: Mapping[str, object], path: Path, lines: Mapping[Path, int], name: str
) -> Iterator[str]:
    for key, value in document.items():
        inner = (*path, str(key))
        where = f"{name}:{lines.get(inner, 0)}"
        if ".".join(inner) in REMOVED:
            yield f"{where}: field {'.'.join(inner)!r} was removed in Tempo 3: {REMOVED['.'.join(inner)]}"
        elif key not in known:
            yield f"{where}: field {'.'.join(inner)!r} is unknown to Tempo 3{_suggestion(str(key), known)}"
        elif isinstance(below := known[key], Mapping) and isinstance(value, Mapping):
            yield from _problems(value, below, inner, lines, name)
        elif isinstance(below, Mapping) and value is not None:
            yield f"{where}: field {'.'.join(inner)!r} must be a mapping, found {value!r}"


def _suggestion(key: str, known: Mapping[str, object]) -> str:
    close = difflib.get_close_matches(key, [str(name) for name in known], n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known here: {', '.join(sorted(map(str, known)))}"
