"""How AWS is reached, and in words why it refuses; the one module that imports boto3, and only once it is needed.

What AWS says of a refusal is repeated for denied access only, where it names who was denied.  Of a wrong signature it
says what was signed, session token and all; a credential process may say anything.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from straykey.errors import SourceError
from straykey.formats.text import printable

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.config import Config

_DENIED = frozenset(
    {"403", "AccessDenied", "AccessDeniedException", "AllAccessDisabled", "AuthorizationError", "UnauthorizedOperation"}
)
_EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "RequestExpired"})
_UNKNOWN = frozenset(
    {
        "AuthFailure",
        "IncompleteSignature",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "InvalidToken",
        "MissingAuthenticationToken",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
_THROTTLED = frozenset(
    {
        "KMS.ThrottlingException",
        "KmsThrottled",
        "OverLimit",  # a queue has too many messages in flight
        "LimitExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_NO_CREDENTIALS = frozenset(
    {
        "CredentialRetrievalError",
        "NoAuthTokenError",
        "NoCredentialsError",
        "PartialCredentialsError",
        "ProfileNotFound",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
        "UnknownCredentialError",
    }
)
_ELSEWHERE = ("the bucket lies in another region", "set AWS_DEFAULT_REGION to the bucket's region")
_NO_NAME = ("that is no bucket's name", "name it as s3://bucket/prefix")
_OF_BUCKETS = {
    "NoSuchBucket": ("there is no such bucket", "aws s3 ls lists yours"),
    "InvalidBucketName": _NO_NAME,
    "ParamValidationError": _NO_NAME,
    "PermanentRedirect": _ELSEWHERE,
    "AuthorizationHeaderMalformed": _ELSEWHERE,
    "IllegalLocationConstraintException": _ELSEWHERE,
}
_LOG_IN = "log in (aws sso login), or set AWS_PROFILE, or the keys in the environment"
_SECONDS_TO_CONNECT = 10
_SECONDS_TO_ANSWER = 30
_ATTEMPTS = 5


def session() -> "Session":
    """Credentials and region as every AWS tool finds them: environment, profile, instance."""
    try:
        import boto3  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise SourceError("reaching AWS needs boto3", hint="pip install 'straykey[aws]'") from error
    try:
        return boto3.Session()
    except failures() as error:
        raise refusal(error, "AWS configuration", "") from error


def settings() -> "Config":
    """Of a client that tries once: who calls it knows how to wait."""
    from botocore.config import Config  # noqa: PLC0415 - an extra

    return Config(retries={"total_max_attempts": 1}, connect_timeout=_SECONDS_TO_CONNECT, user_agent_extra="straykey")


def pooled(connections: int) -> "Config":
    """Of a client that many threads use; what fails for a moment is asked again."""
    from botocore.config import Config  # noqa: PLC0415 - an extra

    return Config(
        retries={"mode": "standard", "max_attempts": _ATTEMPTS},
        connect_timeout=_SECONDS_TO_CONNECT,
        read_timeout=_SECONDS_TO_ANSWER,
        max_pool_connections=connections,
        user_agent_extra="straykey",
    )


@contextmanager
def reaching(where: str, permission: str) -> Iterator[None]:
    """Turn what AWS refuses into a `SourceError`."""
    session()  # without boto3 there are no failures to name
    try:
        yield
    except failures() as error:
        told, hint = _OF_BUCKETS.get(code_of(error), ("", ""))
        raise SourceError(f"{where}: {told}", hint=hint) if told else refusal(error, where, permission) from error


@contextmanager
def configuring(where: str) -> Iterator[None]:
    """Turn what prevents a client from being made into a `SourceError`."""
    session()
    wrong: tuple[type[Exception], ...] = (ValueError, *failures())  # an endpoint that is no address, say
    try:
        yield
    except wrong as error:
        raise refusal(error, where, "") from error


def failures() -> tuple[type[Exception], ...]:
    """Everything that botocore raises."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - an extra
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 - an extra

    return (BotoCoreError, ClientError, ResponseParserError)


def code_of(error: Exception) -> str:
    """AWS's word for what is wrong; without an answer of AWS, botocore's."""
    answer = getattr(error, "response", None)
    return str(answer.get("Error", {}).get("Code", "")) if isinstance(answer, dict) else type(error).__name__


def is_throttling(error: Exception) -> bool:
    return code_of(error) in _THROTTLED


def is_denial(error: Exception) -> bool:
    return code_of(error) in _DENIED


def is_of_credentials(error: Exception) -> bool:
    """Whether nothing at all can be read with the credentials there are, not just what was asked for."""
    code = code_of(error)
    return code in _EXPIRED | _UNKNOWN | _NO_CREDENTIALS or code.startswith(("SSO", "Login"))


def is_passing(error: Exception) -> bool:
    """Whether the same call may well be answered later: AWS failed, or the network did."""
    from botocore.exceptions import (  # noqa: PLC0415 - an extra
        ChecksumError,
        ConnectionError,  # noqa: A004
        FlexibleChecksumError,
        HTTPClientError,
        IncompleteReadError,
    )
    from botocore.parsers import ResponseParserError  # noqa: PLC0415 - an extra

    answer = getattr(error, "response", None)
    if isinstance(answer, dict):
        return bool(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500)
    of_the_way = (ChecksumError, ConnectionError, FlexibleChecksumError, HTTPClientError, IncompleteReadError)
    return isinstance(error, (*of_the_way, ResponseParserError))


def refusal(error: Exception, where: str, permission: str) -> SourceError:
    """What went wrong with a call that needs `permission`, and how to mend it."""
    code = code_of(error)
    if code in _DENIED:
        return SourceError(f"{where}: access denied{_said_by(error)}", hint=f"grant {permission} to who runs straykey")
    if code in _EXPIRED:
        return SourceError(f"{where}: the credentials have expired", hint=_LOG_IN)
    if code in _UNKNOWN:
        hint = f"{_LOG_IN}; check that the region is enabled for the account, and that the clock is right"
        return SourceError(f"{where}: AWS does not accept the credentials ({printable(code)})", hint=hint)
    if code in _NO_CREDENTIALS or code.startswith(("SSO", "Login")):
        return SourceError(f"{where}: no usable AWS credentials ({code})", hint=_LOG_IN)
    if code in _THROTTLED:
        hint = "somebody else is calling it, too: wait until they are done, or read less (--since)"
        return SourceError(f"{where}: AWS keeps saying that it is called too often ({printable(code)})", hint=hint)
    if is_passing(error):
        return SourceError(f"{where}: no answer from AWS ({printable(code)})", hint="check network, proxy and region")
    if hasattr(error, "response"):
        return SourceError(f"{where}: AWS refuses the call ({printable(code)})", hint="see AWS's page on this code")
    return SourceError(f"{where}: AWS cannot be called ({code})", hint="check the AWS configuration and environment")


def _said_by(error: Exception) -> str:
    answer = getattr(error, "response", None)
    told = answer.get("Error", {}).get("Message", "") if isinstance(answer, dict) else ""
    return f": {printable(str(told))}" if told else ""
