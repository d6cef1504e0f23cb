"""HTTP clients for the peers of the configuration: authentication from files, TLS, timeouts."""

import ssl
from collections.abc import Generator

import httpx

from detector.config import BasicAuth, Peer, Tls


class _FileAuth(httpx.Auth):
    """Credentials read from their file for each request, so that a rotated secret is picked up without a restart."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add the credentials to one request."""
        if self.peer.bearer_token_file:
            request.headers["Authorization"] = f"Bearer {self.peer.bearer_token_file.read_text().strip()}"
            yield request
        elif self.peer.basic_auth:
            yield from _basic(self.peer.basic_auth).auth_flow(request)
        else:
            yield request


def _basic(auth: BasicAuth) -> httpx.BasicAuth:
    return httpx.BasicAuth(auth.username, auth.password_file.read_text().strip())


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(tls.ca_file) if tls.ca_file else None)
    if tls.cert_file and tls.key_file:
        context.load_cert_chain(str(tls.cert_file), str(tls.key_file))
    return context


def client(peer: Peer, *, transport: httpx.AsyncBaseTransport | None = None) -> httpx.AsyncClient:
    """A client for one peer; a transport of one's own takes the place of the network in tests."""
    secure = peer.url.startswith("https://")
    return httpx.AsyncClient(
        base_url=peer.url,
        timeout=peer.timeout,
        auth=_FileAuth(peer),
        verify=_context(peer.tls) if secure and transport is None else False,
        transport=transport,
        trust_env=False,
    )
