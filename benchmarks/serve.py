"""What `ecgdig serve` bears: `python benchmarks/serve.py visitors [--n 20]` or `... hostile [--n 500]`.

Both start a server of their own, in an empty folder that is all it may write to.

visitors: so many at once upload a page each (a drawn photo of 12 megapixels, or `--picture FILE`) and wait for their
reading. Told are the seconds until the first and the last is read, the memory of all processes of the server together
(proportional set size), and how long the start page and the list of pages take meanwhile.

hostile: so many uploads of all kinds of `HOSTILE` in random order, eight at a time: told are how each kind is answered,
and what is not as it should be: an answer that is no 4xx with a sentence, a file outside of the server's folder or left
in it, a server that does not read a page afterwards.
"""

from __future__ import annotations

import argparse
import http.client
import io
import json
import os
import random
import re
import resource
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zipfile
import zlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

Answer = tuple[int, str]  # status and body
OWN = {"x-ecgdig": "1"}


class Served:
    """A server in a process of its own, and its address."""

    def __init__(self, process: subprocess.Popen[str], port: int, folder: Path) -> None:
        self.process, self.port, self.folder = process, port, folder

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> Answer:
        pipe = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            pipe.request(method, path, body, {name: value for name, value in {**OWN, **headers}.items() if value})
            answer = pipe.getresponse()
            return answer.status, answer.read().decode(errors="replace")
        finally:
            pipe.close()

    def enter(self) -> str:
        """The cookie of a new session."""
        pipe = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        pipe.request("GET", "/")
        cookie = pipe.getresponse().getheader("set-cookie") or ""
        pipe.close()
        return cookie.partition(";")[0]

    def ended(self, cookie: str) -> dict[str, str]:
        """The first page of a session when it is read, or was refused."""
        while True:
            page: dict[str, str] = json.loads(self.ask("GET", "/api/pages", Cookie=cookie)[1])["pages"][0]
            if page["state"] not in ("waiting", "running"):
                return page
            time.sleep(0.5)

    def send(self, raw: Iterator[bytes]) -> Answer:
        """Bytes as they are, until there is an answer."""
        said = b""
        with socket.create_connection(("127.0.0.1", self.port), timeout=120) as pipe:
            try:
                for part in raw:
                    pipe.sendall(part)
                    pipe.setblocking(False)
                    try:
                        said = pipe.recv(65536)
                        break
                    except BlockingIOError:
                        pass
                    finally:
                        pipe.settimeout(120)
                while part := pipe.recv(65536):
                    said += part
            except OSError:  # it does not listen any more
                pass
        head, _, body = said.decode(errors="replace").partition("\r\n\r\n")
        return int(head.split()[1]) if head else 0, body

    def megabytes(self) -> float:
        """Memory of the server and its workers; what they share is counted once."""
        total, family = 0.0, {self.process.pid}
        for entry in sorted(Path("/proc").glob("[0-9]*"), key=lambda p: int(p.name)):
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                if int(entry.name) in family or parent in family:
                    family.add(int(entry.name))
                    total += int(re.findall(r"^Pss: +(\d+)", (entry / "smaps_rollup").read_text(), re.M)[0]) / 1024
            except (OSError, IndexError):
                continue
        return total


@contextmanager
def served(*options: str) -> Iterator[Served]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        command = [
            sys.executable,
            "-c",
            "from ecgdig.commands.main import main; main()",
            "serve",
            "--port",
            "0",
            "--json-lines",
            *options,
        ]
        env = {**os.environ, "TMPDIR": name, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])}
        env.pop("OMP_NUM_THREADS", None)
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env, cwd=name)
        assert process.stdout is not None
        port = int(re.findall(r":(\d+)/", process.stdout.readline())[0])
        server = Served(process, port, folder)
        while server.ask("GET", "/healthz")[0] != 200:
            time.sleep(0.2)
        try:
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)


