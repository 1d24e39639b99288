"""/openapi.json, and pages that show it: /docs (Swagger UI) and /redoc. All from local files: they work offline."""

from __future__ import annotations

import gzip
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from sauropod.server.wire.operations import document

__all__ = ["routes"]

_KINDS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "redoc.standalone.js": "text/javascript",
}

SWAGGER = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>sauropod: its API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="docs/swagger-ui.css">
</head>
<body>
<div id="page"></div>
<script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script>
</body>
</html>
"""
START = 'SwaggerUIBundle({url: "openapi.json", dom_id: "#page"});\n'

REDOC = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>sauropod: its API</title>
<link rel="icon" href="data:,">
</head>
<body>
<redoc spec-url="openapi.json" disable-google-font="true"></redoc>
<script src="docs/redoc.standalone.js"></script>
</body>
</html>
"""


async def openapi(request: Request) -> Response:
    """GET /openapi.json"""
    return Response(document(), media_type="application/json")


async def swagger(request: Request) -> Response:
    """GET /docs"""
    return HTMLResponse(SWAGGER)


async def redoc(request: Request) -> Response:
    """GET /redoc"""
    return HTMLResponse(REDOC)


async def start(request: Request) -> Response:
    """GET /docs/start.js: a file, so that no script has to stand in the page."""
    return Response(START, media_type="text/javascript")


async def asset(request: Request) -> Response:
    """GET /docs/{name}"""
    name = request.url.path.rpartition("/")[2]
    packed = (files("sauropod.server") / "pages" / f"{name}.gz").read_bytes()
    headers = {"cache-control": "max-age=86400", "vary": "accept-encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, headers={**headers, "content-encoding": "gzip"}, media_type=_KINDS[name])
    return Response(gzip.decompress(packed), headers=headers, media_type=_KINDS[name])


routes = [
    Route("/openapi.json", openapi, methods=["GET"]),
    Route("/docs", swagger, methods=["GET"]),
    Route("/redoc", redoc, methods=["GET"]),
    Route("/docs/start.js", start, methods=["GET"]),
    *(Route(f"/docs/{name}", asset, methods=["GET"], name=name) for name in _KINDS),
]
