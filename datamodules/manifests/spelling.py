"""Spellings of ids: detects variants of one name, as spreadsheets, keyboards or file systems make them.

Two steps. `plain` undoes what cannot be seen, so that nobody can have meant it. `folded` is a key under which
names are equal that may well be one; who meets two of them stops and asks.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal

# What programs and persons write where there is nothing, in small letters.
_NOTHING = frozenset(
    {
        "", "nan", "na", "n/a", "n.a.", "n.a", "<na>", "#n/a", "#na", "nat", "none", "null", "nil", "unk",
        "missing", "unnamed", "anonymous", "not available", "not known", "k.a.", "#ref!", "#value!",
        "#name?", "#null!", "#num!", "#div/0!", "(null)", "(none)",
        "<null>", "<none>", "(blank)", "undefined",
    }
)  # fmt: skip
_SIGNS = re.compile(r"[\W_]*")  # "-", "?", "..": no letter and no digit
_CODE = re.compile(r"-\d+(\.0*)?")  # -1, -9, -999: how statistics programs code what is missing
_UNSEEN = "\u115f\u1160\u2800\u3164\uffa0\u034f"  # blanks that are letters or marks by category
_ACCENTS = re.compile("[\u0300-\u036f]")
_TWINS = str.maketrans(  # capitals of other scripts that look like Latin ones
    "\u0410\u0412\u0415\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0405\u0422\u0425\u0423\u04ba"
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7",
    "ABEIJKMHOPCSTXYHABEZHIKMNOPTYX",
)
_THOUSANDS = re.compile(r"\+?\d{1,3}(,\d{3})+(\.0*)?")
_NUMBER = re.compile(r"\+?\d+(\.\d*)?(e[+-]?\d{1,2})?")


def plain(text: str) -> str:
    r"""The text in Unicode's composed form (NFC), without characters that show nothing and outer blanks.

    Examples:
        >>> plain("Mu\u0308 \u200b") == "M\u00fc"
        True
    """
    if text.isascii():
        return text.strip()
    seen = (c for c in text if unicodedata.category(c) != "Cf" and not "\ufe00" <= c <= "\ufe0f")
    return unicodedata.normalize("NFC", "".join(c for c in seen if c not in _UNSEEN)).strip()


def is_nothing(text: str) -> bool:
    """Whether an id stands for a missing one: `NA`, `nan`, `None`, `-`, `?`, `-999` and the like.

    Examples:
        >>> is_nothing("<NA>"), is_nothing("P7")
        (True, False)
    """
    text = unicodedata.normalize("NFKC", text).strip().casefold()
    return text in _NOTHING or bool(_SIGNS.fullmatch(text)) or bool(_CODE.fullmatch(text))


def folded(text: str, *, signed: bool = False) -> str:
    """Key that spellings of one name share: case, zeros in front, `.0`, blanks, punctuation, accents, script.

    Punctuation between two digits stays, because `1-2` is not `12`; a colon stays, because it ends the
    name of a corpus.

    Args:
        text: The name.
        signed: Keep a sign in front of a number: visit `T-1` is not `T1`.

    Examples:
        >>> folded("P-007"), folded("p7"), folded("300.0"), folded("1_02")
        ('p7', 'p7', '300', '1-2')
    """
    if text.isascii():
        return ":".join(_folded(part, signed) for part in text.strip().lower().split(":"))
    # capitals first: a small letter of another script is the same letter, and may look like none of ours
    text = unicodedata.normalize("NFKD", plain(text)).upper().translate(_TWINS)
    text = unicodedata.normalize("NFC", _ACCENTS.sub("", text)).casefold()
    text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text)
    return ":".join(_folded(part, signed) for part in text.split(":"))


def _folded(text: str, signed: bool) -> str:
    bare = text.replace(",", "") if _THOUSANDS.fullmatch(text) else text
    if _NUMBER.fullmatch(bare) and (number := Decimal(bare)) == number.to_integral_value():
        return str(int(number))
    text = re.sub(r"(?<=\d)[.,]0+$", "", text)
    text = re.sub(r"(?<!\d)0+(?=\d)", "", text)
    if signed:
        text = re.sub(r"(?<!\d)\s*([-+\u2212])(?=\d)", lambda sign: "m" if sign[1] != "+" else "p", text)
    joined = re.sub(r"(?<=\d)[\W_]+(?=\d)", "-", text)
    return re.sub(r"(?<!\d)[\W_]+|[\W_]+(?!\d)", "", joined) or text


def twins(names: Iterable[str], *, signed: bool = False) -> list[list[str]]:
    """Groups of different names that are spellings of one, in the order of their first appearance."""
    groups: dict[str, dict[str, None]] = defaultdict(dict)
    for name in names:
        groups[folded(name, signed=signed)][name] = None
    return [list(group) for group in groups.values() if len(group) > 1]
