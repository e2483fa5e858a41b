"""docs/contain.md says what the code does."""

import json

from straykey.contain.catalogue import ABOUT, AFTER_A_DENY, About
from straykey.contain.needs import CHECKS
from straykey.contain.plan import Option
from straykey.permissions import FEATURES
from tests.conftest import ROOT, Golden
from tests.contain.thefts import ENDPOINT, NAT, account, as_role, called, heirs, plan_of, theft

PAGE = ROOT / "docs/contain.md"
FULL = as_role(theft(**heirs()), calls=(called("s3:GetObject", NAT), called("sts:AssumeRole", NAT)))


def between(page: str, mark: str, content: str) -> str:
    """`page` with what stands after a mark replaced."""
    begin = f"<!-- {mark} -->\n"
    assert page.count(begin) == 1
    before, _, rest = page.partition(begin)
    return f"{before}{begin}{content}<!-- end -->{rest.partition('<!-- end -->')[2]}"


def options_table() -> str:
    head = "| option | what it does | what it breaks | what it does not stop | undone by |\n|---|---|---|---|---|\n"
    return head + "".join(
        f"| `{option.value}` | {about.does} | {about.breaks} | {own_limits(about)} | {about.undo} |\n"
        for option, about in ABOUT.items()
    )


def own_limits(about: About) -> str:
    return " ".join(limit for limit in about.limits if limit not in AFTER_A_DENY)


def permissions_table() -> str:
    plans = [plan_of(option, FULL, account()) for option in Option]
    rows = (f"| `{plan.option.value}` | {', '.join(f'`{one}`' for one in plan.permissions)} |\n" for plan in plans)
    return "| option | permissions |\n|---|---|\n" + "".join(rows)


def purposes_table() -> str:
    by_name = {feature.name: feature for feature in FEATURES}
    rows = {
        "to compare: what the role and the instance are": sorted(by_name["contain"].actions),
        "before `--apply`, and `--rollback`: whose account it is, and whether the plan fits and is allowed": CHECKS,
        "for each option: its calls, their undoing, and to see that they are done": ["the next table"],
        "`--verify` from the event history": sorted(by_name["history"].actions),
        "`--verify` from a trail's bucket": ["see [s3.md](s3.md#permissions)"],
    }
    body = (
        f"| {purpose} | {', '.join(f'`{one}`' if ':' in one else one for one in needed)} |\n"
        for purpose, needed in rows.items()
    )
    return "| purpose | permissions |\n|---|---|\n" + "".join(body)


def test_the_page_is_made_from_the_code(golden: Golden) -> None:
    (deny,) = plan_of(Option.PIN, theft(homes=(NAT, ENDPOINT))).denies
    policy = f"```json\n{json.dumps(json.loads(deny.document), indent=1)}\n```\n"
    page = PAGE.read_text()
    going_on = "".join(f"* {limit}\n" for limit in AFTER_A_DENY)
    page = between(page, "going-on", going_on)
    for mark, content in (
        ("options", options_table()),
        ("pin", policy),
        ("purposes", purposes_table()),
        ("permissions", permissions_table()),
    ):
        page = between(page, mark, content)
    golden("docs/contain.md", page)


def test_every_option_is_explained_in_the_order_of_plans() -> None:
    assert list(ABOUT) == list(Option)
    for about in ABOUT.values():
        assert all(text.endswith(".") for text in (about.does, about.breaks, about.undo, *about.limits))


def test_every_plan_says_what_its_option_does_not_stop() -> None:
    for option in Option:
        for read in (None, account()):
            assert plan_of(option, FULL, read).limits[: len(ABOUT[option].limits)] == ABOUT[option].limits
