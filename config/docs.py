"""``/api/schema`` and ``/api/docs``: the API's description for programs and for people, open to everybody."""

import hashlib
from functools import cache

import orjson
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.parameters import read_choice
from config.etags import conditional

CONTENT_TYPES = {"json": "application/json", "yaml": "application/yaml"}


@cache
def description(kind: str) -> bytes:
    """The API's description as JSON or YAML. It follows from the code alone, so it is made once."""
    # Here, not above: most processes never need them.
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.renderers import OpenApiYamlRenderer

    schema = SchemaGenerator().get_schema(request=None, public=True)
    if kind == "yaml":
        return OpenApiYamlRenderer().render(schema)
    return orjson.dumps(schema, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE, default=str)


class Open(APIView):
    """Shows nothing of an account, so nobody is asked for a key."""

    authentication_classes = ()
    permission_classes = (AllowAny,)


class SchemaView(Open):
    def get(self, request: Request) -> HttpResponseBase:
        kind = read_choice(request, "format", CONTENT_TYPES)
        body = description(kind)
        digest = hashlib.sha256(body).hexdigest()
        return conditional(request, lambda: HttpResponse(body, content_type=CONTENT_TYPES[kind]), digest)


class DocsView(Open):
    """A page; the schema leaves it out."""

    schema = None

    def get(self, request: Request) -> HttpResponseBase:
        return render(request._request, "docs.html")
