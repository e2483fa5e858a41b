"""Ledgers of fleets and floods, built directly: what could make judging slow, in any size."""

import json
from collections.abc import Callable
from ipaddress import IPv4Address

from msgspec.structs import replace

from straykey.core.grant import Grant
from straykey.core.ledger import Ledger
from straykey.core.making import Made
from straykey.core.network import Network, network_of
from straykey.core.observation import Caller, Event, Issuance, Issued, Use
from straykey.core.ranges import AwsRanges, parse_ranges
from straykey.core.session import Session, parse_principal

ACCOUNT, REGION = "111122223333", "eu-west-1"


def ranges() -> AwsRanges:
    prefixes = [
        {"ip_prefix": "198.18.0.0/16", "region": REGION, "service": "EC2"},
        {"ip_prefix": "44.0.0.0/8", "region": REGION, "service": "EC2"},
        {"ip_prefix": "198.19.0.0/16", "region": "us-east-1", "service": "EC2"},
    ]
    return parse_ranges(json.dumps({"syncToken": "1", "createDate": "", "prefixes": prefixes}).encode())


def at(second: int) -> str:
    minute, hour = second // 60 % 60, second // 3600
    return f"2026-05-{4 + hour // 24:02}T{hour % 24:02}:{minute:02}:{second % 60:02}Z"


