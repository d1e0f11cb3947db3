"""Section of a page about the leak audit: the most telling facts first, and what follows from them."""

from collections.abc import Mapping
from typing import Any

from evaluation.audit.leaking_facts import STOP_AUC, STOP_LOW
from evaluation.report.page import Section

_READS = {True: "the network's input", False: "the file"}
_SHOWN = 12
_MEANING = {
    "tells": "How the recordings were made goes with the label: {facts}. A network that can see these from "
    "the recordings need not look at the face",
    "cannot tell": "{facts}: almost the label, but of too few persons to tell a leak from chance",
}


def leak_section(audit: Mapping[str, Any]) -> Section:
    """The table of what `leaking_facts.audit_facts` found, or the reason why it found nothing."""
    found = audit.get("found", [])
    title = "What single facts say of the label"
    if "reason" in audit:
        return Section("leaks", title, f"Not asked: {audit['reason']}.")
    text = (
        f"Before training, {audit['facts']} facts of the training and validation recordings "
        f"({audit['recordings']} of {audit['persons']} persons, {audit['positives']} positive) were asked "
        "what they say of the label, on persons whom the answer was not looked up from. AUC with 95 % "
        f"intervals over persons. A fact of the input with {STOP_AUC} or more (interval above "
        f"{STOP_LOW:.2f}) stops a run; what is known of the file only is told."
    )
    rows = [
        [
            one["fact"] + (f" at {one['site']}" if one["site"] else ""),
            _READS[bool(one["reads"])],
            one["question"],
            {name: one[name] for name in ("value", "low", "high")},
            one["verdict"],
        ]
        for one in found[:_SHOWN]
    ]
    columns = ("Fact", "Of", "Positives", "AUC", "Verdict")
    return Section("leaks", title, text, columns=columns, rows=rows, remarks=_remarks(audit))


def _remarks(audit: Mapping[str, Any]) -> list[str]:
    """What follows from each verdict, once for all facts that have it."""
    facts = {
        verdict: ", ".join(dict.fromkeys(one["fact"] for one in audit["found"] if one["verdict"] == verdict))
        for verdict in _MEANING
    }
    return [_MEANING[verdict].format(facts=names) for verdict, names in facts.items() if names]
