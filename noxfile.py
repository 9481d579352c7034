"""What continuous integration checks, over every Python that is installed: `nox`.

`nox --list` names the sessions; `nox -s tests-3.12` runs one. A Python that is missing is skipped.
"""

import tarfile
import zipfile
from pathlib import Path

import nox

PYTHONS = ["3.11", "3.12", "3.13", "3.14"]

nox.needs_version = ">=2024.10"
nox.options.sessions = ["lint", "types", "tests"]
nox.options.error_on_missing_interpreters = False


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Run the whole suite, or what is asked for: `nox -s tests-3.13 -- tests/statistics`."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session(python=PYTHONS)
def fast(session: nox.Session) -> None:
    """Run all tests but those that are marked as slow."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", "-m", "not slow", *session.posargs)


@nox.session(python=PYTHONS)
def exhaustive(session: nox.Session) -> None:
    """Run the tests that repeat, simulate or kill again and again, for some minutes."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", "-m", "exhaustive", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, format, and which module imports which."""
    session.install("-e", ".[test]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports", "--no-cache")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types."""
    session.install("-e", ".[test]")
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Check that what the documents say is so."""
    session.install("-e", ".[test]")
    session.run("python", "-m", "pytest", "tests/test_docs.py", *session.posargs)


@nox.session
def package(session: nox.Session) -> None:
    """Build the sdist, and the wheel from it, and check that no file is missing from either."""
    session.install("build")
    folder = Path(session.create_tmp()) / "dist"
    session.run("python", "-m", "build", "--outdir", str(folder))
    # There may be others, of another version.
    sdist = max(folder.glob("*.tar.gz"), key=lambda path: path.stat().st_mtime)
    wheel = max(folder.glob("*.whl"), key=lambda path: path.stat().st_mtime)
    with tarfile.open(sdist) as archive:
        in_sdist = {name.partition("/")[2] for name in archive.getnames()}
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = set(archive.namelist())
    tracked = session.run("git", "ls-files", external=True, silent=True).splitlines()
    missing = {name for name in tracked if name != ".gitignore"} - in_sdist
    missing |= {
        name
        for path in tracked
        if path.startswith("src/") and (name := path.removeprefix("src/")) not in in_wheel
    }
    if missing:
        session.error(f"missing from the sdist or the wheel: {', '.join(sorted(missing))}")
