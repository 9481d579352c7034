"""A cluster whose connections are encrypted, with certificates made here."""

import os
import re
import shutil
import subprocess

import pytest

from builders.clusters import TINY, Cluster, finish, start
from forwardbench import results


def certificate(folder, name):
    """Make a certificate that is its own authority; returns Dask's settings for all roles."""
    if shutil.which("openssl") is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("openssl is not installed")
    file, key = folder / f"{name}.pem", folder / f"{name}.key"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", f"/CN={name}", "-out", file, "-keyout", key],
        check=True, capture_output=True,
    )  # fmt: skip
    settings = {"DASK_DISTRIBUTED__COMM__TLS__CA_FILE": str(file)}
    for role in ("SCHEDULER", "WORKER", "CLIENT"):
        settings[f"DASK_DISTRIBUTED__COMM__TLS__{role}__CERT"] = str(file)
        settings[f"DASK_DISTRIBUTED__COMM__TLS__{role}__KEY"] = str(key)
    return settings


@pytest.fixture
def settings(tmp_path):
    """Dask's settings for the certificate of a cluster."""
    return certificate(tmp_path, "cluster")


@pytest.fixture
def encrypted(tmp_path, settings):
    """A cluster with TLS, without workers."""
    folder = tmp_path / "cluster"
    folder.mkdir()
    made = Cluster(folder, "tls", **settings)
    yield made
    made.close()


def set_all(settings, monkeypatch):
    """Set environment variables for the commands that a test starts."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


def test_a_batch_is_checked_over_tls(encrypted, settings, tmp_path, monkeypatch):
    """The same command as without it, with the certificates in Dask's settings."""
    assert encrypted.address.startswith("tls://127.0.0.1:")
    encrypted.add("127.0.0.1", **settings)
    set_all(settings, monkeypatch)
    status, out, err = finish(start(
        "verify", "--implementation", "dask_array", "--scheduler", encrypted.address,
        "--shape", "20x4-3", cwd=tmp_path,
    ))  # fmt: skip
    assert (status, err) == (0, ""), out
    assert re.match(r"dask_array +verified +20x4-3: 3 rows of 20 compared", out)


@pytest.mark.exhaustive
def test_a_run_over_tls_brings_data_and_its_pages_are_made_here(
    encrypted, settings, tmp_path, monkeypatch
):
    """From a host come only JSON files; its table, charts and report are made from them."""
    encrypted.add("127.0.0.1", **settings)
    set_all(settings, monkeypatch)
    status, _, err = finish(start(
        "run", "--scheduler", encrypted.address, *TINY, "--passes", "1", "--output", "made",
        cwd=tmp_path,
    ))  # fmt: skip
    assert re.search(r"127.0.0.1: started, by its worker tls://127.0.0.1:", err), err
    assert status == 0, err
    host = tmp_path / "made" / "127.0.0.1"
    assert {"run.json", "pass-001.json", "table.csv", "report.html", "charts"} == {
        path.name for path in host.iterdir()
    }
    assert results.load(host).cells["status"].eq("measured").all()


def test_without_the_right_certificate_nobody_is_let_in(encrypted, tmp_path, monkeypatch):
    """Another authority's certificate is refused, and so is a connection without encryption."""
    set_all(certificate(tmp_path, "stranger"), monkeypatch)
    plain = encrypted.address.replace("tls:", "tcp:")
    for address in (encrypted.address, plain):
        status, _, err = finish(start("run", "--scheduler", address, *TINY, cwd=tmp_path))
        assert status == 2
        assert re.fullmatch(rf"forwardbench: no Dask scheduler answers at {address} .*\n", err)
