from __future__ import annotations

import io
import json
import resource
import select
import socket
import struct
import threading
import time
import zipfile
import zlib
from base64 import b64decode
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from web_visitor import Client, Running, running

from ecgdig.formats import read_recording, write_recording
from ecgdig.io import read_npz, read_wfdb
from ecgdig.metrics import score_recording
from ecgdig.page import Page
from ecgdig.recording import Recording


@pytest.fixture(scope="module")
def visitor(server: Running) -> Client:
    return server.client()


@pytest.fixture(scope="module")
def page(visitor: Client, photo: Path) -> str:
    """An uploaded page that has been read."""
    (made,) = visitor.json("POST", "/api/pages?name=../../etc/ward%203.jpg", photo.read_bytes())["pages"]
    assert made["name"] == "ward 3.jpg"
    told = visitor.read(made["id"])
    assert (told["state"], told["error"]) == ("done", "")
    return str(made["id"])


def samples(visitor: Client, page: str) -> np.ndarray:  # type: ignore[type-arg]
    view = visitor.json("GET", f"/api/pages/{page}")
    _, data, _ = visitor.ask("GET", f"/api/pages/{page}/samples")
    return np.frombuffer(data, "<f4").reshape(2, len(view["leads"]), -1)


def unzipped(data: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(folder)
    return folder


def test_an_uploaded_page_is_read(visitor: Client, page: str, drawn: Page) -> None:
    view = visitor.json("GET", f"/api/pages/{page}")
    assert (view["layout"], view["gain_mm_per_mv"], len(view["printed"])) == ("3x4", 10.0, 12)
    assert (view["width"], view["height"]) == drawn.image.shape[1::-1]
    # what is drawn over the picture is on the traces
    trace = next(t for t in drawn.traces if t.segment.lead == "V2")
    shown = np.array(next(t for t in view["traces"] if t["lead"] == "V2")["lines"][0])
    truth = drawn.warp.to_px(np.stack([trace.x_mm, trace.y_mm], 1))
    assert np.median(abs(np.interp(shown[:, 0], truth[:, 0], truth[:, 1]) - shown[:, 1])) < 1.5


def test_the_record_taken_home_is_what_the_page_shows(visitor: Client, page: str, tmp_path: Path, drawn: Page) -> None:
    status, data, headers = visitor.ask("GET", f"/api/download?pages={page}&formats=wfdb,npz")
    assert (status, headers["content-type"]) == (200, "application/zip")
    folder = unzipped(data, tmp_path)
    shown = samples(visitor, page)
    np.testing.assert_array_equal(read_npz(next(folder.glob("*.npz"))).signal_mv, shown[0])
    record = read_wfdb(next(folder.glob("*.hea")))
    np.testing.assert_allclose(record.signal_mv, shown[0], atol=0.003)
    assert score_recording(drawn.recording(), record).page["snr_db"] > 12
    assert not any(Path(name).parent != Path(".") for name in zipfile.ZipFile(io.BytesIO(data)).namelist())


def test_the_dicom_taken_home_holds_the_same_samples(visitor: Client, page: str, tmp_path: Path) -> None:
    pytest.importorskip("pydicom")
    status, data, _ = visitor.ask("GET", f"/api/download?pages={page}&formats=npz,dicom")
    assert status == 200
    folder = unzipped(data, tmp_path)
    plain, dicom = (read_recording(next(folder.glob(f"*{suffix}"))) for suffix in (".npz", ".dcm"))
    same = plain.signal_mv - dicom.select(plain.leads).signal_mv
    assert float(np.nanmax(np.abs(same))) < 1e-3


def test_corrections_come_back_as_a_reading_and_are_kept(visitor: Client, page: str, tmp_path: Path) -> None:
    before = samples(visitor, page)
    view = visitor.json("GET", f"/api/pages/{page}")
    names = list(view["leads"])
    a, b = names.index("I"), names.index("V2")
    place = {t["lead"]: [t["row"], t["column"]] for t in view["traces"]}
    edits = [{"kind": "swap", "first": place["I"], "second": place["V2"]}, {"kind": "scale", "gain_mm_per_mv": 5}]
    changed = visitor.json("PUT", f"/api/pages/{page}/edits", {"edits": edits})
    assert changed["edits"] == [edits[0], {"kind": "scale", "gain_mm_per_mv": 5.0}]
    after = samples(visitor, page)
    n = after.shape[2] // 8
    np.testing.assert_allclose(after[0, b, :n], 2 * before[0, a, :n], atol=1e-5)
    _, data, _ = visitor.ask("GET", f"/api/download?pages={page}&formats=npz")
    folder = unzipped(data, tmp_path)
    np.testing.assert_array_equal(read_npz(next(folder.glob("*.npz"))).signal_mv, after[0])
    assert len(json.loads(next(folder.glob("*.json")).read_text())["edits"]) == 2
    visitor.json("PUT", f"/api/pages/{page}/edits", {"edits": []})
    np.testing.assert_array_equal(samples(visitor, page), before)


def test_a_drag_is_shown_at_once_and_changes_nothing(server: Running, visitor: Client, page: str) -> None:
    before = samples(visitor, page)
    corners = visitor.json("GET", f"/api/pages/{page}")["corners"]
    x, y = corners["px"][2]
    to_px = [*corners["px"][:2], [x - 60, y - 50], corners["px"][3]]
    edits = [{"kind": "corners", "at_mm": corners["mm"], "to_px": to_px}]
    files = sorted(server.server.sessions.folder.rglob("*"))
    soon = visitor.json("POST", f"/api/pages/{page}/preview", {"edits": edits})
    shown = np.frombuffer(b64decode(soon["samples"]), "<f4").reshape(before.shape)
    assert np.nanmax(abs(shown[0] - before[0])) > 0.1
    np.testing.assert_allclose(soon["view"]["corners"]["px"][0], corners["px"][0], atol=2.0)
    assert visitor.json("GET", f"/api/pages/{page}")["edits"] == []
    np.testing.assert_array_equal(samples(visitor, page), before)
    assert sorted(server.server.sessions.folder.rglob("*")) == files


def test_pictures_given_back_hold_neither_exif_nor_the_header(
    visitor: Client, page: str, photo: Path, drawn: Page, tmp_path: Path
) -> None:
    assert b"SECRETNAME" in photo.read_bytes()
    _, shown, _ = visitor.ask("GET", f"/api/pages/{page}/picture")
    header = next(mark for mark in drawn.marks if mark.kind == "header")
    (x0, y0), (x1, y1) = drawn.warp.to_px([header.box_mm[:2], header.box_mm[2:]]).astype(int).tolist()
    darkest = {}
    for redact in (0, 1):
        _, data, _ = visitor.ask("GET", f"/api/download?pages={page}&formats=csv&redact={redact}")
        assert b"SECRET" not in shown + data
        overlay = cv2.imread(str(next(unzipped(data, tmp_path / str(redact)).glob("*_overlay.png"))))
        darkest[redact] = int(overlay[y0:y1, x0:x1].min())
    assert darkest[0] < 170  # the overlay is paled
    assert darkest[1] > 200


def bomb() -> bytes:
    """A PNG of 60,000 x 60,000 px in a few bytes."""
    head = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(bytes(10000))), (b"IEND", b"")]
    body = b"".join(struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d)) for k, d in chunks)
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    "body, headers, status",
    [
        (b"", {}, 400),
        (b"not a picture", {}, 422),
        (b"%PDF-1.7 broken", {}, 422),
        (b"\xff\xd8\xff\xe0" + bytes(2000), {}, 422),
        (bomb(), {}, 422),
        (bytes(21_000_000), {}, 413),
        (b"--x\r\nbroken", {"content-type": "multipart/form-data; boundary=x"}, 415),
        (b"x", {"content-length": "9" * 18}, 413),
        (b"x", {"x-ecgdig": ""}, 403),
        (b"x", {"origin": "http://evil.example"}, 403),
        (b"x", {"Cookie": "ecgdig_session=guess"}, 401),
        (b"x", {"Host": "["}, 400),
    ],
    ids=["empty", "text", "pdf", "jpeg", "bomb", "large", "form", "2 GB", "no header", "origin", "stranger", "host"],
)
def test_hostile_uploads_get_a_sentence(server: Running, body: bytes, headers: dict[str, str], status: int) -> None:
    visitor = server.client()
    files = sorted(server.server.sessions.folder.rglob("*"))
    got, data, _ = visitor.ask("POST", "/api/pages?name=../../../x%00.png", body, **headers)
    error = json.loads(data)["error"]
    assert got == status, error
    assert "\n" not in error
    assert str(server.server.sessions.folder) not in error
    assert visitor.json("GET", "/api/pages")["pages"] == []
    assert sorted(server.server.sessions.folder.rglob("*")) == files
    for _ in range(200):  # its worker may still be starting
        if visitor.ask("GET", "/healthz")[0] == 200:
            break
        time.sleep(0.1)
    assert visitor.ask("GET", "/healthz")[0] == 200


