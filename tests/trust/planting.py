"""Planting a mutant into this process: functions that are there already get other code.

So a process that has imported everything, once, is forked for each mutant; no file is touched, and a mutant costs no
more than the tests that kill it.
"""

import ast
import gc
import sys
from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any

from tests.serving import ROOT
from tests.trust.finding import Mutant


class NotPlanted(Exception):
    """The mutant changed no function of this process: it would prove nothing."""


def plant(mutant: Mutant) -> None:
    if mutant.is_of_import:
        _read_again(mutant)
        return
    path = str(ROOT / mutant.path)
    if not _swap(path, compile((ROOT / mutant.path).read_text(), path, "exec"), compile(mutant.source(), path, "exec")):
        raise NotPlanted(str(mutant))
    from config.storage.prepared import Prepared

    for prepared in [each for each in gc.get_objects() if type(each) is Prepared]:
        prepared._plans.clear()  # their SQL was written by the code of before


def watch(mutants: Iterable[Mutant], reached: set[tuple[str, str]]) -> None:
    """From now on each function that has mutants says in ``reached`` that it ran."""
    wanted: dict[str, set[str]] = {}
    for mutant in mutants:
        wanted.setdefault(mutant.path, set()).add(mutant.where)
    sys.modules["builtins"].__dict__["_reached"] = reached
    for path, names in wanted.items():
        text, file = (ROOT / path).read_text(), str(ROOT / path)
        tree = ast.parse(text)
        for name, function in _functions(tree):
            if name in names:
                said = ast.parse(f"_reached.add(({path!r}, {name!r}))").body[0]
                function.body.insert(1 if ast.get_docstring(function) and len(function.body) > 1 else 0, said)
        for node in ast.walk(tree):
            if isinstance(node, ast.expr | ast.stmt) and not hasattr(node, "lineno"):
                ast.fix_missing_locations(node)
        _swap(file, compile(text, file, "exec"), compile(tree, file, "exec"))


def _functions(node: ast.AST, where: str = "") -> Iterator[tuple[str, ast.FunctionDef]]:
    for child in ast.iter_child_nodes(node):
        inner = where
        if isinstance(child, ast.FunctionDef | ast.ClassDef):
            inner = f"{where}.{child.name}".lstrip(".")
            if isinstance(child, ast.FunctionDef):
                yield inner, child
        yield from _functions(child, inner)


def _swap(path: str, old: CodeType, new: CodeType) -> int:
    """Give the functions of ``path`` the code of ``new`` where it differs; how many it was."""
    before, after = _codes(old), _codes(new)
    changed = 0
    for function in [each for each in gc.get_objects() if type(each) is FunctionType]:
        code = function.__code__
        key = (code.co_qualname, code.co_firstlineno)
        if code.co_filename == path and key in after and before.get(key) != after[key]:
            function.__code__ = after[key]
            changed += 1
    return changed


def _codes(code: CodeType) -> dict[tuple[str, int], CodeType]:
    found = {(code.co_qualname, code.co_firstlineno): code}
    for each in code.co_consts:
        if isinstance(each, CodeType):
            found |= _codes(each)
    return found


def _read_again(mutant: Mutant) -> None:
    """What stands in a decorator or a class is done again, and the objects of before get what came of it."""
    name = mutant.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    module = sys.modules[name]
    space: dict[str, Any] = {"__name__": name, "__file__": module.__file__, "__package__": module.__package__}
    exec(compile(mutant.source(), str(module.__file__), "exec"), space)  # noqa: S102
    old, new = getattr(module, mutant.where), space[mutant.where]
    if isinstance(old, type):
        if old.scopes == new.scopes:  # type: ignore[attr-defined]
            raise NotPlanted(str(mutant))
        old.scopes = new.scopes  # type: ignore[attr-defined]
    elif not _hand_over(old, new):
        raise NotPlanted(str(mutant))


def _hand_over(old: FunctionType, new: FunctionType) -> bool:
    """Give a decorated function, and all that its decorators hold, what the new one has."""
    values = {name: value for name, value in new.__dict__.items() if name != "__wrapped__"}
    differs = any(old.__dict__.get(name) != value for name, value in values.items())
    old.__dict__.update(values)
    for cell, other in zip(old.__closure__ or (), new.__closure__ or (), strict=True):
        if isinstance(cell.cell_contents, FunctionType):
            differs |= _hand_over(cell.cell_contents, other.cell_contents)
        else:
            cell.cell_contents = other.cell_contents
    return differs
