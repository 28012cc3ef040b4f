"""mokuro and Manga109: pages in reading order, speakers from links, bad pages and boxes."""

import json

from hypothesis import given
from hypothesis import strategies as st

from curation.importers.formats.manga.reading_order import right_to_left
from tests.curation.importers.looks import rejections, said
from tests.curation.importers.small import MANGA109, MOKURO


def test_mokuro_pages_by_image_name_and_boxes_from_the_right(imported):
    found = imported("a.mokuro", MOKURO)
    assert said(found) == [("Tanjiro", "Đi nào!"), ("Inosuke", "Ta đi trước!")] * 2
    assert [u.source.locator for u in found.utterances][::2] == [
        "scene 1 · page 1 box 1 (5,0,9,3)",
        "scene 1 · page 2 box 1 (5,0,9,3)",
    ]


def test_a_page_of_the_older_layout(imported):
    page = json.loads(MOKURO)["pages"][0]
    page.pop("img_path")
    found = imported("_ocr/012.json", json.dumps(page))
    assert (found.format, said(found)[0]) == ("mokuro", ("Tanjiro", "Đi nào!"))


def test_japanese_lines_are_joined_without_a_space_and_no_speaker_is_made_up(imported):
    blocks = [{"box": [0, 0, 9, 9], "lines": ["うるせえ！", "俺が一番だ"]}]
    assert said(imported("a.mokuro", json.dumps({"pages": [{"blocks": blocks}]}))) == [(None, "うるせえ！俺が一番だ")]


def test_a_page_without_words_ends_a_scene_and_a_bad_block_costs_itself_alone(imported):
    block = {"box": [0, 0, 9, 9], "lines": ["Ơ"]}
    pages = [{"img_path": f"{n}.jpg", "blocks": b} for n, b in ((1, [block]), (2, []), (3, [block, {"box": "?"}]))]
    found = imported("a.mokuro", json.dumps({"pages": pages}))
    assert [u.source.locator.partition(" · ")[0] for u in found.utterances] == ["scene 1", "scene 2"]
    assert rejections(found) == [("bad_block", "{'box': '?'}")]


def test_manga109_text_and_its_speaker(imported):
    found = imported("a.xml", MANGA109)
    assert said(found) == [(None, "Đi nào!"), ("Inosuke", "Ta đi trước!")]
    assert found.utterances[1].evidence == "link: Inosuke"


def test_manga109dialog_links_in_the_folder_beside(imported, tmp_path):
    link = '<speaker_to_text id="06" text_id="04" speaker_id="03"/>'
    assert link in MANGA109
    (tmp_path / "Manga109Dialog").mkdir()
    links = f'<book title="x"><pages><page index="1">{link}</page></pages></book>'
    (tmp_path / "Manga109Dialog" / "a.xml").write_text(links)
    assert said(imported("a.xml", MANGA109.replace(link, "")))[1] == ("Inosuke", "Ta đi trước!")
    assert said(imported("b.xml", MANGA109.replace(link, "")))[1] == (None, "Ta đi trước!")
    assert imported("Manga109Dialog/a.xml", links).format == "manga109dialog (speaker links)"


def test_a_page_of_four_panels_is_read_from_the_upper_right():
    upper_right, upper_left, lower_right, lower_left = (
        (60, 0, 90, 40),
        (0, 5, 40, 45),
        (60, 60, 90, 90),
        (0, 60, 40, 90),
    )
    assert right_to_left([lower_left, upper_left, lower_right, upper_right]) == [3, 1, 2, 0]


@given(
    st.lists(st.tuples(*[st.integers(0, 99)] * 4).map(lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])), max_size=30)
)
def test_every_box_is_read_once(boxes):
    assert sorted(right_to_left(boxes)) == list(range(len(boxes)))