@pytest.mark.parametrize(
    "method, path, body, status",
    [
        ("GET", "/api/pages/nobody", None, 404),
        ("GET", "/static/../app.py", None, 404),
        ("GET", "/static/%2e%2e/app.py", None, 404),
        ("GET", "/nothing", None, 404),
        ("POST", "/healthz", None, 405),
        ("PUT", "/api/pages/PAGE/edits", {"edits": [{"kind": "explode"}]}, 422),
        ("PUT", "/api/pages/PAGE/edits", {"edits": 3}, 422),
        ("PUT", "/api/pages/PAGE/edits", b"{", 400),
        ("PUT", "/api/pages/PAGE/edits", b"[" * 100000, 400),
        ("PUT", "/api/pages/PAGE/edits", b'{"edits": [' + b"[" * 500 + b"]" * 500 + b"]}", 422),
        ("PUT", "/api/pages/PAGE/edits", {"edits": [{"kind": "scale", "gain_mm_per_mv": 10**400}]}, 422),
        (
            "PUT",
            "/api/pages/PAGE/edits",
            {"edits": [{"kind": "unreadable", "row": 10**40, "from_mm": 0, "to_mm": 1}]},
            422,
        ),
        ("POST", "/api/pages/PAGE/preview", {"edits": 3}, 422),
        ("POST", "/api/pages/PAGE/preview", {"edits": [{"kind": "corners"}]}, 422),
        ("POST", "/api/pages/PAGE/again", {"speed": 10**400}, 422),
        ("PUT", "/api/pages/PAGE/edits", {"edits": [{"kind": "scale", "gain_mm_per_mv": 7}] * 300}, 422),
        ("POST", "/api/pages/PAGE/again", {"layout": "9x9"}, 422),
        ("POST", "/api/pages/PAGE/again", {"checkpoint": "/x"}, 422),
        ("GET", "/api/download?pages=PAGE&formats=exe", None, 422),
        ("GET", "/api/download?pages=nobody", None, 404),
        ("GET", "/api/download?pages=PAGE,nobody", None, 404),
        ("POST", "/api/draw", {"preset": []}, 422),
        ("POST", "/api/draw", {"layout": {}}, 422),
        ("POST", "/api/draw", {"strengths": {"folds": 10**400}}, 422),
        ("POST", "/api/draw", {"preset": "x"}, 422),
        ("POST", "/api/draw", {"strengths": {"folds": 7}}, 422),
        ("POST", "/api/gallery/77", None, 404),
    ],
)
def test_wrong_requests_get_a_sentence(
    visitor: Client, page: str, method: str, path: str, body: object, status: int
) -> None:
    got, data, _ = visitor.ask(method, path.replace("PAGE", page), body)
    assert got == status, data
    assert json.loads(data)["error"]


