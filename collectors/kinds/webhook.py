"""
A webhook: somebody POSTs a message of any format, with an API key or an HMAC signature, and is answered after the commit.

    POST /hooks/NAME                 or the `path` of the source (the built-in source `events` takes POST /v1/events)

Answers: 200 {"stored": 3, "rejected": 1, "findings": […]}; 400 if nothing of it could be stored (its bytes then stand in
`rejects`, and sending them again cannot help); 503 or 429 with Retry-After if the sender must keep its data.
OPTIONS is the handshake of the CloudEvents webhook specification (1.0.2, section 4), not CORS.
"""

from __future__ import annotations

from pydantic import Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from collectors.config import options
from collectors.door import Door, KeyOptions
from collectors.http import json_say
from collectors.message import Source
from collectors.running import Means, Receipt, Running

CONTENT_TYPES = (
    "application/json", "application/x-ndjson", "application/xml", "text/xml", "text/csv", "text/plain",
    "application/edi-x12", "application/edifact", "application/octet-stream",
)  # fmt: skip
MAX_FINDINGS = 20


class Options(KeyOptions):
    """Where it listens and which media types it takes; without `content_types`, those that the format understands."""

    path: str = Field(default="", pattern=r"^(/[A-Za-z0-9._~-]+)*$")
    content_types: tuple[str, ...] = ()


def start(source: Source, means: Means) -> Running:
    """One POST route, and the handshake beside it."""
    mine = options(source, Options)
    door = Door(source, means, mine.content_types or means.content_types or CONTENT_TYPES)
    take = door.endpoint(json_say, accepted)

    async def hook(request: Request) -> Response:
        return handshake(request) if request.method == "OPTIONS" else await take(request)

    return Running(routes=[Route(mine.path or f"/hooks/{source.name}", hook, methods=["POST", "OPTIONS"])])


def accepted(_: Request, receipt: Receipt) -> Response:
    """What was stored and what was not, once both are in the store."""
    if receipt.rejected:
        return JSONResponse({"error": receipt.rejected, "stored": 0, "rejected": receipt.n_rejects}, 400)
    findings = [{"code": f.code, "text": f.text, "where": f.where} for f in receipt.findings[:MAX_FINDINGS]]
    is_bad = receipt.n_rejects > 0 and receipt.n_rows == 0
    return JSONResponse({"stored": receipt.n_rows, "rejected": receipt.n_rejects, "findings": findings}, 400 if is_bad else 200)


def handshake(request: Request) -> Response:
    """A sender that asks whether it may deliver here is told yes, at any rate; it still has to bring its key."""
    headers = {"Allow": "POST, OPTIONS"}
    if origin := request.headers.get("webhook-request-origin"):
        headers |= {"WebHook-Allowed-Origin": origin, "WebHook-Allowed-Rate": request.headers.get("webhook-request-rate", "*")}
    return Response(status_code=200, headers=headers)
