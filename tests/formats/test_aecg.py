from __future__ import annotations

import copy
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from ecgdatakit.parsing import FileParser
from format_pages import SHA, SOURCE, same

from ecgdig.formats import About
from ecgdig.formats.aecg import NAMESPACE, is_aecg, read_aecg, write_aecg
from ecgdig.io import RecordError
from ecgdig.recording import Recording

IN = {"h": NAMESPACE}


def test_another_reader_finds_the_same_samples(page: tuple[Recording, About], tmp_path: Path) -> None:
    """It reads one sequence set of a document, so it is given them one by one."""
    recording, about = page
    tree = ET.parse(write_aecg(recording, about, tmp_path / "a.aecg.xml"))
    sets = tree.findall(".//h:series/h:component", IN)
    found = np.full_like(recording.signal_mv, np.nan)
    for i in range(len(sets)):
        alone = copy.deepcopy(tree)
        series = alone.find(".//h:series", IN)
        assert series is not None
        for j, component in enumerate(series.findall("h:component", IN)):
            if j != i:
                series.remove(component)
        alone.write(tmp_path / "alone.xml", default_namespace=None)
        head = series.find(".//h:head", IN)
        assert head is not None
        first = round(float(head.get("value", "")) * 500)
        for lead in FileParser().parse(tmp_path / "alone.xml").leads:
            assert lead.sampling_rate == 500
            assert (lead.units, lead.is_raw) == ("mV", False)  # origin and scale are applied
            row = recording.leads.index(next(name for name in recording.leads if name.upper() == lead.label.upper()))
            found[row, first : first + len(lead.samples)] = lead.samples
    np.testing.assert_array_equal(np.isnan(found), np.isnan(recording.signal_mv))
    np.testing.assert_allclose(found, recording.signal_mv, atol=6e-4)


# PORT_MT020001 of HL7's 2003-12 release, as far as it is written: children in this order, ? or none, + one or more
SCHEMA = {
    "AnnotatedECG": "id code text? effectiveTime confidentialityCode? reasonCode? componentOf component+",
    "AnnotatedECG/componentOf": "timepointEvent",
    "timepointEvent": "code? effectiveTime? componentOf",
    "timepointEvent/componentOf": "subjectAssignment",
    "subjectAssignment": "subject definition? componentOf",
    "subject": "trialSubject",
    "trialSubject": "id code? subjectDemographicPerson?",
    "subjectAssignment/componentOf": "clinicalTrial",
    "clinicalTrial": "id",
    "AnnotatedECG/component": "series",
    "series": "id? code effectiveTime author? component+",
    "author": "seriesAuthor",
    "seriesAuthor": "id? manufacturedSeriesDevice manufacturerOrganization?",
    "manufacturedSeriesDevice": "id? code? manufacturerModelName? softwareName?",
    "manufacturerOrganization": "id? name?",
    "series/component": "sequenceSet",
    "sequenceSet": "component+",
    "sequenceSet/component": "sequence",
    "sequence": "code value?",
    "GLIST_PQ": "head increment",
    "SLIST_PQ": "origin scale digits",
}
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
LEAVES = {"id", "code", "text", "effectiveTime", "manufacturerModelName", "softwareName", "name", "head", "increment",
          "origin", "scale", "digits"}  # fmt: skip
ATTRIBUTES = {"root", "code", "codeSystem", "codeSystemName", "displayName", "value", "unit", "nullFlavor", "type",
              "classCode", TYPE}  # fmt: skip


def test_every_element_is_where_the_schema_has_it(page: tuple[Recording, About], tmp_path: Path) -> None:
    root = ET.parse(write_aecg(*page, tmp_path / "a.xml")).getroot()
    seen = set()

    def look(element: ET.Element, above: str) -> None:
        assert set(element.attrib) <= ATTRIBUTES
        name = element.tag.rpartition("}")[2]
        children = [child.tag.rpartition("}")[2] for child in element]
        kind = element.get(TYPE) or (f"{above}/{name}" if f"{above}/{name}" in SCHEMA else name)
        seen.add(kind)
        if kind in SCHEMA:
            wanted = "".join(f"({part.rstrip('?+')} ){part[len(part.rstrip('?+')) :]}" for part in SCHEMA[kind].split())
            assert re.fullmatch(wanted, "".join(f"{child} " for child in children)), (kind, children)
        else:
            assert name in LEAVES, kind
            assert children == []
        for child in element:
            look(child, name)

    look(root, "")
    assert seen >= set(SCHEMA)