def test_a_session_sees_its_own_pages_only_and_leaves_nothing(server: Running, page: str, photo: Path) -> None:
    other = server.client()
    assert other.json("GET", "/api/pages")["pages"] == []
    assert other.ask("GET", f"/api/pages/{page}/picture")[0] == 404
    (made,) = other.json("POST", "/api/pages?name=a.jpg", photo.read_bytes())["pages"]
    before = set(server.server.sessions.folder.iterdir())
    other.json("DELETE", "/api/session")  # while it is read
    assert len(before - set(server.server.sessions.folder.iterdir())) == 1
    assert other.ask("GET", f"/api/pages/{made['id']}")[0] == 401
    fresh = server.client()  # the worker is there again
    assert fresh.ask("POST", "/api/draw", {"preset": "clean", "layout": "3x4"})[2]["content-type"] == "image/jpeg"


def test_two_gigabytes_are_refused_as_soon_as_they_are_too_many(server: Running) -> None:
    """Sent in parts without a length; the server answers after 20 MB, and has neither kept nor held them."""
    visitor = server.client()
    files = sorted(server.server.sessions.folder.rglob("*"))
    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kB; the server is a thread of this process
    part, sent, answer = bytes(1_000_000), 0, b""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as pipe:
        pipe.sendall(
            b"POST /api/pages HTTP/1.1\r\nHost: localhost\r\nx-ecgdig: 1\r\nTransfer-Encoding: chunked\r\n"
            b"Cookie: %s\r\n\r\n" % visitor.cookie.encode()
        )
        while sent < 2_000_000_000 and not select.select([pipe], [], [], 0)[0]:
            try:
                pipe.sendall(b"%x\r\n%s\r\n" % (len(part), part))
            except OSError:  # it does not listen any more
                break
            sent += len(part)
        answer = pipe.recv(4096)
    assert answer.startswith(b"HTTP/1.1 413")
    assert 20_000_000 < sent < 60_000_000
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - held < 60_000
    assert sorted(server.server.sessions.folder.rglob("*")) == files
    assert visitor.json("GET", "/api/pages")["pages"] == []


