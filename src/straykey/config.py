"""A TOML file, the environment and the command line -> settings; or one `ConfigError` with all that is wrong.

The command line goes before the environment, the environment before the file, the file before what is built in, key by
key.  A key or a variable that means nothing is a complaint: a setting that was misspelt would be missed in silence.
No value is repeated that may be a secret.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from straykey.entry import is_private
from straykey.errors import ConfigError, UsageError
from straykey.formats.text import bounded, printable
from straykey.given import quoted
from straykey.setting import KINDS, AnySink, JsonlSink, OcsfSink, Sink, WatchSettings, WebhookSink, keys_of

PREFIX = "STRAYKEY_"
SINK_PREFIX = "STRAYKEY_SINK_"
FILE_VARIABLE = "STRAYKEY_CONFIG"
_FORMS = ("", "_env", "_file")
_LARGEST_SECRET_FILE = 1 << 16
_LONGEST_NAME = 80
_VARIABLE = re.compile("[A-Z][A-Z0-9_]{0,79}")
_QUEUE = "sqs://"
# Kubernetes sets these in every pod of a namespace that has a service of this name.
_OF_KUBERNETES = re.compile(r"STRAYKEY_(?:\w+_)?(?:SERVICE_HOST|SERVICE_PORT(?:_\w+)?|PORT_[0-9]+_(?:TCP|UDP|SCTP)\w*)")
_PORT_OF_KUBERNETES = re.compile("(?:tcp|udp|sctp)://.*")


class _Layer(msgspec.Struct, frozen=True):
    """What one place sets, and how a complaint names it there."""

    values: Mapping[str, object]
    where: Callable[[str], str]


class _Reading(msgspec.Struct):
    """What is being read: the environment that `…_env` looks into, and what was found wrong so far."""

    environment: Mapping[str, str]
    complaints: list[str] = []

    def complain(self, where: str, what: str, hint: str = "") -> None:
        told = f"{where}: {what}" + (f": {hint}" if hint else "")
        self.complaints.append(told.replace("\n", "\n  "))


def settings_of(
    toml_text: str,
    environment: Mapping[str, str],
    overrides: Mapping[str, object],
    *,
    file: str = "straykey.toml",
    required: Collection[str] = (),
    only: Collection[str] = (),
) -> WatchSettings:
    """What is set.  `overrides` are the command line's, by the names of `WatchSettings`; what is empty was not given.

    `file` is what complaints call the text by.  `required` are settings the command cannot do without.  With `only`,
    no other setting is read, and no sink: a person who looks at the store may not know the sinks' secrets.  Of files
    only those are read that a setting names; raises `ConfigError`.
    """
    document = _parsed(toml_text, file)
    reading = _Reading(environment)
    variables = {name: text for name, text in environment.items() if name.startswith(PREFIX) and text}
    layers = [
        _Layer({name: value for name, value in overrides.items() if _is_said(value)}, _option),
        _Layer(_of_variables(variables, set(_pointed_at(document, variables)), reading), _variable),
        _Layer({name: value for name, value in document.items() if name != "sinks"}, partial("{}: {}".format, file)),
    ]
    _unknown(layers[2], WatchSettings, reading)
    values = _values(WatchSettings, layers, reading, only)
    sinks = () if only else tuple(_sinks(document, variables, file, reading))
    given = {name for name in keys_of(WatchSettings) if any(_forms(name, layer) for layer in layers)}
    for name in sorted(set(required) - given):
        reading.complain(name, "is missing", f"set it in {file}, by {_variable(name)}, or by {_option(name)}")
    settings = WatchSettings(**values, sinks=sinks)
    _at_odds(settings, given, reading)
    if reading.complaints:
        raise ConfigError(reading.complaints)
    return settings


def _parsed(text: str, file: str) -> dict[str, object]:
    try:
        return tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigError([f"{file}: no TOML: {printable(str(error))}"]) from error


def _is_said(value: object) -> bool:
    """What an option is when nobody gave it is nothing said; 0 is."""
    return value is not None and value is not False and value not in ("", [], ())


def _option(name: str) -> str:
    return keys_of(WatchSettings)[name].option or f"--{name.replace('_', '-')}"


def _variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"


def _of_variables(variables: Mapping[str, str], pointed_at: set[str], reading: _Reading) -> dict[str, object]:
    known = {_variable(name): name for name in _all_forms(WatchSettings)}
    for variable, text in variables.items():
        if variable in known or variable == FILE_VARIABLE or variable.startswith(SINK_PREFIX):
            continue
        if variable not in pointed_at and not _is_of_kubernetes(variable, text):
            reading.complain(_named(variable), "means nothing here", _nearest(variable, [*known, FILE_VARIABLE]))
    return {known[variable]: text for variable, text in variables.items() if variable in known}


def _is_of_kubernetes(variable: str, text: str) -> bool:
    if _OF_KUBERNETES.fullmatch(variable):
        return True
    return variable.endswith("_PORT") and _PORT_OF_KUBERNETES.fullmatch(text) is not None


def _pointed_at(document: Mapping[str, object], variables: Mapping[str, str]) -> Iterator[str]:
    """Variables that hold a secret under a name of the user's own."""
    tables = document.get("sinks")
    for table in [document, *(tables if isinstance(tables, list) else [])]:
        if isinstance(table, dict):
            yield from (str(value) for name, value in table.items() if name.endswith("_env"))
    yield from (text for variable, text in variables.items() if variable.endswith("_ENV"))


