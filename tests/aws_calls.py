"""Which calls of AWS the code can make, told from the code alone."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import botocore.session
from botocore import xform_name

from tests.conftest import ROOT

SOURCE = ROOT / "src"
# boto3 makes several calls of each, or calls by another name: not to be used without a thought here.
MANY = frozenset(
    {
        *(f"{verb}_{what}" for verb in ("upload", "download") for what in ("file", "fileobj")),
        *("copy", "generate_presigned_url", "generate_presigned_post", "get_paginator", "get_waiter", "resource"),
    }
)


class Call(NamedTuple):
    module: str
    operation: str


def modules(folder: Path = SOURCE) -> dict[str, ast.Module]:
    """By name, all there are."""
    paths = sorted((folder / "straykey").rglob("*.py"))
    return {".".join(path.relative_to(folder).with_suffix("").parts): ast.parse(path.read_text()) for path in paths}


def services_of(tree: ast.AST) -> set[str]:
    """The services a module makes clients of; `?` is one whose name is not written there."""
    return {
        _text(node.args[0]) if node.args else "?"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "client"
    }


def calls(folder: Path = SOURCE) -> set[Call]:
    """Every method of a client that any module names, whether it calls it there or hands it on.

    The simulator writes down calls of others, and makes none.
    """
    trees = modules(folder)
    named = {method: call for service in services(folder) for method, call in _methods(service).items()}
    return {
        Call(module, named[node.attr])
        for module, tree in trees.items()
        if not module.startswith("straykey.sim.")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in named and not _is_in(node.value, _own_modules(tree))
    }


def _own_modules(tree: ast.AST) -> set[str]:
    """What of ours a module imports, by the names it has there: a function of ours may be called as a client's is."""
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    return {
        alias.asname or alias.name
        for node in imports
        if str(node.module).startswith("straykey")
        for alias in node.names
    }


def _is_in(node: ast.expr, names: set[str]) -> bool:
    return isinstance(node, ast.Name) and node.id in names


def services(folder: Path = SOURCE) -> set[str]:
    return {service for tree in modules(folder).values() for service in services_of(tree)}


def clumsy(folder: Path = SOURCE) -> Iterator[Call]:
    """What cannot be told from the code: a client handed out by a name not written there, or one call that is many."""
    for module, tree in modules(folder).items():
        if "?" in services_of(tree):
            yield Call(module, "client(?)")
        if not _touches_aws(tree):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node.attr in MANY:
                yield Call(module, node.attr)
            elif _asks_for_any_attribute(node):
                yield Call(module, "getattr")


def _asks_for_any_attribute(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return False
    return node.func.id == "getattr" and "?" in map(_text, node.args[1:2])


def _touches_aws(tree: ast.AST) -> bool:
    """Whether a module may get hold of a client: it names AWS's module, boto3's or their types."""
    named = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            named += [f"{node.module}.{alias.name}" for alias in node.names]
    return any(
        name.startswith(("boto", "mypy_boto3", "straykey.aws")) or ".aws" in name or name.endswith(".s3")
        for name in named
    )


def _text(node: ast.expr) -> str:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else "?"


@cache
def _methods(service: str) -> dict[str, str]:
    """By boto3's name of a method, the call that it makes; of a service that is not AWS's, none."""
    if service == "?":
        return {}
    model = botocore.session.get_session().get_service_model(service)
    return {xform_name(name): f"{service}:{name}" for name in model.operation_names}
