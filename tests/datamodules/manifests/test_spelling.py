import pytest

from datamodules.manifests.spelling import folded, is_nothing, plain, twins


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("001", "1"), ("300", "300.0"), ("300,0", "300"), ("P7", "p7"), ("P-7", "P_7"), ("P 7", "P7"),
        ("P007", "P7"), ("'001", "1"), ("1,000", "1000"), ("3E2", "300"), ("daic:300", "DAIC:0300"),
        ("P\uff17", "P7"), ("\u0663", "3"), ("\u04207", "P7"), ("Jose", "Jos\xe9"), ("a\xa0b", "a b"),
        ("1_2", "01-02"), ("P7.0", "P7"), ("\u041d1", "\u043d1"), ("P1\u0442", "p1T"), ("\u03b11", "\u03911"),
    ],
)  # fmt: skip
def test_spellings_of_one_name(one, other):
    assert folded(one) == folded(other)
    assert twins([one, "somebody", other]) == [[one, other]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("1-2", "12"), ("daic:300", "edaic:300"), ("s1:2", "s12"), ("1.1", "1.10"), ("10", "1.0"),
        ("P1-2", "P1-20"), ("\u304b", "\u304c"), ("7", "P7"),
    ],
)  # fmt: skip
def test_different_names(one, other):
    assert folded(one) != folded(other)


def test_a_sign_is_kept_where_it_is_asked_for():
    assert folded("T-1", signed=True) != folded("T1", signed=True)
    assert folded("v_01", signed=True) == folded("V1", signed=True)


def test_what_cannot_be_seen_is_undone():
    assert plain(" Mu\u0308\u200b\u200f ") == "M\xfc"
    assert plain("\ufeff007") == "007"


def test_words_for_nobody():
    words = ("NA", "nan", "None", "<NA>", "NULL", "#N/A", "n/a", "-", "?", "..", "-999", "#REF!", " nil ")
    assert all(is_nothing(word) for word in words)
    assert not any(is_nothing(word) for word in ("P7", "0", "Nana", "Noneman", "7", "unknown", "\u540d"))
