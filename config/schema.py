"""What the API says of itself, in OpenAPI 3.1: put together from what each app states of its own part of it.

An app's module ``schema`` has the shapes, as ``COMPONENTS``; ``operations`` has an ``Operation`` for each action.
What follows from the code is taken from there: paths from the URLs, scopes from the viewset's table, filters from its
FilterSet, bodies from serializers, bounds from the constants that enforce them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import django_filters
from drf_spectacular.drainage import warn
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ComponentRegistry
from rest_framework import serializers

from accounts.idempotency import Idempotent
from accounts.parameters import MomentFilter, ObjectIdFilter
from config.storage.fields import OBJECT_ID

Json = dict[str, Any]

MODULES = (
    "config.operations",
    "accounts.schema",
    "accounts.operations",
    "conversations.schema",
    "conversations.operations",
)

EVERYWHERE = ("X-Request-Id", "RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset")
"""Headers of every answer."""

PLAIN = r"^[^\x00]*$"
"""What ``validate_text`` lets through, as far as a pattern can say it."""


def ref(name: str, kind: str = "schemas") -> Json:
    return {"$ref": f"#/components/{kind}/{name}"}


def text(description: str, **bounds: Any) -> Json:
    """A string; one that anybody may have written holds no NUL."""
    return {"type": "string", "description": description, **({} if "enum" in bounds else {"pattern": PLAIN}), **bounds}


def object_id(description: str, **more: Any) -> Json:
    return {"type": "string", "pattern": f"^{OBJECT_ID.pattern}$", "description": description, **more}


def moment(description: str, **more: Any) -> Json:
    return {"type": "string", "format": "date-time", "description": description, **more}


def integer(description: str, least: int = 0, most: int | None = None, **more: Any) -> Json:
    limit = {} if most is None else {"maximum": most}
    return {"type": "integer", "minimum": least, **limit, "description": description, **more}


def nullable(schema: Json) -> Json:
    if "$ref" in schema:
        return {"oneOf": [schema, {"type": "null"}]}
    kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
    if "null" in kinds:
        return schema
    return {**schema, "type": [*kinds, "null"], **({"enum": [*schema["enum"], None]} if "enum" in schema else {})}


def answered(properties: Json, *, optional: Iterable[str] = (), **more: Any) -> Json:
    """An object as the API shows it: these properties, in this order, and no others."""
    required = [name for name in properties if name not in set(optional)]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False, **more}


def body_of(serializer: serializers.Serializer[Any], properties: Mapping[str, Json], description: str) -> Json:
    """What ``serializer`` takes, each field as ``properties`` states it. Unknown fields are ignored."""
    taken: Json = {}
    for name, each in serializer.fields.items():
        allowed = getattr(each, "values", None)
        stated = {**properties[name], **({"enum": list(map(str, allowed))} if allowed else {})}
        taken[name] = nullable(stated) if each.allow_null else stated
    required = [name for name, each in serializer.fields.items() if each.required]
    return {
        "type": "object",
        "description": description,
        "properties": taken,
        **({"required": required} if required else {}),
    }


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What is said of one action of a viewset.

    ``answers``: status → response object; ``refusals``: status → in which cases, where it is not the usual ones.
    ``identifier`` says what the path's id is of. ``leads_to``: operations that take the answer's id, by their id, which
    stands at ``new_id`` in the answer.
    """

    id: str
    summary: str
    description: str
    tag: str
    answers: Mapping[int, Json]
    refusals: Mapping[int, str] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)
    parameters: tuple[Json, ...] = ()
    identifier: str = ""
    body: Json | None = None
    needs_body: bool = True
    examples: Mapping[str, Any] = field(default_factory=dict)
    leads_to: tuple[str, ...] = ()
    new_id: str = "/_id"


def choice(name: str, description: str, values: Iterable[str], default: str) -> Json:
    """A parameter that is one of ``values``."""
    return query(name, text(description, enum=list(values), default=default), may_be_empty=True)


def answer(description: str, content: Json | None = None, *, headers: Iterable[str] = (), **examples: Any) -> Json:
    """A response of JSON, or of what ``content`` (media type → schema) says."""
    shown = {name: {"value": value} for name, value in examples.items()}
    kinds = content if content and all("/" in kind for kind in content) else {"application/json": content}
    media = {kind: {"schema": schema, **({"examples": shown} if shown else {})} for kind, schema in kinds.items()}
    return {
        "description": description,
        "headers": {name: ref(name, "headers") for name in headers},
        **({"content": media} if content else {}),
    }