def visitors(n: int, picture: bytes) -> None:
    """`n` visitors at once."""
    begun, memory, waits, over = time.perf_counter(), [0.0], [0.0], threading.Event()
    with served() as server:
        looking = server.enter()

        def look() -> None:
            while not over.wait(0.5):
                for path in ("/", "/api/pages"):
                    at = time.perf_counter()
                    assert server.ask("GET", path, Cookie=looking)[0] == 200
                    waits.append(time.perf_counter() - at)
                memory.append(server.megabytes())

        def visit(i: int) -> tuple[str, float]:
            cookie = server.enter()
            status, body = server.ask("POST", f"/api/pages?name={i}.jpg", picture, Cookie=cookie)
            if status < 400:
                page = server.ended(cookie)
                body = page["error"] or page["state"]
            return body, time.perf_counter() - begun

        watch = threading.Thread(target=look)
        watch.start()
        begun = time.perf_counter()
        with ThreadPoolExecutor(n) as all_of_them:
            ends = list(all_of_them.map(visit, range(n)))
        over.set()
        watch.join()
    cpu = sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
    seconds = sorted(at for _, at in ends)
    print(f"{n} visitors: {dict(Counter(said for said, _ in ends))}")
    print(f"  read after {seconds[0]:.0f} s (first) to {seconds[-1]:.0f} s (last), {cpu:.0f} s of CPU")
    print(f"  memory {max(memory):.0f} MB at most")
    print(
        f"  the page meanwhile answers in {sorted(waits)[len(waits) // 2]:.3f} s (median of {len(waits)}), "
        f"{max(waits):.2f} s at most"
    )


def hostile(n: int, picture: bytes) -> None:
    """`n` uploads that no one means well."""
    rng, wrong = random.Random(0), list[str]()
    got: dict[str, Counter[int]] = defaultdict(Counter)
    before = outside()
    with served() as server:
        kinds = [list(HOSTILE)[i % len(HOSTILE)] for i in range(n)]
        rng.shuffle(kinds)

        def attack(kind: str) -> None:
            cookie = server.enter()
            status, body = HOSTILE[kind](server, cookie)
            if status == 201:  # taken for a page: then its reading must be refused
                page = server.ended(cookie)
                status, body = (422, json.dumps(page)) if page["state"] == "failed" else (status, body)
            server.ask("DELETE", "/api/session", Cookie=cookie)
            got[kind][status] += 1
            sentence = json.loads(body).get("error", "") if body.startswith("{") else body
            if not 400 <= status < 500 or len(sentence.split()) < 3 or str(server.folder) in sentence:
                wrong.append(f"{kind}: {status} {body[:200]!r}")

        begun, memory = time.perf_counter(), 0.0
        with ThreadPoolExecutor(8) as eight:
            for _ in eight.map(attack, kinds):
                memory = max(memory, server.megabytes())
        took = time.perf_counter() - begun
        cookie = server.enter()
        server.ask("POST", "/api/pages?name=page.jpg", picture, Cookie=cookie)
        page = server.ended(cookie)
        if page["state"] != "done":
            wrong.append(f"a page afterwards: {page}")
        server.ask("DELETE", "/api/session", Cookie=cookie)
        left = [file for file in server.folder.rglob("*") if file.is_file()]
        wrong += [f"left in the server's folder: {file}" for file in left]
        wrong += [
            f"no folder of the server's: {entry}"
            for entry in server.folder.iterdir()
            if not entry.name.startswith("ecgdig-")
        ]
    wrong += [f"written outside: {file}" for file in outside() - before]
    for kind, statuses in sorted(got.items()):
        print(f"  {kind:28} {', '.join(f'{status} x {times}' for status, times in sorted(statuses.items()))}")
    print(f"{n} hostile uploads in {took:.0f} s, memory {memory:.0f} MB at most; a page afterwards is {page['state']}")
    print("\n".join(["wrong:", *sorted(set(wrong))]) if wrong else "nothing wrong")
    raise SystemExit(bool(wrong))


