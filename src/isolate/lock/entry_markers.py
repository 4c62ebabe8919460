"""The marker of one entry of a lock: which extras and groups have to be asked for so that it is installed. Pure.

A lock holds solutions: what pip resolved at once for the base and a set of parts. The first solution whose parts
include everything that is asked for answers. An entry belongs to some of the solutions, and there the base or certain
parts lead to it. Its marker must be true exactly where the solution that answers has the entry and something that is
asked for leads to it. What no solution includes is not locked; there, markers of two entries of one name may both hold,
which an installer must refuse (PEP 751).

A marker is a disjunction of terms, a term a conjunction of clauses, and a clause a disjunction of literals.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.markers import Marker

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from isolate.lock.parts import Part

    Literal = tuple[Part, bool]
    Clause = frozenset[Literal]
    Term = frozenset[Clause]


def entry_marker(
    places: Sequence[AbstractSet[Part | None]], solutions: Sequence[AbstractSet[Part]], order: Sequence[Part]
) -> Marker | None:
    """Return the marker of an entry; None if it is installed whatever is asked for.

    *solutions* has the parts of each solution, and *places* what leads to the entry there: parts, and None for the
    base; it is empty for a solution without the entry. *order* is that of the terms.
    """
    terms: list[Term] = []
    for part in (None, *order):
        for number in (number for number, place in enumerate(places) if part in place):
            term = _term(number, part, places, solutions)
            if term is not None and term not in terms:
                terms.append(term)
    terms = [term for term in terms if not any(other < term for other in terms)]
    if frozenset() in terms:
        return None
    texts = [" and ".join(map(_clause_text, sorted(term, key=_clause_key))) for term in terms]
    grouped = len(terms) > 1
    return Marker(
        " or ".join(f"({text})" if grouped and len(term) > 1 else text for text, term in zip(texts, terms, strict=True))
    )


def _term(
    number: int,
    part: Part | None,
    places: Sequence[AbstractSet[Part | None]],
    solutions: Sequence[AbstractSet[Part]],
) -> Term | None:
    """Return when the solution *number* answers and *part* is asked for; None if that never happens.

    Of the other solutions, only those need to be excluded that answer for the part without this entry.
    """
    own = solutions[number]
    clauses: set[Clause] = set() if part is None else {frozenset({(part, True)})}
    for other_number, other in enumerate(solutions):
        if part in places[other_number] or (part is not None and part not in other):
            continue
        if other_number > number:  # it answers where something is asked for that this one lacks
            clauses |= {frozenset({(lacking, False)}) for lacking in other - own}
        elif other_number < number:  # this one answers where something is asked for that the other lacks
            clauses.add(frozenset((lacking, True) for lacking in own - other))
    return _simplified(clauses)


def _simplified(clauses: Iterable[Clause]) -> Term | None:
    """Return *clauses* without what follows from others of them; None if they contradict each other."""
    known = {literal for clause in clauses if len(clause) == 1 for literal in clause}
    simplified: set[Clause] = set()
    for clause in clauses:
        rest = frozenset((part, asked) for part, asked in clause if (part, not asked) not in known)
        if not rest:
            return None
        if len(clause) == 1 or rest.isdisjoint(known):
            simplified.add(rest)
    return frozenset(clause for clause in simplified if not any(other < clause for other in simplified))


def _clause_text(clause: Clause) -> str:
    texts = [part.condition(asked=asked) for part, asked in sorted(clause)]
    return texts[0] if len(texts) == 1 else f"({' or '.join(texts)})"


def _clause_key(clause: Clause) -> tuple[bool, list[Literal]]:
    """Return what clauses are sorted by: what has to be asked for comes first."""
    return not all(asked for _, asked in clause), sorted(clause)