def _values(
    struct: type[msgspec.Struct], layers: Iterable[_Layer], reading: _Reading, only: Collection[str] = ()
) -> dict[str, Any]:
    """By name what was read; each from the first layer that sets it."""
    values: dict[str, Any] = {}
    for name, key in keys_of(struct).items():
        if only and name not in only:
            continue
        for layer in layers:
            if forms := _forms(name, layer, is_secret=key.is_secret):
                try:
                    values[name] = key.read(_fetched(name, forms, layer, reading.environment))
                except UsageError as error:
                    reading.complain(layer.where(forms[0]), str(error), error.hint)
                break
    return values


def _all_forms(struct: type[msgspec.Struct]) -> list[str]:
    return [f"{name}{form}" for name, key in keys_of(struct).items() for form in (_FORMS if key.is_secret else ("",))]


def _forms(name: str, layer: _Layer, *, is_secret: bool = True) -> list[str]:
    """The forms in which the layer sets it."""
    return [f"{name}{form}" for form in (_FORMS if is_secret else ("",)) if f"{name}{form}" in layer.values]


def _fetched(name: str, forms: list[str], layer: _Layer, environment: Mapping[str, str]) -> object:
    """What is set, or what the variable or file holds that is named instead.

    Neither name is repeated unless it looks like a variable's: by mistake it may be the secret itself.
    """
    if len(forms) > 1:
        raise UsageError(f"stands beside {forms[1]}", hint="give one of them")
    value = layer.values[forms[0]]
    if forms[0] == name:
        return value
    if not isinstance(value, str):
        raise UsageError("is no text", hint="write a name in quotes")
    return _of_file(value) if forms[0].endswith("_file") else _of_variable(value, environment)


def _of_variable(name: str, environment: Mapping[str, str]) -> str:
    if text := environment.get(name, ""):
        return text
    shown = f"variable {name}" if _VARIABLE.fullmatch(name) else "variable it names"
    raise UsageError(f"the {shown} is not set, or empty", hint="set it to the secret")


def _of_file(name: str) -> str:
    try:
        with Path(name).open(encoding="utf-8") as file:
            text = file.read(_LARGEST_SECRET_FILE).strip()
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else "no text"
        raise UsageError(f"the file it names cannot be read: {why}", hint="write the file's path") from error
    if not text:
        raise UsageError("the file it names is empty", hint="put the secret into it")
    return text


