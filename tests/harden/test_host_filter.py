"""Rules for packet filters: as files, as the tools themselves read them, and as they work."""

import shlex
import sys
from pathlib import Path

import pytest

from straykey.errors import UsageError
from straykey.harden.host_filter import LAYER_7, NOT_COVERED, Tool, how_to_load, how_to_undo, rules
from tests.conftest import Golden
from tests.filters import in_own_network, need, need_root

LINUX = (Tool.NFTABLES, Tool.IPTABLES, Tool.IP6TABLES)
COMMANDS = {Tool.NFTABLES: "nft", Tool.IPTABLES: "iptables", Tool.IP6TABLES: "ip6tables"}
# Both exist on every Debian.
USERS = ["daemon", "4711"]


@pytest.mark.parametrize("tool", Tool)
def test_the_rules_are_as_reviewed(tool: Tool, golden: Golden) -> None:
    told = f"{rules(tool, USERS)}\n# --- load\n{how_to_load(tool)}\n# --- undo\n{how_to_undo(tool)}"
    golden(f"tests/golden/harden/host_filter.{tool}.txt", told)


@pytest.mark.parametrize("tool", Tool)
def test_no_other_address_is_named(tool: Tool) -> None:
    named = rules(tool, USERS)
    assert "169.254.170" not in named
    assert "fd00:ec2::23" not in named
    assert "169.254.169.253" not in named


@pytest.mark.parametrize("tool", Tool)
def test_root_is_allowed_unless_the_user_says_otherwise(tool: Tool) -> None:
    assert "root" in rules(tool, ["app"])
    assert "root" not in rules(tool, ["app"], with_root=False)


@pytest.mark.parametrize("tool", Tool)
def test_a_user_who_is_named_twice_is_allowed_once(tool: Tool) -> None:
    assert rules(tool, ["app", "0", "root", "app"]) == rules(tool, ["app"])


@pytest.mark.parametrize(
    "user", ["", "App", "a b", "a;b", "a\nb", "app\n", "$(id)", "-m", "%1", "ä", "a" * 33, "01", "4294967295", "9" * 11]
)
def test_what_is_no_user_is_refused(user: str) -> None:
    with pytest.raises(UsageError, match="not a user's name or id"):
        rules(Tool.NFTABLES, [user])


def test_rules_that_let_nobody_in_are_refused() -> None:
    with pytest.raises(UsageError, match="no user would reach"):
        rules(Tool.PF, [], with_root=False)


def test_a_path_that_would_be_read_as_more_is_refused() -> None:
    with pytest.raises(UsageError, match="not a path"):
        how_to_load(Tool.IPTABLES, "x; reboot")


def test_what_is_not_covered_is_said_in_words() -> None:
    told = " ".join(NOT_COVERED)
    for word in ("Containers", "forwarded", "sudo", "primary group", "root starts", "source/destination check"):
        assert word in told
    assert "User-Agent" in " ".join(LAYER_7)


def checked(tool: Tool, text: str, folder: Path) -> tuple[int, str]:
    """What the tool's own check says of rules, nothing being loaded."""
    (folder / "rules").write_text(text)
    check = "nft -c -f rules" if tool is Tool.NFTABLES else f"{tool}-restore --noflush --test < rules"
    outcome = in_own_network(check, folder)
    return outcome.returncode, outcome.stderr


@pytest.mark.parametrize("tool", LINUX)
def test_the_tool_itself_finds_the_rules_sound(tool: Tool, tmp_path: Path) -> None:
    need(COMMANDS[tool])
    assert checked(tool, rules(tool, USERS), tmp_path) == (0, "")


BROKEN = {
    Tool.NFTABLES: ("hook output", "hook outptu", "unknown chain hook"),
    Tool.IPTABLES: ("--uid-owner", "--uid-ownr", "unknown option"),
    Tool.IP6TABLES: ("icmp6-adm-prohibited", "icmp6-adm-prohibted", "unknown reject type"),
}


@pytest.mark.parametrize("tool", LINUX)
def test_the_tool_itself_refuses_broken_rules(tool: Tool, tmp_path: Path) -> None:
    need(COMMANDS[tool])
    right, wrong, complaint = BROKEN[tool]
    status, said = checked(tool, rules(tool, USERS).replace(right, wrong), tmp_path)
    assert status != 0
    assert complaint in said


def listed(tool: Tool) -> str:
    """The command that shows all rules in one form."""
    return "nft -s list ruleset" if tool is Tool.NFTABLES else f"{tool} -S"


