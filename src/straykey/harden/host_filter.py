"""Rules for a host's own packet filter that let only named users reach the metadata service.

They match the service's two addresses and nothing else: ECS's 169.254.170.2, EKS's 169.254.170.23 and fd00:ec2::23, and
the resolver and the clock beside it stay as they are.  Who may not call is refused at once, not left to wait: an SDK
that gets no answer at all tries again for seconds, each time it looks for keys.
"""

import re
from collections.abc import Callable, Sequence
from enum import StrEnum

from straykey.errors import UsageError

IMDS_V4 = "169.254.169.254"
IMDS_V6 = "fd00:ec2::254"
ROOT = "root"  # cloud-init and the SSM agent run as root

NAME = "straykey_imds"  # of the table, chain or anchor
_CHAIN = NAME.upper()
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_UID = re.compile(r"0|[1-9][0-9]{0,9}")
_MOST_UIDS = 2**32 - 2  # the last one means "nobody in particular"
_MOST_USERS = 64
_IPFW_SET = 21
_IPFW_FIRST = 110


class Tool(StrEnum):
    NFTABLES = "nftables"
    IPTABLES = "iptables"
    IP6TABLES = "ip6tables"
    PF = "pf"
    IPFW = "ipfw"


NOT_COVERED = (
    "Programs of the system that ask for themselves: EC2 Instance Connect reads keys for SSH as its own user, so name "
    "`ec2-instance-connect` where it is used, and whatever else ran as no root and no user you named.",
    "Containers and virtual machines with a network of their own: to this host their calls are forwarded traffic, "
    "which has no user. nftables and iptables refuse it altogether; give such workloads keys of their own (ECS "
    "task roles, EKS Pod Identity). With Docker, the iptables rules need the line for DOCKER-USER, too, that "
    "comes with them. pf and ipfw here know the calls of the host itself only.",
    "Containers in the network of their host, as with --network host or hostNetwork: they are told apart by user "
    "id alone, and root in such a container is root to the filter.",
    "Whoever may become an allowed user, by sudo, a setuid program, cron or a systemd unit; and what root starts "
    "before it gives up its rights.",
    "An allowed program that is made to ask: server-side request forgery in it comes as its own user. Require IMDSv2.",
    "Groups: a rule by group would see a process's primary group only, so there are none.",
    "Traffic that something rewrites before the filter sees it, such as the proxy of kube2iam or kiam on port 80 "
    "of the service's address.",
    "An instance that forwards for others, its source/destination check off: what comes in and leaves again is "
    "refused by nftables and iptables only, and on the way through other hosts by nobody.",
    "Keys that were taken before, and keys that lie elsewhere: in environment variables, files and the memory of "
    "programs.",
    "The next start: no tool keeps these rules by itself; what is loaded now is gone then unless it is saved.",
)

LAYER_7 = (
    "A packet filter knows who calls, not what for. A proxy before the service can insist on a User-Agent that "
    "begins as an AWS SDK's does, as Netflix's aws-metadata-proxy did: a forged request seldom can set one.",
    "It can allow paths: all of /latest/meta-data but /latest/meta-data/iam/security-credentials/, or the keys of "
    "one role.",
    "It can hand each container its own role's keys, and refuse IMDSv1 to one program at a time.",
    "IMDSv2 stops most forged requests without a proxy: they can send neither PUT nor a header, and a token's "
    "answer goes no farther than the hop limit. Rules by user stop a process of another user, which IMDSv2 does "
    "not.",
)


def rules(tool: Tool, users: Sequence[str], *, with_root: bool = True) -> str:
    """Rules in the tool's own language.  Names are looked up by the tool as it loads them: each must exist on the host.

    Without root, cloud-init and the SSM agent are shut out, too.  Raises UsageError for what is no user's name or id.
    """
    return _RULES[tool](_allowed(users, with_root=with_root))


def how_to_load(tool: Tool, file: str = "") -> str:
    """Commands for a root shell: check the rules, load them, keep them over a restart.  Twice does what once does."""
    return _LOADING[tool].replace("FILE", _path(file) if file else FILES[tool])


def how_to_undo(tool: Tool) -> str:
    """Commands for a root shell that take all of it back, and nothing else."""
    return _UNDOING[tool]


