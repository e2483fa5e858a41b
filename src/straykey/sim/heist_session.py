"""Thefts that differ in whose session it is, what it is called, and what is made with it."""

from dataclasses import replace
from datetime import datetime, timedelta

from straykey.sim import hostrole, identifier, identity, operation, route, spree, storage, thief
from straykey.sim.assumption import Assumption, assumed
from straykey.sim.company import ACCOUNTS, Instance
from straykey.sim.heist_network import outside
from straykey.sim.record import Body, Call, Document, Scene, Sender, always, stamp, written
from straykey.sim.spree import Spree
from straykey.sim.stage import Stage
from straykey.sim.thief import Loot, Plot
from straykey.sim.workload import scene_of

_AGENT_TYPE = "CredentialAccess:IAMUser/InstanceUserAgent.Unrecognized"
_NAME_TYPE = "DefenseEvasion:IAMUser/InstanceSessionName.Spoofed"
_NO_SDK = ("curl/8.5.0", "python-requests/2.31.0", "Go-http-client/2.0")
_SPOOFED_CALLS = (storage.LIST_BUCKETS, storage.LIST_OBJECTS, storage.GET_OBJECT)
_HOST_CALLS = (operation.GET_CALLER_IDENTITY, operation.UPDATE_INSTANCE_INFORMATION)


def _resident(stage: Stage) -> Instance:
    it = stage.instance(stage.vpc("public"))
    stage.live(it)
    return it


def ssrf_agent(stage: Stage) -> None:
    """Through the instance itself, by a request that somebody made it send: only the program is strange."""
    victim = _resident(stage)
    network = victim.network("s3")
    plot = Plot(network=network, at=stage.moment(), expected=_AGENT_TYPE, severity="MEDIUM", agents=_NO_SDK)
    thief.steal(stage, victim, plot)


def identity_key(stage: Stage) -> None:
    """A key of EC2's identity role."""
    _host_key(stage, is_managed=False)


def managed_key(stage: Stage) -> None:
    """A key that host management gave to the instance."""
    _host_key(stage, is_managed=True)


def _host_key(stage: Stage, *, is_managed: bool) -> None:
    victim = _resident(stage)
    who = hostrole.managed_session(stage, victim) if is_managed else hostrole.identity_session(stage, victim)
    hostrole.work(stage, victim, who, route.of(victim))
    loot = Loot(spree.as_ever(who), who["arn"], scene_of(victim), victim.id)
    thief.use(stage, loot, Plot(network=outside(stage), at=stage.moment(), calls=_HOST_CALLS, count=8))


def spoofed_name(stage: Stage) -> None:
    """A user, or another role, takes a role and calls itself like an instance."""
    bystander, at, network = _resident(stage), stage.moment(), outside(stage)
    name = bystander.id if stage.coin() else identifier.resource_id(stage.rng, "i")
    role = stage.world.role(stage.account, "reporting-role", "/data/")
    taken = Assumption(role, name, identifier.access_key(stage.rng))
    agent, scene = stage.rng.choice(thief.AGENTS), Scene(stage.account, stage.region, "reporting")
    taking = assumed(stage.rng, at, Sender(_impostor(stage, at), network, agent), taken, scene)
    stage.records.append(taking)
    who = identity.session(role, name, taken.access_key, at)
    begin = at + timedelta(seconds=4)
    plot = Plot(
        network=network,
        at=begin,
        expected=_NAME_TYPE,
        severity="MEDIUM",
        agents=(agent,),
        calls=_SPOOFED_CALLS,
    )
    told = thief.use(stage, Loot(spree.as_ever(who), taken.arn, scene, name), plot)
    stage.thefts[-1] = replace(told, first_seen=stamp(at), event_ids=(taking["eventID"], *told.event_ids))


def _impostor(stage: Stage, at: datetime) -> Document:
    if stage.coin():
        return identity.user(stage.account, "contractor", f"AKIAEXAMPLE{identifier.base32(stage.rng, 9)}")
    role = stage.world.role(stage.account, "support-role")
    return identity.session(role, "dave@example.com", identifier.access_key(stage.rng), at - timedelta(minutes=5))