@pytest.mark.parametrize("tool", LINUX)
def test_loading_twice_does_what_loading_once_does_and_undoing_leaves_nothing(tool: Tool, tmp_path: Path) -> None:
    need(COMMANDS[tool])
    (tmp_path / "rules").write_text(rules(tool, USERS))
    (tmp_path / "load").write_text(how_to_load(tool, "rules"))
    (tmp_path / "undo").write_text(how_to_undo(tool))
    # Rules of others, and Docker's chain, must be there afterwards as before.
    own = "" if tool is Tool.NFTABLES else f"{tool} -N DOCKER-USER; {tool} -A OUTPUT -p tcp --dport 25 -j DROP;"
    show = listed(tool)
    script = f"set -e; {own} {show} >0; sh load; {show} >1; sh load; {show} >2; sh undo; {show} >3"
    outcome = in_own_network(script, tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    before, once, twice, after = ((tmp_path / name).read_text() for name in "0123")
    assert once == twice
    assert before == after
    assert once != before
    assert tool is Tool.NFTABLES or once.count("-A DOCKER-USER") == 1


CALL = """
import os, socket, sys
os.setgroups([]); os.setgid(int(sys.argv[1])); os.setuid(int(sys.argv[1]))
is_v6 = ":" in sys.argv[2]
calling = socket.socket(socket.AF_INET6 if is_v6 else socket.AF_INET)
calling.settimeout(5)
calling.bind((sys.argv[3], 0))
try:
    calling.connect((sys.argv[2], 80))
    print(sys.argv[1], "reached")
except OSError as refusal:
    print(sys.argv[1], type(refusal).__name__)
"""
SERVE = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
sockets = [socket.create_server((one, 80), family=family) for one in sys.argv[1:]]
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("tool", LINUX)
def test_only_named_users_reach_the_service_and_others_are_refused_at_once(tool: Tool, tmp_path: Path) -> None:
    need(COMMANDS[tool], "ip")
    need_root()
    address, beside = (
        ("fd00:ec2::254", "fd00:ec2::23") if tool is Tool.IP6TABLES else ("169.254.169.254", "169.254.170.2")
    )
    for name, text in {
        "rules": rules(tool, USERS),
        "load": how_to_load(tool, "rules"),
        "call.py": CALL,
        "serve.py": SERVE,
    }.items():
        (tmp_path / name).write_text(text)
    python = shlex.quote(sys.executable)
    caller = "::1" if tool is Tool.IP6TABLES else "127.0.0.1"  # else it would call from the service's own address
    script = f"""
        ip link set lo up; ip address add {address} dev lo; ip address add {beside} dev lo
        mkfifo stop; {python} serve.py {address} {beside} < stop > ready & exec 9>stop
        while ! grep -q ready ready; do kill -0 $! || exit 1; done
        sh load || exit 1
        for user in 0 4711 1 65534; do {python} call.py $user {address} {caller}; done
        {python} call.py 65534 {beside} {caller}
        exec 9>&-; wait"""
    outcome = in_own_network(script, tmp_path)
    assert outcome.stdout.splitlines() == [
        "0 reached",
        "4711 reached",
        "1 reached",
        "65534 ConnectionRefusedError",
        "65534 reached",
    ], outcome.stderr


@pytest.mark.parametrize("tool", [Tool.NFTABLES, Tool.IPTABLES])
def test_what_is_forwarded_is_refused_whoever_asks(tool: Tool, tmp_path: Path) -> None:
    """As from a container with a network of its own."""
    need(COMMANDS[tool], "ip")
    need_root()
    for name, text in {"rules": rules(tool, USERS), "load": how_to_load(tool, "rules"), "call.py": CALL}.items():
        (tmp_path / name).write_text(text)
    script = f"""
        mkfifo stop; unshare --net cat stop & container=$!; exec 9>stop
        until [ "$(readlink /proc/$container/ns/net)" != "$(readlink /proc/self/ns/net)" ]; do :; done
        ip link add outside type veth peer name inside netns $container
        ip address add 10.1.0.1/24 dev outside; ip link set outside up
        echo 1 > /proc/sys/net/ipv4/ip_forward
        ip link add uplink type veth peer name far; ip link set uplink up; ip link set far up
        ip address add 10.2.0.1/24 dev uplink; ip route add 169.254.169.254 dev uplink
        sh load || exit 1
        inside="nsenter --net=/proc/$container/ns/net"
        $inside ip address add 10.1.0.2/24 dev inside; $inside ip link set inside up
        $inside ip route add default via 10.1.0.1
        $inside {shlex.quote(sys.executable)} call.py 0 169.254.169.254 10.1.0.2
        exec 9>&-; wait"""
    outcome = in_own_network(script, tmp_path)
    assert outcome.stdout.splitlines() == ["0 ConnectionRefusedError"], outcome.stderr
