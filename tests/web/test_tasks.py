from __future__ import annotations

import json
import pickle
import zipfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from ink_net import ink_model

from ecgdig.digitizer import Digitization
from ecgdig.io import read_wfdb
from ecgdig.page import Page
from ecgdig.web.tasks import PACKED, PICTURE, READING, RECORDING, SAMPLES, SHOWN, UPLOAD, VIEW, Tasks


class Desk:
    """A worker's tasks on folders of its own, and what it was heard to say."""

    def __init__(self, root: Path) -> None:
        self.tasks, self.root, self.heard = Tasks(ink_model()), root, list[str]()

    def folder(self, name: str) -> Path:
        folder = self.root / name
        folder.mkdir(exist_ok=True)
        return folder

    def do(self, kind: str, **given: Any) -> dict[str, Any]:
        plain = {key: str(value) if isinstance(value, Path) else value for key, value in given.items()}
        answer = self.tasks.do({"kind": kind, **plain}, self.heard.append)
        return dict(json.loads(json.dumps(answer)))  # what goes to the server's process

    def read(self, file: Path, name: str, **more: Any) -> dict[str, Any]:
        usual = {"page": 1, "options": {}, "session": self.root, "most_bytes": 10**9}
        return self.do("read", file=file, into=self.folder(name), **{**usual, **more})


def shown_in(folder: Path) -> tuple[dict[str, Any], np.ndarray]:
    view = json.loads((folder / VIEW).read_text())
    return view, np.frombuffer((folder / SAMPLES).read_bytes(), "<f4").reshape(2, len(view["leads"]), -1)[0]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, photo: Path) -> Desk:
    """With the page read into `r`."""
    made = Desk(tmp_path_factory.mktemp("tasks"))
    made.read(photo, "r")
    return made


@pytest.fixture
def place(desk: Desk) -> dict[str, list[int]]:
    """Where each lead is printed."""
    return {t["lead"]: [t["row"], t["column"]] for t in shown_in(desk.root / "r")[0]["traces"]}


def test_a_page_is_read_into_the_files_that_the_server_serves(desk: Desk, drawn: Page) -> None:
    folder = desk.root / "r"
    assert {file.name for file in folder.iterdir()} == {READING, SHOWN, VIEW, SAMPLES, PICTURE}
    view, signal = shown_in(folder)
    assert view["layout"] == "3x4"
    read: Digitization = pickle.loads((folder / READING).read_bytes())
    np.testing.assert_array_equal(signal, read.recording.signal_mv)
    assert read.recording.name == ""  # of the file nothing is kept
    assert read.image.shape == drawn.image.shape
    assert pickle.loads((folder / SHOWN).read_bytes()).image.size == 3  # the picture is kept once
    assert desk.heard[0].startswith("finding")


def test_what_a_session_may_hold_is_not_exceeded(desk: Desk, photo: Path) -> None:
    with pytest.raises(ValueError, match="your pages may take 1 MB in all; remove some first"):
        desk.read(photo, "full", most_bytes=10**6)
    assert not list((desk.root / "full").iterdir())


def test_edits_go_into_another_folder_and_the_reading_stays(desk: Desk, place: dict[str, list[int]]) -> None:
    before = (desk.root / "r" / READING).read_bytes()
    edits = [{"kind": "swap", "first": place["I"], "second": place["V2"]}]
    desk.do("edit", reading=desk.root / "r", into=desk.folder("e"), edits=edits)
    assert {file.name for file in (desk.root / "e").iterdir()} == {SHOWN, VIEW, SAMPLES}
    assert shown_in(desk.root / "e")[0]["edits"] == edits
    assert (desk.root / "r" / READING).read_bytes() == before
    # a worker that has just been started reads the folder
    other = Desk(desk.root)
    other.do("edit", reading=desk.root / "r", into=desk.folder("o"), edits=edits)
    np.testing.assert_array_equal(shown_in(desk.root / "o")[1], shown_in(desk.root / "e")[1])


