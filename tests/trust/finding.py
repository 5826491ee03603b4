"""Mutants of the source: each takes one account filter, one environment filter or one check away.

They are found in the syntax, so that what is written tomorrow has its mutants tomorrow.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.serving import ROOT

ROOMS = ("accounts", "conversations")
OUTSIDE = (
    "migrations",
    "management",
    "demo",
    "admin",
    "throttling.py",
    "guesses.py",
    "adapters.py",
    "analytics",
    "outcomes.py",
)
"""Where no account asks: operators' commands and admin, and what limits how often is asked."""

OWNED = {
    *("conversations", "api_keys", "audit_events", "memberships", "invitations", "saved_views", "bulk_changes"),
    *("agents", "campaigns", "notes", "read_marks", "last_looks"),
}
"""What an account, a person or a conversation has; asked there, it is theirs alone."""

VERBS = {"create", "issue", "invite", "record", "save_view", "mark_seen", "moment_of", "mark", "mark_all", "write"}
VERBS |= {"change_status"}
"""Methods of managers that are told whose it is, and have a filter of their own."""

TENANT = {"account", "account_id", "environment", "user", "author", "conversation"}
"""Keywords of a filter that say whose."""

GUARD = re.compile(
    r"user_id|account_id|existing\.account|account\.pk|user\.email\b|by\.email|\.environment\b|is_last_owner|loses_owner"
    r"|not in held|<= held|is_authenticated|membership is None|member\.user|by != self\.user|[Ss]tatus\.ACTIVE"
    r"|_VIEW (not )?in scopes|self\.revoked_at|revoked_at=None|expires_at <= now|expires_at__gt|pk\) == pk"
)
"""Conditions that decide who or what gets through."""

CHECKS = {"check_held", "check_may_give", "_check_reach"}
"""Calls that only raise."""


@dataclass(frozen=True)
class Mutant:
    """A replacement of one place of one file. ``where`` is the name of what holds it: ``Class.function``."""

    path: str
    line: int
    where: str
    kind: str
    old: str
    new: str
    start: int
    end: int

    def __str__(self) -> str:
        old, new = (re.sub(r"\s+", " ", text) for text in (self.old, self.new))
        return f"{self.path}:{self.line} {self.where}: {self.kind}: {old[:90]} → {new[:60]}"

    @property
    def is_of_import(self) -> bool:
        """Whether it stands in what runs once, when the module is read."""
        return self.kind.startswith("scope of")

    def source(self) -> str:
        text = (ROOT / self.path).read_bytes()
        # As many lines as before: the functions behind stay where they are.
        lines = "\\\n" * (self.old.count("\n") - self.new.count("\n"))
        return (text[: self.start] + self.new.encode() + lines.encode() + text[self.end :]).decode()


def mutants() -> list[Mutant]:
    found = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            relative = path.relative_to(ROOT)
            if not set(OUTSIDE) & set(relative.parts):
                found += list(Finder(relative).found())
    return found


