"""`ecgdig serve`: a web page to see, correct and take home readings, on this machine alone unless told otherwise."""

from __future__ import annotations

import argparse
import ipaddress
import secrets
import socket
import sys
from collections.abc import Sequence

from ecgdig.commands.voice import EXIT_CODES, Voice, add_voice
from ecgdig.hub.files import DEFAULT


def main(args: Sequence[str] | None = None, prog: str = "serve") -> None:
    """Serve until interrupted; nothing is kept afterwards.

    Raises:
        SystemExit: 2 for a bad option, a missing library or checkpoint, or a port in use.
    """
    options = parser(prog).parse_args(args)
    try:
        import uvicorn

        from ecgdig.web.app import Server, Settings, default_workers
        from ecgdig.web.connection import TimedConnection
    except ImportError as error:
        print(f"serve: {error.name} is missing; pip install 'ecgdig[web]'", file=sys.stderr)
        raise SystemExit(2) from None
    from ecgdig.hub import CheckpointError, load
    from ecgdig.web.guard import LOOPBACK
    from ecgdig.web.limits import Limits

    try:
        limits = Limits(job_s=_at_least(options, "job_seconds", 1), memory_mb=int(_at_least(options, "memory_mb", 500)),
                        upload_mb=int(_at_least(options, "upload_mb", 1)))  # fmt: skip
        workers = (
            int(_at_least(options, "workers", 1)) if options.workers is not None else default_workers(limits.memory_mb)
        )
        load(options.checkpoint)
        listener = _listener(options.host, options.port)
    except (CheckpointError, ValueError, OSError) as error:
        print(f"serve: {' '.join(str(error).split())}", file=sys.stderr)
        raise SystemExit(2) from None
    open_to_others = not is_loopback(options.host)
    token = (options.token or secrets.token_urlsafe(18)) if open_to_others else None
    hosts = None if open_to_others else (*LOOPBACK, options.host)
    server = Server(Settings(token, hosts, workers, options.checkpoint, limits=limits))
    address = f"http://{address_name(options.host)}:{listener.getsockname()[1]}/" + (f"?token={token}" if token else "")
    voice = Voice.of(options)
    if voice.json_lines:
        voice.result("", {"address": address})
    else:  # with --quiet too: without the token nobody gets in
        print(f"open {address}  (Ctrl-C ends it; nothing is kept)", flush=True)
    if open_to_others:
        voice.say("anyone with this address can use it; put TLS in front of it beyond a trusted network")
    config = uvicorn.Config(
        server.app(), http=TimedConnection, ws="none", log_level="warning", access_log=False, server_header=False,
        timeout_keep_alive=15, limit_concurrency=200, timeout_graceful_shutdown=3,
    )  # fmt: skip
    uvicorn.Server(config).run(sockets=[listener])


def is_loopback(host: str) -> bool:
    """Whether a host name or address can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def address_name(host: str) -> str:
    """What other machines call a host that is listened on: this machine's name for all of its addresses."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if address.is_unspecified:
        return socket.gethostname()
    return f"[{host}]" if address.version == 6 else host


def parser(prog: str = "serve") -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="A web page to see, correct and take home readings. It asks nothing of any other server.",
        epilog=f"Beyond this machine (--host 0.0.0.0) the address holds a token.\n\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (default: %(default)s, this machine alone)")
    add("--port", type=int, default=8765, help="0 takes a free one (default: %(default)s)")
    add("--token", help="what the first request must bring, beyond this machine (default: a new one)")
    add("--workers", type=int, metavar="N", help="processes that read (default: one a core, as memory allows)")
    add("--job-seconds", type=float, default=120, help="a reading that takes longer is stopped (default: %(default)s)")
    add("--memory-mb", type=float, default=3500, help="that a reading may take (default: %(default)s)")
    add("--upload-mb", type=float, default=100, help="largest file taken (default: %(default)s)")
    add("--checkpoint", default=DEFAULT, help="name, folder or .ckpt (default: %(default)s)")
    add_voice(parser)
    return parser


def _at_least(options: argparse.Namespace, name: str, least: float) -> float:
    value = float(getattr(options, name))
    if not least <= value < float("inf"):
        raise ValueError(f"--{name.replace('_', '-')} {value:g}: want {least:g} or more")
    return value


def _listener(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        OSError: the port is taken, or no such address; it says what to do.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(128)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OSError(f"cannot listen on {host}:{port} ({reason}); try --port 0") from None
    return listener