def test_a_file_of_too_many_pages_leaves_none_of_them(server: Running, drawn: Page, tmp_path: Path) -> None:
    sheets = [Image.fromarray(drawn.image[:200, :300])] * 13  # 12 pages may be open
    sheets[0].save(tmp_path / "many.tif", save_all=True, append_images=sheets[1:])
    visitor = server.client()
    (session,) = (s for s in server.server.sessions._sessions.values() if s.id == visitor.cookie.partition("=")[2])
    status, data, _ = visitor.ask("POST", "/api/pages?name=many.tif", (tmp_path / "many.tif").read_bytes())
    assert (status, json.loads(data)["error"][:13]) == (429, "12 pages are ")
    assert visitor.json("GET", "/api/pages")["pages"] == []
    assert list(session.folder.iterdir()) == []


def test_pages_of_one_file_are_called_by_their_numbers(server: Running, drawn: Page, tmp_path: Path) -> None:
    Image.fromarray(drawn.image).save(tmp_path / "a.pdf", save_all=True, append_images=[Image.fromarray(drawn.image)])
    visitor = server.client()
    pages = visitor.json("POST", "/api/pages?name=a.1.pdf", (tmp_path / "a.pdf").read_bytes())["pages"]
    assert [page["name"] for page in pages] == ["a.1.pdf, page 1", "a.1.pdf, page 2"]
    assert [visitor.read(page["id"])["error"] for page in pages] == ["", ""]
    visitor.json("DELETE", f"/api/pages/{pages[0]['id']}")
    _, data, headers = visitor.ask("GET", f"/api/download?pages={pages[1]['id']}&formats=wfdb")
    assert 'filename="a_1_p2.zip"' in headers["content-disposition"]
    assert "a_1_p2.hea" in zipfile.ZipFile(io.BytesIO(data)).namelist()


