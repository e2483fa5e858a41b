"""Unpacking, and how far a break or a bomb gets."""

import gzip
import random
import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from typing import NamedTuple

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from straykey.core.record import Skipped
from straykey.sources.compression import Limit, Unpacking
from tests.records import gz, trail, use_record

Pack = Callable[[bytes], bytes]
PLAIN = trail(*(use_record(event_id=f"{place}") for place in range(20)))
SMALL = Limit(ratio=2, floor=1000, ceiling=5000)


class Unpacked(NamedTuple):
    data: bytes
    problem: Skipped | None


def unpack(data: bytes, limit: Limit | None = None) -> Unpacked:
    unpacking = Unpacking(BytesIO(data).read, limit, len(data))
    return Unpacked(b"".join(unpacking), unpacking.problem)


def zst(content: bytes) -> bytes:
    return zstandard.compress(content)


packed = st.sampled_from([gz, zst])


@given(packed, st.lists(st.binary(max_size=2000), min_size=1, max_size=5))
def test_all_members_are_unpacked(pack: Pack, parts: list[bytes]) -> None:
    unpacked = unpack(b"".join(pack(part) for part in parts))
    assert (unpacked.data, unpacked.problem) == (b"".join(parts), None)


@given(st.binary().filter(lambda data: not data.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd"))))
def test_what_is_not_packed_is_left_as_it_is(data: bytes) -> None:
    assert unpack(data).data == data


@given(packed, st.data())
def test_a_cut_gives_the_beginning_and_says_so(pack: Pack, data: st.DataObject) -> None:
    whole = pack(PLAIN) + pack(b"more")
    cut = data.draw(st.integers(4, len(whole) - 1).filter(lambda size: size != len(pack(PLAIN))))
    unpacked = unpack(whole[:cut])
    assert (PLAIN + b"more").startswith(unpacked.data)
    assert unpacked.problem in (Skipped.TRUNCATED, Skipped.CORRUPT)
    assert unpacked.problem is Skipped.TRUNCATED or len(pack(PLAIN)) < cut <= len(pack(PLAIN)) + 1


@given(st.integers(20, len(gz(PLAIN)) - 1))
def test_as_much_of_a_cut_gzip_file_is_unpacked_as_zlib_can(cut: int) -> None:
    reference = zlib.decompressobj(31).decompress(gz(PLAIN)[:cut])
    assert len(unpack(gz(PLAIN)[:cut]).data) >= len(reference) - 1


@given(packed, st.data())
def test_no_damage_raises_or_goes_unnoticed_where_a_checksum_guards(pack: Pack, data: st.DataObject) -> None:
    whole = bytearray(pack(PLAIN))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    unpacked = unpack(bytes(whole))
    assert unpacked.problem is not None or unpacked.data == PLAIN or pack is zst or unpacked.data == bytes(whole)


@given(st.binary(max_size=200), packed)
def test_no_bytes_raise(data: bytes, pack: Pack) -> None:
    unpack(pack(b"")[:4] + data)


def test_a_wrong_checksum_costs_the_last_byte_at_most() -> None:
    damaged = gz(PLAIN)[:-8] + b"\0\0\0\0" + gz(PLAIN)[-4:]
    unpacked = unpack(damaged)
    assert unpacked.problem is Skipped.CORRUPT
    assert len(unpacked.data) >= len(PLAIN) - 1


@pytest.mark.parametrize("pack", [gz, zst])
def test_a_bomb_is_stopped_at_the_limit(pack: Pack) -> None:
    unpacked = unpack(pack(bytes(50_000_000)), SMALL)
    assert unpacked.problem is Skipped.TOO_LARGE
    assert len(unpacked.data) <= 20_000_000


def test_a_gzip_bomb_is_stopped_to_the_byte() -> None:
    assert len(unpack(gz(bytes(50_000_000)), SMALL).data) == 5000


@pytest.mark.parametrize(("size", "limit"), [(10, 1000), (1000, 2000), (10_000, 5000)])
def test_the_limit_grows_with_the_file_up_to_a_ceiling(size: int, limit: int) -> None:
    assert SMALL.of(size) == limit


def test_zeros_may_follow_the_last_member_and_nothing_else() -> None:
    assert unpack(gz(PLAIN) + bytes(512)).problem is None
    assert unpack(gz(PLAIN) + b"more").problem is Skipped.CORRUPT
    assert unpack(gz(PLAIN) + b"more").data == PLAIN


# Once quadratic: a hundred thousand members took minutes.
@pytest.mark.parametrize("member", [gz(b""), gz(b"x"), zst(b"x")])
def test_many_tiny_members_come_to_an_end(member: bytes) -> None:
    assert unpack(member * 100_000).problem is None


def test_gzip_of_other_programs_is_read() -> None:
    assert unpack(gzip.compress(PLAIN, compresslevel=1) + gzip.compress(b"", compresslevel=9)).data == PLAIN


@pytest.mark.parametrize("pack", [bytes, gz, zst])
def test_no_more_is_read_than_is_asked_for(pack: Pack) -> None:
    read: list[int] = []

    def noise(most: int) -> bytes:
        read.append(most)
        return pack(random.Random(7).randbytes(1_000_000))[:most] if len(read) == 1 else b"x" * most

    next(iter(Unpacking(noise)))
    assert sum(read) < 1_000_000


def test_where_the_size_is_not_known_the_limit_grows_with_what_was_read() -> None:
    content = random.Random(7).randbytes(500_000)
    limit = Limit(ratio=2, floor=1000, ceiling=1 << 30)
    unpacking = Unpacking(BytesIO(gz(content)).read, limit)
    assert b"".join(unpacking) == content
    assert unpacking.problem is None


def test_a_bomb_behind_a_read_that_gives_little_at_a_time_is_stopped() -> None:
    file = BytesIO(gz(bytes(50_000_000)))
    unpacking = Unpacking(lambda most: file.read(min(most, 7)), SMALL)
    assert sum(map(len, unpacking)) <= 5000
    assert unpacking.problem is Skipped.TOO_LARGE


@pytest.mark.parametrize("pack", [bytes, gz, zst])
def test_however_little_comes_at_a_time_all_is_unpacked(pack: Pack) -> None:
    file = BytesIO(pack(PLAIN) + pack(b"more"))
    unpacking = Unpacking(lambda most: file.read(min(most, 3)))
    assert b"".join(unpacking) == PLAIN + b"more"
    assert unpacking.problem is None


def test_a_break_far_into_a_long_member_costs_one_step_at_most() -> None:
    content = random.Random(7).randbytes(6 << 20)
    unpacked = unpack(gz(content)[:-8] + bytes(8))
    assert unpacked.problem is Skipped.CORRUPT
    assert content.startswith(unpacked.data)
    assert len(content) - len(unpacked.data) <= 1 << 16


def test_output_that_is_full_just_when_input_is_used_up_is_no_end() -> None:
    """The decompressor then asks for input one call late.  It took one file of five thousand to notice."""
    first, rest = bytes(random.Random(1).choices(b"abcdefgh", k=1 << 16)), b"and the rest"
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packing.compress(first) + packing.flush(zlib.Z_FULL_FLUSH)
    header = b"\x1f\x8b\x08\x08" + bytes(6)
    name = b"n" * ((1 << 15) - len(header) - 1 - len(packed)) + b"\0"  # so that the first 32 kB end with the first part
    sums = struct.pack("<II", zlib.crc32(first + rest), len(first + rest))
    content = header + name + packed + packing.compress(rest) + packing.flush() + sums
    assert gzip.decompress(content) == first + rest
    unpacking = Unpacking(BytesIO(content).read)
    assert (b"".join(unpacking), unpacking.problem) == (first + rest, None)