class Finder:
    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.text = (ROOT / path).read_text()
        self.bytes = self.text.encode()
        self.starts = [0]
        for line in self.bytes.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))

    def found(self) -> Iterator[Mutant]:
        yield from self._of(ast.parse(self.text), "")

    def _of(self, node: ast.AST, where: str) -> Iterator[Mutant]:
        for child in ast.iter_child_nodes(node):
            inner = where
            if isinstance(child, ast.FunctionDef | ast.ClassDef):
                inner = f"{where}.{child.name}".lstrip(".")
                yield from self._scopes(child, inner)
            if not (isinstance(child, ast.AnnAssign) and child.value is None):
                yield from self._here(child, inner)
            yield from self._of(child, inner)

    def _here(self, node: ast.AST, where: str) -> Iterator[Mutant]:
        if not where or (where[0].isupper() and "." not in where):
            return  # outside of functions
        match node:
            case ast.Call(func=ast.Attribute(value=whose, attr="within" | "live" | "test" | "within_reach_of")) if (
                "period" not in self._text(node)
            ):
                yield self._mutant(node, where, "environment filter", f"{self._text(whose)}.all()")
            case ast.Call(func=ast.Attribute(attr="has_scope")):
                yield self._mutant(node, where, "scope check", "True")
            case ast.Call(func=ast.Attribute(attr="filter" | "get" | "exclude") | ast.Name(id="Q")):
                for keyword in node.keywords:
                    if (keyword.arg or "").partition("__")[0] in TENANT:
                        yield self._mutant(keyword, where, "filter", "")
            case ast.Attribute(attr=attr) if attr in OWNED and self._is_asked(node):
                if self._then(node) not in VERBS:
                    yield self._mutant(node, where, "owner", f"{self._text(node)}.model._default_manager")
            case ast.Expr(value=ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name))) if name in CHECKS:
                yield self._mutant(node, where, "check", "pass")
            case ast.If(test=test, body=[ast.Raise() | ast.Return()]):
                conditions = test.values if isinstance(test, ast.BoolOp) else [test]
                for condition in filter(self._decides, conditions):
                    yield self._mutant(condition, where, "guard", "False")
            case ast.IfExp(test=test) if self._decides(test):
                yield self._mutant(test, where, "guard", "True")
            case ast.IfExp(test=ast.BoolOp(values=values)) | ast.Assign(value=ast.BoolOp(values=values)):
                for condition in filter(self._decides, values):
                    yield self._mutant(condition, where, "guard", "True")
            case ast.comprehension(ifs=[test]) if self._decides(test):
                yield self._mutant(test, where, "guard", "True")

    def _decides(self, test: ast.expr) -> bool:
        """A condition that is made of several has a mutant for each; asking for a scope is a check of its own."""
        return (
            not isinstance(test, ast.BoolOp)
            and "has_scope" not in self._text(test)
            and bool(GUARD.search(self._text(test)))
        )

    def _then(self, node: ast.Attribute) -> str:
        """What is asked of it: the next name."""
        end = self._offset(node.end_lineno or 0, node.end_col_offset or 0)
        found = re.match(rb"\s*\.(\w+)", self.bytes[end:])
        return found[1].decode() if found else ""

    def _is_asked(self, node: ast.Attribute) -> bool:
        """Whether it is an object's manager, read from something that has owners."""
        return bool(
            re.search(r"(account|user|conversation|request\.user|owner|reader\.account)$", self._text(node.value))
        )

    def _scopes(self, node: ast.FunctionDef | ast.ClassDef, where: str) -> Iterator[Mutant]:
        for decorator in node.decorator_list:
            match decorator:
                case ast.Call(func=ast.Name(id="scope_required"), args=[scope]):
                    # What every role holds: to see the dashboard needs an account, and no more.
                    if self._text(scope) != "Scope.DASHBOARD_VIEW":
                        yield self._mutant(scope, where, "scope of a page", "Scope.DASHBOARD_VIEW")
        if isinstance(node, ast.ClassDef):
            for each in node.body:
                match each:
                    case ast.Assign(targets=[ast.Name(id="scopes")], value=ast.Dict(values=values)):
                        for scope in values:
                            yield self._mutant(scope, where, "scope of an action", "Scope.TEAM_VIEW")

    def _offset(self, line: int, column: int) -> int:
        return self.starts[line - 1] + column

    def _text(self, node: ast.AST) -> str:
        return ast.get_source_segment(self.text, node) or ""

    def _mutant(self, node: ast.AST, where: str, kind: str, new: str) -> Mutant:
        at: ast.expr = node  # type: ignore[assignment]
        start = self._offset(at.lineno, at.col_offset)
        end = self._offset(at.end_lineno or 0, at.end_col_offset or 0)
        if isinstance(node, ast.keyword):  # with its comma
            rest = re.match(rb"\s*,", self.bytes[end:])
            end += rest.end() if rest else 0
        return Mutant(self.path, at.lineno, where, kind, self.bytes[start:end].decode(), new, start, end)