def test_provenance_is_in_text_and_author(page: tuple[Recording, About], tmp_path: Path) -> None:
    root = ET.parse(write_aecg(*page, tmp_path / "a.xml")).getroot()
    text = root.findtext("h:text", "", IN)
    assert SOURCE in text
    assert "not printed: I, III from 1.5 to 6.3 s" in text
    assert SHA in root.findtext(".//h:softwareName", "", IN)


def test_reads_back_with_times_that_begin_at_0(page: tuple[Recording, About], tmp_path: Path) -> None:
    same(read_aecg(write_aecg(*page, tmp_path / "a.aecg.xml")), page[0])
    late = page[0].select(("V4", "V5"))  # printed from 4.5 s on
    same(read_aecg(write_aecg(late, About(), tmp_path / "b.xml")), late)


def test_absolute_times_count_from_the_first_sample(tmp_path: Path) -> None:
    recording = Recording(("I",), 250.0, np.arange(10, dtype=np.float32)[None])
    file = write_aecg(recording, About(), tmp_path / "a.xml")
    text = file.read_text().replace("TIME_RELATIVE", "TIME_ABSOLUTE")
    file.write_text(text.replace('<head value="0" unit="s"', '<head value="20260131235958.500"'))
    same(read_aecg(file), recording)


def test_utf_16_is_read_and_hides_no_entities(tmp_path: Path) -> None:
    recording = Recording(("I", "II"), 500.0, np.ones((2, 10), np.float32))
    file = write_aecg(recording, About(), tmp_path / "a.xml")
    text = file.read_text().replace("utf-8", "utf-16")
    file.write_text(text, encoding="utf-16")
    assert is_aecg(file)
    same(read_aecg(file), recording)
    file.write_text(text.replace("<AnnotatedECG", '<!DOCTYPE a [<!ENTITY e "e">]><AnnotatedECG'), encoding="utf-16")
    with pytest.raises(RecordError, match="entities"):
        read_aecg(file)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("</AnnotatedECG>", "", "not readable XML"),
        ("AnnotatedECG", "RestingECG", "want an HL7 AnnotatedECG"),
        ("SLIST_PQ", "SLIST_PQ", None),
        ('unit="uV"', 'unit="mm[Hg]"', "origin in 'mm"),
        ('increment value="0.002"', 'increment value="0"', "time increment"),
        ('increment value="0.002"', 'increment value="x"', "time increment is 'x'"),
        ("<digits>", "<digits>one ", "want whole numbers"),
        ("MDC_ECG_LEAD", "MDC_EEG", "no lead"),
        ("TIME_RELATIVE", "CLOCK", "without a time sequence"),
        ('head value="0"', 'head value="-99"', "samples from -99"),
        ('head value="0"', 'head value="99999"', "samples from"),
        ("<digits>", "<digits>\0", "bytes that no text has"),
        ("<AnnotatedECG", '<!DOCTYPE a [<!ENTITY e "eeee">]><AnnotatedECG', "entities"),
    ],
)
def test_damaged_documents_get_one_line(tmp_path: Path, old: str, new: str, says: str | None) -> None:
    recording = Recording(("I", "II"), 500.0, np.ones((2, 10), np.float32))
    file = write_aecg(recording, About(), tmp_path / "a.xml")
    file.write_text(file.read_text().replace(old, new))
    if says is None:  # the document as it was
        same(read_aecg(file), recording)
        return
    with pytest.raises(RecordError, match=rf"a\.xml: .*{says}") as caught:
        read_aecg(file)
    assert "\n" not in str(caught.value)


def test_nothing_known_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no known sample"):
        write_aecg(Recording(("I",), 500.0, np.full((1, 9), np.nan)), About(), tmp_path / "a.xml")
    assert not list(tmp_path.iterdir())