FILES = {
    Tool.NFTABLES: "/etc/straykey/imds.nft",
    Tool.IPTABLES: "/etc/straykey/imds.iptables",
    Tool.IP6TABLES: "/etc/straykey/imds.ip6tables",
    Tool.PF: "/etc/pf.anchors/straykey_imds",
    Tool.IPFW: "/etc/straykey/imds.ipfw",
}


def _path(file: str) -> str:
    if not re.fullmatch(r"/?[\w.+/-]+", file, re.ASCII):
        raise UsageError(
            f"not a path that can stand in a command: {file!r}", hint="letters, digits, . _ + - and / only"
        )
    return file


def _allowed(users: Sequence[str], *, with_root: bool) -> list[str]:
    """Each user once, in order, with root first."""
    named = [_user(one) for one in users]
    allowed = list(dict.fromkeys([ROOT, *named] if with_root else named))
    if not allowed:
        raise UsageError("no user would reach the metadata service", hint="name one, or switch the service off instead")
    if len(allowed) > _MOST_USERS:
        raise UsageError(f"{len(allowed)} users: a list this long keeps nobody out", hint=f"name {_MOST_USERS} at most")
    return allowed


def _user(text: str) -> str:
    if _UID.fullmatch(text) and int(text) <= _MOST_UIDS:
        return ROOT if text == "0" else text
    if not _USER.fullmatch(text):
        raise UsageError(f"not a user's name or id: {text[:80]!r}", hint="a name as in /etc/passwd, or digits")
    return text


def _nftables(users: list[str]) -> str:
    """Declared, deleted and declared anew in one transaction: it can be loaded again, and there is no gap."""
    allowed = "".join(f"\t\tmeta skuid {one if one.isdigit() else chr(34) + one + chr(34)} accept\n" for one in users)
    return f"""\
# Only {", ".join(users)} may reach the metadata service of EC2.
table inet {NAME}
delete table inet {NAME}
table inet {NAME} {{
\tchain output {{
\t\ttype filter hook output priority filter; policy accept;
\t\tip daddr {IMDS_V4} jump asked
\t\tip6 daddr {IMDS_V6} jump asked
\t}}

\tchain forward {{
\t\ttype filter hook forward priority filter; policy accept;
\t\tip daddr {IMDS_V4} jump refused
\t\tip6 daddr {IMDS_V6} jump refused
\t}}

\tchain asked {{
{allowed}\t\tjump refused
\t}}

\tchain refused {{
\t\tmeta l4proto tcp reject with tcp reset
\t\treject with icmpx admin-prohibited
\t}}
}}
"""


def _iptables(users: list[str]) -> str:
    return _restored(users, f"{IMDS_V4}/32", "icmp-admin-prohibited")


def _ip6tables(users: list[str]) -> str:
    return _restored(users, f"{IMDS_V6}/128", "icmp6-adm-prohibited")


def _restored(users: list[str], address: str, refusal: str) -> str:
    """With --noflush a chain that is named is emptied, others stay: the rules of others are not touched."""
    allowed = "".join(f"-A {_CHAIN} -m owner --uid-owner {one} -j RETURN\n" for one in users)
    return f"""\
# Only {", ".join(users)} may reach the metadata service of EC2. Load with --noflush.
*filter
:{_CHAIN} - [0:0]
:{_CHAIN}_FWD - [0:0]
-I OUTPUT 1 -d {address} -j {_CHAIN}
-I FORWARD 1 -d {address} -j {_CHAIN}_FWD
{allowed}-A {_CHAIN} -j {_CHAIN}_FWD
-A {_CHAIN}_FWD -p tcp -j REJECT --reject-with tcp-reset
-A {_CHAIN}_FWD -j REJECT --reject-with {refusal}
COMMIT
"""


def _pf(users: list[str]) -> str:
    """The first match decides, by `quick`; only TCP and UDP have a user in pf."""
    who = ", ".join(users)
    lines = [f"# Only {who} may reach the metadata service of EC2."]
    for family, address in (("inet", IMDS_V4), ("inet6", IMDS_V6)):
        lines.append(f"pass out quick {family} proto tcp from any to {address} user {{ {who} }}")
        lines.append(f"block return out quick {family} from any to {address}")
    return "\n".join(lines) + "\n"