def outside() -> set[Path]:
    """Files that a path of a hostile name would make or change, and their times."""
    places = [Path("/tmp"), Path("/etc"), Path.home(), Path("/")]
    return {Path(f"{file}@{file.lstat().st_mtime_ns}") for place in places for file in place.glob("*evil*")}


def posted(body: Callable[[], bytes], path: str = "/api/pages?name=x.png", **headers: str) -> Callable[..., Answer]:
    """An attack that posts a body, which is made once."""
    made: list[bytes] = []

    def attack(server: Served, cookie: str) -> Answer:
        if not made:
            made.append(body())
        return server.ask("POST", path, made[0], **{"Cookie": cookie, **headers})

    return attack


def raw(head: str, *parts: bytes, times: int = 1) -> Callable[..., Answer]:
    """An attack that sends what no client would: a head without its end, then parts, the last of them `times`."""

    def attack(server: Served, cookie: str) -> Answer:
        begin = f"POST /api/pages?name=x HTTP/1.1\r\nHost: localhost\r\nx-ecgdig: 1\r\nCookie: {cookie}\r\n{head}"

        def sent() -> Iterator[bytes]:
            yield begin.encode() + b"\r\n\r\n"
            yield from parts[:-1]
            for _ in range(times if parts else 0):
                yield parts[-1]

        return server.send(sent())

    return attack


def drawn_with(body: Callable[[], bytes]) -> Callable[..., Answer]:
    """An attack that gives a body as a recording and has a page drawn of it."""

    def attack(server: Served, cookie: str) -> Answer:
        status, said = server.ask("POST", "/api/recording?name=x.dcm", body(), Cookie=cookie)
        return (status, said) if status >= 400 else server.ask("POST", "/api/draw", b"{}", Cookie=cookie)

    return attack


def png(width: int, height: int, data: bytes = bytes(10000)) -> bytes:
    """A PNG that says it is so large, in a few bytes."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(data, 9)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks
    )


def tiff_that_goes_in_circles() -> bytes:
    """A TIFF whose page after the first is the first."""
    tags = [
        (256, 3, 1, 8),
        (257, 3, 1, 8),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (273, 4, 1, 8),
        (279, 4, 1, 64),
    ]
    table = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *tag) for tag in tags)
    return b"II*\0" + struct.pack("<I", 8) + table + struct.pack("<I", 8)


def pdf(content: bytes = b"", box: str = "0 0 595 842", packed: bool = False) -> bytes:
    """A PDF of one page."""
    kind = "/Filter /FlateDecode " if packed else ""
    stream = b"<< /Length %d %s>> stream\n%s\nendstream" % (len(content), kind.encode(), content)
    parts = [b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
             b"<< /Type /Page /Parent 2 0 R /MediaBox [%s] /Contents 4 0 R >>" % box.encode(), stream]  # fmt: skip
    return (
        b"%PDF-1.7\n"
        + b"".join(b"%d 0 obj\n%s\nendobj\n" % (i + 1, part) for i, part in enumerate(parts))
        + (b"trailer << /Root 1 0 R /Size 5 >>\n%%EOF")
    )


@cache
def xml_bomb() -> bytes:
    """A billion laughs, as an HL7 recording."""
    levels = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 10))
    return f'<!DOCTYPE x [<!ENTITY a0 "ha">{levels}]><AnnotatedECG xmlns="urn:hl7-org:v3">&a9;</AnnotatedECG>'.encode()


@cache
def packed_zeros() -> bytes:
    """A zip, such as an .npz is, of a gigabyte of zeros that calls itself by a path."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("../../../tmp/evil.npy", "w") as file:
        for _ in range(1000):
            file.write(bytes(1_000_000))
    return out.getvalue()


def noise(n: int, begin: bytes = b"") -> Callable[[], bytes]:
    return lambda: begin + random.Random(n).randbytes(n)


