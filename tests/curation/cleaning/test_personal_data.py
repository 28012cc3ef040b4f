"""Personal data: what is found in a text, and what only looks like it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from curation.cleaning import personal_data
from curation.persona import Persona
from tests.tools.exports import sample


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("Viết cho ta: lon.rung@vidu.vn.", "e-mail address", "lon.rung@vidu.vn"),
        ("gửi lợn.rừng+1@hang-đá.example nhé", "e-mail address", "lợn.rừng+1@hang-đá.example"),
        ("Gọi ta: 0912 345 678 đi", "phone number", "0912 345 678"),
        ("(028) 3822 1234 là số của quán", "phone number", "(028) 3822 1234"),
        ("+84 912-345-678!", "phone number", "+84 912-345-678"),
        ("call me at (650) 253-0000", "phone number", "(650) 253-0000"),
        ("+81 3-1234-5678", "phone number", "+81 3-1234-5678"),
        ("thẻ 4111 1111 1111 1111 đó", "card number", "4111 1111 1111 1111"),
        ("nhắn facebook.com/lonrung95 nha", "personal page", "facebook.com/lonrung95"),
        ("viết hoa (at) vidu.vn nhé", "e-mail address", "hoa (at) vidu.vn"),
        ("CCCD 001095012345 của ta", "identity number", "001095012345"),
        ("SSN 078-05-1120", "identity number", "078-05-1120"),
        ("t.me/boar_king", "personal page", "t.me/boar_king"),
        ("lon gạch dưới rung a còng gmail chấm com", "e-mail address", "lon gạch dưới rung a còng gmail chấm com"),
        (
            "số ta là không chín tám bảy sáu năm bốn ba hai một nhé",
            "phone number",
            "không chín tám bảy sáu năm bốn ba hai một",
        ),
        ("line id boar99", "account on a network", "line id boar99"),
        ("fb: BoarKing", "account on a network", "fb: BoarKing"),
        ("số tài khoản ngân hàng của ta là 123456789", "bank account", "123456789"),
        ("STK ngân hàng MB của tao: 0987 654 321 00", "bank account", "0987 654 321 00"),
        (
            "học lớp 9A trường Trần Phú, tên Lê Thị Hoa, sinh 1.2.2010",
            "name with birthday",
            "Lê Thị Hoa, sinh 1.2.2010",
        ),
        ("I'm Tom Hill, born in 2009, Oak School", "name with birthday", "Tom Hill, born in 2009"),
        ("0 9 1 2 3 4 5 6 7 8", "phone number", "0 9 1 2 3 4 5 6 7 8"),
        ("viết cho a chấm b a còng gmail chấm com", "e-mail address", "a chấm b a còng gmail chấm com"),
        ("mail ta: lon chấm rung a còng vidu chấm vn nhé", "e-mail address", "lon chấm rung a còng vidu chấm vn"),
        ("a cham b a cong gmail cham com", "e-mail address", "a cham b a cong gmail cham com"),
        ("john dot doe at gmail dot com", "e-mail address", "john dot doe at gmail dot com"),
        ("boar.king (at) gmail (dot) com", "e-mail address", "boar.king (at) gmail (dot) com"),
        ("lonrung95 [at] gmail [dot] com", "e-mail address", "lonrung95 [at] gmail [dot] com"),
        ("abc@gmail chấm com", "e-mail address", "abc@gmail chấm com"),
        ("abc a còng gmail.com", "e-mail address", "abc a còng gmail.com"),
        ("nguyenvana at gmail dot com", "e-mail address", "nguyenvana at gmail dot com"),
        (
            "Viết thư: lon_rung a còng yahoo chấm com chấm vn đi",
            "e-mail address",
            "lon_rung a còng yahoo chấm com chấm vn",
        ),
        ("fb: lonrung95", "account on a network", "fb: lonrung95"),
        ("FB của mình là hoa.rung95", "account on a network", "FB của mình là hoa.rung95"),
        ("zalo: hoa_rung", "account on a network", "zalo: hoa_rung"),
        ("ig @hoa_rung", "account on a network", "ig @hoa_rung"),
        ("insta: boar.king", "account on a network", "insta: boar.king"),
        ("tiktok @lon.rung nha", "account on a network", "tiktok @lon.rung"),
        ("telegram: boarking99", "account on a network", "telegram: boarking99"),
        ("discord: lonrung#1234", "account on a network", "discord: lonrung#1234"),
        ("discord lonrung#1234 nhé", "account on a network", "discord lonrung#1234"),
        ("Facebook: nguyenvana", "account on a network", "Facebook: nguyenvana"),
        ("tele @boar", "account on a network", "tele @boar"),
        ("add fb hoa.rung95 nha", "account on a network", "fb hoa.rung95"),
        ("Snap: mitsuri_k", "account on a network", "Snap: mitsuri_k"),
        (
            "Nguyễn Văn An, sinh ngày 12/3/2008, học lớp 10A1 trường THPT Chu Văn An",
            "name with birthday",
            "Nguyễn Văn An, sinh ngày 12/3/2008",
        ),
        (
            "Em tên là Trần Thị Mai, sinh 5/9/2010, học trường THCS Lê Lợi",
            "name with birthday",
            "Trần Thị Mai, sinh 5/9/2010",
        ),
        (
            "Tên: Lê Minh Khôi, ngày sinh 01-02-2007",
            "name with birthday",
            "Lê Minh Khôi, ngày sinh 01-02-2007",
        ),
        (
            "Phạm Thu Hà sinh ngày 3 tháng 4 năm 2009, lớp 8B",
            "name with birthday",
            "Phạm Thu Hà sinh ngày 3 tháng 4 năm 2009",
        ),
        (
            "My name is John Smith, born on 12 March 2008, I go to Lincoln High School",
            "name with birthday",
            "John Smith, born on 12 March 2008",
        ),
        ("Phạm Thu Hà sinh ngày 3/4, lớp 8B trường Nguyễn Du", "name with birthday", "Phạm Thu Hà sinh ngày 3/4"),
        ("STK: 0123456789", "bank account", "0123456789"),
        ("stk 19034567890123 Techcombank", "bank account", "19034567890123"),
        ("Số tài khoản của ta: 0011 0042 12345", "bank account", "0011 0042 12345"),
        ("STK Vietcombank: 1012345678", "bank account", "1012345678"),
        ("chuyển vào VCB 1012345678 nhé", "bank account", "1012345678"),
        ("số tk mb: 0987654321", "bank account", "0987654321"),
        ("STK 0912345678 ngân hàng MB", "bank account", "0912345678"),
        ("O9l2 345 678", "phone number", "O9l2 345 678"),
        ("09l2345678", "phone number", "09l2345678"),
        ("gọi O912.345.67I nha", "phone number", "O912.345.67I"),
        (
            "số ta: không chín một hai ba bốn năm sáu bảy tám",
            "phone number",
            "không chín một hai ba bốn năm sáu bảy tám",
        ),
        ("Zalo 0912 345 678", "phone number", "0912 345 678"),
        ("+84 9l2 345 678", "phone number", "+84 9l2 345 678"),
    ],
)
def test_finds(text: str, kind: str, value: str) -> None:
    assert personal_data.find(text) == [(kind, value)]


@pytest.mark.parametrize(
    "text",
    [
        "Ta ăn 1000000000 hạt dẻ, 1.000.000.000 hạt!",
        "Năm 1912 1945 2000, ta chưa sinh",
        "thắng 100-0, 99-1, 12-34-56-78",
        "12345678 con boar",
        "@ta @ngươi",
        "a @ b . c",
        "Gọi 113!",
        "4111 1111 1111 1112",
        "0000 0000 0000 0000",
        "facebook.com",
        "099095012345",
        "000-12-3456, 1078-05-1120",
        "Ta đứng (at) trên đỉnh núi. Gió to!",
        "Ta leo 3/4 vách, nghỉ 10:42, lên tiếp 11:05",
        "Facebook: Inosuke thắng rồi!",
        "VIB 100.000.000 đồng",
        "Ngày 2/9 (2/9) Trần Phú",
        "Line: xếp hàng đi",
        "Đếm: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10",
        "Đếm 5 10 15 20 25 30 35 40",
        "năm 1999 2000 2001 2002",
        "Trần Đại Nghĩa (1913)",
        "Bát 1 2 3 4 5 6 7 8 9 10!",
        "Facebook: nơi toàn người lạ",
        "Zalo: mai gặp",
        "TikTok: video hay ghê",
        "ta xem tiktok, hay lắm",
        "ig là gì?",
        "fb của ta bị khóa",
        "discord là cái gì?",
        "Telegram ở đâu?",
        "Instagram đẹp",
        "Look at google dot com",
        "Ta chấm bài, a còng queo",
        "một chấm hai",
        "tài khoản game của ta có 1000000 vàng",
        "STK 113",
        "tài khoản có 1000000 vàng",
        "tài khoản 1000000 đồng",
        "Hashibira Inosuke sinh ngày 22/4",
        "Ta sinh năm 1905 trên núi",
        "Nguyễn Du viết Truyện Kiều",
        "Nguyễn Văn An học lớp 10 trường Chu Văn An",
        "sinh nhật 12/3 vui không?",
        "Một hai ba bốn năm sáu bảy tám chín mười!",
        "không, một hai ba bốn năm sáu bảy tám chín",
        "10 9 8 7 6 5 4 3 2 1 chạy!",
        "2 4 6 8 10 12 14 16",
        "1 2 3 1 2 3 1 2 3 4 bước",
        "Oooooooooo!",
        "OOO lll",
        "Ta là 0 và 1",
        "0l0l0l0l0l",
        "Ilolo",
        "Looool",
        "MB 16 GB",
        "acb 2024",
        "He looked at live dot",
        "meet at home dot com",
        "Điểm danh: 1 2 3 4 5 6 7 8 9 10 11 12",
        "ACB 123",
        "Ta đấm 100 200 300 400 500 600 cái",
        "Ta ở lớp 1, trường làng, sinh ngày mưa",
        "Trần trụi giữa rừng, sinh năm 2000",
        "Face to face: fight me now",
        "youtube hay hơn",
        "Snap out of it!",
        "Face: đau quá",
    ],
)
def test_leaves_alone(text: str) -> None:
    assert personal_data.find(text) == []


def test_the_number_of_an_account_is_no_phone_number_beside_it() -> None:
    assert personal_data.find("STK 0912345678, gọi 0987 654 321") == [
        ("phone number", "0987 654 321"),
        ("bank account", "0912345678"),
    ]


def test_numbers_without_a_country_code_follow_the_personas_languages() -> None:
    assert personal_data.find("090-1234-5678", ("vi",)) == []
    assert personal_data.find("090-1234-5678", ("ja",)) == [("phone number", "090-1234-5678")]
    assert personal_data.find("06 12 34 56 78", ("fr",)) == [("phone number", "06 12 34 56 78")]


def test_every_turn_and_the_topic_are_looked_at_and_one_flag_lists_it_all(persona: Persona) -> None:
    asked = sample("Số tôi là 0912 345 678, viết a@b.vn", "Ta không biết viết!")
    (found,) = personal_data.check(asked, persona)
    assert found.code == "personal_data"
    assert found.detail == "e-mail address: a@b.vn; phone number: 0912 345 678"
    about = replace(sample("Chào", "Hừ!"), topic="Đoạn hội thoại với a@b.vn")
    assert [f.detail for f in personal_data.check(about, persona)] == ["e-mail address: a@b.vn"]
    assert personal_data.check(sample("Chào", "Hừ!"), persona) == ()
