import numpy as np
from patient_pages import page_of

from ecgdig.commands import train_names
from ecgdig.commands.train_names import heat, main, token_places
from ecgdig.locate.names import STRIDE, TOKENS


def test_names_and_numbers_are_where_they_are_printed():
    page = page_of("3x4+1", footer=True)
    places = token_places(page)
    names = [TOKENS[token] for token, *_ in places]
    assert names[:13] == [s.lead for s in page.layout.segments]
    assert {"25 mm/s", "10 mm/mV"} <= set(names)
    for token, x, y in places[:13]:
        s = next(s for s in page.layout.segments if s.lead == TOKENS[token] and abs(s.baseline_mm - y) < 15)
        assert 0 < x - s.x_mm < 12 or s.row == 3


def test_targets_are_one_at_their_tokens():
    maps = heat(np.array([[2, 41.5, 21.5]], np.float32), (64, 96))
    assert maps.shape == (len(TOKENS), 64 // STRIDE, 96 // STRIDE)
    assert np.unravel_index(maps.argmax(), maps.shape) == (2, 5, 10)
    assert maps.max() == 1.0
    assert maps[[0, 1, 3]].max() == 0.0


def test_the_whole_way(tmp_path, monkeypatch):
    monkeypatch.setattr(train_names, "PRESETS", {"clean": 1.0})
    out = tmp_path / "names.safetensors"
    options = ["--pages", "1", "--steps", "2", "--batch", "2", "--folder", str(tmp_path / "ink"), "--out", str(out)]
    main(options)
    assert out.stat().st_size < 500_000
    before = (tmp_path / "ink" / "00000.png").stat().st_mtime_ns
    main(options)  # finished pages are left alone
    assert (tmp_path / "ink" / "00000.png").stat().st_mtime_ns == before
