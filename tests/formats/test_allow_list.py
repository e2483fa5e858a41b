"""What is written of a list of programs reads back, and what is no such list is refused in full."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from straykey.core.agent import family
from straykey.core.inventory import Inventory, Program
from straykey.errors import UsageError
from straykey.formats import allow_list

ROLE = "111122223333/web-role"

agents = st.text()  # controls and bidirectional overrides included
roles = st.text(min_size=1).map(lambda name: f"111122223333/{name.replace('/', '')}x")


def program(role: str, agent: str, *, is_aws: bool = True) -> Program:
    return Program(role, family(agent), is_aws, 1, 1, "2026-05-04T10:00:00Z", 1, False, agent)


def inventory(*programs: Program) -> Inventory:
    return Inventory(programs, (), ())


def read(text: str) -> dict[str, frozenset[str]]:
    return allow_list.parse(text, "list.json")


def complaint(document: object) -> list[str]:
    """All that is told of a document, by line."""
    with pytest.raises(UsageError) as raised:
        read(document if isinstance(document, str) else json.dumps(document))
    assert raised.value.hint
    return str(raised.value).splitlines()


@given(st.dictionaries(roles, st.sets(agents, min_size=1), max_size=4))
def test_what_is_written_reads_back_whatever_stands_in_a_log(seen: dict[str, set[str]]) -> None:
    text = allow_list.to_document(inventory(*(program(role, one) for role, used in seen.items() for one in used)))
    assert all(" " <= char < "\x7f" or char == "\n" for char in text)
    assert read(text) == {role: frozenset(map(family, used)) for role, used in seen.items()}


@given(st.sets(agents, min_size=1))
def test_what_is_undecided_reads_back_once_it_is_moved(used: set[str]) -> None:
    written = json.loads(allow_list.to_document(inventory(*(program(ROLE, one, is_aws=False) for one in used))))
    written["roles"] = written.pop("undecided")
    assert read(json.dumps(written)) == {ROLE: frozenset(map(family, used))}


def test_a_program_that_is_none_of_awss_is_written_as_undecided_and_allows_nothing() -> None:
    text = allow_list.to_document(inventory(program(ROLE, "aws-cli/2"), program(ROLE, "curl/8", is_aws=False)))
    assert json.loads(text)["undecided"] == {ROLE: ["curl"]}
    assert read(text) == {ROLE: frozenset({"aws-cli"})}


def test_a_role_of_which_all_is_undecided_is_allowed_nothing_yet() -> None:
    assert read(allow_list.to_document(inventory(program(ROLE, "curl/8", is_aws=False)))) == {ROLE: frozenset()}


@pytest.mark.parametrize("role", ["11/web-role", "/web-role", "111122223333/"])
def test_a_role_in_no_account_is_not_written_and_that_is_told(role: str) -> None:
    listed = inventory(program(ROLE, "aws-cli/2"), program(role, "aws-cli/2"))
    assert read(allow_list.to_document(listed)) == {ROLE: frozenset({"aws-cli"})}
    assert allow_list.told(listed) == "1 program allowed to 1 role; 1 not written, of roles in no account"


def test_what_is_undecided_is_told() -> None:
    listed = inventory(program(ROLE, "aws-cli/2"), program(ROLE, "boto3/1"), program(ROLE, "curl/8", is_aws=False))
    told = "2 programs allowed to 1 role, 1 undecided: move to roles what is yours"
    assert allow_list.told(listed) == told


def test_programs_are_read_in_lower_case() -> None:
    assert read(json.dumps({"roles": {ROLE: ["AWS-CLI", "Boto3"]}})) == {ROLE: frozenset({"aws-cli", "boto3"})}


def test_everything_that_is_wrong_is_told_at_once_and_where() -> None:
    wrong = {
        "about": 1,
        "rôles": {},
        "roles": {"web-role": ["boto3"], ROLE: ["aws-cli/2.17", 3, None], "111122223333/batch": "boto3"},
        "undecided": [],
    }
    assert complaint(wrong) == [
        "list.json: no list of programs by role",
        '  "r\\u00f4les" is none of its fields: about, roles, undecided',
        "  about: a number, not a text",
        '  roles, "web-role": no account and role, such as 111122223333/web-role',
        f'  roles, "{ROLE}", program 1: "aws-cli/2.17" is more than a program\'s name, which is "aws-cli"',
        f'  roles, "{ROLE}", program 2: a number, not a text',
        f'  roles, "{ROLE}", program 3: null, not a text',
        '  roles, "111122223333/batch": a text, not a list of programs',
        "  undecided: a list, not an object of roles",
    ]


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ([], "  it holds a list, not an object"),
        ("true", "  it holds true or false, not an object"),
        ({}, "  roles: missing"),
        ({"roles": 1.5}, "  roles: a number, not an object of roles"),
        ({"roles": {ROLE: {}}}, f'  roles, "{ROLE}": an object, not a list of programs'),
        ({"roles": {"*": ["boto3"]}}, '  roles, "*": no account and role, such as 111122223333/web-role'),
        (f'{{"roles": {{"{ROLE}": [], "{ROLE}": []}}}}', f'  "{ROLE}" stands twice'),
    ],
)
def test_a_wrong_shape_is_told(document: object, told: str) -> None:
    assert complaint(document)[1:] == [told]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"roles": {\n  "x": [,]}}', "list.json, line 2, column 9: no JSON: Expecting value"),
        ("[" * 100_000, "list.json: no JSON that can be read"),
        ("9" * 10_000, "list.json: no JSON that can be read"),
    ],
)
def test_what_is_no_json_is_told_with_its_place(text: str, told: str) -> None:
    assert complaint(text) == [told]


def test_nothing_hostile_in_a_list_is_told_as_it_is() -> None:
    (_, told) = complaint({"roles": {"\x1b[2J": []}})
    assert told == '  roles, "\\u001b[2J": no account and role, such as 111122223333/web-role'