def session(number: int, role: str = "web-role") -> Session:
    found = parse_principal(f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/i-{number:017x}")
    if found is None:
        raise ValueError(number)
    return found


def address(number: int, block: str = "44.0.0.0") -> str:
    return str(IPv4Address(int(IPv4Address(block)) + number))


def use(
    ledger: Ledger,
    who: Session,
    network: Network,
    *,
    times: tuple[int, ...] = (0, 1800, 4000),
    key: str = "",
    agents: tuple[str, ...] = ("aws-cli/2.17.0", "Boto3/1.34"),
) -> None:
    """A few calls from one network."""
    for number, second in enumerate(times):
        event = Event(
            time=at(second),
            event_id=f"{who.name} {network.key} {number}",
            call=f"s3.amazonaws.com:Call{number % 3}",
            region=REGION,
            access_key=key or f"ASIA{who.name}",
            agent=agents[number % len(agents)],
            error="",
        )
        role = f"arn:aws:iam::{ACCOUNT}:role/app/{who.role}"
        ledger.observe_use(Use(Caller(who, network, event.access_key, at(0), "2.0", role, ""), event, event.event_id))


def single(n: int) -> Ledger:
    """One address each."""
    ledger = Ledger()
    for number in range(n):
        use(ledger, session(number), network_of(address(number)))
    return ledger


def paired(n: int) -> Ledger:
    """A private address through an endpoint, and a public address, each."""
    ledger = Ledger()
    for number in range(n):
        use(ledger, session(number), network_of(address(number, "10.0.0.0"), f"vpce-{number // 50:04}", ACCOUNT))
        use(ledger, session(number), network_of(address(number)), times=(60, 2000, 3900))
    return ledger


def several(n: int) -> Ledger:
    """Three public addresses each, of twelve that a group of forty shares."""
    ledger = Ledger()
    for number in range(n):
        for turn in range(3):
            place = address(number // 40 * 12 + (number + turn * 5) % 12)
            use(ledger, session(number), network_of(place), times=(turn * 100, 1800 + turn, 4000 + turn))
    return ledger


def mixed(n: int) -> Ledger:
    """Six in ten with one address, three with an endpoint too, one with several."""
    ledger = Ledger()
    for number in range(n):
        who, kind = session(number), number % 10
        if kind > 5:
            use(ledger, who, network_of(address(number, "10.0.0.0"), f"vpce-{number // 50:04}", ACCOUNT))
        if kind < 9:
            use(ledger, who, network_of(address(number)), times=(60, 2000, 3900))
        else:
            for turn in range(3):
                use(ledger, who, network_of(address(2_000_000 + number // 400 * 12 + (number // 10 + turn * 5) % 12)))
    return ledger


def one_address(n: int) -> Ledger:
    """All sessions behind one NAT address; every tenth also somewhere else."""
    ledger = Ledger()
    for number in range(n):
        use(ledger, session(number), network_of(address(1)), times=(number % 60, 1900, 4000 + number % 60))
        if not number % 10:
            use(ledger, session(number), network_of(address(2)), times=(2000, 2100))
    return ledger


def nat_pool(n: int) -> Ledger:
    """Sessions that each use all of a pool of a hundred addresses."""
    ledger = Ledger()
    for number in range(n):
        for turn in range(100):
            place = network_of(address((number + turn) % 100))
            use(ledger, session(number), place, times=(turn, 4000 + turn))
    return ledger


def many_networks(n: int) -> Ledger:
    """One instance with n addresses, half of them AWS's in its region, and an endpoint of a stranger's."""
    ledger = Ledger()
    who = session(1)
    ledger.observe(Issued(who, Issuance(at(0), at(9000), "ASIA1", REGION, "issued", "ec2.amazonaws.com"), ""))
    for number in range(n):
        block = "44.0.0.0" if number % 2 else "203.0.0.0"
        use(ledger, who, network_of(address(number * 65536 % 2**24 + number, block)), times=(number, number + 4000))
    use(ledger, who, network_of("10.9.9.9", "vpce-strange", "999988887777"), times=(5, 6))
    return ledger


def rotating(n: int) -> Ledger:
    """Fifty thieves that rotate through a hundred addresses each; n is their sessions' networks in all."""
    ledger = Ledger()
    for number in range(n // 100):
        use(ledger, session(number), network_of(address(number)))
        for turn in range(100):
            use(ledger, session(number), network_of(address(number * 100 + turn, "203.0.0.0")), times=(2000 + turn,))
    return ledger


def granted(n: int) -> Ledger:
    """One instance with 129 addresses and n grants that name none, by as many interfaces as there are grants."""
    ledger = many_networks(258)
    for number in range(n):
        instance = session(1).name
        ledger.observe(_grant(number, "AttachNetworkInterface", instance=instance, interface=f"eni-{number}"))
    return ledger


def restarted(n: int) -> Ledger:
    """One instance with 129 addresses that is stopped and started n times."""
    ledger = many_networks(258)
    for number in range(n):
        api = "StartInstances" if number % 2 else "StopInstances"
        ledger.grants.note(f"{number // 400}", f"{number}", _grant(number, api, instance=session(1).name), 512)
    return ledger


def all_grants(n: int) -> Ledger:
    """n grants about n / 10 instances."""
    ledger = single(100)
    kinds = ("AllocateAddress", "AssociateAddress", "DisassociateAddress", "StopInstances", "StartInstances")
    for number in range(n):
        which = number // 10
        about = {"instance": f"i-{which:017x}", "allocation": f"eipalloc-{which}", "association": f"eipassoc-{which}"}
        about |= {"address": address(which)} if number % 5 == 0 else {}
        ledger.observe(_grant(number % 4000, kinds[number % 5], **about))
    return ledger


def _grant(second: int, api: str, **about: str) -> Grant:
    blank = Grant(time=at(second), event_id=f"{api} {second} {about}", api=api, account=ACCOUNT, region=REGION)
    return replace(blank, **about)


def pivot_chain(n: int) -> Ledger:
    """A theft, and n sessions of which each made the next."""
    ledger = single(3)
    thief = network_of("203.0.113.66")
    use(ledger, session(0), thief, times=(2000,), key="ASIACHAIN0")
    for number in range(n):
        maker = session(0).arn if not number else _loot(number - 1)
        _make(ledger, number, maker, f"ASIACHAIN{number}", thief, _loot(number), f"ASIACHAIN{number + 1}")
    return ledger


def pivot_shared(n: int) -> Ledger:
    """n thefts that all set one user's password; the user made two thousand sessions."""
    ledger = single(n)
    user = f"arn:aws:iam::{ACCOUNT}:user/bob"
    thief = network_of("203.0.113.66")
    for number in range(n):
        use(ledger, session(number), thief, times=(2000,))
        maker, key = session(number), f"ASIA{session(number).name}"
        _make(ledger, number, maker.arn, key, thief, user, "", "iam.amazonaws.com:UpdateLoginProfile")
    for number in range(2000):
        place = network_of(address(number, "203.1.0.0"))
        _make(ledger, 100_000 + number, user, "ASIABOB", place, _loot(number), f"ASIALOOT{number}")
    return ledger


def _loot(number: int) -> str:
    return f"arn:aws:sts::{ACCOUNT}:assumed-role/loot/{number}"


def _make(
    ledger: Ledger,
    number: int,
    maker: str,
    key: str,
    place: Network,
    made: str,
    made_key: str,
    call: str = "sts.amazonaws.com:AssumeRole",
) -> None:
    event = f"made {number}"
    known = {"region": REGION, "account": ACCOUNT, "maker": maker, "maker_account": ACCOUNT, "maker_key": key}
    where = {"maker_network": place.key, "address": place.address}
    time = at(2000 + number % 80_000)
    ledger.observe(Made(time, event, event, call, made=made, access_key=made_key, **known, **where))


def masquerades(n: int) -> Ledger:
    """n sessions named after instances by n thieves, each used."""
    ledger = single(3)
    for number in range(n):
        who, thief = session(number + 10, "loot"), network_of(address(number // 200, "203.0.0.0"))
        use(ledger, who, thief, key=f"ASIATAKEN{number}")
        maker = f"arn:aws:iam::{ACCOUNT}:user/{number // 200}"
        _make(ledger, number, maker, f"AKIA{number // 200}", thief, who.arn, f"ASIATAKEN{number}")
    return ledger


def programs(n: int) -> Ledger:
    """n instances of one role, each with a program of its own."""
    ledger = Ledger()
    for number in range(n):
        use(ledger, session(number), network_of(address(number)), agents=("aws-cli/2", f"own{number}/1"))
    return ledger


def moved(n: int) -> Ledger:
    """A fleet that leaves one address for another, and that for a third."""
    ledger = Ledger()
    for number in range(n):
        for turn in range(3):
            times = (turn * 9000 + number % 60, turn * 9000 + 4000, turn * 9000 + 8000 + number % 60)
            use(ledger, session(number), network_of(address(turn)), times=times)
    return ledger


# Each with the least size that a benchmark takes.
CROWDS: dict[str, tuple[Callable[[int], Ledger], int]] = {
    "single": (single, 25_000),
    "paired": (paired, 12_500),
    "several": (several, 8_000),
    "mixed": (mixed, 25_000),
    "one_address": (one_address, 12_500),
    "nat_pool": (nat_pool, 250),
    "many_networks": (many_networks, 400),
    "rotating": (rotating, 2_500),
    "granted": (granted, 250),
    "restarted": (restarted, 500),
    "all_grants": (all_grants, 50_000),
    "pivot_chain": (pivot_chain, 2_500),
    "pivot_shared": (pivot_shared, 250),
    "masquerades": (masquerades, 2_500),
    "programs": (programs, 5_000),
    "moved": (moved, 4_000),
}