FORM = {"content-type": "multipart/form-data; boundary=x"}
_MB = bytes(1_000_000)
HOSTILE: dict[str, Callable[[Served, str], Answer]] = {
    "empty": posted(lambda: b""),
    "text": posted(lambda: b"not a picture at all"),
    "program": posted(noise(5000, b"\x7fELF"), "/api/pages?name=x.exe"),
    "PNG bomb": posted(lambda: png(60000, 60000)),
    "PNG bomb, really packed": posted(lambda: png(40000, 40000, bytes(1_000_000_000))),
    "PNG of no height": posted(lambda: png(100, 0)),
    "GIF bomb": posted(lambda: b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0) + bytes(800)),
    "TIFF in circles": posted(tiff_that_goes_in_circles),
    "TIFF, broken": posted(noise(3000, b"II*\0")),
    "JPEG, cut": posted(lambda: b"\xff\xd8\xff\xe0" + bytes(2000)),
    "WebP, broken": posted(noise(3000, b"RIFF\xff\xff\xff\x7fWEBPVP8 ")),
    "HEIC, broken": posted(noise(3000, b"\0\0\0\x18ftypheic")),
    "PDF, broken": posted(noise(3000, b"%PDF-1.7\n")),
    "PDF of kilometres": posted(lambda: pdf(box="0 0 9000000 9000000")),
    "PDF bomb": posted(lambda: pdf(zlib.compress(b"0 0 m 9 9 l S " * 5_000_000, 9), packed=True)),
    "DICOM, broken": posted(noise(3000, bytes(128) + b"DICM")),
    "XML bomb as picture": posted(xml_bomb),
    "zip as picture": posted(packed_zeros),
    "XML bomb as recording": drawn_with(xml_bomb),
    "zip bomb as recording": drawn_with(packed_zeros),
    "EDF, broken, as recording": drawn_with(noise(3000, b"0       ")),
    "path up": posted(lambda: b"x", "/api/pages?name=" + quote("../../../../tmp/evil.png")),
    "path from the root": posted(lambda: b"x", "/api/pages?name=" + quote("/etc/evil\0.png")),
    "path of Windows": posted(lambda: b"x", "/api/pages?name=" + quote("..\\..\\C:\\evil.png")),
    "long name": posted(lambda: b"x", "/api/pages?name=" + "evil" * 4000),
    "path in a page's key": posted(lambda: b"{}", "/api/pages/..%2f..%2fevil/again"),
    "form": posted(
        lambda: b'--x\r\nContent-Disposition: form-data; name="a"; filename="../evil"\r\n\r\n1\r\n--x--', **FORM
    ),
    "form, broken": posted(lambda: b"--x\r\nbroken", **FORM),
    "form without boundary": posted(lambda: b"--", **{"content-type": "multipart/form-data"}),
    "2 GB announced": raw("Content-Length: 2000000000", _MB, times=2000),
    "2 GB in parts": raw("Transfer-Encoding: chunked", b"f4240\r\n" + _MB + b"\r\n", times=2000),
    "broken parts": raw("Transfer-Encoding: chunked", b"zz\r\nevil\r\n"),
    "two lengths": raw("Content-Length: 5\r\nContent-Length: 50000", b"hello"),
    "negative length": raw("Content-Length: -5", b"hello"),
    "no header of ours": posted(lambda: b"x", **{"x-ecgdig": ""}),
    "another site": posted(lambda: b"x", origin="http://evil.example"),
    "another host": posted(lambda: b"x", Host="evil.example"),
    "a stranger's session": posted(lambda: b"x", Cookie="ecgdig_session=guess"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("visitors", "hostile"))
    parser.add_argument("--n", type=int, help="visitors (default 20) or uploads (default 500)")
    parser.add_argument("--picture", type=Path, help="what is read (default: a drawn photo of 12 megapixels)")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        if options.picture is None:
            from digitize import drawn

            options.picture = Path(drawn(Path(folder), 12.0))
        picture = options.picture.read_bytes()
    if options.what == "visitors":
        visitors(options.n or 20, picture)
    else:
        hostile(options.n or 500, picture)


if __name__ == "__main__":
    main()
