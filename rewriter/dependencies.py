"""Dependencies: the packages that ``requests+deps`` stands for.

They are what the installed distributions declare, and theirs in turn.  A requirement counts when it is
installed: its markers for other systems and Pythons need no evaluation then.  An optional one (``extra
==``) counts only where that extra is asked for.  Rejected: ``packaging``, a dependency for three characters
of syntax.

Imports importlib.metadata (30 ms), so nothing imports this module unless a dependency is asked for.
"""

from __future__ import annotations

from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions

SUFFIX = "+deps"


def with_dependencies(package: str) -> set[str]:
    """*package* and the import packages of all its declared, installed dependencies.

    Raises LookupError when no installed distribution provides *package*.
    """
    providers = packages_distributions()
    top = package.partition(".")[0]
    if top not in providers:
        raise LookupError(package)
    return {package} | _packages(requirements(set(providers[top])), providers)


def requirements(roots: set[str]) -> set[str]:
    """The names of the installed distributions that *roots* require, directly or not."""
    waiting = [requirement for root in roots for requirement in _required(root, frozenset())]
    found: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        requirement = waiting.pop()
        if requirement not in found:
            found.add(requirement)
            waiting.extend(_required(*requirement))
    normal = {normalized(root) for root in roots}
    return {name for name, _ in found if _installed(name) is not None and name not in normal}


def packages_of(name: str) -> set[str]:
    """The import packages that the distribution called *name* provides; none when it is not installed."""
    return _packages({normalized(name)}, packages_distributions())


def packages_required(specifications: list[str]) -> set[str]:
    """The import packages of requirements as ``[project] dependencies`` lists them, and theirs in turn."""
    direct = [parsed for parsed in map(_parsed, specifications) if not parsed[2]]
    names = {name for name, _, _ in direct if _installed(name) is not None}
    return _packages(names | requirements(names), packages_distributions())


def _packages(distributions: set[str], providers: object) -> set[str]:
    assert isinstance(providers, dict)
    return {
        package
        for package, provided_by in providers.items()
        if package.isidentifier()
        and not package.startswith("__")
        and distributions & {normalized(name) for name in provided_by}
    }


def _required(name: str, extras: frozenset[str]) -> list[tuple[str, frozenset[str]]]:
    found = _installed(name)
    needed = []
    for specification in (found.requires or []) if found is not None else []:
        required, its_extras, marker = _parsed(specification)
        if "extra" in marker and not any(f'"{extra}"' in marker.replace("'", '"') for extra in extras):
            continue
        needed.append((required, its_extras))
    return needed


def _parsed(specification: str) -> tuple[str, frozenset[str], str]:
    """The name, extras and marker of a requirement (PEP 508), the name normalized (PEP 503)."""
    requirement, _, marker = specification.partition(";")
    end = 0
    while end < len(requirement) and (requirement[end].isalnum() or requirement[end] in "-_."):
        end += 1
    rest = requirement[end:].strip()
    listed = rest[1:].partition("]")[0] if rest.startswith("[") else ""
    extras = frozenset(extra.strip() for extra in listed.split(",") if extra.strip())
    return normalized(requirement[:end]), extras, marker


def normalized(name: str) -> str:
    """The one spelling of a distribution's name (PEP 503)."""
    parts = [part for part in name.strip().lower().replace("_", "-").replace(".", "-").split("-") if part]
    return "-".join(parts)


def _installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except (PackageNotFoundError, ValueError):
        return None
