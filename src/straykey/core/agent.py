"""Which program a user agent names."""


def family(agent: str) -> str:
    """The program without its version: `[aws-cli/2.17.0 md/…]` is `aws-cli`."""
    return agent.lstrip("[").split("/", 1)[0].split(" ", 1)[0].lower()
