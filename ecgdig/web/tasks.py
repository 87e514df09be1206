"""The jobs that a worker does, on files in a folder of the server's; each takes and gives plain JSON."""

from __future__ import annotations

import json
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from ecgdig.api import digitize
from ecgdig.corrections import Corrector, Edit, again_on, edits_of, to_json
from ecgdig.digitizer import Digitization
from ecgdig.formats import read_recording
from ecgdig.formats.reading import checked
from ecgdig.hub import TraceModel
from ecgdig.io import is_csv_recording, read_csv
from ecgdig.io.atomic import whole_file
from ecgdig.io.image import count_pages, read_picture
from ecgdig.page import Page
from ecgdig.privacy import redacted
from ecgdig.recording import Recording
from ecgdig.web import samples, view
from ecgdig.web.limits import MB
from ecgdig.web.sessions import size_of

# files of a page: as it came; what was read, without and with its corrections; what the screen shows of it
UPLOAD, READING, SHOWN, VIEW, SAMPLES, PICTURE = (
    "upload", "reading.pickle", "shown.pickle", "view.json", "samples.f32", "picture.jpg"
)  # fmt: skip
RECORDING, PACKED = "recording", "readings.zip"
_KEPT = 3  # readings that a worker holds ready for corrections
_NO_PICTURE = np.zeros((1, 1, 3), np.uint8)

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
            "count": self.count, "read": self.read, "edit": self.edit, "preview": self.preview, "export": self.export,
            "pack": self.pack, "sample": self.sample, "thumbnail": self.thumbnail, "draw": self.draw,
        }  # fmt: skip
        given = {key: value for key, value in job.items() if key != "kind"}
        return kinds[job["kind"]](told=told, **given)

    def count(self, file: str, told: Told) -> dict[str, Any]:
        """How many pages an upload has; a file of which the first cannot be decoded is refused."""
        read_picture(file)
        return {"pages": count_pages(file)}

    def read(
        self,
        file: str,
        page: int,
        into: str,
        options: Mapping[str, Any],
        session: str,
        most_bytes: int,
        told: Told,
        before: str = "",
        edits: Sequence[Any] = (),
    ) -> dict[str, Any]:
        """Read page `page` of an upload into a folder, and correct it as the reading in `before`, as far as it fits.

        Returns:
            `edits` that fit, and those `dropped`, in words.
        """
        read = digitize(file, checkpoint=self._model, page=page, told=told, **options)
        read = replace(read, recording=replace(read.recording, name=""))
        told("drawing")
        whole = pickle.dumps(read, protocol=5)
        if size_of(Path(session)) + len(whole) > most_bytes:
            raise ValueError(f"your pages may take {most_bytes / MB:.0f} MB in all; remove some first")
        with whole_file(Path(into) / READING) as target:
            target.write_bytes(whole)
        with whole_file(Path(into) / PICTURE) as target:
            target.write_bytes(view.picture(read.image))
        desk = Corrector(read, self._model)
        self._keep(into, desk)
        kept: tuple[Edit, ...] = ()
        dropped: tuple[str, ...] = ()
        if edits:
            told("correcting it as before")
            old: Digitization = pickle.loads((Path(before) / SHOWN).read_bytes())
            kept, dropped = again_on(desk, old, edits_of(edits))
        self._show(Path(into), desk.apply(kept))
        return {"edits": [to_json(edit) for edit in kept], "dropped": list(dropped)}

    def edit(self, reading: str, into: str, edits: list[Any], told: Told) -> dict[str, Any]:
        """The reading of a folder with these edits, into another folder."""
        told("reading again")
        self._show(Path(into), self._desk(reading).apply(edits_of(edits)))
        return {}

    def preview(self, reading: str, into: str, edits: list[Any], told: Told) -> dict[str, Any]:
        """What the screen can show of these edits at once, into a folder; nothing is read again."""
        told("moving the traces along")
        _show_on_screen(Path(into), self._desk(reading).preview(edits_of(edits)))
        return {}

    def export(
        self, reading: str, shown: str, into: str, name: str, formats: list[str], redact: bool, told: Told
    ) -> dict[str, Any]:
        """The files of what is shown of a reading, called `name`, in a folder."""
        told(f"writing {name}")
        read: Digitization = pickle.loads((Path(shown) / SHOWN).read_bytes())
        read = replace(read, image=_reading(reading).image)
        if redact:
            read = replace(read, image=redacted(read.image, read.warp, read.layout, read.rows))
        read.save(Path(into) / name, formats)
        return {}

    def pack(self, folder: str, told: Told) -> dict[str, Any]:
        """All files of a folder in a zip there."""
        told("packing")
        files = sorted(Path(folder).iterdir())
        with whole_file(Path(folder) / PACKED) as target, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in files:
                archive.write(file, file.name)
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
        """A page drawn as wished, of the recording that was uploaded to the folder or of a simulated one."""
        at = Path(folder)
        page = samples.wished_page(wish, _recording(at / RECORDING))
        _write_page(page, at / UPLOAD)
        with whole_file(at / PICTURE) as file:
            file.write_bytes(view.picture(page.image))
        return {"degradations": {name: round(float(s), 3) for name, s in page.degradations.items()}}

    def _desk(self, reading: str) -> Corrector:
        """The corrector of the reading in a folder."""
        if reading not in self._desks:
            self._keep(reading, Corrector(_reading(reading), self._model))
        self._desks.move_to_end(reading)
        return self._desks[reading]

    def _keep(self, folder: str, desk: Corrector) -> None:
        self._desks[folder] = desk
        while len(self._desks) > _KEPT:
            self._desks.popitem(last=False)

    def _show(self, folder: Path, read: Digitization) -> None:
        with whole_file(folder / SHOWN) as file:
            file.write_bytes(pickle.dumps(replace(read, image=_NO_PICTURE), protocol=5))
        _show_on_screen(folder, read)


def _show_on_screen(folder: Path, read: Digitization) -> None:
    with whole_file(folder / SAMPLES) as file:
        file.write_bytes(view.samples(read))
    with whole_file(folder / VIEW) as file:
        file.write_text(json.dumps(view.view(read)))


def _reading(folder: str) -> Digitization:
    read: Digitization = pickle.loads((Path(folder) / READING).read_bytes())
    return read


def _write_page(page: Page, path: Path) -> None:
    done, data = cv2.imencode(".png", page.image[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 3])
    if not done:
        raise OSError("the page cannot be encoded")
    with whole_file(path) as file:
        file.write_bytes(data.tobytes())


def _recording(path: Path) -> Recording | None:
    """The recording in a file whose name says nothing, told by its content; None where there is no file."""
    if not path.is_file():
        return None
    return checked(read_csv(path), path) if is_csv_recording(path) else read_recording(path)
