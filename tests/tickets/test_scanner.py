"""ClamAV's protocol against a counterpart that speaks it."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from tests.clamd import EICAR, running_clamd
from tickets.scanners import ClamAV, ScanFailed, Verdict, scanner


@pytest.fixture(params=["tcp", "unix"])
def clamd(request, tmp_path, settings):
    path = tmp_path / "clamd.ctl" if request.param == "unix" else None
    with running_clamd(path) as running:
        settings.SCANNER_URL = running.address
        settings.SCANNER_TIMEOUT = 5
        yield running


def test_bytes_arrive_as_they_are_and_the_verdict_is_read(clamd):
    assert scanner().scan([b"a" * 70_000, b"", b"end"]) == Verdict(is_safe=True)
    assert clamd.streams == [b"a" * 70_000 + b"end"]
    assert scanner().scan([EICAR[:10], EICAR[10:]]) == Verdict(
        is_safe=False, finding="Win.Test.EICAR_HDB-1"
    )


def test_what_is_not_understood_is_no_verdict(clamd):
    clamd.mood = "garbled"
    with pytest.raises(ScanFailed, match="hmm"):
        scanner().scan([b"x"])


def test_a_file_too_large_for_it_is_no_verdict(clamd):
    clamd.limit = 10
    with pytest.raises(ScanFailed):
        scanner().scan([b"x" * 20])


def test_one_that_says_nothing_is_given_up(clamd, settings):
    clamd.mood = "mute"
    settings.SCANNER_TIMEOUT = 0.3
    with pytest.raises(ScanFailed, match=r"timed out|Timeout"):
        scanner().scan([b"x"])


def test_one_that_is_not_there_is_no_verdict(tmp_path):
    with pytest.raises(ScanFailed):
        ClamAV(path=str(tmp_path / "nobody"), timeout=1).scan([b"x"])
    with pytest.raises(ScanFailed):
        ClamAV(host="127.0.0.1", port=1, timeout=1).scan([b"x"])


def test_the_address_is_checked(settings):
    settings.SCANNER_URL = ""
    assert scanner() is None
    settings.SCANNER_URL = "clamav://scan.internal"
    assert scanner() == ClamAV(host="scan.internal", port=3310, timeout=30)
    settings.SCANNER_URL = "icap://scan.internal"
    with pytest.raises(ImproperlyConfigured):
        scanner()
