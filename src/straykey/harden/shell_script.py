"""The pieces of a perimeter as a script of AWS's command line: `bash FILE`, with a part and what of it is meant.

It does nothing that was not named, only what belongs to the account whose credentials it has.  Each part but `trails`
has one that takes it back; what a logged call cannot tell, how things were before, the script itself reads and keeps.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence

from straykey.formats.text import as_json, printable
from straykey.harden.blindness import listed
from straykey.harden.imds_plan import Step
from straykey.harden.pieces import Command, OnEndpoint, OnRole, Opening, Organized, Pieces, Place
from straykey.harden.shell_frame import FRAME, when, word
from straykey.harden.shell_trails import mended

_SEVERAL = ("openings", "undo-openings", "attach", "detach", "imds", "undo-imds")
_SIMPLE = (
    "role-policies",
    "undo-role-policies",
    "endpoint-policies",
    "undo-endpoint-policies",
    "create-policies",
    "delete-policies",
    "key-policy",
    "undo-key-policy",
    "trails",
)
# What changes an instance, or a region's default, and what takes that back.
_STATES = {
    Step.REQUIRE: ("change_instance", "restore_instance"),
    Step.HOPS: ("change_instance", "restore_instance"),
    Step.DEFAULT: ("change_default", "restore_default"),
}


def shell_script(pieces: Pieces) -> str:
    """For bash, and version 1 or 2 of AWS's command line."""
    bodies = {
        "list": list(_list(pieces)),
        "part_openings": [line for one in pieces.openings for line in _open(one)],
        "part_undo_openings": [line for one in pieces.openings for line in _close(one)],
        "part_role_policies": [line for one in pieces.roles for line in _put(one)],
        "part_undo_role_policies": [line for one in pieces.roles for line in _delete(one)],
        "part_endpoint_policies": [line for one in pieces.endpoints for line in _on_endpoint(one)],
        "part_undo_endpoint_policies": [line for one in pieces.endpoints for line in _off_endpoint(one)],
        "part_create_policies": [line for one in pieces.organized for line in _create(one)],
        "part_delete_policies": [line for one in pieces.organized for line in _destroy(one)],
        "part_attach": [line for one in pieces.organized for line in _placed(one, "attach-policy")],
        "part_detach": [line for one in pieces.organized for line in _placed(one, "detach-policy")],
        "part_key_policy": list(_key_policy(pieces)),
        "part_undo_key_policy": list(_no_key_policy(pieces)),
        "part_imds": [line for one in pieces.commands for line in _command(one)],
        "part_undo_imds": [line for one in pieces.commands for line in _undone(one)],
        "part_trails": list(mended(pieces.gaps)),
    }
    return FRAME.format(
        remarks="\n".join(f"# {printable(one)}" for one in pieces.remarks) or "# Nothing was noted.",
        functions="\n\n".join(_function(name, body) for name, body in bodies.items()),
        several=" | ".join(_SEVERAL),
        simple=" | ".join(_SIMPLE),
    )


def _function(name: str, body: Sequence[str]) -> str:
    return "\n".join([f"{name}() {{", *(f"  {line}" for line in body or [":"]), "}"])


def _json(**parameters: object) -> str:
    return shlex.quote(as_json(parameters))


def _in(place: Place) -> str:
    return f"local region=({f'--region {word(place.region)}' if place.region else ''})"


def _list(pieces: Pieces) -> Iterator[str]:
    for one in pieces.openings:
        yield _told(one.place, f"openings {one.vpc} {one.service}", one.about)
    for role in pieces.roles:
        yield _told(role.place, f"role-policies {role.role}", role.about)
    for gate in pieces.endpoints:
        yield _told(gate.place, f"endpoint-policies {gate.endpoint}", gate.about)
    for policy in pieces.organized:
        yield _told(Place("organization"), f"create-policies {policy.name}", policy.about)
    for command in pieces.commands:
        yield _told(Place(command.account), f"imds {command.step.value} {command.key}", "")
    for number, gap in enumerate(pieces.gaps, 1):
        yield _told(Place(gap.owner or gap.account), f"trails {number}", listed(gap))


def _told(place: Place, what: str, about: str) -> str:
    said = f"{place.account or 'of some account'}: {what}. {about}".rstrip()
    return f"printf '%s\\n' {word(said)}"


def _put(one: OnRole) -> Iterator[str]:
    call = _json(RoleName=one.role, PolicyName=one.name, PolicyDocument=one.document)
    said = f"policy {one.name} on role {one.role}"
    yield from when(one.place.account, one.role, said, [f"attempt aws iam put-role-policy --cli-input-json {call}"])


def _delete(one: OnRole) -> Iterator[str]:
    call = _json(RoleName=one.role, PolicyName=one.name)
    said = f"policy {one.name} off role {one.role}"
    yield from when(one.place.account, one.role, said, [f"attempt aws iam delete-role-policy --cli-input-json {call}"])


def _key_policy(pieces: Pieces) -> Iterator[str]:
    for one in pieces.keys:
        call = f"aws iam put-role-policy --cli-input-json {_json(PolicyName=one.name, PolicyDocument=one.text)}"
        yield from _on_canaries(pieces, f"{one.name} on role", call)