def _sinks(
    document: Mapping[str, object], variables: Mapping[str, str], file: str, reading: _Reading
) -> Iterator[AnySink]:
    """Those of the file in its order, then those that only variables speak of."""
    tables = document.get("sinks", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        reading.complain(f"{file}: sinks", "is no list of tables", "write [[sinks]] above each")
        tables = []
    by_name = _of_sink_variables(variables, reading)
    names = Counter(str(table.get("name")) for table in tables if "name" in table)
    for name in (name for name, count in names.items() if count > 1):
        reading.complain(f"{file}: sinks", f"{names[name]} are called {quoted(name)}", "give each a name of its own")
    for place, table in enumerate(tables, start=1):
        named = str(table.get("name", ""))
        where = f"{file}: sink {place}" + (f" ({_named(named)})" if named else "")
        of_file = _Layer(table, partial("{}: {}".format, where))
        yield from _sink(where, [_sink_variables(named, by_name.pop(named, {})), of_file], reading)
    for name, texts in sorted(by_name.items()):
        layer = _sink_variables(name, {"name": name, **texts})
        yield from _sink(layer.where("*"), [layer], reading)


def _sink_variables(name: str, texts: Mapping[str, object]) -> _Layer:
    return _Layer(texts, lambda key: f"{SINK_PREFIX}{name.upper().replace('-', '_')}_{key.upper()}")


def _of_sink_variables(variables: Mapping[str, str], reading: _Reading) -> dict[str, dict[str, object]]:
    """By sink the keys that variables set: STRAYKEY_SINK_PAGER_MIN_SEVERITY is `min_severity` of `pager`."""
    keys = {key.upper() for struct in KINDS.values() for key in _all_forms(struct)} - {"NAME"} | {"KIND"}
    found: dict[str, dict[str, object]] = {}
    for variable, text in variables.items():
        if not variable.startswith(SINK_PREFIX):
            continue
        rest = variable.removeprefix(SINK_PREFIX)
        key = max((key for key in keys if rest.endswith(f"_{key}")), key=len, default="")
        name = rest.removesuffix(f"_{key}").lower().replace("_", "-")
        if key and name:
            found.setdefault(name, {})[key.lower()] = text
        else:
            reading.complain(_named(variable), "names no sink and key of it", _nearest_key(rest, keys))
    return found


def _nearest_key(rest: str, keys: Collection[str]) -> str:
    for place in (place for place, char in enumerate(rest) if char == "_"):
        if near := get_close_matches(rest[place + 1 :], keys, 1):
            return f"did you mean {_named(f'{SINK_PREFIX}{rest[: place + 1]}{near[0]}')}?"
    return f"write {SINK_PREFIX}NAME_KEY"


def _sink(where: str, layers: list[_Layer], reading: _Reading) -> Iterator[AnySink]:
    """The sink, if all of it can be meant."""
    kind = next((layer.values["kind"] for layer in layers if "kind" in layer.values), None)
    struct = KINDS.get(kind) if isinstance(kind, str) else None
    if struct is None:
        what = "has no kind" if kind is None else f"{quoted(str(kind))} is no kind of sink"
        reading.complain(where, what, f"write one of {', '.join(KINDS)}")
        return
    before = len(reading.complaints)
    for layer in layers:
        _unknown(layer, struct, reading)
    values = _values(struct, layers, reading)
    for field in msgspec.structs.fields(struct):
        if field.required and not any(_forms(field.name, layer) for layer in layers):
            reading.complain(where, f"has no {field.name}", f"kind {kind} needs one")
    if len(reading.complaints) == before:
        yield struct(**values)


def _unknown(layer: _Layer, struct: type[msgspec.Struct], reading: _Reading) -> None:
    known = [*_all_forms(struct), "kind" if issubclass(struct, Sink) else "sinks"]
    for name in (name for name in layer.values if name not in known):
        is_above = issubclass(struct, Sink) and name in keys_of(WatchSettings)
        hint = "it belongs above the first [[sinks]]" if is_above else _nearest(name, known)
        reading.complain(layer.where(_named(name)), "no such setting", hint)


def _nearest(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name.replace("-", "_"), known, 1) or get_close_matches(name.lower(), known, 1)
    return f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"


def _named(name: str) -> str:
    return bounded(name, _LONGEST_NAME)


def _at_odds(settings: WatchSettings, given: Collection[str], reading: _Reading) -> None:
    """Settings that are fine each by itself, and not together."""
    listen = settings.listen
    if listen and not (listen.is_loopback or settings.listen_anywhere):
        hint = "listen on 127.0.0.1, or set listen_anywhere = true"
        reading.complain("listen", f"{listen} can be reached by others, and asks nobody who they are", hint)
    if "buckets" not in given and any(source.startswith(_QUEUE) for source in settings.sources):
        hint = "name the trail's buckets, or write buckets = [] if the queue carries records only"
        reading.complain("buckets", "is missing, and a queue may name any bucket", hint)
    files = Counter(sink.path for sink in settings.sinks if isinstance(sink, JsonlSink | OcsfSink))
    for path in (path for path, count in files.items() if count > 1):
        reading.complain("sinks", f"{files[path]} write to {quoted(str(path))}", "give each a file of its own")
    for sink in settings.sinks:
        if isinstance(sink, WebhookSink) and not sink.allow_private and is_private(sink.url):
            hint = "set allow_private = true if it is meant"
            reading.complain(f"sink {sink.name}", "its url is a private address", hint)
