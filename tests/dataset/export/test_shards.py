from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path

import cv2
import numpy as np
import webdataset

from ecgdig.dataset import Folder
from ecgdig.dataset.export import write_shards
from ecgdig.dataset.truth import read_truth
from ecgdig.io import read_wfdb


def test_webdataset_reads_the_pages(folder: Folder, tmp_path: Path) -> None:
    tars = write_shards(folder, 3, lambda entries: entries)
    assert [tar.name for tar in tars] == ["pages-000000.tar", "pages-000001.tar"]
    samples = list(webdataset.WebDataset([str(tar) for tar in tars], shardshuffle=False, empty_check=False))
    assert [sample["__key__"] for sample in samples] == [entry.name for entry in folder]
    for sample, entry in zip(samples, folder, strict=True):
        image = cv2.imdecode(np.frombuffer(sample["jpg"], np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
        np.testing.assert_array_equal(image, entry.image())
        assert json.loads(sample["json"]) == entry.row
        with np.load(io.BytesIO(sample["npz"])) as archive:
            assert json.loads(archive["page.json"])["shape"] == list(image.shape[:2])
    with tarfile.open(tars[0]) as tar:
        tar.extractall(tmp_path, filter="data")
    first = folder[0]
    assert read_truth(tmp_path / f"{first.name}.npz").page.layout == first.truth().page.layout
    np.testing.assert_array_equal(read_wfdb(tmp_path / first.name).signal_mv, first.truth().recording.signal_mv)


def test_packing_again_gives_the_same_bytes(folder: Folder) -> None:
    first = [tar.read_bytes() for tar in write_shards(folder, 1, lambda entries: entries)]
    assert len(first) == 4
    assert [tar.read_bytes() for tar in write_shards(folder, 1, lambda entries: entries)] == first
    write_shards(folder, 4, lambda entries: entries)
    assert len(list((folder.path / "shards").iterdir())) == 1
