"""What became of findings, as the commands print it."""

import json

from msgspec.structs import replace

from straykey.core import lifecycle
from straykey.core.finding import Status
from straykey.core.lifecycle import Tracked
from straykey.core.rule import rule_of
from straykey.formats import tracked_json, tracked_table
from straykey.formats.tracked_json import Delivery, Followed, RuleState, Telling
from tests.conftest import Golden
from tests.formats import variants
from tests.formats.test_finding import on_terminal

NOW, LATER = "2026-05-04T10:06:00Z", "2026-05-04T12:00:00Z"
RULE = rule_of(
    {"role": "web-role", "network": "203.0.113.0/24"},
    reason="red team",
    by="ann",
    created="2026-05-04T11:00:00Z",
    expires="2026-05-08T00:00:00Z",
)
OPEN = Tracked(variants.stolen(), Status.OPEN, NOW, NOW)
SEEN = lifecycle.acknowledged(Tracked(variants.delivered(), Status.OPEN, NOW, NOW), "on our list", "ann", LATER)
HIDDEN = lifecycle.judged(OPEN, OPEN.finding, [RULE], LATER)
FOLLOWED = Followed(
    HIDDEN,
    RULE,
    [Telling(NOW, "open", ""), Telling(LATER, "suppressed", f"{RULE.id}: red team")],
    [
        Delivery("hub", "delivered", NOW, NOW, 0, ""),
        Delivery("pager", "parked", NOW, NOW, 3, "410: gone"),
        Delivery("hub", "waiting", LATER, LATER, 1, "503: later"),
    ],
)
RULES = [RuleState(RULE, is_live=True, hid=3, hides=1), RuleState(RULE.ended(LATER), is_live=False, hid=0, hides=0)]


def test_a_list_a_finding_and_the_rules_on_a_terminal(golden: Golden) -> None:
    parts = [
        tracked_table.render([OPEN, SEEN], id_length=8),
        tracked_table.render_one(FOLLOWED),
        tracked_table.render_rules(RULES),
    ]
    golden("tests/golden/tracked.txt", "\n".join(map(on_terminal, parts)))


def test_a_finding_and_the_rules_as_json(golden: Golden) -> None:
    golden("tests/golden/tracked.json", f"{tracked_json.to_whole(FOLLOWED)}\n{tracked_json.to_rules(RULES)}\n")


def test_a_list_as_json_is_a_scans_with_what_became_of_each() -> None:
    (first, second) = json.loads(tracked_json.to_document([OPEN, SEEN]))["findings"]
    assert first["tracked"] == {"opened": NOW, "changed": NOW, "by": None, "note": None, "rule": None, "told": None}
    assert (second["status"], second["acknowledged"]) == ("acknowledged", "ann: on our list")
    assert json.loads(tracked_json.to_line(OPEN)) == first


def test_many_tellings_are_cut_and_the_latest_stay() -> None:
    tellings = [Telling(f"2026-05-04T10:{n:02}:00Z", "open", "") for n in range(60)]
    shown = on_terminal(tracked_table.render_one(replace(FOLLOWED, tellings=tellings)))
    assert "… 20 before" in shown
    assert "10:59:00Z  open" in shown
    assert "10:19:00Z  open" not in shown


def test_nothing_hostile_reaches_a_terminal_raw() -> None:
    bad = lifecycle.resolved(replace(OPEN, finding=variants.hostile()), variants.HOSTILE, variants.HOSTILE, LATER)
    rule = replace(RULE, reason=variants.HOSTILE, by=variants.HOSTILE, role=variants.HOSTILE)
    delivery = Delivery(variants.HOSTILE, "parked", NOW, NOW, 1, variants.HOSTILE)
    whole = Followed(bad, rule, [Telling(NOW, "open", variants.HOSTILE)], [delivery])
    state = RuleState(rule, is_live=True, hid=1, hides=1)
    shown = [
        *map(on_terminal, (tracked_table.render([bad], id_length=8), tracked_table.render_one(whole))),
        on_terminal(tracked_table.render_rules([state])),
        *(tracked_json.to_whole(whole), tracked_json.to_rules([state])),
    ]
    for text in shown:
        assert not set("\x1b\x07\u202e") & set(text)