def query(name: str, schema: Json, *, may_be_empty: bool = False) -> Json:
    """A parameter; ``may_be_empty`` where an empty one counts as left out."""
    stated = dict(schema)
    allowed = {"allowEmptyValue": True} if may_be_empty else {}
    return {"name": name, "in": "query", "description": stated.pop("description"), **allowed, "schema": stated}


def modules() -> Iterator[Any]:
    return map(import_module, MODULES)


class ApiSchema(AutoSchema):
    """Finds what is said of a view's action, and adds what the code says: path, filters, scope, refusals, headers."""

    def get_operation(
        self, path: str, path_regex: str, path_prefix: str, method: str, registry: ComponentRegistry
    ) -> Json | None:
        self.registry, self.path, self.method = registry, path, method
        action = getattr(self.view, "action", method.lower())
        name = f"{type(self.view).__name__}.{action}"
        known = [getattr(module, "OPERATIONS", {}) for module in modules()]
        found: Operation | None = next((operations[name] for operations in known if name in operations), None)
        if found is None:
            warn(f"{name} is not described in a module of operations")
            return None
        scope = getattr(self.view, "scopes", {}).get(action)
        parameters = list(self.parameters(found))
        required = f"\n\nRequires the scope `{scope}`." if scope else ""
        return {
            "operationId": found.id,
            "summary": found.summary,
            "description": found.description + required,
            "tags": [found.tag],
            **({"parameters": parameters} if parameters else {}),
            **({"requestBody": self.request_body(found)} if found.body else {}),
            "security": self.get_auth() if scope else [],
            "responses": self.responses(found, scoped=bool(scope)),
            **({"x-required-scope": str(scope)} if scope else {}),
        }

    @property
    def repeatable(self) -> bool:
        return self.method == "POST" and isinstance(self.view, Idempotent)

    def parameters(self, operation: Operation) -> Iterator[Json]:
        if operation.identifier:
            yield {"in": "path", "name": "id", "required": True, "schema": object_id(operation.identifier)}
        if operation.filters:
            for name, each in self.view.filterset_class.base_filters.items():  # type: ignore[attr-defined]
                yield query(name, {"description": operation.filters[name], **schema_of(each)}, may_be_empty=True)
        yield from operation.parameters
        if 304 in operation.answers:
            yield ref("IfNoneMatch", "parameters")
        if self.repeatable:
            yield ref("IdempotencyKey", "parameters")

    def request_body(self, operation: Operation) -> Json:
        examples = {name: {"value": value} for name, value in operation.examples.items()}
        content = {"application/json": {"schema": operation.body, "examples": examples}}
        return {"required": operation.needs_body, "content": content}

    def responses(self, operation: Operation, *, scoped: bool) -> Json:
        headers = (*EVERYWHERE, *(["Idempotency-Replayed"] if self.repeatable else []))
        common = {name: ref(name, "headers") for name in headers}
        found: dict[int, Json] = {
            status: {**given, "headers": {**common, **given["headers"]}} for status, given in operation.answers.items()
        }
        if operation.leads_to:
            found[min(found, key=lambda status: status != 201)]["links"] = {
                name: {"operationId": name, "parameters": {"id": f"$response.body#{operation.new_id}"}}
                for name in operation.leads_to
            }
        refused = {429, 500, 503}
        if operation.filters or operation.parameters:
            refused.add(400)
        if operation.body or self.repeatable:
            refused |= {400, 413, 415}
        if scoped:
            refused |= {401, 403}
        if operation.identifier:
            refused.add(404)
        if self.repeatable:
            refused |= {409, 422}
        for status in refused | set(operation.refusals):
            said = operation.refusals.get(status)
            found[status] = refusal(said) if said else ref(f"Refused{status}", "responses")
        return {str(status): found[status] for status in sorted(found)}


def refusal(description: str, schema: str = "Error", *, headers: Iterable[str] = (), **examples: Any) -> Json:
    """A response that says no."""
    return answer(description, ref(schema), headers=(*EVERYWHERE, *headers), **examples)


def schema_of(filter_: django_filters.Filter) -> Json:
    """What a filter takes."""
    if isinstance(filter_, ObjectIdFilter):
        return {"type": "string", "pattern": f"^{OBJECT_ID.pattern}$"}
    if isinstance(filter_, MomentFilter):
        return {"type": "string", "format": "date-time"}
    if isinstance(filter_, django_filters.ChoiceFilter):
        values = [str(value) for value, _ in filter_.extra["choices"]]
        return {"type": "boolean"} if set(values) == {"true", "false"} else {"type": "string", "enum": values}
    lengths = {"minLength": filter_.extra.get("min_length"), "maxLength": filter_.extra.get("max_length")}
    return {"type": "string", "pattern": PLAIN, **{name: length for name, length in lengths.items() if length}}