def pivoting(stage: Stage) -> None:
    """On from the stolen key to a role of another account, and from there to a user's key that does not end."""
    victim, at, network = _resident(stage), stage.moment(), outside(stage)
    plot = Plot(network=network, at=at, lasts=timedelta(minutes=5))
    told = thief.steal(stage, victim, plot)
    other = next(it for it in ACCOUNTS if it != stage.account)
    role = stage.world.role(other, "shared-admin-role", "/org/")
    taken = Assumption(role, "audit-session", identifier.access_key(stage.rng))
    onward = at + timedelta(minutes=6)
    taking = _crossing(stage, thief.loot_of(stage, victim, at), Sender({}, network, told.user_agent), taken, onward)
    admin = Sender(identity.session(role, taken.session, taken.access_key, onward), network, told.user_agent)
    key = f"AKIAEXAMPLE{identifier.base32(stage.rng, 9)}"
    made = _makes_user(stage, admin, other, key, onward + timedelta(seconds=20))
    used = _uses_user(stage, other, key, onward + timedelta(minutes=4))
    direct = [taking[0]["eventID"]]
    stage.records += [*taking, *made, *used]
    stage.thefts[-1] = replace(
        told,
        last_seen=stamp(onward),
        event_ids=(*told.event_ids, *direct),
        made_keys=(taken.access_key, key),
        made_event_ids=tuple(record["eventID"] for record in (*made, *used)),
    )


def _crossing(stage: Stage, loot: Loot, sender: Sender, taken: Assumption, at: datetime) -> list[Document]:
    """AssumeRole into another account: each account gets a copy, the second without the caller's name."""
    caller = replace(sender, identity=loot.who("1.11"))
    own = assumed(stage.rng, at, caller, taken, loot.scene)
    shared = identifier.guid(stage.rng)
    known = caller.identity
    outline = {"type": "AWSAccount", "principalId": known["principalId"], "accountId": known["accountId"]}
    theirs = {
        **own,
        "userIdentity": outline,
        "eventID": identifier.guid(stage.rng),
        "recipientAccountId": taken.role.account,
        "sharedEventID": shared,
    }
    return [{**own, "sharedEventID": shared}, theirs]


def _makes_user(stage: Stage, admin: Sender, account: str, key: str, at: datetime) -> list[Document]:
    name, scene = "backup-agent", Scene(account, "us-east-1")
    user = {"path": "/", "userName": name, "userId": f"AIDAEXAMPLE{name.upper():A<10.10}"}
    user |= {"arn": f"arn:aws:iam::{account}:user/{name}", "createDate": f"{at:%b %d, %Y, %I:%M:%S %p}"}
    granted = {"userName": name, "status": "Active", "accessKeyId": key, "createDate": user["createDate"]}
    calls = (
        ("CreateUser", {"user": user}),
        ("CreateAccessKey", {"accessKey": granted}),
    )
    made = []
    for place, (call_name, response) in enumerate(calls):
        body = Body({"userName": name}, response)
        call = Call("iam", call_name, always(body), read_only=False, region="us-east-1")
        made.append(written(stage.rng, at + timedelta(seconds=9 * place), admin, call, scene))
    return made


def _uses_user(stage: Stage, account: str, key: str, at: datetime) -> list[Document]:
    """The new user's key, from an address the thief has not shown before."""
    who = identity.user(account, "backup-agent", key)
    work = Spree(
        who=spree.as_ever(who),
        route=route.steady(outside(stage)),
        agent=thief.AGENTS[0],
        scene=Scene(account, stage.region),
        calls=(operation.GET_CALLER_IDENTITY, storage.LIST_BUCKETS, storage.LIST_OBJECTS, storage.GET_OBJECT),
    )
    return spree.made(stage.rng, work, spree.within(stage.rng, at, at + timedelta(minutes=8), 8))