def test_a_preview_leaves_nothing_that_would_be_taken_home(desk: Desk) -> None:
    corners = shown_in(desk.root / "r")[0]["corners"]
    to_px = [*corners["px"][:3], [corners["px"][3][0] + 30, corners["px"][3][1]]]
    edits = [{"kind": "corners", "at_mm": corners["mm"], "to_px": to_px}]
    desk.do("preview", reading=desk.root / "r", into=desk.folder("p"), edits=edits)
    assert {file.name for file in (desk.root / "p").iterdir()} == {VIEW, SAMPLES}
    np.testing.assert_allclose(shown_in(desk.root / "p")[0]["corners"]["px"], to_px, atol=0.2)


def test_a_page_read_anew_keeps_the_edits_that_fit(desk: Desk, photo: Path, place: dict[str, list[int]]) -> None:
    kept = {"kind": "scale", "speed_mm_per_s": 50.0}
    gone = {"kind": "swap", "first": place["I"], "second": place["V2"]}  # names are those of the new layout
    desk.do("edit", reading=desk.root / "r", into=desk.folder("e"), edits=[kept, gone])
    told = desk.read(photo, "again", options={"gain": 5.0}, before=desk.root / "e", edits=[kept, gone])
    assert told["edits"] == [kept]
    assert len(told["dropped"]) == 1
    view, signal = shown_in(desk.root / "again")
    assert (view["gain_mm_per_mv"], view["speed_mm_per_s"]) == (5.0, 50.0)
    first = shown_in(desk.root / "r")[1]
    assert np.nanstd(signal) / np.nanstd(first) == pytest.approx(2, abs=0.1)


def test_what_is_taken_home_is_what_is_shown(desk: Desk, place: dict[str, list[int]]) -> None:
    edits = [{"kind": "swap", "first": place["I"], "second": place["V2"]}]
    desk.do("edit", reading=desk.root / "r", into=desk.folder("e"), edits=edits)
    out = desk.folder("out")
    desk.do("export", reading=desk.root / "r", shown=desk.root / "e", into=out, name="a", formats=["wfdb"], redact=True)
    record, (view, signal) = read_wfdb(out / "a.hea"), shown_in(desk.root / "e")
    for i, lead in enumerate(view["leads"]):
        np.testing.assert_allclose(record.lead(lead), signal[i], atol=6e-4)  # the record has whole µV
    desk.do("pack", folder=out)
    with zipfile.ZipFile(out / PACKED) as archive:
        assert sorted(archive.namelist()) == sorted(f.name for f in out.iterdir() if f.name != PACKED)
        assert archive.testzip() is None


def test_samples_and_wishes_become_uploads(desk: Desk) -> None:
    desk.do("sample", folder=desk.folder("s"), number=0)
    assert desk.do("count", file=desk.root / "s" / UPLOAD) == {"pages": 1}
    desk.do("thumbnail", target=desk.root / "small.jpg", number=0)
    assert max(cv2.imread(str(desk.root / "small.jpg")).shape) == 480
    told = desk.do("draw", folder=desk.folder("d"), wish={"preset": "scan", "seed": 3})
    assert set(told) == {"degradations"}
    assert {file.name for file in (desk.root / "d").iterdir()} == {UPLOAD, PICTURE}


def test_a_recording_is_told_by_its_content(desk: Desk) -> None:
    folder = desk.folder("csv")
    time = np.arange(1000) / 100
    rows = [f"{t:.2f},{np.sin(t):.4f}" for t in time]
    (folder / RECORDING).write_text("\n".join(["time_s,II", *rows]))
    desk.do("draw", folder=folder, wish={"preset": "clean", "seed": 1})
    assert cv2.imread(str(folder / UPLOAD)) is not None
    (folder / RECORDING).write_bytes(b"\x00 no recording")
    with pytest.raises(ValueError, match="recording"):
        desk.do("draw", folder=folder, wish={"preset": "clean", "seed": 1})


def test_a_file_that_is_no_picture_is_refused(desk: Desk) -> None:
    (desk.root / "text").write_text("not a picture")
    with pytest.raises((ValueError, OSError)):
        desk.do("count", file=desk.root / "text")


def test_only_the_last_readings_are_held(desk: Desk) -> None:
    for name in "abcd":
        (desk.folder(name) / READING).write_bytes((desk.root / "r" / READING).read_bytes())
        desk.do("edit", reading=desk.root / name, into=desk.folder("x"), edits=[])
    assert list(desk.tasks._desks) == [str(desk.root / name) for name in "bcd"]