def _ipfw(users: list[str]) -> str:
    """The first match decides; only TCP and UDP have a user in ipfw."""
    lines: list[str] = []
    for me, address, reset in (("me", IMDS_V4, "reset"), ("me6", IMDS_V6, "reset6")):
        lines += [f"allow tcp from {me} to {address} out uid {one}" for one in users]
        lines += [f"{reset} tcp from {me} to {address} out", f"deny all from {me} to {address} out"]
    numbered = "".join(f"add {_IPFW_FIRST + place} set {_IPFW_SET} {line}\n" for place, line in enumerate(lines))
    return f"# Only {', '.join(users)} may reach the metadata service of EC2.\n{numbered}"


_RULES: dict[Tool, Callable[[list[str]], str]] = {
    Tool.NFTABLES: _nftables,
    Tool.IPTABLES: _iptables,
    Tool.IP6TABLES: _ip6tables,
    Tool.PF: _pf,
    Tool.IPFW: _ipfw,
}


def _loading_tables(tool: str, address: str, kept_in: str) -> str:
    """Loaded once more, the jumps would be there twice: the second of each is taken away, and there is no gap."""
    output = f"OUTPUT -d {address} -j {_CHAIN}"
    forward = f"FORWARD -d {address} -j {_CHAIN}_FWD"
    docker = f"DOCKER-USER -d {address} -j {_CHAIN}_FWD"
    return f"""\
{tool}-restore --noflush --test < FILE || exit 1
again=no; {tool} -C {output} 2>/dev/null && again=yes
{tool}-restore --noflush < FILE || exit 1
if [ "$again" = yes ]; then {tool} -D {output}; {tool} -D {forward}; fi
# Docker puts its own rules before those of FORWARD; what is in DOCKER-USER comes before them.
if {tool} -n -L DOCKER-USER >/dev/null 2>&1; then
  {tool} -C {docker} 2>/dev/null || {tool} -I {docker}
fi
# Keep it: {tool}-save > {kept_in}
"""


def _undoing_tables(tool: str, address: str) -> str:
    jumps = (f"OUTPUT -d {address} -j {_CHAIN}", *(f"{one} -d {address} -j {_CHAIN}_FWD" for one in _FORWARDING))
    removed = "".join(f"while {tool} -D {jump} 2>/dev/null; do :; done\n" for jump in jumps)
    emptied = "".join(f"{tool} -F {one}\n" for one in (_CHAIN, f"{_CHAIN}_FWD"))
    return f"{removed}{emptied}{tool} -X {_CHAIN}\n{tool} -X {_CHAIN}_FWD\n# If it was kept: save again.\n"


_FORWARDING = ("FORWARD", "DOCKER-USER")

_LOADING = {
    Tool.NFTABLES: """\
nft -c -f FILE || exit 1
nft -f FILE || exit 1
# Keep it: echo 'include "FILE"' >> /etc/nftables.conf; systemctl enable nftables
""",
    Tool.IPTABLES: _loading_tables("iptables", f"{IMDS_V4}/32", "/etc/iptables/rules.v4"),
    Tool.IP6TABLES: _loading_tables("ip6tables", f"{IMDS_V6}/128", "/etc/iptables/rules.v6"),
    Tool.PF: f"""\
pfctl -n -f FILE || exit 1
# In /etc/pf.conf, among the filter rules and before any `quick` that lets such traffic out:
#   anchor "{NAME}"
#   load anchor "{NAME}" from "FILE"
pfctl -a {NAME} -f FILE || exit 1
pfctl -s info | grep -q Enabled || echo 'pf is off: pfctl -e, once /etc/pf.conf says what else it should do' >&2
# Keep it: the two lines in /etc/pf.conf do, where pf is enabled at boot.
""",
    Tool.IPFW: f"""\
ipfw -n FILE || exit 1
ipfw -q delete set {_IPFW_SET} 2>/dev/null || true
ipfw -q FILE || exit 1
# Keep it: call these two lines from the script that firewall_script names in /etc/rc.conf.
""",
}

_UNDOING = {
    Tool.NFTABLES: f"nft delete table inet {NAME}\n# If it was kept: take the line out of /etc/nftables.conf.\n",
    Tool.IPTABLES: _undoing_tables("iptables", f"{IMDS_V4}/32"),
    Tool.IP6TABLES: _undoing_tables("ip6tables", f"{IMDS_V6}/128"),
    Tool.PF: f"pfctl -a {NAME} -F rules\n# If it was kept: take the two lines out of /etc/pf.conf.\n",
    Tool.IPFW: f"ipfw delete set {_IPFW_SET}\n# If it was kept: take the lines out of the script.\n",
}
