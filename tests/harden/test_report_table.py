"""What is printed: sums that are right, each broken call told once, and nothing that a terminal would obey."""

from rich.console import Console

from straykey.harden import report_table
from straykey.harden.imds_plan import Measure
from straykey.harden.perimeter import Artifact, Kind, Level, role_policy
from straykey.harden.rehearsal import Count, OfRole, Refused
from straykey.harden.report import Rehearsed, Report
from tests.harden.test_needed import need, needs, posture
from tests.harden.workers import ACCOUNT, PUBLIC, called, footprint, scattered, worker

NONE: tuple[Measure, ...] = ()


def printed(what: object) -> str:
    console = Console(width=400, highlight=False, markup=False, emoji=False)
    with console.capture() as captured:
        console.print(what)
    return captured.get()


def rehearsed(kind: Kind, *roles: OfRole, name: str = "") -> Rehearsed:
    artifact = Artifact(kind, "straykey-perimeter", "{}", (ACCOUNT,), name, "vpc-1" if kind is Kind.ENDPOINT else "")
    return Rehearsed(artifact, roles)


def hit(role: str, denied: int, calls: int = 9, by_endpoint: int = 0) -> OfRole:
    refused = (Refused("s3:GetObject", PUBLIC, denied),) if denied else ()
    return OfRole(
        ACCOUNT,
        role,
        Count(calls, denied, refused=refused, by_endpoint=by_endpoint),
        Count(calls=5, denied=4, unknown=1),
    )


def report(*some: Rehearsed, **fields: tuple[object, ...]) -> Report:
    usual = {"needs": (), "spared": (), "left_out": (), "notes": (), "footprints": (footprint(),)} | fields
    return Report(level=Level.NETWORK, rehearsed=some, **usual)  # type: ignore[arg-type]


def line(text: str, begins: str) -> str:
    return next(" ".join(one.split()) for one in text.splitlines() if one.startswith(begins))


def test_a_document_is_told_with_its_length_and_what_it_stops_and_breaks() -> None:
    text = printed(report_table.perimeters(report(rehearsed(Kind.ROLE, hit("web", 3, by_endpoint=2), name="web"))))
    assert line(text, "role-policy ") == "role-policy web of 111122223333 2 of 10240 4/5, 1 unknown 3/9 1 denied"


def test_of_an_endpoints_policy_nothing_is_said_of_thieves_who_do_not_come_through_it() -> None:
    text = printed(report_table.perimeters(report(rehearsed(Kind.ENDPOINT, hit("web", 0)))))
    assert line(text, "endpoint-policy") == "endpoint-policy vpc-1 2 of 20480 - 0/9 -"


def test_whose_calls_break_is_told_with_each_call_and_where_from() -> None:
    text = printed(report_table.perimeters(report(rehearsed(Kind.SCP, hit("web", 3), hit("batch", 4)))))
    assert "scp would have denied 7 calls of 2 roles:" in text
    assert f"web of {ACCOUNT}, 3 of 9: s3:GetObject from 198.18.0.10 (3)" in text
    assert text.index("batch of") < text.index("web of")


def test_what_the_scp_told_of_a_role_is_not_told_again_unless_more_breaks() -> None:
    some = [rehearsed(Kind.ROLE, hit("web", denied), name="web") for denied in (3, 5)]
    text = printed(report_table.perimeters(report(*some, rehearsed(Kind.SCP, hit("web", 3)))))
    assert text.count("scp would have denied") == 1
    assert text.count("role-policy would have denied") == 1
    assert "role-policy would have denied 5 calls of one role" in text


def test_what_is_too_long_left_out_spared_or_unknown_is_said() -> None:
    long = role_policy(footprint(addresses=scattered(2_000)), Level.NETWORK)
    one = OfRole(ACCOUNT, "web-role", Count(2, 0, 2, hangs_on=("aws:SourceVpc",)), Count())
    more = {"left_out": ((Kind.SCP, ACCOUNT, "crawler"),), "spared": ("iam",), "notes": ("Mind this.",)}
    text = printed(report_table.perimeters(report(Rehearsed(long, (one,)), **more)))
    for said in (
        "too long",
        f"crawler of {ACCOUNT}",
        "no endpoint leads there: iam",
        "hangs on aws:SourceVpc",
        "Mind this.",
    ):
        assert said in text


def test_endpoints_are_told_by_state_and_what_is_not_certain_has_a_mark() -> None:
    some = (need(called()), need(called(), read=posture()))
    text = printed(report_table.endpoints(report(needs=some)))
    assert "to be made: s3 ?" in text
    assert "to be made: com.amazonaws.eu-west-1.s3 " in text
    assert "? : the account was not asked" in text


def test_nothing_to_do_and_nothing_missing_is_said_in_words() -> None:
    assert "No key came by IMDSv1" in printed(report_table.imdsv2(NONE))
    assert "shows no gap. Of what is in no record" in printed(report_table.coverage([]))


def test_no_text_of_a_log_reaches_the_terminal_as_it_is() -> None:
    evil = "\x1b[31m\r\u202eweb"
    refused = Count(1, 1, refused=(Refused(f"s3:{evil}", PUBLIC, 1),), hangs_on=(evil,))
    broken = rehearsed(Kind.SCP, OfRole(ACCOUNT, evil, refused, refused))
    some = needs(worker(called(f"{evil}:Get"), role=evil))
    told = report(broken, needs=tuple(some), left_out=((Kind.SCP, ACCOUNT, evil),), spared=(evil,))
    text = printed(report_table.perimeters(told)) + printed(report_table.endpoints(told))
    assert "x1b" in text
    assert not set("\x1b\r\u202e") & set(text)