def _no_key_policy(pieces: Pieces) -> Iterator[str]:
    for one in pieces.keys:
        call = f"aws iam delete-role-policy --cli-input-json {_json(PolicyName=one.name)}"
        yield from _on_canaries(pieces, f"{one.name} off role", call)


def _on_canaries(pieces: Pieces, said: str, call: str) -> Iterator[str]:
    """The document once, however many the roles."""
    yield f'set_keys() {{\n    attempt {call} --role-name "$1"\n  }}'
    for place, role in pieces.canaries:
        yield from when(place.account, role, f"{said} {role}", [f"set_keys {word(role)}"])


def _on_endpoint(one: OnEndpoint) -> Iterator[str]:
    call = _json(VpcEndpointId=one.endpoint, PolicyDocument=one.document)
    lines = [_in(one.place), f"attempt put_endpoint_policy {word(one.endpoint)} {call}"]
    yield from when(one.place.account, one.endpoint, f"policy of {one.endpoint} in {one.vpc}. {one.about}", lines)


def _off_endpoint(one: OnEndpoint) -> Iterator[str]:
    lines = [_in(one.place), f"attempt restore_endpoint_policy {word(one.endpoint)}"]
    yield from when(one.place.account, one.endpoint, f"old policy of {one.endpoint} in {one.vpc}", lines)


def _query(one: Organized) -> str:
    """JMESPath for the policy's id; a literal between back quotes is JSON."""
    literal = as_json(one.name).replace("`", "\\`")
    return f"{word(one.type)} {shlex.quote(f'Policies[?Name==`{literal}`].Id')}"


def _create(one: Organized) -> Iterator[str]:
    call = _json(Name=one.name, Type=one.type, Description="By straykey", Content=one.document)
    yield from when("", one.name, f"create {one.type} {one.name}", [f"create_policy {_query(one)} {call}"])


def _destroy(one: Organized) -> Iterator[str]:
    yield from when("", one.name, f"delete {one.type} {one.name}", [f"delete_policy {_query(one)}"])


def _placed(one: Organized, how: str) -> Iterator[str]:
    said = f"{how} {one.name}"
    yield from when("", one.name, said, [f'place_policy {how} "$1" {_query(one)}'], '"${@:2}"')


def _open(one: Opening) -> Iterator[str]:
    tags = {"ResourceType": "vpc-endpoint", "Tags": [{"Key": "straykey", "Value": "harden"}]}
    call: Mapping[str, object] = {
        "VpcId": one.vpc,
        "ServiceName": one.service,
        "VpcEndpointType": "Gateway" if one.is_gateway else "Interface",
        "TagSpecifications": [tags],
        **({} if one.is_gateway else {"PrivateDnsEnabled": True}),
    }
    there = _asked(one, {"vpc-endpoint-state": ["available", "pending", "pendingAcceptance"]})
    line = f"open_endpoint {there} {_json(**call)}"
    wanted = ["ROUTE_TABLES"] if one.is_gateway else ["SUBNETS", "SECURITY_GROUPS"]
    options = {
        "ROUTE_TABLES": "--route-table-ids",
        "SUBNETS": "--subnet-ids",
        "SECURITY_GROUPS": "--security-group-ids",
    }
    # Several ids are several words.
    ways = " ".join(f"{options[name]} ${{{name}:?}}" for name in wanted)
    yield from _at_vpc(one, f"endpoint for {one.service} in {one.vpc}", [f"{line} {ways}"])


def _close(one: Opening) -> Iterator[str]:
    there = _asked(one, {"tag:straykey": ["harden"]})
    yield from _at_vpc(one, f"no endpoint for {one.service} in {one.vpc}", [f"close_endpoint {there}"])


def _at_vpc(one: Opening, said: str, lines: Sequence[str]) -> Iterator[str]:
    yield f'if [ "$1" = {word(one.vpc)} ]; then'
    inner = when(one.place.account, one.service, said, [_in(one.place), *lines], '"${@:2}"')
    yield from (f"  {line}" for line in inner)
    yield "fi"


def _asked(one: Opening, more: Mapping[str, Sequence[str]]) -> str:
    filters = {"vpc-id": [one.vpc], "service-name": [one.service], **more}
    return _json(Filters=[{"Name": name, "Values": list(values)} for name, values in filters.items()])


def _command(one: Command) -> Iterator[str]:
    """What changes something keeps first how it was."""
    keep = _STATES.get(one.step)
    words = [*([keep[0], *_whereabouts(one)] if keep else []), *one.argv]
    yield from _at_step(one, f"{one.step.value} {one.key}", ["attempt", *words])


def _undone(one: Command) -> Iterator[str]:
    keep = _STATES.get(one.step)
    if keep:
        yield from _at_step(one, f"back from {one.step.value} {one.key}", ["attempt", keep[1], *_whereabouts(one)])


def _whereabouts(one: Command) -> tuple[str, ...]:
    return one.step.value, one.key, one.region


def _at_step(one: Command, said: str, words: Iterable[str]) -> Iterator[str]:
    yield f'if [ "$1" = {word(one.step.value)} ]; then'
    inner = when(one.account, one.key, said, [" ".join(map(word, words))], '"${@:2}"')
    yield from (f"  {line}" for line in inner)
    yield "fi"
