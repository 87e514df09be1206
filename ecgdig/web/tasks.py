"""The jobs that a worker does, on files in a folder of the server's; each takes and gives plain JSON."""

from __future__ import annotations

import json
import pickle
import tempfile
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2

from ecgdig.api import digitize
from ecgdig.corrections import Corrector, edits_of
from ecgdig.digitizer import Digitization
from ecgdig.hub import TraceModel
from ecgdig.io import is_csv_recording, read_csv, safe_name
from ecgdig.io.atomic import whole_file
from ecgdig.io.image import count_pages, read_picture
from ecgdig.page import Page
from ecgdig.privacy import redacted
from ecgdig.recording import Recording
from ecgdig.web import samples, view

# files of a page's folder
UPLOAD, READING, VIEW, SAMPLES, PICTURE = "upload", "reading.pickle", "view.json", "samples.f32", "picture.jpg"
_KEPT = 3  # readings that a worker holds ready for corrections

Told = Callable[[str], None]


class Tasks:
    """What a worker can do, with the network and the readings that it holds."""

    def __init__(self, model: TraceModel) -> None:
        self._model = model
        self._desks: OrderedDict[str, Corrector] = OrderedDict()

    def do(self, job: Mapping[str, Any], told: Told) -> dict[str, Any]:
        """Do a job: `kind` names the method, the rest are its arguments.

        Raises:
            ValueError, OSError: what a user can mend, in one line.
        """
        kinds: dict[str, Callable[..., dict[str, Any]]] = {
            "count": self.count, "read": self.read, "edit": self.edit, "export": self.export,
            "sample": self.sample, "thumbnail": self.thumbnail, "draw": self.draw,
        }  # fmt: skip
        given = {key: value for key, value in job.items() if key != "kind"}
        return kinds[job["kind"]](told=told, **given)

    def count(self, folder: str, told: Told) -> dict[str, Any]:
        """How many pages an upload has; a file of which the first cannot be decoded is refused."""
        read_picture(Path(folder) / UPLOAD)
        return {"pages": count_pages(Path(folder) / UPLOAD)}

    def read(
        self, folder: str, options: Mapping[str, Any], told: Told, page: int = 1, upload: str = ""
    ) -> dict[str, Any]:
        """Read page `page` of the upload of a folder (or of another's, `upload`)."""
        at = Path(folder)
        read = digitize((Path(upload or folder)) / UPLOAD, checkpoint=self._model, page=page, told=told, **options)
        read = replace(read, recording=replace(read.recording, name=""))
        told("drawing")
        with whole_file(at / READING) as file:
            file.write_bytes(pickle.dumps(read, protocol=5))
        with whole_file(at / PICTURE) as file:
            file.write_bytes(view.picture(read.image))
        self._show(at, read)
        self._keep(folder, Corrector(read, self._model))
        return {}

    def edit(self, folder: str, edits: list[Any], told: Told) -> dict[str, Any]:
        """The reading of a folder with these edits."""
        told("reading again")
        self._show(Path(folder), self._corrected(folder, edits))
        return {}

    def export(
        self, target: str, pages: list[Mapping[str, Any]], formats: list[str], redact: bool, told: Told
    ) -> dict[str, Any]:
        """A zip of readings; each of `pages` has `folder`, `edits`, and the `name` of its files in the zip."""
        taken: set[str] = set()
        with whole_file(target) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            for number, page in enumerate(pages, 1):
                told(f"writing page {number} of {len(pages)}")
                name = _free(safe_name(str(page["name"]))[:60], taken)
                read = self._corrected(page["folder"], page["edits"])
                if redact:
                    read = replace(read, image=redacted(read.image, read.warp, read.layout, read.rows))
                with tempfile.TemporaryDirectory(dir=Path(target).parent) as folder:
                    for written in read.save(Path(folder) / name, formats):
                        archive.write(written, written.name)
        return {}

    def sample(self, folder: str, number: int, told: Told) -> dict[str, Any]:
        """A page of the gallery as upload of a folder."""
        _write_page(samples.sample_page(samples.GALLERY[number]), Path(folder) / UPLOAD)
        return {}

    def thumbnail(self, target: str, number: int, told: Told) -> dict[str, Any]:
        """A small picture of a page of the gallery."""
        page = samples.sample_page(samples.GALLERY[number])
        with whole_file(target) as file:
            file.write_bytes(view.picture(page.image, 480))
        return {}

    def draw(self, folder: str, wish: Mapping[str, Any], told: Told) -> dict[str, Any]:
        """A page drawn as wished, of the recording that was uploaded to the folder (CSV) or of a simulated one."""
        at = Path(folder)
        page = samples.wished_page(wish, _recording(at / "recording"))
        _write_page(page, at / UPLOAD)
        with whole_file(at / PICTURE) as file:
            file.write_bytes(view.picture(page.image))
        return {"degradations": {name: round(float(s), 3) for name, s in page.degradations.items()}}

    def _corrected(self, folder: str, edits: list[Any]) -> Digitization:
        if folder not in self._desks:
            read: Digitization = pickle.loads((Path(folder) / READING).read_bytes())
            self._keep(folder, Corrector(read, self._model))
        self._desks.move_to_end(folder)
        return self._desks[folder].apply(edits_of(edits))

    def _keep(self, folder: str, desk: Corrector) -> None:
        self._desks[folder] = desk
        self._desks.move_to_end(folder)
        while len(self._desks) > _KEPT:
            self._desks.popitem(last=False)

    def _show(self, folder: Path, read: Digitization) -> None:
        with whole_file(folder / SAMPLES) as file:
            file.write_bytes(view.samples(read))
        with whole_file(folder / VIEW) as file:
            file.write_text(json.dumps(view.view(read)))


def _free(name: str, taken: set[str]) -> str:
    free, n = name, 2
    while free.lower() in taken:
        free, n = f"{name}-{n}", n + 1
    taken.add(free.lower())
    return free


def _write_page(page: Page, path: Path) -> None:
    done, data = cv2.imencode(".png", page.image[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise OSError("the page cannot be encoded")
    with whole_file(path) as file:
        file.write_bytes(data.tobytes())


def _recording(path: Path) -> Recording | None:
    if not path.is_file():
        return None
    if not is_csv_recording(path):
        raise ValueError("not a recording: give a CSV file with the columns time_s,I,II,... (s and mV)")
    return read_csv(path)