def test_a_reading_that_fails_leaves_the_one_before_and_its_corrections(
    server: Running, photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = server.client()
    (made,) = visitor.json("POST", "/api/pages?name=a.jpg", photo.read_bytes())["pages"]
    visitor.read(made["id"])
    place = f"/api/pages/{made['id']}"
    edit = {"kind": "rename", "place": [0, 0], "lead": "V9"}
    before = visitor.json("PUT", f"{place}/edits", {"edits": [edit]})
    visitor.json("POST", f"{place}/again", {"leads": "I/II"})  # the page has three rows
    told = visitor.read(made["id"])
    assert (told["state"], told["read"], told["edits"]) == ("failed", True, 1)
    assert "rows" in told["error"]
    assert visitor.json("GET", place) == before
    assert visitor.ask("GET", f"/api/download?pages={made['id']}&formats=csv")[0] == 200
    visitor.json("POST", f"{place}/again", {"gain": 5})
    assert visitor.read(made["id"])["error"] == ""
    again = visitor.json("GET", place)
    assert (again["gain_mm_per_mv"], again["edits"]) == (5.0, [])
    assert again["dropped"] == ["the name of a lead: dropped, the page was read with another layout"]


def test_a_correction_under_way_when_the_session_ends_leaves_nothing(server: Running, photo: Path) -> None:
    visitor = server.client()
    (made,) = visitor.json("POST", "/api/pages?name=a.jpg", photo.read_bytes())["pages"]
    visitor.read(made["id"])
    place = f"/api/pages/{made['id']}"
    view = visitor.json("GET", place)
    to = [[x + 20, y + 20] if i == 2 else [x, y] for i, (x, y) in enumerate(view["corners"]["px"])]
    edits = [{"kind": "corners", "at_mm": view["corners"]["mm"], "to_px": to}]
    got: list[int] = []
    correcting = threading.Thread(target=lambda: got.append(visitor.ask("PUT", f"{place}/edits", {"edits": edits})[0]))
    correcting.start()
    time.sleep(0.3)
    folder = next(
        s for s in server.server.sessions._sessions.values() if s.id == visitor.cookie.partition("=")[2]
    ).folder
    visitor.json("DELETE", "/api/session")
    correcting.join(30)
    assert got == [409]
    time.sleep(1.5)  # it would have been written by now
    assert not folder.exists()


def test_a_visitor_who_leaves_takes_the_job_along(server: Running) -> None:
    visitor = server.client()
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as pipe:
        body = b'{"preset": "damaged", "layout": "12x1"}'
        pipe.sendall(
            b"POST /api/draw HTTP/1.1\r\nHost: localhost\r\nx-ecgdig: 1\r\nContent-Length: %d\r\nCookie: %s\r\n\r\n%s"
            % (len(body), visitor.cookie.encode(), body)
        )
        for _ in range(600):  # the worker may be on its way
            running = list(server.server.queue._running.values())
            if running:
                break
            time.sleep(0.02)
        assert [job.what["kind"] for job in running] == ["draw"]
    for _ in range(100):
        if running[0].ended.is_set():
            break
        time.sleep(0.05)
    assert running[0].state == "cancelled"


def pixels(jpeg: bytes) -> np.ndarray:  # type: ignore[type-arg]
    return cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE).astype(float)


def test_a_recording_of_any_format_is_drawn(server: Running, recording: Recording, tmp_path: Path) -> None:
    visitor = server.client()
    plain = visitor.ask("POST", "/api/draw", {"layout": "3x4"})[1]
    drawn = []
    for suffix in ("csv", "npz", "aecg"):
        file = write_recording(recording, tmp_path / "r", [suffix])[0]
        assert visitor.ask("POST", f"/api/recording?name={file.name}", file.read_bytes())[0] == 200
        status, data, _ = visitor.ask("POST", "/api/draw", {"layout": "3x4"})
        assert status == 200, data
        drawn.append(data)
    same, other = (pixels(drawn[0]) - pixels(data) for data in (drawn[1], plain))
    assert abs(same).mean() < 0.1  # rounded samples
    assert abs(other).mean() > 0.5
    visitor.ask("POST", "/api/recording?name=x.csv", b"no recording")
    status, data, _ = visitor.ask("POST", "/api/draw", {"layout": "3x4"})
    assert (status, json.loads(data)["error"][:25]) == (422, "recording: not a recording"[:25])


def test_answers_carry_the_security_headers_and_only_local_names_are_served(server: Running) -> None:
    _, _, headers = Client(server.port).ask("GET", "/")
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "httponly" in headers["set-cookie"].lower()
    assert Client(server.port).ask("GET", "/", Host="rebound.example")[0] == 400


def test_beyond_loopback_a_token_is_wanted() -> None:
    from ecgdig.web.app import Server, Settings

    with pytest.raises(ValueError, match="token"):
        Server(Settings(token=None, hosts=None))
    for here in running(Settings(token="open sesame", hosts=None, workers=0)):
        visitor = Client(here.port)
        assert visitor.enter() == 401
        assert visitor.enter("/?token=guess") == 401
        assert visitor.ask("GET", "/api/pages")[0] == 401
        assert visitor.enter("/?token=open%20sesame") == 303
        assert visitor.ask("GET", "/api/pages")[0] == 200
