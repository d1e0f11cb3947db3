"""Errata: corrections and omissions on the way from a download to a manifest, each with its rule."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Erratum:
    """One correction: the rule behind it, the person, file or row it touched, and what changed.

    Examples:
        >>> str(Erratum(rule="label_409", where="participant 409", change="binary 0 -> 1 (score 10)"))
        'label_409: participant 409: binary 0 -> 1 (score 10)'
    """

    rule: str
    where: str
    change: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.where}: {self.change}"
