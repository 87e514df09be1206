import cv2
import numpy as np
import pytest
import torch
from patient_pages import page_of

from ecgdig.locate import names
from ecgdig.locate.ink import InkMap, ink_map
from ecgdig.locate.known import on_grid
from ecgdig.locate.names import STRIDE, TOKENS, best, heat_maps, read_words
from ecgdig.page.text import word_mask
from ecgdig.tasks.name_net import NameNet, save


def ink_only(ink: np.ndarray, origin_mm: tuple[float, float]) -> InkMap:
    return InkMap(ink, ink >= 0, origin_mm, np.zeros((*ink.shape, 3), np.uint8))


def test_names_are_read_where_they_stand():
    page = page_of("3x4+1", footer=True)
    warp = on_grid(page)
    words = read_words(ink_map(page.image, warp))
    boxes = [mark for mark in page.marks if mark.kind == "lead-name"]
    right = 0
    for mark in boxes:
        x0, y0, x1, y1 = mark.box_mm
        x, y = warp.to_mm(page.warp.to_px(np.array([[(x0 + x1) / 2, (y0 + y1) / 2]])))[0]
        near = [word for word in words if abs(word.x_mm - x) < 2.0 and abs(word.y_mm - y) < 2.0]
        right += bool(near) and near[0].token == mark.text
    assert right >= len(boxes) - 1
    speed = best(words, names.SPEED_TOKENS)
    assert speed is not None
    assert speed.token == "25 mm/s"


def test_blank_paper_has_no_names():
    blank = ink_only(np.zeros((240, 320), np.float32), (0.0, 0.0))
    assert read_words(blank) == ()
    assert best((), TOKENS) is None


def test_a_word_on_blank_paper_is_read_at_its_place():
    ink = np.zeros((160, 240), np.float32)
    mask = word_mask("aVL", "DejaVuSans", 20).astype(np.float32) / 255
    ink[60 : 60 + mask.shape[0], 100 : 100 + mask.shape[1]] = mask
    word = read_words(ink_only(ink, (10.0, 20.0)))[0]
    assert word.token == "aVL"
    assert word.x_mm == pytest.approx(10.0 + (100 + mask.shape[1] / 2) / 6, abs=0.8)
    assert word.y_mm == pytest.approx(20.0 + (60 + mask.shape[0] / 2) / 6, abs=0.8)


def test_numpy_gives_what_torch_gives(tmp_path, monkeypatch):
    torch.manual_seed(3)
    net = NameNet()
    ink = cv2.GaussianBlur(np.random.default_rng(0).random((3 * 64, 128)).astype(np.float32), (0, 0), 2.0)
    with torch.no_grad():
        net.train()(torch.from_numpy(ink)[None, None])  # the norms learn something
        net.eval().head.weight.mul_(3.0)
        save(net, tmp_path / "names.safetensors")
        expected = torch.sigmoid(net(torch.from_numpy(ink)[None, None]))[0].numpy()
    monkeypatch.setattr(names, "WEIGHTS", tmp_path / "names.safetensors")
    found = heat_maps(ink)
    assert found.shape == (len(TOKENS), 192 // STRIDE, 128 // STRIDE)
    np.testing.assert_allclose(found, expected, atol=0.01)  # the weights are kept in half precision


def test_a_page_without_names_has_few():
    with_names, without = (page_of("3x4", names=place) for place in ("above-start", "none"))
    counts = [sum(w.chance > 0.5 for w in read_words(ink_map(p.image, on_grid(p)))) for p in (with_names, without)]
    assert counts[0] > counts[1] + 6
